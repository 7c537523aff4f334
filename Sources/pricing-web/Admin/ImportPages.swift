import JSON
import JSONRPC
import Markup
import PricingClient
import PricingProtocol

/// Products from a merchant's file, pasted or chosen: what each row would do is shown first, and then done.
struct ImportPages: Sendable {
    static let parts = ["products", "import"]
    static let path = "/products/import"

    let site: Site

    func add(to routes: inout Routes) {
        routes.get(ImportPages.path) { visit in
            try visit.requireStaff()
            return .html(page(visit, Given(visit), nil))
        }
        routes.post(ImportPages.path) { try await post($0) }
    }

    /// What was sent, a file or text.
    struct Given: Sendable {
        let bytes: [UInt8]
        let hasDecimalComma: Bool
        let makesMissing: Bool
        let expect: String?
        let key: String?

        init(_ visit: Visit) {
            let parts = visit.parts
            func text(_ name: String) -> String? { parts.first { $0.name == name }?.text.trimmed }
            let file = parts.first { $0.name == "file" }?.bytes ?? []
            bytes = file.isEmpty ? parts.first { $0.name == "text" }?.bytes ?? [] : file
            hasDecimalComma = text("decimalComma") == "true"
            makesMissing = text("createMissing") == "true"
            expect = text("_expect")
            key = text("_key")
        }

        var text: String { (try? TextEncoding.text(of: bytes, as: nil)) ?? "" }
    }

    // MARK: the form

    private func page(_ visit: Visit, _ given: Given, _ problem: HTML?) -> HTML {
        let body: HTML = """
            <p class="crumbs"><a href="/products">Products</a></p><div class="card"><h1>Import products</h1>\
            <p class="quiet">One line a product under a line that names the columns, such as <code>sku,title,basePrice,\
            category,stock</code>. A known SKU changes that product; what a row leaves out stays. The same file twice \
            changes nothing.</p>\(problem.map { "<div class=\"alert\" role=\"alert\">\($0)</div>" as HTML })\
            <form action="\(ImportPages.path)" method="post" enctype="multipart/form-data">\
            <div class="field"><label for="f-file">A file <span class="optional">(CSV, up to 1 MB)</span></label>\
            <input type="file" id="f-file" name="file" accept=".csv,.tsv,.txt,text/csv"></div>\
            <div class="field"><label for="f-text">Or its text</label>\
            <textarea id="f-text" name="text" rows="10" spellcheck="false">\(given.text)</textarea></div>\
            \(FormField("decimalComma", "Amounts have a decimal comma", .check, value: "\(given.hasDecimalComma)").html)\
            \(FormField("createMissing", "Make categories and suppliers that are not there", .check, value: "\(given.makesMissing)").html)\
            <div class="buttons"><button type="submit">See what it does</button>\
            <a class="button second" href="/products">Back</a></div></form></div>
            """
        return Page("Import products", in: .admin(ProductPages.path), visit: visit, site: site, body: body).html
    }

    // MARK: effect and deed

    private func post(_ visit: Visit) async throws -> Answer {
        try visit.requireStaff()
        let given = Given(visit)
        let file: ProductFile
        do throws(ProductFile.Unusable) {
            var reading = ProductFile.Reading()
            reading.hasDecimalComma = given.hasDecimalComma
            file = try ProductFile(given.bytes, reading)
        } catch {
            let lines = error.problems.map { "<p>\($0)</p>" as HTML }
            return .html(page(visit, given, HTML(lines)), status: 400)
        }
        let good = file.rows.indices.filter { if case .success = file.rows[$0].product { true } else { false } }
        guard !good.isEmpty else {
            return .html(page(visit, given, "<p>No row can be used.</p>\(report(file, good, [:]))"), status: 400)
        }
        let rows = good.compactMap { try? file.rows[$0].product.get() }
        var params: JSONObject = ["rows": .array(rows.map { .object($0) })]
        if given.makesMissing { params["createMissing"] = true }
        do {
            guard let expect = given.expect, let key = given.key else {
                return .html(try await preview(visit, given, file, good, params, isStale: false))
            }
            let meta: JSONObject = ["expect": .string(expect), "idempotencyKey": .string(key)]
            let result = try await site.call(visit, "product.import", params, meta: meta)
            return .html(done(visit, file, good, result))
        } catch let error as RPCError where error.reason == "STALE" {
            return .html(try await preview(visit, given, file, good, params, isStale: true), status: 409)
        } catch let error as RPCError where HTTPStatus.of(error.reason) < 500 {
            return .html(page(visit, given, "<p>\(error.message)</p>"), status: HTTPStatus.of(error.reason))
        }
    }

