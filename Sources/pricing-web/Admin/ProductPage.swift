import JSON
import JSONRPC
import Markup
import PricingProtocol

/// One product: its figures, why it costs what it costs, what comes next, how it moved, and what can be done.
struct ProductPage: Sendable {
    let site: Site
    let visit: Visit

    func answer() async throws -> Answer {
        try visit.requireStaff()
        let id = try visit.id()
        let subject: JSONObject = ["productId": .integer(id)]
        if let part = visit.query["part"] {
            let why = JSONValue.object(try await site.call(visit, "price.why", subject))
            return .html(part == "next" ? next(why) : ProductPage.steps(why))
        }
        let sequence = site.hub.sequence
        let product = JSONValue.object(try await site.call(visit, "product.get", subject))
        async let why = site.call(visit, "price.why", subject)
        async let changes = site.call(visit, "price.history", ["productId": .integer(id), "limit": 15])
        async let moves = site.call(visit, "inventory.movements", ["productId": .integer(id), "limit": 12])
        async let points = site.call(visit, "product.timeline", ["productId": .integer(id), "points": 600])
        async let declared = site.call(visit, "product.history", ["productId": .integer(id), "limit": 10])
        let explanation = JSONValue.object(try await why)
        let history = try await changes["items"]?.array ?? []
        let movements = try await moves["items"]?.array ?? []
        let curve = try await curve(id, product)
        let drawing = timeline(product, try await points["items"]?.array ?? [])
        let tiles: HTML = """
            \(tile("Why this price", live("why", ProductPage.steps(explanation))))\
            \(tile("What would move it next", live("next", next(explanation))))\
            \(tile("Price and stock", drawing, whole: true))\
            \(tile("Price at each stock", curve))\
            \(tile("What if", try await WhatIf(site: site, visit: visit, product: product).html, id: "what-if"))\
            \(tile("Declaration", await facts(product)))\(tile("Change", deeds(product)))\
            \(tile("Price changes", changesTable(history), whole: true))\
            \(tile("Stock movements", movementsTable(movements)))\
            \(tile("Declared so far", declarations(try await declared["items"]?.array ?? [])))
            """
        let title = product["title"]?.string ?? ""
        let tags = ProductPages.state(product).map { "<span class=\"tag \($0)\">\($0)</span> " as HTML }
        let body: HTML = """
            <p class="crumbs"><a href="/products">Products</a></p>\
            <div class="head"><h1>\(title)</h1><div>\(tags)</div></div>\(cards(product))<div class="tiles">\(tiles)</div>
            """
        let page = Page(title, in: .admin(ProductPages.path), visit: visit, site: site, sequence: sequence, body: body)
        return .html(page.html)
    }

    private func tile(_ title: HTML, _ content: HTML, whole: Bool = false, id: String? = nil) -> HTML {
        "<section\(HTML.attribute("id", id)) class=\"card\(HTML.when(whole, " whole"))\"><h2>\(title)</h2>\(content)</section>"
    }

    /// What an open page fetches anew when something moved.
    private func live(_ part: String, _ content: HTML) -> HTML {
        "<div data-part=\"\(here)?part=\(part)\" data-of=\"\(visit.parameters.first ?? "")\">\(content)</div>"
    }

    private var here: String { visit.rawPath }

    // MARK: figures

    private func cards(_ product: JSONValue) -> HTML {
        let id = product["productId"]?.integer ?? 0
        func card(_ name: String, _ figure: HTML, _ note: String = "") -> HTML {
            "<div class=\"card\"><dt>\(name)</dt><dd>\(figure)<small>\(note)</small></dd></div>"
        }
        let price: HTML = "<span data-price=\"\(id)\">\(Words.money(product["price"]?.string))</span>"
        let stock: HTML = "<span data-stock=\"\(id)\">\(Words.count(product["stock"]?.integer))</span>"
        let range = "\(Words.money(product["floor"]?.string)) to \(Words.money(product["ceiling"]?.string))"
        let levels =
            "low \(Words.count(product["lowStock"]?.integer)), high \(Words.count(product["highStock"]?.integer))"
        return """
            <dl class="figures">\(card("Price", price, range))\(card("Stock", stock, levels))\
            \(card("Base price", "\(Words.money(product["basePrice"]?.string))"))\
            \(card("Unit cost", "\(Words.money(product["unitCost"]?.string))"))</dl>
            """
    }

