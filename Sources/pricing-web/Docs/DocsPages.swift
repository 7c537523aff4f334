import JSON
import JSONRPC
import Markup
import PricingProtocol

/// The interface for programs, from the declarations themselves, with a form to try each method.
struct DocsPages: Sendable {
    static let path = "/docs"

    let site: Site

    func add(to routes: inout Routes) {
        routes.get("/docs") { index($0) }
        routes.get("/docs/{method}") { try await page($0) }
        routes.post("/docs/{method}") { try await page($0) }
        let openAPI = Array(OpenAPIDocument.make().serialized())
        routes.get("/openapi.json") { _ in Answer(200, "application/json", openAPI) }
        let openRPC = Array(OpenRPCDocument.make(version: Release.version).serialized())
        routes.get("/openrpc.json") { _ in Answer(200, "application/json", openRPC) }
    }

    private func frame(_ title: String, _ visit: Visit, _ body: HTML) -> Answer {
        .html(Page(title, in: .admin(DocsPages.path), visit: visit, site: site, body: body).html)
    }

    private func index(_ visit: Visit) -> Answer {
        let nouns = AllMethods.list.map { String($0.name.prefix { $0 != "." }) }
            .reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        let groups = nouns.map { noun -> HTML in
            let rows = AllMethods.list.filter { $0.name.hasPrefix(noun + ".") }.map { method -> [HTML] in
                [
                    "<a href=\"/docs/\(method.name)\"><code>\(method.name)</code></a>", "\(method.summary)",
                    "\(method.role.rawValue)", "\(method.effect.rawValue)",
                ]
            }
            let columns = [
                Table.Column("Method"), Table.Column("What it does"), Table.Column("Role"), Table.Column("Effect"),
            ]
            return "<section class=\"card whole\"><h2>\(noun)</h2>\(Table(noun, columns, rows: rows).html)</section>"
        }
        let body: HTML = """
            <h1>The interface for programs</h1>\
            <p>Each method is a path: <code>POST /api/noun.verb</code> with its parameters as JSON, or <code>GET</code> with a \
            query where it only reads. <code>POST /rpc</code> takes the line protocol's messages, <code>GET /api/events</code> \
            is the stream of prices, stock and your own orders as server-sent events. Sign in with <code>login.open</code> and send its token as \
            <code>Authorization: Bearer</code>. The same as documents: <a href="/openapi.json">OpenAPI 3.1</a>, \
            <a href="/openrpc.json">OpenRPC</a>.</p><div class="tiles">\(groups)</div>
            """
        return frame("API", visit, body)
    }

    private func page(_ visit: Visit) async throws -> Answer {
        guard let method = visit.parameters.first.flatMap({ AllMethods.byName[$0] }) else {
            throw Refusal(404, "There is no such method.")
        }
        let tried = visit.method == "POST" ? await attempt(method, visit) : nil
        let parameters = Table(
            "Parameters",
            [Table.Column("Name"), Table.Column("Type"), Table.Column("Required"), Table.Column("Meaning")],
            empty: "It takes no parameters.",
            rows: method.parameters.fields.map { field in
                let required = field.isRequired && field.substitutes.isEmpty ? "yes" : ""
                return [
                    "<code>\(field.name)</code>", "\(DocsPages.type(field.schema))", "\(required)", "\(field.summary)",
                ]
            }
        )
        let result = Table(
            "Result",
            [Table.Column("Name"), Table.Column("Type"), Table.Column("Meaning")],
            empty: "An empty object.",
            rows: method.result.fields.map {
                ["<code>\($0.name)</code>", "\(DocsPages.type($0.schema))", "\($0.summary)"]
            }
        )
        let errors = Table(
            "Errors",
            [
                Table.Column("Reason"), Table.Column("Status", .number), Table.Column("Meaning"),
                Table.Column("What to do"),
            ],
            empty: "Only those that every call can meet.",
            rows: method.errors.map {
                ["<code>\($0.reason)</code>", "\(HTTPStatus.of($0.reason))", "\($0.meaning)", "\($0.remedy)"]
            }
        )
        let body: HTML = """
            <p class="crumbs"><a href="/docs">API</a></p><h1><code>\(method.name)</code></h1><p>\(method.summary) \
            <span class="quiet">Role \(method.role.rawValue), \(method.effect.rawValue).</span></p>\
            <div class="tiles"><section class="card whole"><h2>Try it</h2>\(tryForm(method, visit))\(tried)</section>\
            <section class="card whole"><h2>Parameters</h2>\(parameters.html)</section>\
            <section class="card"><h2>Result</h2>\(result.html)</section>\
            <section class="card"><h2>Errors</h2>\(errors.html)</section></div>
            """
        return frame(method.name, visit, body)
    }