    private func preview(
        _ visit: Visit,
        _ given: Given,
        _ file: ProductFile,
        _ good: [Int],
        _ params: JSONObject,
        isStale: Bool
    ) async throws -> HTML {
        let result = try await site.call(visit, "product.import", params, meta: ["dryRun": true])
        let meta = result["_meta"]
        let effect = try await Effect(meta?["wouldChange"] ?? [:], site, visit).html
        let warning: HTML = """
            <div class="warning" role="alert"><p><strong>Something changed meanwhile.</strong> Nothing was done. This is \
            what it would do now.</p></div>
            """
        let kept: [FormField] = [
            .hidden("text", given.text), .hidden("decimalComma", "\(given.hasDecimalComma)"),
            .hidden("createMissing", "\(given.makesMissing)"), .hidden("_expect", meta?["digest"]?.string ?? ""),
            .hidden("_key", given.key ?? Now.key()),
        ]
        let body: HTML = """
            <div class="card"><h1>Import products</h1>\(HTML.when(isStale, warning))\(counts(file, good, result, "would be"))\
            \(report(file, good, result))<h2>What will happen</h2>\(effect)\
            <form action="\(ImportPages.path)" method="post" enctype="multipart/form-data">\(kept.map(\.html))\
            <div class="buttons"><button type="submit">Do it</button>\
            <a class="button second" href="\(ImportPages.path)">Leave it</a></div></form></div>
            """
        return Page("Import products", in: .admin(ProductPages.path), visit: visit, site: site, body: body).html
    }

    private func done(_ visit: Visit, _ file: ProductFile, _ good: [Int], _ result: JSONObject) -> HTML {
        let body: HTML = """
            <div class="card"><h1>Import products</h1><p class="notice" role="status">The rows are imported.</p>\
            \(counts(file, good, result, "were"))\(report(file, good, result))\
            <p><a class="button" href="/products">To the products</a> \
            <a class="button second" href="\(ImportPages.path)">Another file</a></p></div>
            """
        return Page("Import products", in: .admin(ProductPages.path), visit: visit, site: site, body: body).html
    }

    // MARK: the report

    private func counts(_ file: ProductFile, _ good: [Int], _ result: JSONObject, _ verb: String) -> HTML {
        let refused = file.rows.count - good.count + (result["failed"]?.array?.count ?? 0)
        let words = ["created", "updated", "unchanged"].map { "\(Words.count(result[$0]?.integer)) \($0)" }
        return """
            <p>Of \(Words.counted(Int64(file.rows.count), "row")) \(words.joined(separator: ", ")) and \
            \(Words.count(Int64(refused))) refused \(verb).</p>
            """
    }

    /// Each refused row with its line in the file and why.
    private func report(_ file: ProductFile, _ good: [Int], _ result: JSONObject) -> HTML {
        var failures: [Int: ProductFile.Failure] = [:]
        for (index, row) in file.rows.enumerated() {
            if case .failure(let failure) = row.product { failures[index] = failure }
        }
        for failed in result["failed"]?.array ?? [] {
            guard let row = failed["row"]?.integer.flatMap({ Int(exactly: $0) }), good.indices.contains(row) else {
                continue
            }
            failures[good[row]] = file.failure(failed["error"] ?? .null)
        }
        guard !failures.isEmpty else { return HTML() }
        let rows = failures.sorted { $0.key < $1.key }.prefix(200).map { index, failure -> [HTML] in
            let row = file.rows[index]
            return [
                "\(row.line)", "\(String(row.fields.joined(separator: ", ").prefix(80)))", "\(failure.description)",
            ]
        }
        let columns = [Table.Column("Line", .number), Table.Column("Row"), Table.Column("Why")]
        return "<h2>Refused</h2>\(Table("Refused rows", columns, rows: Array(rows)).html)"
    }
}