    private func facts(_ product: JSONValue) async -> HTML {
        async let category = named("category.list", "categoryId", "name", to: "/products?categoryId=", product)
        async let supplier = named("supplier.get", "supplierId", "companyName", to: "/products?supplierId=", product)
        async let rule = named("rule.get", "ruleId", "name", to: "/rules/", product)
        let links = ["categoryId": await category, "supplierId": await supplier, "ruleId": await rule]
        let names = [
            "productId", "sku", "description", "categoryId", "supplierId", "ruleId", "declaredFloor", "declaredCeiling",
            "elasticity", "refRate", "unitValue", "decay", "seasonStart", "seasonEnd", "version",
        ]
        let rows = names.compactMap { name -> HTML? in
            guard let value = product[name], !value.isNull, value.string != "" else { return nil }
            let text: HTML =
                switch name {
                case "declaredFloor", "declaredCeiling", "unitValue": "\(Words.money(value.string))"
                case "seasonStart", "seasonEnd": Words.time(value.string)
                default: "\(value.string ?? value.description)"
                }
            return "<dt>\(Words.label(name))</dt><dd>\((links[name] ?? nil) ?? text)</dd>"
        }
        return "<dl class=\"facts\">\(rows)</dl>"
    }

    /// What a product names by its id, by its name and as a link; nil where it cannot be read.
    private func named(
        _ method: String,
        _ member: String,
        _ name: String,
        to path: String,
        _ product: JSONValue
    ) async -> HTML? {
        guard let id = product[member]?.integer else { return nil }
        let params: JSONObject = method.hasSuffix(".list") ? [:] : [member: .integer(id)]
        guard let reply = try? await site.call(visit, method, params) else { return nil }
        let row = reply["items"]?.array?.first { $0[member]?.integer == id } ?? .object(reply)
        return row[name]?.string.map { "<a href=\"\(path)\(id)\">\($0)</a>" }
    }

    // MARK: why and next

    static func steps(_ why: JSONValue) -> HTML {
        let bound = why["bindingGuard"]?.string
        let lines = (why["steps"]?.array ?? []).map { step -> HTML in
            let name = step["step"]?.string ?? ""
            let isBinding = name == bound
            return """
                <li\(HTML.attribute("class", isBinding ? "binding" : nil))><span>\(Words.label(name))</span>\
                <span>\(step["note"]?.string ?? "")</span><span class="n">\(Words.money(step["after"]?.string))</span></li>
                """
        }
        let without = bound.map { guardName -> HTML in
            let price = Words.money(why["withoutGuard"]?.string)
            return "<p class=\"quiet\">Without the \(Words.spaced(guardName)) it would be \(price).</p>"
        }
        let frozen = why["frozen"]?.string.map { state -> HTML in
            "<p class=\"warning\">It does not move: \(Words.spaced(state)).</p>"
        }
        return "\(frozen)<ol class=\"steps\">\(lines)</ol>\(without)"
    }

    private func next(_ why: JSONValue) -> HTML {
        let lines = (why["next"]?.array ?? []).map { move -> HTML in
            let price: HTML = "<b class=\"n\">\(Words.money(move["price"]?.string))</b>"
            return
                "<li data-next=\"\(move["event"]?.string ?? "")\"><span>\(ProductPage.event(move))</span>\(price)</li>"
        }
        return HTML.when(lines.isEmpty, "<p class=\"empty\">Nothing in sight moves it.</p>")
            + HTML.when(!lines.isEmpty, "<ul class=\"next\">\(lines)</ul>")
    }

