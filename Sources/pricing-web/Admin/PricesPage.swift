import JSON
import Markup

/// All price changes, and taking them back.
struct PricesPage: Sendable {
    static let path = "/prices"

    let site: Site

    func add(to routes: inout Routes) {
        var list = ListPage(
            site: site,
            path: PricesPage.path,
            title: "Price changes",
            method: "price.changes",
            filters: [
                FormField(
                    "direction",
                    "Direction",
                    .choice([.init("", "Both"), .init("up", "Rises"), .init("down", "Falls")])
                ),
                FormField("cause", "Cause", .choice(PricesPage.causes)), FormField("actor", "Who"),
                FormField("from", "From (UTC)"), FormField("to", "To (UTC)"),
            ],
            empty: "No price moved so.",
            deeds: """
                <a href="\(ReplayPage.path)">A day again</a><a href="/trail">Who did what</a>\
                <a href="\(Deed.link("price.rollback", back: PricesPage.path))">Back to a time</a>
                """,
            columns: PricesPage.columns
        )
        list.wrap = { table in
            """
            <form action="/do/price.rollback" method="post"><input type="hidden" name="_back" value="\(PricesPage.path)">\
            \(table)<div class="buttons"><button type="submit">Take the chosen back</button></div></form>
            """
        }
        list.add(to: &routes)
        ReplayPage(site: site).add(to: &routes)
    }

    private static let causes: [FormField.Choice] = [
        .init("", "All"), .init("sale", "Sale"), .init("restock", "Delivery"), .init("adjust", "Correction"),
        .init("tick", "Clock"), .init("pin", "Manual price"), .init("declaration", "Declaration"),
        .init("rule", "Rule"),
        .init("rollback", "Taken back"), .init("campaign", "Campaign"),
    ]

    private static let columns: [ListPage.Column] = [
        .init("Choose", text: nil) { row in
            let id = row["priceChangeId"]?.integer ?? 0
            return """
                <input type="checkbox" name="priceChangeIds" value="\(id)" \
                aria-label="Take back the change of \(row["title"]?.string ?? "")">
                """
        },
        .time("When (UTC)", "at"), .link("Product", "productId", "title", to: "/products/"),
        .money("Old", "old"), .money("New", "new"),
        .init("Change", .number, text: { Words.change($0["old"]?.string, $0["new"]?.string) ?? "" }) { row in
            let change = Words.change(row["old"]?.string, row["new"]?.string) ?? ""
            return "<span class=\"\(change.hasPrefix("+") ? "up" : "down")\">\(change)</span>"
        },
        .count("Stock", "stock"),
        .init("Why", text: { PricesPage.why($0) }) { row in
            let order = row["orderId"]?.integer.map { " (<a href=\"/orders/\($0)\">order \($0)</a>)" as HTML }
            return "\(PricesPage.why(row))\(order)"
        },
        .init("Held by", text: { $0["bindingGuard"]?.string ?? "" }) {
            "\(Words.spaced($0["bindingGuard"]?.string ?? "–"))"
        },
        .text("Who", "actor"),
    ]

    /// The reason in words; without one, what made it move.
    static func why(_ row: JSONValue) -> String {
        if let reason = row["reason"]?.string, !reason.isEmpty { return reason }
        return Words.cause(row["cause"]?.string ?? "")
    }
}
