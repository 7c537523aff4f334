import JSON

/// Every method that the daemon answers. To add one: its declaration beside its noun, and its SQL function, which
/// has its name. Their examples can be run in this order, on one connection: the one that ends the daemon
/// comes last.
package enum AllMethods {
    package static let list: [Method] =
        Daemon.methods + Catalogue.methods + Inventory.methods + Prices.methods + Automation.methods
        + Campaigns.methods + Rules.methods + RuleProofs.methods + Proposals.methods + Orders.methods + Quotes.methods
        + Users.methods + Logins.methods + Browse.methods + Reports.methods + Events.methods + Audit.methods
        + History.methods + Lab.methods
        + [Daemon.drain]

    package static let byName: [String: Method] = Dictionary(uniqueKeysWithValues: list.map { ($0.name, $0) })

    /// The names of all members whose values are secret: of parameters, of what a call says beside them, and of results.
    package static let secrets = Set(
        (list.flatMap { $0.parameters.fields + $0.result.fields } + CallMeta.shape.fields).filter(\.isSecret).map(
            \.name
        )
    )

    /// The nearest names to one that does not exist, best first, at most three.
    package static func near(_ name: String) -> [String] { NearNames.of(name, among: list.map(\.name)) }
}
