import JSON
import JSONRPC
import Markup
import PricingProtocol

/// What the price would be with another stock, base price or rule, or at a later tick: the database is asked, and nothing
/// is changed.
struct WhatIf: Sendable {
    let site: Site
    let visit: Visit
    let product: JSONValue

    var html: HTML {
        get async throws {
            guard let method = AllMethods.byName["price.preview"] else { return HTML() }
            let wanted = Typed.params(method, visit.query)
            var problems: [String: String] = [:]
            var answer = HTML()
            if !wanted.isEmpty {
                var params = wanted
                params["productId"] = product["productId"] ?? .null
                do {
                    answer = told(JSONValue.object(try await site.call(visit, method.name, params)))
                } catch let error as RPCError where HTTPStatus.of(error.reason) < 500 {
                    problems = Typed.problems(error)
                    answer = "<p class=\"alert\" role=\"alert\">\(error.message)</p>"
                }
            }
            let asked: Set = ["stock", "basePrice", "ruleId", "at"]
            let fields = try await DeedFields(site: site, visit: visit).fields(method, visit.query, problems)
                .filter { asked.contains($0.name) }
            let form = Form(
                "\(visit.rawPath)#what-if",
                method: "get",
                cssClass: "row filters",
                fields,
                submit: "What then?"
            ).html
            return "\(form)\(answer)"
        }
    }

    private func told(_ preview: JSONValue) -> HTML {
        let (now, then) = (product["price"]?.string, preview["wouldBe"]?.string ?? preview["price"]?.string)
        let change = now == then ? "as now" : Words.change(now, then) ?? ""
        return """
            <p role="status">It would be <b class="n" id="what-then">\(Words.money(then))</b> (\(change)).</p>\
            \(ProductPage.steps(preview))
            """
    }
}
