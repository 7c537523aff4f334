import JSON
import JSONRPC
import Markup
import PricingProtocol

/// One deed for many chosen products: its effect on each is shown first, and confirmed for each; a product that moved
/// meanwhile is left alone and named.
struct ManyPages: Sendable {
    static let path = "/many"
    /// What can be done with many.
    static let methods = [
        "price.pin", "price.unpin", "pricing.halt", "pricing.resume", "rule.activate", "product.archive",
        "product.restore",
    ]

    let site: Site

    func add(to routes: inout Routes) {
        routes.get(ManyPages.path) { try await form($0) }
        routes.post(ManyPages.path) { try await post($0) }
    }

    /// Around the list of products: its rows are chosen by check boxes.
    static func around(_ table: HTML) -> HTML {
        let choices = methods.map { FormField.Choice($0, Deed.all[$0]?.title ?? $0) }
        return """
            <form action="\(path)" method="get">\(table)<div class="buttons many">\
            \(FormField("method", "With the chosen", .choice(choices), required: true).html)\
            <button type="submit">Go on</button></div></form>
            """
    }

    static let column = ListPage.Column("Choose", text: nil) { row in
        let id = row["productId"]?.integer ?? 0
        return
            "<input type=\"checkbox\" name=\"productIds\" value=\"\(id)\" aria-label=\"Choose \(row["title"]?.string ?? "")\">"
    }

    /// What is to be done and with what.
    private struct Wish {
        let method: Method
        let title: String
        let products: [Int64]

        init(_ visit: Visit, _ fields: Fields) throws {
            try visit.requireStaff()
            guard let name = fields["method"], ManyPages.methods.contains(name), let method = AllMethods.byName[name]
            else { throw Refusal(404, "There is no such page.") }
            self.method = method
            title = Deed.all[name]?.title ?? name
            var seen: Set<Int64> = []
            products = fields.all("productIds").compactMap { Int64($0) }.filter { $0 > 0 && seen.insert($0).inserted }
        }

        var hidden: [FormField] {
            [.hidden("method", method.name)] + products.map { .hidden("productIds", String($0)) }
        }
    }

    // MARK: the form

    private func form(_ visit: Visit) async throws -> Answer {
        let wish = try Wish(visit, visit.query)
        guard !wish.products.isEmpty else { return .redirect("/products?done=none-chosen") }
        if wish.method.name == "rule.activate" {
            let ids = wish.products.map { String($0) }.joined(separator: ",")
            return .redirect(Deed.link("rule.activate", back: "/products", [("productIds", ids)]))
        }
        return .html(try await page(wish, visit, visit.query, nil))
    }

    private func page(_ wish: Wish, _ visit: Visit, _ given: Fields, _ error: RPCError?) async throws -> HTML {
        let problems = error.map(Typed.problems) ?? [:]
        let own: Set = ["productId", "scope", "categoryId"]
        let fields = try await DeedFields(site: site, visit: visit).fields(wish.method, given, problems)
            .filter { !own.contains($0.name) }
        let html = Form(
            ManyPages.path,
            cssClass: "narrow-form",
            wish.hidden + fields,
            submit: "See what it does",
            problem: error.map { "<p>\($0.message)</p>" },
            beside: "<a class=\"button second\" href=\"/products\">Back</a>"
        ).html
        let body: HTML = """
            <div class="card"><h1>\(wish.title)</h1><p class="quiet">For \
            \(Words.counted(Int64(wish.products.count), "product")).</p>\(html)</div>
            """
        return Page(wish.title, in: .admin(ProductPages.path), visit: visit, site: site, body: body).html
    }

    // MARK: effect and deed

