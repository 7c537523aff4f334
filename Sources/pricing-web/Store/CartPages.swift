import JSON
import JSONRPC
import Markup
import PricingProtocol

/// The cart and the checkout. Nothing is charged that the buyer was not shown: every line carries the price that stood on the
/// page as the highest that may be charged, and a key in the form makes a second click the same order.
struct CartPages: Sendable {
    let site: Site

    func add(to routes: inout Routes) {
        routes.get("/store/cart") { try await cart($0, nil, 200) }
        routes.post("/store/cart") { try await change($0) }
        routes.get("/store/checkout") { try await checkout($0, nil, 200) }
        routes.post("/store/checkout") { try await place($0) }
    }

    /// A line of the cart beside what stands now.
    struct Line: Sendable {
        let wanted: Cart.Line
        /// The product as it is offered now; nil when it is no longer for sale.
        let goods: Goods?

        /// The price now, when it is another than at putting it in.
        var moved: (old: String, new: String)? {
            guard let goods, goods.price != wanted.price else { return nil }
            return (wanted.price, goods.price)
        }
    }

    /// The lines, and the stream's number from before they were read.
    private func lines(_ visit: Visit, _ held: [Int64: Int64]) async throws -> ([Line], sequence: Int64) {
        let cart = Cart(visit.headers)
        guard !cart.isEmpty else { return ([], site.hub.sequence) }
        let ids = cart.lines.map { JSONValue.integer($0.productId) }
        let read = try await site.reads.call("product.browse", ["productIds": .array(ids), "limit": 500])
        let goods = (read.reply["items"]?.array ?? []).compactMap { Goods($0)?.holding(held) }
        let lines = cart.lines.map { line in
            Line(wanted: line, goods: goods.first { $0.productId == line.productId })
        }
        return (lines, read.sequence)
    }

    // MARK: the cart

    func cart(_ visit: Visit, _ problem: HTML?, _ status: Int) async throws -> Answer {
        let held = HeldCheckout(site: site)
        let (lines, sequence) = try await lines(visit, try await held.units(visit))
        let going = try await held.open(visit).first.map { quote -> HTML in
            """
            <p class="notice">Your checkout is open, and holds what it shows until \(Words.clock(quote["expiresAt"]?.string)). \
            <a href="/store/checkout/\(quote["quoteId"]?.integer ?? 0)">Go on with it</a>.</p>
            """
        }
        guard !lines.isEmpty else {
            let body: HTML = """
                <h1>Your cart</h1>\(going)<p class="empty">It is empty. <a href="/store">Look around</a>.</p>
                """
            return .html(Page("Your cart", in: .store, visit: visit, site: site, body: body).html)
        }
        let canGo = lines.contains { $0.goods.map { !$0.isSoldOut } ?? false }
        let content: HTML = """
            \(going)\(moves(lines))<div class="card">\(table(lines))</div>\
            <p class="sum">Together \(Words.money(Money.sum(lines)))</p>\
            \(HTML.when(canGo, HeldCheckout.holdForm))
            """
        if visit.query["part"] != nil { return .html(content) }
        let keys = lines.map { String($0.wanted.productId) }.joined(separator: " ")
        let body: HTML = """
            <h1>Your cart</h1>\(problem)<div data-part="/store/cart?part=lines" data-of="\(keys)">\(content)</div>
            """
        return .html(
            Page("Your cart", in: .store, visit: visit, site: site, sequence: sequence, body: body).html,
            status: status
        )
    }

    /// What moved since it was put in, both prices.
    private func moves(_ lines: [Line]) -> HTML {
        let moved = lines.compactMap { line -> HTML? in
            guard let goods = line.goods else { return "<p>A product in your cart is no longer for sale.</p>" }
            if goods.isSoldOut { return "<p>\(goods.title) is sold out.</p>" }
            guard let moved = line.moved else { return nil }
            let isUp = (Double(moved.new) ?? 0) > (Double(moved.old) ?? 0)
            return """
                <p>\(goods.title) \(isUp ? "rose" : "fell") while you looked: <b>\(Words.money(moved.old)) → \
                \(Words.money(moved.new))</b>.</p>
                """
        }
        return HTML.when(!moved.isEmpty, "<div class=\"warning\" role=\"status\">\(moved)</div>")
    }

