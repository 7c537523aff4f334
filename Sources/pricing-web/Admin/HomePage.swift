import JSON
import Markup

/// The dashboard's first page: how the shop does, and what moved.
struct HomePage: Sendable {
    static let path = "/"

    let site: Site

    func add(to routes: inout Routes) {
        routes.get("/") { try await answer($0) }
    }

    private func answer(_ visit: Visit) async throws -> Answer {
        guard visit.person != nil else { return .redirect("/sign-in?to=/") }
        guard visit.person?.isStaff ?? false else { return .redirect("/store") }
        if let part = visit.query["part"] { return .html(try await self.part(part, visit)) }
        let sequence = site.hub.sequence
        async let stats = site.call(visit, "dashboard.stats")
        async let moves = part("moves", visit)
        async let low = part("low", visit)
        async let categories = site.call(visit, "dashboard.categoryDistribution")
        async let trends = site.call(visit, "dashboard.priceTrends", ["days": 30])
        async let suppliers = site.call(visit, "dashboard.supplierRevenue")
        async let months = site.call(visit, "dashboard.monthlyRevenue")
        async let best = site.call(visit, "dashboard.vipUsers", ["limit": 8])
        let tiles: HTML = """
            \(tile("Price moves <a href=\"/prices\">All price changes</a>", "<div id=\"moves\" data-part=\"/?part=moves\">\(try await moves)</div>"))\
            \(tile("Low stock <a href=\"/stock?level=LOW\">All that is low</a>", "<div data-part=\"/?part=low\">\(try await low)</div>"))\
            \(try await monthsTile(months))\
            \(try await categoriesTile(categories))\(try await trendsTile(trends))\(try await suppliersTile(suppliers))\
            \(try await bestTile(best))
            """
        let stand = try await stats
        let body: HTML = """
            <h1>Home</h1>\(HTML.when(stand["products"]?.integer == 0, HomePage.first))\
            <div data-part="/?part=alarms" data-of="automation">\(alarms(stand))</div>\(cards(stand))\
            <div class="tiles">\(tiles)</div>
            """
        return .html(
            Page("Dashboard", in: .admin(HomePage.path), visit: visit, site: site, sequence: sequence, body: body).html
        )
    }

    /// What to do in a shop in which nothing is.
    private static var first: HTML {
        """
        <div class="notice"><p>The shop is empty. Make a category, then products in it; or bring them all in a file, which \
        makes its categories too.</p><div class="links"><a href="\(Deed.link("category.create", back: "/"))">New category</a>\
        <a href="/do/product.create">New product</a><a href="/products/import">Import</a></div></div>
        """
    }

    // MARK: figures

    private func alarms(_ stats: JSONObject) -> HTML {
        let operations: HTML = "<a href=\"/operations\">Operations</a>"
        var alarms: [HTML] = []
        if stats["halted"]?.bool ?? false {
            alarms.append("Automation is halted for the whole catalogue. \(operations)")
        }
        if stats["breakerTripped"]?.bool ?? false {
            alarms.append("The breaker has tripped: a person must resume automation. \(operations)")
        }
        let halts = stats["halts"]?.integer ?? 0
        if halts > 0, !(stats["halted"]?.bool ?? false) {
            alarms.append("\(Words.counted(halts, "halt")) of automation. \(operations)")
        }
        let failing = stats["failingProducts"]?.integer ?? 0
        if failing > 0 { alarms.append("\(Words.counted(failing, "product")) cannot be priced now. \(operations)") }
        let overdue = stats["overdueDeliveries"]?.integer ?? 0
        if overdue > 0 {
            alarms.append(
                "\(Words.counted(overdue, "delivery", "deliveries")) should have come and have not. <a href=\"/deliveries\">Deliveries</a>"
            )
        }
        let proposals = stats["openProposals"]?.integer ?? 0
        if proposals > 0 {
            alarms.append(
                "\(Words.counted(proposals, "price move")) waiting for a person's yes. <a href=\"/proposals?status=open\">Proposals</a>"
            )
        }
        guard !alarms.isEmpty else { return HTML() }
        let lines = alarms.map { "<p>\($0)</p>" as HTML }
        return "<div class=\"warning\">\(lines)</div>"
    }

    private func cards(_ stats: JSONObject) -> HTML {
        func card(_ name: String, _ figure: String, _ note: String = "") -> HTML {
            "<div class=\"card\"><dt>\(name)</dt><dd>\(figure)\(HTML.when(!note.isEmpty, "<small>\(note)</small>"))</dd></div>"
        }
        let active = stats["activeProducts"]?.integer
        return """
            <dl class="figures">\(card("Products", Words.count(stats["products"]?.integer), "\(Words.count(active)) for sale"))\
            \(card("Orders", Words.count(stats["orders"]?.integer)))\
            \(card("Low stock", Words.count(stats["lowStock"]?.integer), "products"))\
            \(card("Revenue", Words.money(stats["revenue"]?.string)))\
            \(card("Revenue today", Words.money(stats["revenueToday"]?.string)))\
            \(card("Campaigns", Words.count(stats["campaigns"]?.integer), "run now"))</dl>
            """
    }

    private func tile(_ title: HTML, _ content: HTML, whole: Bool = false) -> HTML {
        "<section class=\"card\(HTML.when(whole, " whole"))\"><h2>\(title)</h2>\(content)</section>"
    }

    private func rows(_ reply: JSONObject) -> [JSONValue] { reply["items"]?.array ?? [] }

    // MARK: tiles

