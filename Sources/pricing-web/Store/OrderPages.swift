import JSON
import JSONRPC
import Markup
import PricingProtocol

/// A customer's own orders, and their account.
struct OrderPages: Sendable {
    let site: Site

    func add(to routes: inout Routes) {
        routes.get("/store/orders") { try await list($0) }
        routes.get("/store/orders/{id}") { try await one($0, nil, 200) }
        routes.post("/store/orders/{id}/cancel") { try await cancel($0) }
        routes.post("/store/orders/{id}/return") { try await giveBack($0) }
    }

    private func list(_ visit: Visit) async throws -> Answer {
        guard let person = visit.person else { return .redirect("/sign-in?to=/store/orders") }
        let sequence = site.hub.sequence
        var params: JSONObject = ["customerId": .integer(person.userId), "limit": 20]
        if let cursor = visit.query["cursor"] { params["cursor"] = .string(cursor) }
        let reply = try await site.call(visit, "order.list", params)
        let table = Table(
            "Your orders",
            [
                Table.Column("Order"), Table.Column("Placed (UTC)"), Table.Column("What"), Table.Column("State"),
                Table.Column("Total", .number),
            ],
            empty: "You have ordered nothing yet. <a href=\"/store\">Look around</a>.",
            rows: (reply["items"]?.array ?? []).map { order in
                let id = order["orderId"]?.integer ?? 0
                let titles = (order["lines"]?.array ?? []).compactMap { $0["title"]?.string }.joined(separator: ", ")
                return [
                    "<a href=\"/store/orders/\(id)\">\(id)</a>", Words.time(order["placedAt"]?.string),
                    "\(titles.count > 80 ? String(titles.prefix(79)) + "…" : titles)",
                    OrderPages.tag(order["status"]?.string ?? ""),
                    "\(Words.money(order["total"]?.string))",
                ]
            }
        )
        let next = reply["nextCursor"]?.string.map { cursor -> HTML in
            "<nav class=\"pages\"><a class=\"button second\" href=\"\(visit.link([("cursor", cursor), ("part", nil)]))\">Older orders</a></nav>"
        }
        let content: HTML = "\(table.html)\(next)"
        if visit.query["part"] != nil { return .html(content) }
        let body: HTML = """
            <h1>Your orders</h1><div class="card" data-part="\(visit.link([("part", "list")]))" data-of="order">\(content)</div>
            """
        return .html(
            Page("Your orders", in: .store, visit: visit, site: site, sequence: sequence, body: body).html
        )
    }

    static func tag(_ status: String) -> HTML { "<span class=\"tag \(status)\">\(words(status))</span>" }

    private static func words(_ status: String) -> String {
        switch status {
        case "pending": "ordered"
        case "processing": "on its way"
        case "completed": "delivered"
        default: status
        }
    }

    private func one(_ visit: Visit, _ problem: HTML?, _ status: Int) async throws -> Answer {
        guard visit.person != nil else {
            return .redirect(Link.to("/sign-in", [("to", visit.rawPath)]))
        }
        let sequence = site.hub.sequence
        let subject: JSONObject = ["orderId": .integer(try visit.id())]
        let order = JSONValue.object(try await site.call(visit, "order.get", subject))
        let moves = try await site.call(visit, "order.history", subject)["items"]?.array ?? []
        let id = order["orderId"]?.integer ?? 0
        let steps = moves.map { move -> HTML in
            "<li>\(OrderPages.tag(move["to"]?.string ?? "")) \(Words.time(move["at"]?.string))</li>"
        }
        let content: HTML = """
            <div class="card">\(lines(order))<p class="sum">Total \(Words.money(order["total"]?.string))</p></div>\
            <div class="card"><h2>Where it stands</h2><ul class="plain-list">\(steps)</ul>\
            <p class="quiet">To: \(order["shippingAddress"]?.string ?? "")</p>\(actions(order, id))</div>
            """
        if visit.query["part"] != nil { return .html(content) }
        let thanks: HTML = "<p class=\"notice\" role=\"status\">Thank you. Your order is placed.</p>"
        let body: HTML = """
            <p class="crumbs"><a href="/store/orders">Your orders</a></p><h1>Order \(id)</h1>\
            \(HTML.when(visit.query["placed"] != nil, thanks))\(problem)\
            <div class="checkout" data-part="/store/orders/\(id)?part=order" data-of="order-\(id)">\(content)</div>
            """
        return .html(
            Page("Order \(id)", in: .store, visit: visit, site: site, sequence: sequence, body: body).html,
            status: status
        )
    }

    private func lines(_ order: JSONValue) -> HTML {
        Table(
            "What was ordered",
            [
                Table.Column("Product"), Table.Column("Units", .number), Table.Column("Price", .number),
                Table.Column("Sum", .number),
            ],
            rows: (order["lines"]?.array ?? []).map { line in
                let units = line["quantity"]?.integer ?? 0
                let price = line["unitPrice"]?.string ?? "0.00"
                let back = line["returned"]?.integer ?? 0
                return [
                    "<a href=\"/store/products/\(line["productId"]?.integer ?? 0)\">\(line["title"]?.string ?? "")</a>",
                    "\(units)\(back > 0 ? ", \(back) returned" : "")", "\(Words.money(price))",
                    "\(Words.money(Money.times(price, units)))",
                ]
            }
        ).html
    }

    private func actions(_ order: JSONValue, _ id: Int64) -> HTML {
        switch order["status"]?.string {
        case "pending", "processing":
            return Form(
                "/store/orders/\(id)/cancel",
                [.hidden("key", Now.key()), FormField("reason", "Why", longest: 500)],
                submit: "Cancel the order",
                isQuiet: true
            ).html
        case "completed":
            return Form(
                "/store/orders/\(id)/return",
                [.hidden("key", Now.key()), FormField("reason", "Why", longest: 500)],
                submit: "Send it back",
                isQuiet: true
            ).html
        default: return HTML()
        }
    }

    private func cancel(_ visit: Visit) async throws -> Answer {
        try await carryOut("order.cancel", visit, notice: "cancelled")
    }

    private func giveBack(_ visit: Visit) async throws -> Answer {
        try await carryOut("order.return", visit, notice: "returned")
    }

    private func carryOut(_ method: String, _ visit: Visit, notice: String) async throws -> Answer {
        let id = try visit.id()
        guard visit.person != nil else { return .redirect("/sign-in?to=/store/orders/\(id)") }
        var params: JSONObject = ["orderId": .integer(id)]
        if let reason = visit.form["reason"] { params["reason"] = .string(reason) }
        do {
            _ = try await site.call(
                visit,
                method,
                params,
                meta: ["idempotencyKey": .string(visit.form["key"] ?? Now.key())]
            )
            return .redirect("/store/orders/\(id)?done=\(notice)")
        } catch let error as RPCError
            where ["ORDER_STATE", "PERMISSION_DENIED", "INVALID_PARAMS"].contains(error.reason)
        {
            let problem: HTML = "<p class=\"alert\" role=\"alert\">\(error.message) The order is as it was.</p>"
            return try await one(visit, problem, HTTPStatus.of(error.reason))
        }
    }
}
