import JSON
import Markup
import PricingProtocol

/// The store: what can be bought.
struct StorePages: Sendable {
    static let pageSize: Int64 = 24

    let site: Site

    func add(to routes: inout Routes) {
        routes.get("/store") { try await browse($0) }
        routes.get("/store/products/{id}") { try await product($0) }
    }

    static let sorts: [FormField.Choice] = [
        .init("", "Newest first"), .init("title", "By name"), .init("price", "Cheapest first"),
        .init("-price", "Dearest first"),
    ]

    // MARK: browse

    private func browse(_ visit: Visit) async throws -> Answer {
        var params: JSONObject = ["limit": .integer(StorePages.pageSize)]
        if let search = visit.query["search"] { params["search"] = .string(String(search.prefix(200))) }
        if let category = visit.query["category"].flatMap({ Int64($0) }) { params["categoryId"] = .integer(category) }
        let sort = visit.query["sort"] ?? ""
        let isKnown = StorePages.sorts.contains { $0.value == sort && !sort.isEmpty }
        params["sort"] = .string(isKnown ? sort : "-productId")
        if let cursor = visit.query["cursor"] { params["cursor"] = .string(cursor) }
        async let categoriesReply = site.reads.call("category.list", ["limit": 100])
        let read = try await site.reads.call("product.browse", params)
        let held = try await HeldCheckout(site: site).units(visit)
        let goods = (read.reply["items"]?.array ?? []).compactMap { Goods($0)?.holding(held) }
        let categories = try await categoriesReply.reply["items"]?.array ?? []
        let body: HTML = """
            <div class="browse">\(navigation(categories, visit))<div>\(heading(categories, visit))\(sorter(visit))\
            \(list(goods, visit))\(pages(read.reply["nextCursor"]?.string, visit))</div></div>
            """
        return .html(
            Page("The Shop", in: .store, visit: visit, site: site, sequence: read.sequence, body: body).html
        )
    }

    private func navigation(_ categories: [JSONValue], _ visit: Visit) -> HTML {
        let current = visit.query["category"]
        let all =
            [(id: nil, name: "Everything")]
            + categories.compactMap { row -> (id: String?, name: String)? in
                guard let id = row["categoryId"]?.integer, let name = row["name"]?.string else { return nil }
                return (String(id), name)
            }
        let links = all.map { entry -> HTML in
            let link = Link.to("/store", [("category", entry.id), ("sort", visit.query["sort"])])
            let state = entry.id == current ? "page" : nil
            return "<li><a href=\"\(link)\"\(HTML.attribute("aria-current", state))>\(entry.name)</a></li>"
        }
        return "<nav class=\"categories\" aria-label=\"Categories\"><h2>Categories</h2><ul>\(links)</ul></nav>"
    }

    private func heading(_ categories: [JSONValue], _ visit: Visit) -> HTML {
        if let search = visit.query["search"] { return "<h1>Found for “\(search)”</h1>" }
        let name = categories.first { $0["categoryId"]?.integer.map { String($0) } == visit.query["category"] }?["name"]
        return "<h1>\(name?.string ?? "Everything")</h1>"
    }

    private func sorter(_ visit: Visit) -> HTML {
        let kept = ["search", "category"].compactMap { name in visit.query[name].map { FormField.hidden(name, $0) } }
        let sort = FormField(
            "sort",
            "Order",
            .choice(StorePages.sorts),
            value: visit.query["sort"] ?? "",
            required: true
        )
        return Form("/store", method: "get", cssClass: "row", kept + [sort], submit: "Show").html
    }

    private func list(_ goods: [Goods], _ visit: Visit) -> HTML {
        guard !goods.isEmpty else {
            let isAll = ["search", "category", "cursor"].allSatisfy { visit.query[$0] == nil }
            guard !isAll else { return "<p class=\"empty\">Nothing is for sale yet. Look in again soon.</p>" }
            return "<p class=\"empty\">Nothing fits. <a href=\"/store\">Show everything</a>.</p>"
        }
        let items = goods.map { goods -> HTML in
            """
            <li><h2><a href="\(goods.path)">\(goods.title)</a></h2><p class="text">\(goods.description)</p>\
            <div class="foot">\(goods.priceTag)\(goods.stockWord)</div></li>
            """
        }
        return "<ul class=\"goods\">\(items)</ul>"
    }

    private func pages(_ next: String?, _ visit: Visit) -> HTML {
        let isFirst = visit.query["cursor"] == nil
        return """
            <nav class="pages" aria-label="Pages">\
            \(HTML.when(!isFirst, "<a class=\"button second\" href=\"\(visit.link([("cursor", nil)]))\">First page</a>"))\
            \(next.map { "<a class=\"button second\" rel=\"next\" href=\"\(visit.link([("cursor", $0)]))\">Next page</a>" as HTML })\
            </nav>
            """
    }

    // MARK: one product

    /// One product as customers see it.
    /// - Throws: 404 for one that is not for sale.
    func goods(_ productId: Int64) async throws -> Goods {
        let read = try await site.reads.call("product.offer", ["productId": .integer(productId)])
        guard let goods = Goods(.object(read.reply)) else { throw ErrorCode.productNotFound.error() }
        return goods
    }

    private func product(_ visit: Visit) async throws -> Answer {
        let read = try await site.reads.call("product.offer", ["productId": .integer(try visit.id())])
        let offer = JSONValue.object(read.reply)
        let held = try await HeldCheckout(site: site).units(visit)
        guard let goods = Goods(offer)?.holding(held) else { throw ErrorCode.productNotFound.error() }
        let state = state(goods, offer)
        if visit.query["part"] != nil { return .html(state) }
        let inCart = Cart(visit.headers)[goods.productId]
        let body: HTML = """
            <p class="crumbs"><a href="/store">The Shop</a> › \(goods.category)</p>\
            <div class="product"><div><h1>\(goods.title)</h1><p>\(goods.description)</p></div>\
            <div class="card buy">\(goods.priceTag)\
            <div data-part="\(goods.path)?part=state" data-of="\(goods.productId)">\(state)</div>\
            \(buyForm(goods, inCart))</div></div>
            """
        return .html(Page(goods.title, in: .store, visit: visit, site: site, sequence: read.sequence, body: body).html)
    }

    /// What moves with the price: the reduction that may be claimed, how many are left, and why it costs that.
    private func state(_ goods: Goods, _ offer: JSONValue) -> HTML {
        let reduction = offer["reduction"]?.object.map { reduction -> HTML in
            """
            <p class="reduced"><b>−\(reduction["percentOff"]?.integer ?? 0) %</b> Lowest price of the 30 days before: \
            <span class="n">\(Words.money(reduction["lowest30"]?.string))</span></p>
            """
        }
        return """
            \(reduction)<p>\(goods.stockWord)</p><p class="why">\(offer["why"]?.string ?? "")</p>
            """
    }

    private func buyForm(_ goods: Goods, _ inCart: Cart.Line?) -> HTML {
        guard !goods.isSoldOut else { return "<p class=\"quiet\">It may come back: look again later.</p>" }
        let quantity = FormField("quantity", "Units", .integer, value: "1", required: true)
        let form = Form(
            "/store/cart",
            [.hidden("productId", String(goods.productId)), .hidden("price", goods.price), quantity],
            submit: "Put into the cart"
        ).html
        let note = inCart.map {
            "<p class=\"quiet\">\(Words.counted($0.quantity, "unit")) of it in your cart.</p>" as HTML
        }
        return "\(form)\(note)"
    }
}
