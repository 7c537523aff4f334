import JSON
import JSONRPC
import Markup
import PricingProtocol

/// Every writing method as a page: its fields; then its effect, found by a dry run; then the deed itself, under the digest of
/// what was shown, so that what happens is what was confirmed, or nothing.
struct DeedPages: Sendable {
    /// Fields of forms beside those of the method.
    private enum Own {
        static let back = "_back"
        static let expect = "_expect"
        static let key = "_key"
    }

    let site: Site

    func add(to routes: inout Routes) {
        routes.get("/do/{method}") { try await form($0) }
        routes.post("/do/{method}") { try await post($0) }
    }

    private func method(_ visit: Visit) throws -> Method {
        try visit.requireStaff()
        guard let name = visit.parameters.first, Deed.all[name] != nil, let method = AllMethods.byName[name] else {
            throw Refusal(404, "There is no such page.")
        }
        return method
    }

    // MARK: the form

    private func form(_ visit: Visit) async throws -> Answer {
        let method = try method(visit)
        return .html(try await page(method, visit, visit.query, error: nil))
    }

    private func page(_ method: Method, _ visit: Visit, _ given: Fields, error: RPCError?) async throws -> HTML {
        let title = Deed.all[method.name]?.title ?? method.name
        let problems = error.map(Typed.problems) ?? [:]
        let fields = try await DeedFields(site: site, visit: visit).fields(method, given, problems)
        let back = Answer.local(given[Own.back], else: "/")
        let isOfField = fields.contains { problems[$0.name] != nil }
        let html = Form(
            "/do/\(method.name)",
            cssClass: fields.count > 6 ? "wide-form" : "narrow-form",
            [.hidden(Own.back, back)] + fields,
            submit: "See what it does",
            problem: error.flatMap { isOfField ? nil : "<p>\($0.message)</p>" },
            beside: "<a class=\"button second\" href=\"\(back)\">Back</a>"
        ).html
        let body: HTML = "<div class=\"card\"><h1>\(title)</h1><p class=\"quiet\">\(method.summary)</p>\(html)</div>"
        return Page(title, in: .admin(Deed.section(method.name)), visit: visit, site: site, body: body).html
    }

    // MARK: effect and deed

    private func post(_ visit: Visit) async throws -> Answer {
        let method = try method(visit)
        let form = visit.form
        let params = Typed.params(method, form)
        do {
            guard let expected = form[Own.expect], let key = form[Own.key] else {
                return .html(try await preview(method, visit, params, nil))
            }
            let meta: JSONObject = ["expect": .string(expected), "idempotencyKey": .string(key)]
            let result = try await site.call(visit, method.name, params, meta: meta)
            return .redirect(DeedPages.destination(form[Own.back], result, method))
        } catch let error as RPCError where error.reason == "STALE" && form[Own.expect] != nil {
            // Something moved between the look and the click: show the new effect, nothing was written.
            do {
                return .html(try await preview(method, visit, params, error), status: 409)
            } catch let error as RPCError {
                return .html(try await page(method, visit, form, error: error), status: HTTPStatus.of(error.reason))
            }
        } catch let error as RPCError where HTTPStatus.of(error.reason) < 500 {
            return .html(try await page(method, visit, form, error: error), status: HTTPStatus.of(error.reason))
        }
    }

    /// Where the browser goes after it: members of the result may stand in the path, such as `/products/{productId}`.
    private static func destination(_ back: String?, _ result: JSONObject, _ method: Method) -> String {
        var path = Answer.local(back, else: "/")
        for (name, value) in result {
            guard let id = value.integer else { continue }
            path = path.replacing("{\(name)}", with: String(id))
        }
        return path + (path.contains("?") ? "&" : "?") + "done=" + method.name
    }

    private func preview(
        _ method: Method,
        _ visit: Visit,
        _ params: JSONObject,
        _ stale: RPCError?
    ) async throws -> HTML {
        let result = try await site.call(visit, method.name, params, meta: ["dryRun": true])
        let meta = result["_meta"]
        let effect = try await Effect(meta?["wouldChange"] ?? [:], site, visit).html
        let title = Deed.all[method.name]?.title ?? method.name
        let form = visit.form
        let back = Answer.local(form[Own.back], else: "/")
        let kept = form.pairs.filter { !$0.name.hasPrefix("_") }.map { FormField.hidden($0.name, $0.value) }
        // What a rollback looked at goes with it, so that what changed after it is left alone.
        let seen = method.name == "price.rollback" && form["seen"] == nil ? result["seen"]?.integer : nil
        let own: [FormField] =
            (seen.map { [.hidden("seen", String($0))] } ?? []) + [
                .hidden(Own.back, back), .hidden(Own.expect, meta?["digest"]?.string ?? ""),
                .hidden(Own.key, stale == nil ? Now.key() : form[Own.key] ?? Now.key()),
            ]
        let change = Link.to(
            "/do/\(method.name)",
            form.pairs.filter { !["_expect", "_key"].contains($0.name) }.map {
                ($0.name, $0.value)
            }
        )
        let confirm = Form(
            "/do/\(method.name)",
            own + kept,
            submit: "Do it",
            beside: """
                <a class="button second" href="\(change)">Change it</a><a class="button second" href="\(back)">Leave it</a>
                """
        ).html
        let warning: HTML = """
            <div class="warning" role="alert"><p><strong>Something changed meanwhile.</strong> Nothing was done. This is \
            what it would do now.</p></div>
            """
        let body: HTML = """
            <div class="card"><h1>\(title)</h1>\(HTML.when(stale != nil, warning))\(said(method, params))\
            <h2>What will happen</h2>\(effect)\(notes(result))\(confirm)</div>
            """
        return Page(title, in: .admin(Deed.section(method.name)), visit: visit, site: site, body: body).html
    }

    /// What was filled in.
    private func said(_ method: Method, _ params: JSONObject) -> HTML {
        let rows = method.parameters.fields.compactMap { field -> HTML? in
            guard let value = params[field.name], !field.isSecret else { return nil }
            let text = value.string ?? String(value.description.prefix(300))
            return "<dt>\(DeedFields.label(field))</dt><dd>\(text)</dd>"
        }
        return HTML.when(!rows.isEmpty, "<dl class=\"facts\">\(rows)</dl><p></p>")
    }

    /// What the reply says that a person should read before.
    private func notes(_ result: JSONObject) -> HTML {
        let warnings = (result["warnings"]?.array ?? []).compactMap { $0.string ?? $0["message"]?.string }
        let skipped = (result["skipped"]?.array ?? []).prefix(20).map { row -> HTML in
            "<li>\(row["sku"]?.string ?? "product \(row["productId"]?.integer ?? 0)"): \(row["why"]?.string ?? row["reason"]?.string ?? "")</li>"
        }
        let words = warnings.map { "<li>\($0)</li>" as HTML }
        return """
            \(HTML.when(!words.isEmpty, "<div class=\"warning\"><ul>\(words)</ul></div>"))\
            \(HTML.when(!skipped.isEmpty, "<h3>Left as it is</h3><ul>\(Array(skipped))</ul>"))
            """
    }
}

extension Visit {
    /// - Throws: what leads to the sign-in page, unless somebody of the shop is signed in.
    func requireStaff() throws {
        guard person?.isStaff ?? false else { throw ErrorCode.permissionDenied.error("This is for the shop's staff.") }
    }
}
