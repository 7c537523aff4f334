import JSON
import JSONRPC
import Markup

/// Pricing rules: versions, what differs between them, what the proofs say.
struct RulePages: Sendable {
    static let path = "/rules"

    let site: Site

    func add(to routes: inout Routes) {
        ListPage(
            site: site,
            path: RulePages.path,
            title: "Rules",
            method: "rule.list",
            filters: [
                FormField(
                    "status",
                    "State",
                    .choice([
                        .init("", "All"), .init("draft", "Draft"), .init("active", "Active"),
                        .init("retired", "Retired"),
                    ])
                )
            ],
            empty: "There is no such rule.",
            deeds: "<a href=\"\(Deed.link("rule.create", back: "/rules/{ruleId}"))\">New version</a>",
            columns: [
                .link("Rule", "ruleId", "name", to: "/rules/"), .count("Version", "version"),
                .text("Strategy", "strategy"),
                .tag("State", "status"), .text("What it is for", "note"), .text("Who", "actor"),
                .time("In force since (UTC)", "activatedAt"),
            ]
        ).add(to: &routes)
        routes.get("/rules/{id}") { try await one($0) }
    }

    private func one(_ visit: Visit) async throws -> Answer {
        try visit.requireStaff()
        let id = try visit.id()
        let rule = JSONValue.object(try await site.call(visit, "rule.get", ["ruleId": .integer(id)]))
        let all = try await site.call(visit, "rule.list", ["limit": 500])["items"]?.array ?? []
        let versions = all.filter { $0["name"] == rule["name"] }
        let before = versions.filter { ($0["version"]?.integer ?? 0) < (rule["version"]?.integer ?? 0) }.last
        let name = rule["name"]?.string ?? ""
        let state = rule["status"]?.string ?? ""
        let here = visit.rawPath
        let subject: [(name: String, value: String?)] = [("ruleId", String(id))]
        let next: [(name: String, value: String?)] = [("name", name), ("strategy", rule["strategy"]?.string)]
        let body: HTML = """
            <p class="crumbs"><a href="/rules">Rules</a></p><div class="head"><h1>\(name), version \
            \(rule["version"]?.integer ?? 0)</h1><span class="tag \(state)">\(state)</span></div>\
            <p>\(rule["note"]?.string ?? "")</p><div class="links">\
            <a class="button second" href="\(Deed.link("rule.activate", back: here, subject))">Put into force</a>\
            <a class="button second" href="\(Deed.link("rule.retire", back: here, subject))">Retire</a>\
            <a class="button second" href="\(Deed.link("rule.create", back: "/rules/{ruleId}", next))">New version</a></div>\
            <div class="tiles"><section class="card"><h2>Parameters</h2>\(parameters(rule, before))</section>\
            <section class="card"><h2>Versions</h2>\(list(versions, id))</section>\
            <section class="card"><h2>Does it behave?</h2>\(await lint(visit, id))</section>\
            <section class="card"><h2>What it would have done</h2>\(await backtest(visit, id))</section></div>
            """
        return .html(Page(name, in: .admin(RulePages.path), visit: visit, site: site, body: body).html)
    }

    /// The parameters beside those of the version before; what differs stands out.
    private func parameters(_ rule: JSONValue, _ before: JSONValue?) -> HTML {
        let new = rule["parameters"]?.object ?? [:]
        let old = before?["parameters"]?.object ?? [:]
        let names = new.keys + old.keys.filter { new[$0] == nil }
        func text(_ value: JSONValue?) -> String {
            if let isSo = value?.bool { return isSo ? "yes" : "no" }
            if let count = value?.integer { return Words.count(count) }
            return value.flatMap { $0.isNull ? nil : Words.money($0.string ?? $0.description) } ?? "–"
        }
        var columns = [Table.Column("Parameter"), Table.Column("Value", .number)]
        if let before { columns.append(Table.Column("Version \(before["version"]?.integer ?? 0)", .number)) }
        return Table(
            "Parameters",
            columns,
            empty: "It has none of its own.",
            rows: names.map { name in
                let differs = before != nil && new[name] != old[name]
                let value: HTML = differs ? "<strong>\(text(new[name]))</strong>" : "\(text(new[name]))"
                return ["\(Words.label(name))", value] + (before == nil ? [] : ["\(text(old[name]))"])
            }
        ).html
    }

