/// What pages call a writing method.
struct Deed: Sendable {
    /// On its page and button.
    let title: String
    /// After it was done.
    let done: String

    private init(_ title: String, _ done: String) {
        self.title = title
        self.done = done
    }

    /// The path of the section that a method belongs to.
    static func section(_ method: String) -> String {
        let noun = method.prefix { $0 != "." }
        return switch noun {
        case "inventory": "/stock"
        case "pricing": "/operations"
        case "audit": "/integrity"
        case "category": "/categories"
        default: "/\(noun)s"
        }
    }

    /// Those that have a page, by method.
    static let all: [String: Deed] = [
        "product.create": Deed("New product", "The product is made."),
        "product.update": Deed("Change the product", "The product is changed."),
        "product.archive": Deed("Take out of sale", "The product is archived."),
        "product.restore": Deed("Bring back", "The product is back."),
        "inventory.restock": Deed("Restock", "The delivery is on the shelf."),
        "inventory.adjust": Deed("Correct the stock", "The stock is corrected."),
        "inventory.expect": Deed("Expect a delivery", "The delivery is expected."),
        "inventory.unexpect": Deed("Expect it no more", "It is expected no more."),
        "price.pin": Deed("Set a manual price", "The price is pinned."),
        "price.unpin": Deed("Back to automation", "Automation sets the price again."),
        "price.rollback": Deed("Take price changes back", "The price changes are taken back."),
        "pricing.halt": Deed("Halt automation", "Automation is halted."),
        "pricing.resume": Deed("Resume automation", "Automation goes on."),
        "rule.create": Deed("New rule version", "The rule is a draft now."),
        "rule.activate": Deed("Put the rule into force", "The rule is in force."),
        "rule.retire": Deed("Retire the rule", "The rule is retired."),
        "campaign.create": Deed("New campaign", "The campaign is made."),
        "campaign.end": Deed("End the campaign", "The campaign is over."),
        "proposal.approve": Deed("Approve the proposal", "The price is set as proposed."),
        "proposal.reject": Deed("Reject the proposal", "The proposal is rejected."),
        "order.advance": Deed("Move the order on", "The order is moved on."),
        "order.cancel": Deed("Cancel the order", "The order is cancelled."),
        "order.return": Deed("Take the order back", "The return is booked."),
        "user.create": Deed("New user", "The user is made."),
        "user.update": Deed("Change the user", "The user is changed."),
        "user.delete": Deed("Delete the user", "The user is deleted."),
        "supplier.create": Deed("New supplier", "The supplier is made."),
        "supplier.update": Deed("Change the supplier", "The supplier is changed."),
        "supplier.delete": Deed("Delete the supplier", "The supplier is deleted."),
        "category.create": Deed("New category", "The category is made."),
        "category.update": Deed("Change the category", "The category is changed."),
        "category.delete": Deed("Delete the category", "The category is deleted."),
        "audit.repair": Deed("Repair", "The figures are put right."),
        "quote.release": Deed("Release the quote", "The quote is released."),
    ]
}
