import JSON
import JSONRPC
import Markup

/// How the daemon does, and whether its figures agree.
struct OperationsPages: Sendable {
    let site: Site

    func add(to routes: inout Routes) {
        routes.get("/operations") { try await operations($0) }
        routes.post("/operations/cancel") { try await cancel($0) }
        routes.get("/operations/metrics") { visit in
            try visit.requireStaff()
            return .text(try await site.call(visit, "server.metrics")["text"]?.string ?? "")
        }
        routes.get("/integrity") { try await integrity($0) }
    }

    // MARK: operations

    private func operations(_ visit: Visit) async throws -> Answer {
        try visit.requireStaff()
        let status = JSONValue.object(try await site.call(visit, "server.status"))
        let running = (try? await site.call(visit, "server.requests"))?["items"]?.array
        let body: HTML = """
            <div class="head"><h1>Operations</h1><div class="links"><a href="/operations/metrics">Metrics</a>\
            <a href="/trail">Who did what</a></div></div>\(figures(status))<div class="tiles">\
            <section class="card"><h2>Automation</h2>\(automation(status["automation"] ?? [:]))</section>\
            <section class="card"><h2>Cannot be priced</h2>\(failing(status["automation"]?["failing"]?.array ?? []))</section>\
            <section class="card whole"><h2>Calls that run now</h2>\(requests(running))</section>\
            <section class="card"><h2>Queues</h2>\(facts(status["queues"]))</section>\
            <section class="card"><h2>Database</h2>\(facts(status["database"]))</section>\
            <section class="card"><h2>This gateway</h2><dl class="facts"><dt>Open streams</dt><dd>\(site.hub.figures.streams)</dd>\
            <dt>Last event</dt><dd>\(Words.count(site.hub.sequence))</dd></dl></section></div>
            """
        return .html(Page("Operations", in: .admin("/operations"), visit: visit, site: site, body: body).html)
    }

    private func figures(_ status: JSONValue) -> HTML {
        let uptime = status["uptimeSeconds"]?.integer ?? 0
        let up = uptime < 7200 ? Words.counted(uptime / 60, "minute") : Words.counted(uptime / 3600, "hour")
        // The events stand with this gateway's last one.
        let counts = (status["counts"]?.object ?? [:]).filter { $0.key != "events" }.map { member -> HTML in
            "<div class=\"card\"><dt>\(Words.label(member.key))</dt><dd>\(Words.count(member.value.integer))</dd></div>"
        }
        return """
            <dl class="figures"><div class="card"><dt>Version</dt><dd>\(status["version"]?.string ?? "")\
            <small>up \(up)</small></dd></div>\(counts)</dl>
            """
    }

    private func automation(_ automation: JSONValue) -> HTML {
        let isHalted = automation["halted"]?.bool ?? false
        let isTripped = automation["breaker"]?["tripped"]?.bool ?? false
        let halts = Table(
            "Open halts",
            [
                Table.Column("What stands still"), Table.Column("Why"), Table.Column("Who"),
                Table.Column("Since (UTC)"), Table.Column("Resume", .actions),
            ],
            empty: "Nothing is halted.",
            rows: (automation["halts"]?.array ?? []).map { halt in
                let (category, product) = (halt["categoryId"]?.integer, halt["productId"]?.integer)
                let what: HTML =
                    if let product {
                        "product <a href=\"/products/\(product)\">\(halt["sku"]?.string ?? String(product))</a>"
                    } else if let category {
                        "category <a href=\"/products?categoryId=\(category)\">\(category)</a>"
                    } else { "everything" }
                let scope: [(name: String, value: String?)] =
                    if let product { [("productId", String(product))] } else if let category {
                        [("categoryId", String(category))]
                    } else { [("scope", "all")] }
                return [
                    what, "\(halt["reason"]?.string ?? "")", "\(halt["actor"]?.string ?? "")",
                    Words.time(halt["at"]?.string),
                    "<a href=\"\(Deed.link("pricing.resume", back: "/operations", scope))\">Resume</a>",
                ]
            }
        ).html
        return """
            <dl class="facts"><dt>State</dt><dd>\(isHalted ? "halted" : "runs")</dd><dt>Breaker</dt>\
            <dd>\(isTripped ? "has tripped: somebody must resume" : "has not tripped")</dd><dt>Last whole tick</dt>\
            <dd>\(Words.time(automation["lastTick"]?.string))</dd></dl><h3>Halts</h3>\(halts)<div class="links">\
            <a class="button second" href="\(Deed.link("pricing.halt", back: "/operations", [("scope", "all")]))">Halt everything</a></div>
            """
    }

