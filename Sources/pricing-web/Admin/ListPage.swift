import HTTPTypes
import HummingbirdCore
import JSON
import JSONRPC
import Markup
import NIOCore
import PricingClient
import PricingProtocol

/// A list of the shop as a page: filters, order and place in the address, the rows as a table, all of it as CSV.
struct ListPage: Sendable {
    /// One column of the table and of the CSV.
    struct Column: Sendable {
        let title: String
        let kind: Table.Column.Kind
        /// What the method's `sort` calls this column.
        let sort: String?
        /// What stands on the page; a column without is in the CSV alone.
        let cell: (@Sendable (JSONValue) -> HTML)?
        /// What stands in the CSV; a column without is on the page alone.
        let text: (@Sendable (JSONValue) -> String)?

        init(
            _ title: String,
            _ kind: Table.Column.Kind = .text,
            sort: String? = nil,
            text: (@Sendable (JSONValue) -> String)?,
            _ cell: (@Sendable (JSONValue) -> HTML)?
        ) {
            self.title = title
            self.kind = kind
            self.sort = sort
            self.text = text
            self.cell = cell
        }
    }

    let site: Site
    let path: String
    let title: String
    /// The section that it belongs to, where it is none itself.
    var section: String?
    let method: String
    var filters: [FormField] = []
    var empty: HTML = "Nothing here."
    /// Links above the table.
    var deeds: HTML = HTML()
    let columns: [Column]
    /// What stands around the table, such as a form for the rows that are chosen.
    var wrap: @Sendable (HTML) -> HTML = { $0 }

    func add(to routes: inout Routes) {
        routes.get(path) { try await answer($0) }
    }

    private func answer(_ visit: Visit) async throws -> Answer {
        try visit.requireStaff()
        guard let method = AllMethods.byName[method] else { throw Refusal(404, "There is no such page.") }
        var params = Typed.params(method, visit.query)
        if visit.query["format"] == "csv" { return csv(visit, params) }
        params["limit"] = params["limit"] ?? 50
        let sequence = site.hub.sequence
        let page: Result<JSONObject, RPCError>
        do {
            page = .success(try await site.call(visit, method.name, params))
        } catch let error as RPCError where error.reason == "INVALID_PARAMS" {
            page = .failure(error)
        }
        var problems: [String: String] = [:]
        var content: HTML
        switch page {
        case .success(let reply):
            let table = table(reply, visit)
            let isEmpty = reply["items"]?.array?.isEmpty ?? true
            content = "\(isEmpty ? table : wrap(table))\(pages(reply["nextCursor"]?.string, visit))"
        case .failure(let error):
            problems = Typed.problems(error)
            content = "<p class=\"alert\" role=\"alert\">\(error.message)</p>"
        }
        if visit.query["part"] == "rows" { return .html(content) }
        content = """
            <div class="head"><h1>\(title)</h1><div class="links">\(deeds)\
            <a href="\(visit.link([("format", "csv"), ("cursor", nil), ("limit", nil)]))" download>CSV</a></div></div>\
            \(filterForm(visit, problems))<div class="card">\(content)</div>
            """
        let world = Page.World.admin(section ?? path)
        return .html(Page(title, in: world, visit: visit, site: site, sequence: sequence, body: content).html)
    }

    private func filterForm(_ visit: Visit, _ problems: [String: String]) -> HTML {
        guard !filters.isEmpty else { return HTML() }
        let fields = filters.map { filter -> FormField in
            var field = filter
            field.value = visit.query[filter.name] ?? ""
            field.problem = problems[filter.name]
            // Nothing here must be filled in, and saying so at each would be noise.
            field.isRequired = false
            return field
        }
        let sort = visit.query["sort"].map { [FormField.hidden("sort", $0)] } ?? []
        return Form(
            path,
            method: "get",
            cssClass: "row filters",
            sort + fields,
            submit: "Show",
            beside: "<a class=\"button second\" href=\"\(path)\">All</a>"
        ).html
    }

    private func table(_ reply: JSONObject, _ visit: Visit) -> HTML {
        let sorted = visit.query["sort"]
        let shown = columns.filter { $0.cell != nil }
        let heads = shown.map { column -> Table.Column in
            guard let sort = column.sort else { return Table.Column(column.title, column.kind) }
            let state = sorted == sort ? "ascending" : sorted == "-" + sort ? "descending" : nil
            let next = sorted == sort ? "-" + sort : sort
            let link = visit.link([("sort", next), ("cursor", nil)])
            return Table.Column(column.title, column.kind, sortLink: link, sorted: state)
        }
        let rows = (reply["items"]?.array ?? []).map { row in shown.map { $0.cell?(row) ?? HTML() } }
        return Table(title, heads, empty: empty, rows: rows).html
    }