    /// What an open page fetches anew when something moved.
    private func part(_ name: String, _ visit: Visit) async throws -> HTML {
        switch name {
        case "moves": return moves(try await site.call(visit, "price.changes", ["limit": 8]))
        case "alarms": return alarms(try await site.call(visit, "dashboard.stats"))
        case "low": return low(try await site.call(visit, "dashboard.lowStock", ["limit": 8]))
        default: throw Refusal(404, "There is no such part.")
        }
    }

    private func moves(_ reply: JSONObject) -> HTML {
        let lines = rows(reply).map { row -> HTML in
            let (old, new) = (row["old"]?.string, row["new"]?.string)
            let isUp = (Double(new ?? "") ?? 0) > (Double(old ?? "") ?? 0)
            return """
                <li><a href="/products/\(row["productId"]?.integer ?? 0)">\(row["title"]?.string ?? "")</a>\
                <span class="n \(isUp ? "up" : "down")">\(Words.money(old)) → \(Words.money(new))</span>\
                <span class="why">\(PricesPage.why(row)) · \(Words.time(row["at"]?.string))</span></li>
                """
        }
        return lines.isEmpty ? "<p class=\"empty\">No price has moved yet.</p>" : "<ul class=\"moves\">\(lines)</ul>"
    }

    private func low(_ reply: JSONObject) -> HTML {
        Table(
            "Products whose stock is low",
            [
                Table.Column("Product"), Table.Column("Stock", .number), Table.Column("Low at", .number),
                Table.Column("Restock", .actions),
            ],
            empty: "No product is low.",
            rows: rows(reply).map { row in
                let id = row["productId"]?.integer ?? 0
                let restock = Link.to("/do/inventory.restock", [("productId", String(id)), ("_back", "/")])
                return [
                    "<a href=\"/products/\(id)\">\(row["title"]?.string ?? "")</a>",
                    "<span data-stock=\"\(id)\">\(Words.count(row["stock"]?.integer))</span>",
                    "\(Words.count(row["lowStock"]?.integer))", "<a href=\"\(restock)\">Restock</a>",
                ]
            }
        ).html
    }

    private func monthsTile(_ reply: JSONObject) -> HTML {
        let columns = rows(reply).map { row -> (label: String, value: Double, figure: String) in
            let month = row["month"]?.string ?? ""
            let number = Int(month.suffix(2)) ?? 0
            let revenue = row["revenue"]?.string ?? "0"
            return (Moment.month(number), Double(revenue) ?? 0, Words.money(revenue))
        }
        let table = Table(
            "Revenue by month",
            [Table.Column("Month"), Table.Column("Orders", .number), Table.Column("Revenue", .number)],
            rows: rows(reply).reversed().map { row in
                [
                    "\(row["month"]?.string ?? "")", "\(Words.count(row["orders"]?.integer))",
                    "\(Words.money(row["revenue"]?.string))",
                ]
            }
        )
        return tile("Revenue by month", "\(Columns("Revenue by month", columns).html)\(folded(table, of: columns))")
    }

    private func categoriesTile(_ reply: JSONObject) -> HTML {
        let parts = rows(reply).map { row -> Shares.Part in
            let value = row["value"]?.string ?? "0"
            return Shares.Part(row["category"]?.string ?? "", Double(value) ?? 0, Words.money(value))
        }
        return tile("Stock by category, at today's prices", Shares("Stock by category", parts).html)
    }

    private func trendsTile(_ reply: JSONObject) -> HTML {
        let columns = rows(reply).map { row -> (label: String, value: Double, figure: String) in
            let moment = (row["at"]?.string).flatMap(Moment.init)
            let changes = row["changes"]?.integer ?? 0
            return (moment?.shortDay ?? "", Double(changes), Words.counted(changes, "change"))
        }
        let table = Table(
            "Prices by day",
            [
                Table.Column("Day"), Table.Column("Average price", .number), Table.Column("Rises", .number),
                Table.Column("Cuts", .number),
            ],
            rows: rows(reply).reversed().map { row in
                [
                    "\((row["at"]?.string).flatMap(Moment.init)?.day ?? "")",
                    "\(Words.money(row["averagePrice"]?.string))",
                    "\(Words.count(row["raises"]?.integer))", "\(Words.count(row["cuts"]?.integer))",
                ]
            }
        )
        let drawing = Columns("Price changes by day", columns).html
        return tile("Price changes by day", "\(drawing)\(folded(table, of: columns))")
    }

    private func suppliersTile(_ reply: JSONObject) -> HTML {
        let bars = rows(reply).prefix(8).map { row -> Bars.Bar in
            let revenue = row["revenue"]?.string ?? "0"
            return Bars.Bar("\(row["supplier"]?.string ?? "")", Double(revenue) ?? 0, Words.money(revenue))
        }
        return tile(
            "Revenue by supplier <a href=\"/suppliers\">All suppliers</a>",
            Bars("Revenue by supplier", bars).html
        )
    }

    private func bestTile(_ reply: JSONObject) -> HTML {
        let table = Table(
            "Customers who spent most",
            [Table.Column("Customer"), Table.Column("Orders", .number), Table.Column("Spent", .number)],
            empty: "Nobody has bought yet.",
            rows: rows(reply).map { row in
                let orders = Link.to("/orders", [("customerId", row["userId"]?.integer.map { String($0) })])
                return [
                    "<a href=\"\(orders)\">\(row["fullName"]?.string ?? "")</a>",
                    "\(Words.count(row["orders"]?.integer))",
                    "\(Words.money(row["spent"]?.string))",
                ]
            }
        )
        return tile("Best customers", table.html)
    }

    private func folded(_ table: Table, of columns: [(label: String, value: Double, figure: String)]) -> HTML {
        HTML.when(
            columns.contains { $0.value > 0 },
            "<details class=\"table\"><summary>As a table</summary>\(table.html)</details>"
        )
    }
}