    private func table(_ lines: [Line]) -> HTML {
        Table(
            "What is in your cart",
            [
                Table.Column("Product"), Table.Column("Price", .number), Table.Column("Units", .number),
                Table.Column("Sum", .number), Table.Column("Take out", .actions),
            ],
            rows: lines.map { line in
                let id = line.wanted.productId
                let title: HTML = line.goods.map { "<a href=\"\($0.path)\">\($0.title)</a>" } ?? "No longer for sale"
                let old: HTML? = line.moved.map { "<span class=\"was\">\(Words.money($0.old))</span>" }
                // Not a price that changes by itself: its sum would not change with it.
                let price: HTML = line.goods.map { "\(old)<b>\(Words.money($0.price))</b>" } ?? "–"
                return [
                    title, price, lineForm(line),
                    "\(CartPages.sum(of: line))",
                    """
                    <form action="/store/cart" method="post"><input type="hidden" name="productId" value="\(id)">\
                    <input type="hidden" name="quantity" value="0"><button class="plain" type="submit">Remove\
                    <span class="sr"> \(line.goods?.title ?? "")</span></button></form>
                    """,
                ]
            }
        ).html
    }

    private static func sum(of line: Line) -> String {
        guard let goods = line.goods, !goods.isSoldOut else { return "–" }
        return Words.money(Money.times(goods.price, line.wanted.quantity))
    }

    private func lineForm(_ line: Line) -> HTML {
        guard let goods = line.goods else { return "\(line.wanted.quantity)" }
        return """
            <form class="line-form" action="/store/cart" method="post">\
            <input type="hidden" name="productId" value="\(goods.productId)">\
            <input type="hidden" name="price" value="\(goods.price)">\
            <input type="text" inputmode="numeric" name="quantity" value="\(line.wanted.quantity)" \
            aria-label="Units of \(goods.title)" required><button class="second" type="submit">Set</button></form>
            """
    }

    private func change(_ visit: Visit) async throws -> Answer {
        let form = visit.form
        var cart = Cart(visit.headers)
        guard let id = form["productId"].flatMap({ Int64($0) }), let quantity = form["quantity"].flatMap({ Int64($0) }),
            (0...Cart.mostUnits).contains(quantity)
        else { return .redirect("/store/cart") }
        let before = cart[id]
        if quantity == 0 {
            cart.set(id, 0, price: "0.00")
        } else {
            let goods = try await StorePages(site: site).goods(id)
            // The price that its page showed; what it is now is looked up again at every step.
            let shown = form["price"].flatMap { Double($0) == nil ? nil : $0 } ?? goods.price
            cart.set(id, quantity, price: shown)
        }
        let notice = quantity == 0 ? "removed" : before == nil ? "added" : "changed"
        return .redirect("/store/cart?done=\(notice)", cookie: cart.setCookie)
    }

    // MARK: checkout

    private func checkout(_ visit: Visit, _ problem: HTML?, _ status: Int) async throws -> Answer {
        guard visit.person != nil else { return .redirect("/sign-in?to=/store/checkout") }
        let held = try await HeldCheckout(site: site).units(visit)
        let (all, sequence) = try await lines(visit, held)
        let lines = all.filter { $0.goods.map { !$0.isSoldOut } ?? false }
        guard !lines.isEmpty else { return .redirect("/store/cart") }
        // What is shown here is what is asked for: the prices go with the form.
        let shown = lines.flatMap { line -> [FormField] in
            guard let goods = line.goods else { return [] }
            return [.hidden("line", "\(goods.productId)_\(line.wanted.quantity)_\(goods.price)")]
        }
        let key = problem == nil ? Now.key() : visit.form["key"] ?? Now.key()
        let form = Form(
            "/store/checkout",
            [.hidden("key", key)] + shown + [.address(visit)],
            submit: "Buy for \(Words.money(Money.sum(lines)))",
            beside: "<a class=\"button second\" href=\"/store/cart\">Back to the cart</a>"
        ).html
        let rows = lines.map { line -> [HTML] in
            let old: HTML? = line.moved.map { "<span class=\"was\">\(Words.money($0.old))</span>" }
            let price = line.goods?.price ?? "0.00"
            return [
                "\(line.goods?.title ?? "")", "\(line.wanted.quantity)", "\(old)\(Words.money(price))",
                "\(Words.money(Money.times(price, line.wanted.quantity)))",
            ]
        }
        let columns = [
            Table.Column("Product"), Table.Column("Units", .number), Table.Column("Price", .number),
            Table.Column("Sum", .number),
        ]
        let body: HTML = """
            <h1>Checkout</h1>\(problem)\(moves(lines))<div class="checkout"><div class="card">\(form)</div>\
            <div class="card"><h2>What you buy</h2>\(Table("What you buy", columns, rows: rows).html)\
            <p class="sum">Together \(Words.money(Money.sum(lines)))</p>\
            <p class="quiet">You pay this or less: if a price falls before you buy, you pay the lower one; if one rises, you \
            are asked first.</p></div></div>
            """
        return .html(
            Page("Checkout", in: .store, visit: visit, site: site, sequence: sequence, body: body).html,
            status: status
        )
    }

