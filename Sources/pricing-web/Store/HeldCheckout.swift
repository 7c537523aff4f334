import JSON
import JSONRPC
import Markup

/// The checkout under a quote: price and stock are held while the buyer types the address.
struct HeldCheckout: Sendable {
    /// How long they are held, in seconds.
    static let seconds: Int64 = 900

    let site: Site

    func add(to routes: inout Routes) {
        routes.post("/store/checkout/hold") { try await hold($0) }
        routes.get("/store/checkout/{quote}") { try await page($0, nil, 200) }
        routes.post("/store/checkout/{quote}") { try await place($0) }
        routes.post("/store/checkout/{quote}/release") { try await release($0) }
        routes.post("/store/checkout/{quote}/extend") { try await extend($0) }
    }

    // MARK: hold

    private func hold(_ visit: Visit) async throws -> Answer {
        guard visit.person != nil else { return .redirect("/sign-in?to=/store/checkout") }
        let lines = Cart(visit.headers).lines.map { line -> JSONValue in
            ["productId": .integer(line.productId), "quantity": .integer(line.quantity)]
        }
        guard !lines.isEmpty else { return .redirect("/store/cart") }
        // What an earlier checkout of theirs still holds would stand in the way of this one.
        for quote in try await open(visit) {
            _ = try await site.call(visit, "quote.release", ["quoteId": quote["quoteId"] ?? .null])
        }
        do {
            let params: JSONObject = ["lines": .array(lines), "ttlSeconds": .integer(HeldCheckout.seconds)]
            let quote = try await site.call(visit, "quote.create", params)
            return .redirect("/store/checkout/\(quote["quoteId"]?.integer ?? 0)")
        } catch let error as RPCError {
            guard let problem = try await CartPages(site: site).refusal(error) else { throw error }
            return try await CartPages(site: site).cart(visit, problem, HTTPStatus.of(error.reason))
        }
    }

    /// What the visitor's checkouts hold now, the newest first.
    func open(_ visit: Visit) async throws -> [JSONValue] {
        guard let person = visit.person else { return [] }
        let params: JSONObject = ["customerId": .integer(person.userId), "status": "open", "limit": 20]
        return try await site.call(visit, "quote.list", params)["items"]?.array ?? []
    }

    /// How many units of each product they hold.
    func units(_ visit: Visit) async throws -> [Int64: Int64] {
        let lines = try await open(visit).flatMap { $0["lines"]?.array ?? [] }
        let units = lines.compactMap { line -> (Int64, Int64)? in
            guard let id = line["productId"]?.integer, let units = line["quantity"]?.integer else { return nil }
            return (id, units)
        }
        return Dictionary(units, uniquingKeysWith: +)
    }

    /// Asked for by the page while its form is being filled in.
    private func extend(_ visit: Visit) async throws -> Answer {
        let params: JSONObject = [
            "quoteId": .integer(try visit.id()), "ttlSeconds": .integer(HeldCheckout.seconds),
        ]
        let quote = try await site.call(visit, "quote.extend", params)
        return .json(["expiresAt": quote["expiresAt"] ?? .null])
    }

    private func release(_ visit: Visit) async throws -> Answer {
        _ = try await site.call(visit, "quote.release", ["quoteId": .integer(try visit.id())])
        return .redirect("/store/cart")
    }

    // MARK: the page

    private func page(_ visit: Visit, _ problem: HTML?, _ status: Int) async throws -> Answer {
        guard visit.person != nil else { return .redirect("/sign-in?to=/store/checkout") }
        let sequence = site.hub.sequence
        let quote = JSONValue.object(try await site.call(visit, "quote.get", ["quoteId": .integer(try visit.id())]))
        if visit.query["part"] != nil { return .html(held(quote)) }
        if let order = quote["orderId"]?.integer { return .redirect("/store/orders/\(order)") }
        guard quote["status"]?.string == "open" else {
            let body: HTML = """
                <h1>Checkout</h1>\(HeldCheckout.over)
                """
            return .html(Page("Checkout", in: .store, visit: visit, site: site, body: body).html, status: 410)
        }
        let id = quote["quoteId"]?.integer ?? 0
        let total = Words.money(quote["total"]?.string)
        let form = Form(
            "/store/checkout/\(id)",
            extends: "/store/checkout/\(id)/extend",
            [.hidden("key", visit.form["key"] ?? Now.key()), .address(visit)],
            submit: "Buy for \(total)"
        ).html
        let keys = (quote["lines"]?.array ?? []).compactMap { $0["productId"]?.integer.map { String($0) } }
            .joined(separator: " ")
        let body: HTML = """
            <h1>Checkout</h1>\(problem)\(moves(quote, Cart(visit.headers)))<div class="checkout"><div class="card">\(form)\
            <form action="/store/checkout/\(id)/release" method="post"><button class="second" type="submit">\
            Back to the cart</button></form></div><div class="card" data-part="/store/checkout/\(id)?part=held" \
            data-of="\(keys)">\(held(quote))</div></div>
            """
        return .html(
            Page("Checkout", in: .store, visit: visit, site: site, sequence: sequence, body: body).html,
            status: status
        )
    }