    private static func event(_ move: JSONValue) -> HTML {
        let units = move["quantity"]?.integer ?? 0
        switch move["event"]?.string {
        case "sales": return "\(Words.count(units)) more sold"
        case "restock": return "\(Words.count(units)) more come in"
        case "tick": return "At the next tick, \(Words.time(move["at"]?.string))"
        case "unpin": return "When the pin ends, \(Words.time(move["at"]?.string))"
        case "approval": return "Once its <a href=\"/proposals?status=open\">proposal</a> is approved"
        case "campaign": return "A campaign, \(Words.time(move["at"]?.string))"
        default: return "\(move["event"]?.string ?? "")"
        }
    }

    // MARK: drawings

    private func timeline(_ product: JSONValue, _ points: [JSONValue]) -> HTML {
        func number(_ value: JSONValue?) -> Double? {
            value?.string.flatMap(Double.init) ?? value?.integer.map(Double.init)
        }
        var prices: [Timeline.Step] = []
        var stocks: [Timeline.Step] = []
        var last: String?
        for point in points {
            guard let at = (point["at"]?.string).flatMap(Moment.init) else { continue }
            if let stock = number(point["stock"]) { stocks.append(.init(at: at, stock)) }
            // A point is made by stock alone, too: the price is marked where it changed.
            guard let text = point["price"]?.string, text != last, let price = Double(text) else { continue }
            prices.append(.init(at: at, price, reason: last == nil ? nil : PricesPage.why(point)))
            last = text
        }
        func levels(_ names: [(String, JSONValue?)]) -> [Timeline.Level] {
            names.compactMap { name, value in number(value).map { Timeline.Level(name, $0) } }
        }
        return Timeline(
            "Price and stock over time",
            prices: prices,
            stocks: stocks,
            priceLevels: levels([("floor", product["floor"]), ("base", product["basePrice"])]),
            stockLevels: levels([("low", product["lowStock"]), ("high", product["highStock"])]),
            end: Now.moment
        ).html
    }

    /// The price at stock 0 to twice high, and as far as what is there.
    private func curve(_ id: Int64, _ product: JSONValue) async throws -> HTML {
        let most = max(2 * (product["highStock"]?.integer ?? 50), product["stock"]?.integer ?? 0)
        let params: JSONObject = [
            "productId": .integer(id), "fromStock": 0, "toStock": .integer(most), "points": 120,
        ]
        let reply = try await site.call(visit, "price.curve", params)
        let points = (reply["items"]?.array ?? []).compactMap {
            row -> (stock: Double, price: Double)? in
            guard let stock = row["stock"]?.integer, let price = row["price"]?.string.flatMap(Double.init) else {
                return nil
            }
            return (Double(stock), price)
        }
        let now = product["price"]?.string.flatMap(Double.init).flatMap { price in
            product["stock"]?.integer.map { (stock: Double($0), price: price) }
        }
        let levels = [("low", product["lowStock"]), ("high", product["highStock"])].compactMap { name, value in
            value?.integer.map { (label: name, stock: Double($0)) }
        }
        return Curve("Price at each stock", points: points, now: now, levels: levels).html
    }

    // MARK: deeds