    private func pages(_ next: String?, _ visit: Visit) -> HTML {
        guard next != nil || visit.query["cursor"] != nil else { return HTML() }
        let first: HTML = "<a class=\"button second\" href=\"\(visit.link([("cursor", nil)]))\">First page</a>"
        let following = next.map { cursor -> HTML in
            "<a class=\"button second\" rel=\"next\" href=\"\(visit.link([("cursor", cursor)]))\">Next page</a>"
        }
        return """
            <nav class="pages" aria-label="Pages">\(HTML.when(visit.query["cursor"] != nil, first))\(following)</nav>
            """
    }

    /// All rows, a page of the method at a time.
    private func csv(_ visit: Visit, _ params: JSONObject) -> Answer {
        let shown = columns.filter { $0.text != nil }
        let name = path.split(separator: "/").joined(separator: "-")
        var answer = Answer.stream("text/csv; charset=utf-8") { writer in
            try await writer.write(ByteBuffer(string: CSVTable.line(shown.map(\.title))))
            var params = params
            params["limit"] = .integer(CallLimit.pageRows.value)
            while true {
                let page = try await site.call(visit, method, params)
                var text = ""
                for row in page["items"]?.array ?? [] {
                    text += CSVTable.line(shown.map { CSVTable.harmless($0.text?(row) ?? "") })
                }
                try await writer.write(ByteBuffer(string: text))
                guard let cursor = page["nextCursor"], !cursor.isNull else { return }
                params["cursor"] = cursor
            }
        }
        answer.headers.append((.contentDisposition, "attachment; filename=\"\(name).csv\""))
        return answer
    }
}

extension ListPage.Column {
    /// A member as it is.
    static func text(_ title: String, _ member: String, sort: String? = nil) -> Self {
        Self(title, sort: sort, text: { $0[member]?.string ?? "" }) { "\($0[member]?.string ?? "–")" }
    }

    static func count(_ title: String, _ member: String, sort: String? = nil) -> Self {
        Self(title, .number, sort: sort, text: { $0[member]?.integer.map { String($0) } ?? "" }) {
            "\(Words.count($0[member]?.integer))"
        }
    }

    /// A figure in the CSV alone.
    static func hidden(_ title: String, _ member: String) -> Self {
        Self(title, .number, text: { $0[member]?.integer.map { String($0) } ?? "" }, nil)
    }

    static func money(_ title: String, _ member: String, sort: String? = nil) -> Self {
        Self(title, .number, sort: sort, text: { $0[member]?.string ?? "" }) { "\(Words.money($0[member]?.string))" }
    }

    static func time(_ title: String, _ member: String, sort: String? = nil) -> Self {
        Self(title, sort: sort, text: { $0[member]?.string ?? "" }) { Words.time($0[member]?.string) }
    }

    /// A state of a few, each with its colour.
    static func tag(_ title: String, _ member: String) -> Self {
        Self(title, text: { $0[member]?.string ?? "" }) { row in
            let state = row[member]?.string ?? ""
            return "<span class=\"tag \(state)\">\(Words.spaced(state.lowercased()))</span>"
        }
    }

    /// An id that leads to its page.
    static func link(_ title: String, _ id: String, _ label: String?, to path: String, sort: String? = nil) -> Self {
        Self(title, sort: sort, text: { row in label.flatMap { row[$0]?.string } ?? row[id]?.description ?? "" }) {
            row in
            let number = row[id]?.integer ?? 0
            return "<a href=\"\(path)\(number)\">\(label.flatMap { row[$0]?.string } ?? String(number))</a>"
        }
    }

    /// Links to deeds of the row.
    static func deeds(_ links: @escaping @Sendable (JSONValue) -> [(label: String, link: String)]) -> Self {
        Self("Actions", .actions, text: nil) { row in
            let html = links(row).map { "<a href=\"\($0.link)\">\($0.label)</a>" as HTML }
            return html.enumerated().reduce(into: HTML()) { sum, part in
                if part.offset > 0 { sum += " · " }
                sum += part.element
            }
        }
    }
}

extension Deed {
    /// The page of a deed with some of its fields filled in.
    static func link(_ method: String, back: String, _ fields: [(name: String, value: String?)] = []) -> String {
        Link.to("/do/\(method)", fields + [("_back", back)])
    }
}