    private func failing(_ rows: [JSONValue]) -> HTML {
        Table(
            "Products that cannot be priced",
            [Table.Column("Product"), Table.Column("Why"), Table.Column("Since (UTC)")],
            empty: "Every product can.",
            rows: rows.map { row in
                let id = row["productId"]?.integer ?? 0
                return [
                    "<a href=\"/products/\(id)\">\(row["sku"]?.string ?? String(id))</a>",
                    "\(row["reason"]?.string ?? "")",
                    Words.time(row["since"]?.string),
                ]
            }
        ).html
    }

    private func requests(_ rows: [JSONValue]?) -> HTML {
        guard let rows else { return "<p class=\"empty\">An admin sees them.</p>" }
        return Table(
            "Calls that run now",
            [
                Table.Column("Method"), Table.Column("For ms", .number), Table.Column("Whose"),
                Table.Column("Stop", .actions),
            ],
            empty: "None.",
            rows: rows.map { row in
                [
                    "\(row["method"]?.string ?? "")", "\(Words.count(row["elapsedMs"]?.integer))",
                    "\(row["actor"]?.string ?? "–")",
                    """
                    <form action="/operations/cancel" method="post"><input type="hidden" name="request" \
                    value="\(row["request"]?.integer ?? 0)"><button class="plain" type="submit">Stop</button></form>
                    """,
                ]
            }
        ).html
    }

    private func facts(_ value: JSONValue?) -> HTML {
        let rows = (value?.object ?? [:]).filter { !$0.value.isNull }.map { member -> HTML in
            "<dt>\(Words.label(member.key))</dt><dd>\(member.value.string ?? member.value.description)</dd>"
        }
        return "<dl class=\"facts\">\(rows)</dl>"
    }

    private func cancel(_ visit: Visit) async throws -> Answer {
        try visit.requireStaff()
        guard let request = visit.form["request"].flatMap({ Int64($0) }) else { return .redirect("/operations") }
        _ = try await site.call(visit, "server.cancel", ["request": .integer(request)])
        return .redirect("/operations")
    }

    // MARK: integrity

    private func integrity(_ visit: Visit) async throws -> Answer {
        try visit.requireStaff()
        let verified = visit.query["verify"] == nil ? nil : try await site.call(visit, "audit.verify", ["limit": 100])
        let body: HTML = """
            <h1>Integrity</h1><div class="card"><p>Every stock figure and price can be computed again from the ledger and the \
            declarations. What disagrees is named, row by row.</p>\(result(verified))\
            <div class="links"><a class="button" href="/integrity?verify=1">\(verified == nil ? "Verify" : "Verify again")</a>\
            <a class="button second" href="\(Deed.link("audit.repair", back: "/integrity?verify=1"))">Repair</a></div></div>
            """
        return .html(Page("Integrity", in: .admin("/integrity"), visit: visit, site: site, body: body).html)
    }

    private func result(_ reply: JSONObject?) -> HTML {
        guard let reply else { return HTML() }
        let checked = (reply["checked"]?.object ?? [:]).map { member in
            "\(Words.count(member.value.integer)) \(Words.spaced(member.key))"
        }.joined(separator: ", ")
        let total = reply["total"]?.integer ?? 0
        let table = Table(
            "Differences",
            [
                Table.Column("What"), Table.Column("Where"), Table.Column("Expected"), Table.Column("Found"),
                Table.Column("In words"),
            ],
            rows: (reply["differences"]?.array ?? []).map { row in
                let product = row["productId"]?.integer.map { "<a href=\"/products/\($0)\">product \($0)</a>" as HTML }
                return [
                    "\(row["kind"]?.string ?? "")", "\(row["table"]?.string ?? "") \(product)",
                    "\(row["expected"]?.string ?? "")",
                    "\(row["found"]?.string ?? "")", "\(row["message"]?.string ?? "")",
                ]
            }
        ).html
        let found: HTML =
            if total == 0 { "<p class=\"notice\" role=\"status\">All figures agree.</p>" } else {
                "<p class=\"alert\">\(Words.counted(total, "difference")).</p>\(table)"
            }
        return "<p>Computed again: \(checked).</p>\(found)"
    }
}
