import JSON

/// What a call would do beside moving prices and stock, as one would say it to a colleague.
enum EffectText {
    /// A sentence for each kind of thing among the events of a dry run, in the order in which they are met.
    static func sentences(_ events: [JSONValue]) -> [String] {
        let inForce = Set(
            events.filter { $0["after"]?["status"] == "active" }.compactMap { $0["after"]?["name"]?.string }
        )
        var counts: [String: Int] = [:]
        var order: [String] = []
        for event in events {
            guard let text = sentence(event, inForce) else { continue }
            if counts[text] == nil { order.append(text) }
            counts[text, default: 0] += 1
        }
        return order.map { text in
            let count = counts[text] ?? 1
            return text.replacing(number, with: String(count)).replacing(plural, with: count == 1 ? "" : "s")
        }
    }

    /// Stand for how many there are, and for an s where they are several. No name holds them: it is shown escaped.
    private static let (number, plural) = ("\u{1}", "\u{2}")

    private static func sentence(_ event: JSONValue, _ inForce: Set<String>) -> String? {
        let (topic, op) = (event["topic"]?.string ?? "", event["op"]?.string ?? "")
        let state = event["after"]?.object ?? event["before"]?.object ?? [:]
        switch (topic, op) {
        case ("price", _), ("stock", _): return nil
        case ("order", "insert"): return "\(number) order\(plural) would be placed"
        case ("order", _): return "order \(text(event["key"])) would be \(text(state["status"]))"
        case ("automation", "halt"): return "\(scope(state)) would stand still until resumed, while orders go on"
        case ("automation", "resume"): return "\(scope(state)) would be automatic again"
        case ("automation", "proposal_made"): return "\(number) move\(plural) would wait for a yes"
        case ("automation", let op) where op.hasPrefix("proposal_"):
            return "\(number) proposal\(plural) would be \(op.dropFirst("proposal_".count))"
        case ("catalogue", _): return declared(op, state, inForce)
        default: return "\(topic) \(op) would be told"
        }
    }

    private static func scope(_ halt: JSONObject) -> String {
        if let category = halt["categoryId"]?.integer { return "the prices of category \(category)" }
        if let product = halt["productId"]?.integer { return "the price of product \(product)" }
        return "all prices"
    }

    private static func declared(_ op: String, _ state: JSONObject, _ inForce: Set<String>) -> String? {
        let verb = ["insert": "made", "delete": "deleted"][op] ?? "changed"
        if state["productId"] != nil {
            let products = "\(number) product\(plural)"
            guard verb == "changed" else { return "\(products) would be \(verb)" }
            if Set(state.map(\.key)).subtracting(["productId", "sku", "title"]) == ["ruleId"] {
                return "\(products) would follow \(inForce.isEmpty ? "another rule" : "it")"
            }
            return "what is declared of \(products) would change"
        }
        let name = text(state["name"])
        if state["ruleId"] != nil {
            let rule = "rule \(name) \(text(state["version"]))"
            switch state["status"]?.string {
            case "active": return "\(rule) would be in force"
            // The new version says it of the old one too.
            case "retired"?, "draft"?: return inForce.contains(name) ? nil : "\(rule) would be \(text(state["status"]))"
            default: return "\(rule) would be \(verb)"
            }
        }
        return "\(state["campaignId"] == nil ? "category" : "campaign") \(name) would be \(verb)"
    }

    private static func text(_ value: JSONValue?) -> String { DeedView.text(value) }
}