    private func deeds(_ product: JSONValue) -> HTML {
        let id = String(product["productId"]?.integer ?? 0)
        func form(_ method: String, _ fields: [FormField]) -> HTML {
            let scoped = fields.map { field in
                var field = field
                field.scope = "\(method)-"
                return field
            }
            let own: [FormField] = [.hidden("_back", here), .hidden("productId", id)]
            return """
                <form action="/do/\(method)" method="post"><h3>\(Deed.all[method]?.title ?? method)</h3>\
                \((own + scoped).map(\.html))<div class="buttons"><button type="submit">See what it does</button></div></form>
                """
        }
        func link(_ method: String, _ fields: [(name: String, value: String?)] = []) -> HTML {
            let path = Deed.link(method, back: here, [("productId", id)] + fields)
            return "<a class=\"button second\" href=\"\(path)\">\(Deed.all[method]?.title ?? method)</a>"
        }
        func text(_ name: String) -> String? {
            guard let value = product[name], !value.isNull else { return nil }
            return value.string ?? value.description
        }
        let edited = [
            "title", "basePrice", "categoryId", "supplierId", "description", "unitCost", "lowStock", "highStock",
            "ruleId", "sku",
        ]
        let update = link("product.update", edited.map { ($0, text($0)) } + [("version", text("version"))])
        let isPinned = product["pinned"]?.bool ?? false
        let isArchived = product["archived"]?.bool ?? false
        return """
            <div class="links">\(update)\(isPinned ? link("price.unpin") : HTML())\
            \(link(isArchived ? "product.restore" : "product.archive"))\(link("pricing.halt"))\(link("inventory.expect"))\
            </div><div class="deeds">\
            \(form("inventory.restock", [FormField("quantity", "Units that came in", .integer, required: true)]))\
            \(form("inventory.adjust", [
                FormField("quantity", "Units, − for fewer", .text, required: true), FormField("reason", "Why"),
            ]))\
            \(form("price.pin", [
                FormField("price", "Price", .decimal, required: true),
                FormField("until", "Until (UTC)", hint: "Such as 2026-12-24 18:00; for ever unless given."),
                FormField("reason", "Why"),
            ]))</div>
            """
    }

    // MARK: tables

    private func changesTable(_ history: [JSONValue]) -> HTML {
        Table(
            "Price changes",
            [
                Table.Column("When (UTC)"), Table.Column("Old", .number), Table.Column("New", .number),
                Table.Column("Stock", .number), Table.Column("Why"), Table.Column("Rule"), Table.Column("Who"),
            ],
            empty: "Its price has never moved.",
            rows: history.map { row in
                [
                    Words.time(row["at"]?.string), "\(Words.money(row["old"]?.string))",
                    "\(Words.money(row["new"]?.string))",
                    "\(Words.count(row["stock"]?.integer))", "\(PricesPage.why(row))",
                    "\(row["rule"]?["name"]?.string ?? "–")", "\(row["actor"]?.string ?? "")",
                ]
            }
        ).html
    }

    private func movementsTable(_ movements: [JSONValue]) -> HTML {
        Table(
            "Stock movements",
            [
                Table.Column("When (UTC)"), Table.Column("What"), Table.Column("Units", .number),
                Table.Column("After", .number),
            ],
            empty: "Its stock has never moved.",
            rows: movements.map { row in
                let order = row["orderId"]?.integer.map { " <a href=\"/orders/\($0)\">order \($0)</a>" as HTML }
                return [
                    Words.time(row["at"]?.string), "\(Words.cause(row["kind"]?.string ?? ""))\(order)",
                    "\(Words.signed(row["quantity"]?.integer ?? 0))", "\(Words.count(row["stockAfter"]?.integer))",
                ]
            }
        ).html
    }

    private func declarations(_ rows: [JSONValue]) -> HTML {
        Table(
            "What was declared",
            [Table.Column("When (UTC)"), Table.Column("What"), Table.Column("Who")],
            empty: "Nothing was declared since it was made.",
            rows: rows.map { row in
                [Words.time(row["at"]?.string), "\(ProductPage.said(row))", "\(row["actor"]?.string ?? "")"]
            }
        ).html
    }

    /// What a declaration changed, from what to what.
    private static func said(_ row: JSONValue) -> String {
        func text(_ value: JSONValue?) -> String {
            guard let value, !value.isNull else { return "–" }
            return value.string.map { Words.money($0) } ?? value.description
        }
        guard let before = row["before"]?.object else { return "made" }
        return (row["after"]?.object ?? [:]).map { name, new in
            let (old, new) = (text(before[name]), text(new))
            // A long text is named, not told.
            return Words.spaced(name) + (old.count + new.count > 60 ? "" : " \(old) → \(new)")
        }.joined(separator: ", ")
    }
}
