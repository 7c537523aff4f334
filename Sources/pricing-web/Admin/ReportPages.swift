import HTTPTypes
import JSON
import Markup
import PricingClient

/// The named queries.
struct ReportPages: Sendable {
    static let path = "/reports"

    let site: Site

    func add(to routes: inout Routes) {
        routes.get("/reports") { try await index($0) }
        routes.get("/reports/{name}") { try await one($0) }
    }

    private func index(_ visit: Visit) async throws -> Answer {
        try visit.requireStaff()
        let reports = try await site.call(visit, "report.list", ["limit": 500])["items"]?.array ?? []
        let rows = reports.map { report -> [HTML] in
            let name = report["name"]?.string ?? ""
            return [
                "<a href=\"/reports/\(Link.escaped(name))\">\(Words.label(name))</a>",
                "\(report["title"]?.string ?? "")",
            ]
        }
        let table = Table("Reports", [Table.Column("Report"), Table.Column("What it shows")], rows: rows).html
        let body: HTML = "<h1>Reports</h1><div class=\"card\">\(table)</div>"
        return .html(Page("Reports", in: .admin(ReportPages.path), visit: visit, site: site, body: body).html)
    }

    private func one(_ visit: Visit) async throws -> Answer {
        try visit.requireStaff()
        let name = visit.parameters.first ?? ""
        let isCSV = visit.query["format"] == "csv"
        let reply = try await site.call(
            visit,
            "report.run",
            ["name": .string(name), "limit": isCSV ? 10_000 : 500]
        )
        let columns = (reply["columns"]?.array ?? []).compactMap(\.string)
        let rows = (reply["rows"]?.array ?? []).compactMap(\.array)
        func text(_ value: JSONValue) -> String { value.isNull ? "" : value.string ?? value.description }
        // A telephone number is none.
        func isNumber(_ text: String) -> Bool { Double(text) != nil && !text.hasPrefix("+") }
        if isCSV {
            let lines = [columns] + rows.map { $0.map { CSVTable.harmless(text($0)) } }
            let bytes = lines.flatMap { Array(CSVTable.line($0).utf8) }
            return Answer(
                200,
                "text/csv; charset=utf-8",
                bytes,
                [(.contentDisposition, "attachment; filename=\"\(Link.escaped(name)).csv\"")]
            )
        }
        let numeric = columns.indices.map { index in
            !rows.isEmpty
                && rows.allSatisfy { index < $0.count && ($0[index].isNull || isNumber(text($0[index]))) }
        }
        let heads = zip(columns, numeric).map { Table.Column(Words.label($0), $1 ? .number : .text) }
        let cells = rows.map { row in
            zip(columns, zip(row, numeric)).map { name, cell -> HTML in
                // Numbers of things are names, and are not grouped.
                let isFigure = cell.1 && !cell.0.isNull && !name.hasSuffix("id") && !name.hasSuffix("Id")
                if isFigure { return "\(Words.money(text(cell.0)))" }
                if let isSo = cell.0.bool { return isSo ? "yes" : "no" }
                return cell.0.string.flatMap(Moment.init) == nil ? "\(text(cell.0))" : Words.time(cell.0.string)
            }
        }
        let table = Table(name, heads, empty: "It found nothing.", rows: cells).html
        let body: HTML = """
            <p class="crumbs"><a href="/reports">Reports</a></p><div class="head"><h1>\(Words.label(name))</h1>\
            <a href="\(visit.link([("format", "csv")]))" download>CSV</a></div><div class="card">\(table)</div>
            """
        return .html(Page(Words.label(name), in: .admin(ReportPages.path), visit: visit, site: site, body: body).html)
    }
}
