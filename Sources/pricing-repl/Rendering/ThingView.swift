import JSON

/// An order, a person and a rule in a sentence or two, which stand before their members.
extension DeedView {
    /// What `thing` is; nil for what has no sentence of its own.
    func prose(_ thing: Named?, _ item: JSONObject) -> String? {
        let text: String? =
            switch thing?.kind {
            case .order: order(item)
            case .user: user(item, detail: thing?.detail ?? "")
            case .rule: rule(item)
            default: nil
            }
        return text.map { $0.split(separator: "\n").map { DisplayText.wrapped(String($0), to: width) + "\n" }.joined() }
    }

    private func order(_ item: JSONObject) -> String {
        let lines = item["lines"]?.array ?? []
        let units = lines.reduce(0) { $0 + ($1["quantity"]?.integer ?? 0) }
        let back = lines.reduce(0) { $0 + ($1["returned"]?.integer ?? 0) }
        let first = lines.first.map { Self.text($0["title"]) } ?? "nothing"
        var text = palette.bold("order \(Self.text(item["orderId"]))") + " is \(Self.text(item["status"])): "
        text += lines.count == 1 ? "\(units) × \(first)" : "\(units) units of \(lines.count) products"
        text += " for \(Self.text(item["customerName"])), \(Self.text(item["total"])) in all,"
        text += " placed \(time(item["placedAt"])) by \(Self.text(item["actor"]))."
        if back > 0 { text += " \(back) came back." }
        return text + "\n"
    }

    /// - Parameter detail: what `server.resolve` says of them: e-mail and how many orders.
    private func user(_ item: JSONObject, detail: String) -> String {
        let role = Self.text(item["role"])
        var text = palette.bold("\(Self.text(item["userId"])) \(Self.text(item["fullName"]))")
        text += " is \(role == "admin" ? "an" : "a") \(role) since \(time(item["createdAt"])),"
        text += " at \(Self.text(item["email"]))"
        if let phone = item["phoneNumber"]?.string { text += " and \(DisplayText.safe(phone))" }
        let orders = detail.split(separator: ", ").last.flatMap { $0.contains(" order") ? String($0) : nil }
        return text + (orders.map { ", with \(DisplayText.safe($0))" } ?? "") + ".\n"
    }

    private func rule(_ item: JSONObject) -> String {
        let head = "rule \(Self.text(item["name"])) \(Self.text(item["version"]))"
        var text = palette.bold(head) + " (\(Self.text(item["strategy"])))"
        switch item["status"]?.string {
        case "active": text += " is in force since \(time(item["activatedAt"]))"
        case "retired": text += " was retired"
        default: text += " is a draft"
        }
        text += ", made \(time(item["createdAt"])) by \(Self.text(item["actor"]))"
        let sentence = Self.course(item["parameters"]?.object ?? [:], of: Self.text(item["strategy"]))
        return text + ".\n" + sentence + "\n"
    }

    /// `Low stock adds 10 %, high stock takes off 10 %; looked at every day, at most 20 % a day.`
    private static func course(_ parameters: JSONObject, of strategy: String) -> String {
        func share(_ name: String) -> String? { percent(text(parameters[name])) }
        var parts: [String] = []
        if strategy == "bands" {
            parts.append("low stock adds \(share("up") ?? "0 %"), high stock takes off \(share("down") ?? "0 %")")
        }
        let hours = (parameters["tickSeconds"]?.integer ?? 86_400) / 3600
        parts.append("prices are looked at every \(hours == 24 ? "day" : hours == 1 ? "hour" : "\(hours) hours")")
        if let least = share("bandTick") { parts.append("moves below \(least) are left alone") }
        parts.append(share("dailyCap").map { "at most \($0) a day" } ?? "no cap on a day's move")
        if let asked = share("approveAbove") {
            parts.append(asked == "0 %" ? "each move waits for a yes" : "moves over \(asked) wait for a yes")
        }
        let sentence = parts.joined(separator: ", ")
        return sentence.prefix(1).uppercased() + sentence.dropFirst() + "."
    }

    /// `0.075` is `7.5 %`; nil for what is no number.
    static func percent(_ share: String) -> String? {
        let parts = share.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), share.utf8.allSatisfy({ $0 == 0x2E || (0x30...0x39).contains($0) }),
            !share.isEmpty
        else { return nil }
        var fraction = parts.count == 2 ? String(parts[1]) : ""
        while fraction.count < 2 { fraction += "0" }
        var whole = (parts[0] + fraction.prefix(2)).drop { $0 == "0" }
        if whole.isEmpty { whole = "0" }
        var rest = fraction.dropFirst(2)
        while rest.last == "0" { rest.removeLast() }
        return "\(whole)\(rest.isEmpty ? "" : "." + rest) %"
    }

    private func time(_ value: JSONValue?) -> String {
        let text = Self.text(value)
        return times.shown(text) ?? text
    }
}
