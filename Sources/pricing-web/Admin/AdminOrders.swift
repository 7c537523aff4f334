import JSON
import Markup

/// Orders: the list, and the page of one with where its prices came from.
struct AdminOrders: Sendable {
    static let path = "/orders"

    let site: Site

    func add(to routes: inout Routes) {
        ListPage(
            site: site,
            path: AdminOrders.path,
            title: "Orders",
            method: "order.list",
            filters: [
                FormField("search", "Search", .search),
                FormField(
                    "status",
                    "State",
                    .choice([.init("", "All")] + AdminOrders.states.map { .init($0, Words.label($0)) })
                ),
                FormField("from", "From (UTC)"), FormField("to", "To (UTC)"),
            ],
            empty: "No order fits.",
            columns: [
                .link("Order", "orderId", nil, to: "/orders/"), .time("Placed (UTC)", "placedAt", sort: "placedAt"),
                .init("Customer", text: { $0["customerName"]?.string ?? "" }) { row in
                    let link = Link.to("/orders", [("customerId", row["customerId"]?.integer.map { String($0) })])
                    return "<a href=\"\(link)\">\(row["customerName"]?.string ?? "")</a>"
                },
                .init("What", text: { AdminOrders.titles($0) }) { "\(String(AdminOrders.titles($0).prefix(90)))" },
                .tag("State", "status"), .money("Total", "total", sort: "total"),
                .deeds { row in AdminOrders.deeds(row, back: AdminOrders.path) },
            ]
        ).add(to: &routes)
        routes.get("/orders/{id}") { try await one($0) }
    }

    private static let states = ["pending", "processing", "completed", "cancelled", "returned"]

    private static func titles(_ row: JSONValue) -> String {
        (row["lines"]?.array ?? []).compactMap { line in
            line["title"]?.string.map { "\(line["quantity"]?.integer ?? 0) × \($0)" }
        }.joined(separator: ", ")
    }

    /// What can be done with an order as it stands.
    private static func deeds(_ row: JSONValue, back: String) -> [(label: String, link: String)] {
        let id = row["orderId"]?.integer.map { String($0) }
        func advance(_ label: String, _ status: String) -> (label: String, link: String) {
            (label, Deed.link("order.advance", back: back, [("orderId", id), ("status", status)]))
        }
        let cancel = ("Cancel", Deed.link("order.cancel", back: back, [("orderId", id)]))
        switch row["status"]?.string {
        case "pending": return [advance("Process", "processing"), cancel]
        case "processing": return [advance("Complete", "completed"), cancel]
        case "completed": return [("Take back", Deed.link("order.return", back: back, [("orderId", id)]))]
        default: return []
        }
    }

    private func one(_ visit: Visit) async throws -> Answer {
        try visit.requireStaff()
        let sequence = site.hub.sequence
        let subject: JSONObject = ["orderId": .integer(try visit.id())]
        let order = JSONValue.object(try await site.call(visit, "order.get", subject))
        let moves = try await site.call(visit, "order.history", subject)["items"]?.array ?? []
        let id = order["orderId"]?.integer ?? 0
        var rows: [[HTML]] = []
        for line in order["lines"]?.array ?? [] { rows.append(try await row(line, order, visit)) }
        let lines = Table(
            "Lines",
            [
                Table.Column("Product"), Table.Column("Units", .number), Table.Column("Returned", .number),
                Table.Column("Unit price", .number), Table.Column("Where that price came from"),
            ],
            rows: rows
        ).html
        let history = Table(
            "What became of it",
            [Table.Column("When (UTC)"), Table.Column("State"), Table.Column("Who"), Table.Column("Why")],
            rows: moves.map { move in
                let state = move["to"]?.string ?? ""
                return [
                    Words.time(move["at"]?.string), "<span class=\"tag \(state)\">\(state)</span>",
                    "\(move["actor"]?.string ?? "")", "\(move["reason"]?.string ?? "")",
                ]
            }
        ).html
        let address = order["shippingAddress"]?.string ?? ""
        let state = order["status"]?.string ?? ""
        let links = AdminOrders.deeds(order, back: visit.rawPath).map { deed -> HTML in
            "<a class=\"button second\" href=\"\(deed.link)\">\(deed.label)</a>"
        }
        let content: HTML = """
            <div class="head"><h1>Order \(id)</h1>\
            <span class="tag \(state)">\(state)</span></div><dl class="figures">\
            <div class="card"><dt>Total</dt><dd>\(Words.money(order["total"]?.string))</dd></div>\
            <div class="card"><dt>Customer</dt><dd class="small">\(order["customerName"]?.string ?? "")</dd></div>\
            <div class="card"><dt>Placed (UTC)</dt><dd class="small">\(Words.time(order["placedAt"]?.string))</dd></div>\
            <div class="card"><dt>Goes to</dt><dd class="small">\(address.isEmpty ? "–" : address)</dd></div></dl>\
            <div class="links">\(links)</div><div class="tiles"><section class="card whole"><h2>Lines</h2>\(lines)</section>\
            <section class="card whole"><h2>What became of it</h2>\(history)</section></div>
            """
        if visit.query["part"] != nil { return .html(content) }
        let body: HTML = """
            <p class="crumbs"><a href="/orders">Orders</a></p>\
            <div data-part="/orders/\(id)?part=order" data-of="order-\(id)">\(content)</div>
            """
        return .html(
            Page("Order \(id)", in: .admin(AdminOrders.path), visit: visit, site: site, sequence: sequence, body: body)
                .html
        )
    }

    /// A line with the last price change before it: what made its price.
    private func row(_ line: JSONValue, _ order: JSONValue, _ visit: Visit) async throws -> [HTML] {
        let product = line["productId"]?.integer ?? 0
        let params: JSONObject = [
            "productId": .integer(product), "to": order["placedAt"] ?? .null, "limit": 1,
        ]
        let last = try await site.call(visit, "price.history", params)["items"]?.array?.first
        let source: HTML =
            if let last {
                """
                \(Words.money(last["old"]?.string)) → \(Words.money(last["new"]?.string)) on \
                \(Words.time(last["at"]?.string)): \(PricesPage.why(last)), rule \(last["rule"]?["name"]?.string ?? "–") \
                version \(last["rule"]?["version"]?.integer ?? 0)
                """
            } else { "its opening price: it had never moved" }
        return [
            "<a href=\"/products/\(product)\">\(line["title"]?.string ?? "")</a>", "\(line["quantity"]?.integer ?? 0)",
            "\(line["returned"]?.integer ?? 0)", "\(Words.money(line["unitPrice"]?.string))", source,
        ]
    }
}
