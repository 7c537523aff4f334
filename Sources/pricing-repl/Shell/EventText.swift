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

    /// `20:12:36  252 Smart Vase  73.01 → 65.71 ▼10%  stock 55  (tick)`, of which a person reads what moved; other things as
    /// `line` has them.
    static func line(of change: Change, title: String?) -> String {
        if change.thing.topic == "order" { return clock(change.at) + "  " + order(change) }
        guard change.isMove else { return clock(change.at) + "  " + event(change.whole, hasNumber: false) }
        let member = change.thing.topic
        let (old, new) = (change.before[member], change.after[member])
        var line = clock(change.at) + "  " + String(change.thing.key)
        if let title { line += " " + DisplayText.safe(title) }
        line += "  \(member) \(text(old)) → \(text(new))"
        if member == "price", let new = Amount(new), let old = Amount(old), old != new {
            line += " " + new.change(from: old)
        }
        if member == "price", let stock = change.after["stock"], !stock.isNull { line += "  stock \(text(stock))" }
        line += change.events > 1 ? "  (\(change.events) moves)" : cause(change.cause, before: "  ")
        return line
    }

    /// `order 13 pending, 249.00: 1 × EL-PHONES-NC for user 3`, `order 5 pending → cancelled, 91.60 for user 7: ordered twice`.
    private static func order(_ change: Change) -> String {
        let state = change.after
        var line = "order \(change.thing.key) "
        if let old = change.before["status"], old != state["status"] { line += text(old) + " → " }
        line += "\(text(state["status"])), \(text(state["total"]))"
        let lines = (state["lines"]?.array ?? []).map { sold in
            let sku = text(sold["sku"])
            return "\(text(sold["quantity"])) × " + (sku.isEmpty ? "product \(text(sold["productId"]))" : sku)
        }
        if !lines.isEmpty { line += ": " + lines.joined(separator: ", ") }
        line += " for user \(text(state["customerId"]))"
        let reason = text(change.cause["reason"])
        return reason.isEmpty ? line : "\(line): \(reason)"
    }

    /// The time of day where the operator is.
    static func clock(_ time: String) -> String {
        guard let moment = HumanTime.moment(ofWire: time) else { return DisplayText.safe(time) }
        return WallTime(moment, in: .system).secondText
    }

    private static func cause(_ cause: JSONObject, before: String) -> String {
        guard !cause.isEmpty else { return "" }
        var rest = cause
        let kind = text(cause["kind"])
        rest["kind"] = nil
        return before + "(" + [kind, members(rest)].filter { !$0.isEmpty }.joined(separator: " ") + ")"
    }

    private static func event(_ event: JSONObject, hasNumber: Bool = true) -> String {
        var line = hasNumber ? "[\(text(event["sequence"]))] " : ""
        line += "\(text(event["topic"])) \(text(event["op"]))"
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
        line += cause(event["cause"]?.object ?? [:], before: " ")
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