    private func tryForm(_ method: Method, _ visit: Visit) -> HTML {
        let form = visit.form
        let params = form["params"] ?? String(decoding: method.example.serialized(), as: UTF8.self)
        var fields = [FormField("params", "Parameters as JSON", .area, value: params, required: true)]
        if method.effect == .write {
            let isDry = visit.method == "GET" || form["dryRun"] == "true"
            fields.append(
                FormField(
                    "dryRun",
                    "Change nothing: run it, show what it would do, take it back",
                    .check,
                    value: isDry ? "true" : ""
                )
            )
        }
        return Form("/docs/\(method.name)", fields, submit: "Call").html
    }

    /// Calls the method with what was typed, for whoever is signed in.
    private func attempt(_ method: Method, _ visit: Visit) async -> HTML {
        let form = visit.form
        let reply: JSONObject
        var status = 200
        do {
            guard !APIDoors.connectionBound.contains(method.name) else {
                throw ErrorCode.methodNotFound.error("This belongs to a connection of the socket.")
            }
            let params: JSONObject
            do {
                params = try JSONParser.parse(Array((form["params"] ?? "{}").utf8)).object ?? [:]
            } catch {
                throw RPCError.parseError(error)
            }
            var meta = params[CallMeta.member]?.object ?? [:]
            if method.effect == .write, form["dryRun"] == "true" { meta["dryRun"] = true }
            reply = try await site.call(visit, method.name, params.removing(CallMeta.member), meta: meta)
        } catch {
            let told = Failure.rpcError(error)
            reply = told.json
            status = HTTPStatus.of(told.reason)
        }
        return
            "<h3>Answer <span class=\"tag\">\(status)</span></h3><pre tabindex=\"0\">\(PrettyJSON.text(.object(reply)))</pre>"
    }

    private static func type(_ schema: Schema) -> String {
        switch schema {
        case .any: "any"
        case .boolean: "true or false"
        case .integer: "integer"
        case .number: "number"
        case .money, .sum: "money, as text"
        case .text, .name, .bytes: "text"
        case .time: "time"
        case .choice(let values): values.joined(separator: ", ")
        case .list(let element, _): "list of \(type(element))"
        case .object: "object"
        case .nullable(let schema): "\(type(schema)), or null"
        }
    }
}

/// JSON with line breaks, for people.
enum PrettyJSON {
    static func text(_ value: JSONValue, indent: Int = 0) -> String {
        let inner = String(repeating: "  ", count: indent + 1)
        let outer = String(repeating: "  ", count: indent)
        switch value {
        case .object(let object) where !object.isEmpty:
            let members = object.map { "\(inner)\(JSONValue.string($0.key)): \(text($0.value, indent: indent + 1))" }
            return "{\n" + members.joined(separator: ",\n") + "\n\(outer)}"
        case .array(let elements) where !elements.isEmpty:
            return "[\n" + elements.map { inner + text($0, indent: indent + 1) }.joined(separator: ",\n")
                + "\n\(outer)]"
        default: return value.description
        }
    }
}
