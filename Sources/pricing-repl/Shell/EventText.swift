import JSON
import JSONRPC
import PricingProtocol

/// One line for a notification of the server.
enum EventText {
    /// `[812] price update productId=7 "Lamp" LA-1: price 523.60 → 540.00, stock 3 (order orderId=9)`.
    static func line(method: String, parameters: JSONObject) -> String {
        switch method {
        case Events.Notice.event: event(parameters)
        case Events.Notice.gap: "events: gap, \(members(parameters))"
        case Events.Notice.closed: "events: closed, \(members(parameters))"
        case Message.progress:
            "progress: \(text(parameters["done"]))/\(text(parameters["total"])) \(text(parameters["message"]))"
        default: "\(DisplayText.safe(method)) \(DisplayText.safe(JSONValue.object(parameters).description))"
        }
    }

    private static func event(_ event: JSONObject) -> String {
        var line = "[\(text(event["sequence"]))] \(text(event["topic"])) \(text(event["op"]))"
        let before = event["before"]?.object ?? [:]
        var state = event["after"]?.object ?? before
        if let key = event["key"], !key.isNull {
            let name = subject(event, state)
            line += " \(name)=\(text(key))"
            state[name] = nil
        }
        // A person finds a product by its title or its SKU; they are no change.
        if let title = state["title"] ?? before["title"], before["title"] == nil || before["title"] == title {
            line += " \"\(text(title))\""
            state["title"] = nil
        }
        if let sku = state["sku"] {
            if !sku.isNull { line += " \(text(sku))" }
            state["sku"] = nil
        }
        let changes = state.map { name, after in
            guard let old = before[name], old != after else { return "\(name) \(text(after))" }
            return "\(name) \(text(old)) → \(text(after))"
        }
        if !changes.isEmpty { line += ": " + changes.joined(separator: ", ") }
        if var cause = event["cause"]?.object, !cause.isEmpty {
            let kind = text(cause["kind"])
            cause["kind"] = nil
            line += " (" + [kind, members(cause)].filter { !$0.isEmpty }.joined(separator: " ") + ")"
        }
        return line
    }

    /// What an event is about: on the wire `key` is a number, and the topic tells of what.
    private static func subject(_ event: JSONObject, _ state: JSONObject) -> String {
        switch (event["topic"]?.string, event["op"]?.string) {
        case ("price", _), ("stock", _): "productId"
        case ("order", _): "orderId"
        case ("automation", "halt"), ("automation", "resume"): "haltId"
        case ("automation", "overdue"): "expectationId"
        case ("automation", let op?) where op.hasPrefix("proposal_"): "proposalId"
        case ("automation", _): "productId"
        // A product's declaration may name a rule and a category.
        case ("catalogue", _): ["productId", "ruleId", "campaignId", "categoryId"].first { state[$0] != nil } ?? "key"
        default: "key"
        }
    }

    private static func members(_ object: JSONObject) -> String {
        Grid.flattened(object).filter { !$0.1.isNull }
            .map { "\(DisplayText.safe($0.0))=\(DisplayText.safe($0.1.text))" }.joined(separator: " ")
    }

    private static func text(_ value: JSONValue?) -> String {
        value.map { DisplayText.safe(Grid.Cell($0).text) } ?? ""
    }
}