    private func place(_ visit: Visit) async throws -> Answer {
        guard visit.person != nil else { return .redirect("/sign-in?to=/store/checkout") }
        let form = visit.form
        let lines = form.all("line").compactMap { text -> JSONValue? in
            let parts = text.split(separator: "_")
            guard parts.count == 3, let id = Int64(parts[0]), let quantity = Int64(parts[1]) else { return nil }
            return [
                "productId": .integer(id), "quantity": .integer(quantity), "maxUnitPrice": .string(String(parts[2])),
            ]
        }
        guard !lines.isEmpty, let key = form["key"] else { return .redirect("/store/checkout") }
        guard let address = form["address"] else {
            return try await checkout(visit, "<p class=\"alert\" role=\"alert\">Say where it goes.</p>", 400)
        }
        let params: JSONObject = ["lines": .array(lines), "shippingAddress": .string(address)]
        do {
            let order = try await site.call(visit, "order.place", params, meta: ["idempotencyKey": .string(key)])
            var cart = Cart(visit.headers)
            cart.clear()
            return .redirect("/store/orders/\(order["orderId"]?.integer ?? 0)?placed=1", cookie: cart.setCookie)
        } catch let error as RPCError {
            guard let problem = try await refusal(error) else { throw error }
            return try await checkout(visit, problem, HTTPStatus.of(error.reason))
        }
    }

    /// What a buyer is told and asked; nil for errors that are none of theirs.
    func refusal(_ error: RPCError) async throws -> HTML? {
        func title() async throws -> String {
            guard let id = error.data["productId"]?.integer else { return "A product" }
            let reply = try await site.reads.call("product.browse", ["productIds": [.integer(id)]]).reply
            return reply["items"]?.array?.first?["title"]?.string ?? "A product"
        }
        switch error.reason {
        case "PRICE_CHANGED":
            let (old, new) = (error.data["old"]?.string, error.data["new"]?.string)
            return """
                <div class="alert" role="alert"><p><strong>\(try await title()) costs more now: \(Words.money(old)) → \
                \(Words.money(new)).</strong> Nothing was ordered. Buy at the new price below, or leave it.</p></div>
                """
        case "INSUFFICIENT_STOCK":
            let available = error.data["available"]?.integer ?? 0
            return """
                <div class="alert" role="alert"><p><strong>Of \(try await title()) \
                \(available == 0 ? "none is left" : "only \(Words.count(available)) are left").</strong> Nothing was ordered. \
                <a href="/store/cart">Change the cart</a>.</p></div>
                """
        case "PRODUCT_NOT_FOUND", "PRODUCT_ARCHIVED":
            return
                "<div class=\"alert\" role=\"alert\"><p>A product is no longer for sale. Nothing was ordered.</p></div>"
        case "INVALID_PARAMS", "IDEMPOTENCY_CONFLICT":
            return """
                <div class="alert" role="alert"><p>This did not fit: \(error.message) Nothing was ordered this time. \
                <a href="/store/checkout">Begin the checkout anew</a>.</p></div>
                """
        default: return nil
        }
    }
}

/// Sums of money for show, in hundredths; what is charged the database works out.
enum Money {
    static func hundredths(_ amount: String) -> Int64? {
        let parts = amount.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].utf8.count == 2, let whole = Int64(parts[0]), let rest = Int64(parts[1]),
            whole <= 1_000_000_000_000
        else { return nil }
        return whole * 100 + rest
    }

    static func text(_ hundredths: Int64) -> String {
        "\(hundredths / 100)." + (hundredths % 100 < 10 ? "0" : "") + "\(hundredths % 100)"
    }

    static func times(_ amount: String, _ quantity: Int64) -> String {
        guard let one = hundredths(amount) else { return amount }
        let (sum, isTooLarge) = one.multipliedReportingOverflow(by: quantity)
        return isTooLarge ? amount : text(sum)
    }

    /// What can be bought of a cart, together.
    static func sum(_ lines: [CartPages.Line]) -> String {
        let sums = lines.compactMap { line in
            line.goods.flatMap { $0.isSoldOut ? 0 : hundredths(times($0.price, line.wanted.quantity)) }
        }
        return text(sums.reduce(0) { $0 &+ $1 })
    }
}

extension FormField {
    /// Where an order goes, as it was typed.
    static func address(_ visit: Visit) -> FormField {
        FormField(
            "address",
            "Where it goes",
            .area,
            value: visit.form["address"] ?? "",
            hint: "Name, street, town, country.",
            required: true,
            autocomplete: "street-address",
            longest: 500
        )
    }
}