    /// What is held, or what became of it: letting go and buying move the stock of its products, and so does its end.
    private func held(_ quote: JSONValue) -> HTML {
        if let order = quote["orderId"]?.integer {
            return """
                <h2>Bought</h2><p>This is ordered already: <a href="/store/orders/\(order)">order \(order)</a>.</p>
                """
        }
        guard quote["status"]?.string == "open" else { return "<h2>No longer held</h2>\(HeldCheckout.over)" }
        return """
            <h2>Held for you</h2>\(table(quote))<p class="sum">Together \(Words.money(quote["total"]?.string))</p>\
            <p class="quiet">Price and goods are held until \(Words.clock(quote["expiresAt"]?.string)). If a price falls \
            before you buy, you pay the lower one.</p>
            """
    }

    private static var over: HTML {
        """
        <p class="warning" role="status">What was held for you is free again. Nothing was ordered.</p>\(holdForm)
        """
    }

    private func table(_ quote: JSONValue) -> HTML {
        let columns = [
            Table.Column("Product"), Table.Column("Units", .number), Table.Column("Price", .number),
            Table.Column("Sum", .number),
        ]
        let rows = (quote["lines"]?.array ?? []).map { line -> [HTML] in
            let units = line["quantity"]?.integer ?? 0
            let price = line["unitPrice"]?.string ?? "0.00"
            return [
                "\(line["title"]?.string ?? "")", "\(units)", "\(Words.money(price))",
                "\(Words.money(Money.times(price, units)))",
            ]
        }
        return Table("What is held for you", columns, rows: rows).html
    }

    /// Prices that are held at another amount than the cart showed.
    private func moves(_ quote: JSONValue, _ cart: Cart) -> HTML {
        let moved = (quote["lines"]?.array ?? []).compactMap { line -> HTML? in
            guard let id = line["productId"]?.integer, let shown = cart[id]?.price,
                let held = line["unitPrice"]?.string,
                shown != held
            else { return nil }
            let isUp = (Double(held) ?? 0) > (Double(shown) ?? 0)
            return """
                <p>\(line["title"]?.string ?? "") \(isUp ? "rose" : "fell") while you looked: <b>\(Words.money(shown)) → \
                \(Words.money(held))</b>.</p>
                """
        }
        return HTML.when(!moved.isEmpty, "<div class=\"warning\" role=\"status\">\(moved)</div>")
    }

    /// The button that holds what is in the cart.
    static var holdForm: HTML {
        """
        <form action="/store/checkout/hold" method="post"><button type="submit">To the checkout</button></form>
        """
    }

    // MARK: buy

    private func place(_ visit: Visit) async throws -> Answer {
        guard visit.person != nil else { return .redirect("/sign-in?to=/store/checkout") }
        let id = try visit.id()
        guard let key = visit.form["key"] else { return .redirect(visit.rawPath) }
        guard let address = visit.form["address"] else {
            return try await page(visit, "<p class=\"alert\" role=\"alert\">Say where it goes.</p>", 400)
        }
        let params: JSONObject = ["quoteId": .integer(id), "shippingAddress": .string(address)]
        do {
            let order = try await site.call(visit, "order.place", params, meta: ["idempotencyKey": .string(key)])
            var cart = Cart(visit.headers)
            cart.clear()
            return .redirect("/store/orders/\(order["orderId"]?.integer ?? 0)?placed=1", cookie: cart.setCookie)
        } catch let error as RPCError where error.reason == "QUOTE_EXPIRED" {
            return try await page(visit, nil, 410)
        } catch let error as RPCError {
            guard let problem = try await CartPages(site: site).refusal(error) else { throw error }
            return try await page(visit, problem, HTTPStatus.of(error.reason))
        }
    }
}
