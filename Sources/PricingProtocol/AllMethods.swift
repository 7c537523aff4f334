import JSON

/// Every method that the daemon answers. To add one: its declaration beside its noun, and its SQL function, which
/// has its name. Their examples can be run in this order, on one connection: the one that ends the daemon
/// comes last.
package enum AllMethods {
    package static let list: [Method] =
        Daemon.methods + Catalogue.methods + Inventory.methods + Prices.methods + Automation.methods
        + Campaigns.methods + Rules.methods + RuleProofs.methods + Orders.methods + Users.methods + Reports.methods
        + Events.methods + Audit.methods + History.methods + Lab.methods
        + [Daemon.drain]

    package static let byName: [String: Method] = Dictionary(uniqueKeysWithValues: list.map { ($0.name, $0) })

    /// The names of all parameters whose values are secret.
    package static let secrets = Set(list.flatMap(\.parameters.fields).filter(\.isSecret).map(\.name))

    /// The nearest names to one that does not exist, best first, at most three.
    package static func near(_ name: String) -> [String] {
        list.map { (name: $0.name, distance: editDistance(Array(name.utf8.prefix(64)), Array($0.name.utf8))) }
            .filter { $0.distance <= 4 }
            .sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
            .prefix(3).map(\.name)
    }

    /// Levenshtein (1966): the fewest insertions, deletions and substitutions between two texts.
    private static func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let cost = a == b ? diagonal : diagonal + 1
                diagonal = row[j + 1]
                row[j + 1] = min(cost, row[j] + 1, diagonal + 1)
            }
        }
        return row[right.count]
    }
}