    private func list(_ versions: [JSONValue], _ current: Int64) -> HTML {
        Table(
            "Versions",
            [Table.Column("Version"), Table.Column("State"), Table.Column("Made (UTC)"), Table.Column("Who")],
            rows: versions.map { row in
                let id = row["ruleId"]?.integer ?? 0
                let number: HTML =
                    id == current
                    ? "\(row["version"]?.integer ?? 0)" : "<a href=\"/rules/\(id)\">\(row["version"]?.integer ?? 0)</a>"
                let state = row["status"]?.string ?? ""
                return [
                    number, "<span class=\"tag \(state)\">\(state)</span>", Words.time(row["createdAt"]?.string),
                    "\(row["actor"]?.string ?? "")",
                ]
            }
        ).html
    }

    private func lint(_ visit: Visit, _ id: Int64) async -> HTML {
        guard let reply = try? await site.call(visit, "rule.lint", ["ruleId": .integer(id)]) else {
            return "<p class=\"empty\">It could not be tried now.</p>"
        }
        let products = reply["products"]?.integer ?? 0
        let findings = (reply["findings"]?.array ?? []).map { finding -> HTML in
            let trace = (finding["counterexample"]?["trace"]?.array ?? []).prefix(12).map { step -> HTML in
                "<tr><td class=\"n\">\(step["stock"]?.integer ?? 0)</td><td class=\"n\">\(Words.money(step["price"]?.string))</td></tr>"
            }
            let walk = HTML.when(
                !trace.isEmpty,
                "<details><summary>A walk that shows it</summary><table><tr><th class=\"n\">Stock</th><th class=\"n\">Price</th></tr>\(Array(trace))</table></details>"
            )
            return
                "<li><span class=\"tag\">\(finding["severity"]?.string ?? "")</span> \(finding["message"]?.string?.replacing("`", with: "") ?? "")\(walk)</li>"
        }
        let tried = "Tried on \(Words.counted(products, "product")) of its own."
        return findings.isEmpty
            ? "<p>It neither drifts nor oscillates.</p><p class=\"quiet\">\(tried)</p>"
            : "<ul class=\"effect\">\(findings)</ul><p class=\"quiet\">\(tried)</p>"
    }

    private func backtest(_ visit: Visit, _ id: Int64) async -> HTML {
        guard visit.query["backtest"] != nil else {
            return """
                <p>Replays what was sold under this rule. On a large shop this takes a while.</p>\
                <a class="button second" href="\(visit.link([("backtest", "1")]))">Replay</a>
                """
        }
        guard let reply = try? await site.call(visit, "rule.backtest", ["ruleId": .integer(id), "limit": 1]) else {
            return "<p class=\"empty\">It could not be replayed now.</p>"
        }
        let totals = reply["totals"] ?? [:]
        let rows = ["changes", "reversals", "limitHits", "charged"].map { name -> [HTML] in
            func text(_ value: JSONValue?) -> String {
                value?.string.map { Words.money($0) } ?? Words.count(value?.integer)
            }
            return ["\(Words.label(name))", "\(text(totals[name]))", "\(text(totals["actual"]?[name]))"]
        }
        let columns = [
            Table.Column("Figure"), Table.Column("This rule", .number), Table.Column("What happened", .number),
        ]
        return "\(Table("Replayed", columns, rows: rows).html)<p class=\"quiet\">\(reply["note"]?.string ?? "")</p>"
    }
}