    private func post(_ visit: Visit) async throws -> Answer {
        let form = visit.form
        let wish = try Wish(visit, form)
        guard !wish.products.isEmpty else { return .redirect("/products?done=none-chosen") }
        let typed = Typed.params(wish.method, form).removing("productId")
        let expected = Dictionary(
            form.all("_expect").compactMap { text -> (Int64, String)? in
                let sides = text.split(separator: ":", maxSplits: 1)
                guard sides.count == 2, let id = Int64(sides[0]) else { return nil }
                return (id, String(sides[1]))
            }
        ) { first, _ in first }
        let key = form["_key"]
        guard let key, !expected.isEmpty else { return try await preview(wish, visit, typed) }
        var outcomes: [(Int64, String?)] = []
        for (id, digest) in expected.sorted(by: { $0.key < $1.key }) {
            var params = typed
            params["productId"] = .integer(id)
            let meta: JSONObject = ["expect": .string(digest), "idempotencyKey": .string("\(key)-\(id)")]
            do {
                _ = try await site.call(visit, wish.method.name, params, meta: meta)
                outcomes.append((id, nil))
            } catch let error as RPCError where HTTPStatus.of(error.reason) < 500 {
                outcomes.append(
                    (id, error.reason == "STALE" ? "It changed meanwhile: nothing was done with it." : error.message)
                )
            }
        }
        guard outcomes.contains(where: { $0.1 != nil }) else { return .redirect("/products?done=many") }
        return .html(try await left(wish, visit, outcomes), status: 409)
    }

    /// The effect on each, with the button that does it.
    private func preview(_ wish: Wish, _ visit: Visit, _ typed: JSONObject) async throws -> Answer {
        var rows: [[HTML]] = []
        var digests: [FormField] = []
        var refusal: RPCError?
        for id in wish.products {
            var params = typed
            params["productId"] = .integer(id)
            let title = try await title(id, visit)
            do {
                let result = try await site.call(visit, wish.method.name, params, meta: ["dryRun": true])
                let effect = try await Effect(result["_meta"]?["wouldChange"] ?? [:], site, visit).html
                rows.append([title, effect])
                digests.append(.hidden("_expect", "\(id):\(result["_meta"]?["digest"]?.string ?? "")"))
            } catch let error as RPCError where HTTPStatus.of(error.reason) < 500 {
                refusal = refusal ?? error
                rows.append([title, "<span class=\"bad\">\(error.message)</span>"])
            }
        }
        // What fits none was typed wrong, and is asked for again.
        if let refusal, digests.isEmpty {
            return .html(try await page(wish, visit, visit.form, refusal), status: HTTPStatus.of(refusal.reason))
        }
        let kept = visit.form.pairs.filter { !["method", "productIds"].contains($0.name) && !$0.name.hasPrefix("_") }
        let confirm = Form(
            ManyPages.path,
            wish.hidden + kept.map { .hidden($0.name, $0.value) } + digests + [.hidden("_key", Now.key())],
            submit: "Do it for \(Words.counted(Int64(digests.count), "product"))",
            beside: "<a class=\"button second\" href=\"/products\">Leave it</a>"
        ).html
        let table = Table("What will happen", [Table.Column("Product"), Table.Column("What will happen")], rows: rows)
        let body: HTML = "<div class=\"card\"><h1>\(wish.title)</h1>\(table.html)\(confirm)</div>"
        return .html(Page(wish.title, in: .admin(ProductPages.path), visit: visit, site: site, body: body).html)
    }

    /// What was done and what was not.
    private func left(_ wish: Wish, _ visit: Visit, _ outcomes: [(Int64, String?)]) async throws -> HTML {
        var rows: [[HTML]] = []
        for (id, problem) in outcomes {
            let word: HTML = problem.map { "<span class=\"bad\">\($0)</span>" } ?? "Done."
            rows.append([try await title(id, visit), word])
        }
        let again = outcomes.filter { $0.1 != nil }.map { FormField.hidden("productIds", String($0.0)) }
        let retry = Form(
            ManyPages.path,
            method: "get",
            [.hidden("method", wish.method.name)] + again,
            submit: "Look at the others again",
            beside: "<a class=\"button second\" href=\"/products\">To the products</a>"
        ).html
        let table = Table("What was done", [Table.Column("Product"), Table.Column("What was done")], rows: rows)
        let body: HTML = """
            <div class="card"><h1>\(wish.title)</h1><p class="warning" role="alert">Not all of it was done.</p>\
            \(table.html)\(retry)</div>
            """
        return Page(wish.title, in: .admin(ProductPages.path), visit: visit, site: site, body: body).html
    }

    private func title(_ id: Int64, _ visit: Visit) async throws -> HTML {
        let product = try? await site.call(visit, "product.get", ["productId": .integer(id)])
        return "<a href=\"/products/\(id)\">\(product?["title"]?.string ?? "product \(id)")</a>"
    }
}
