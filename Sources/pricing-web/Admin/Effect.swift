import JSON
import JSONRPC
import Markup

/// What a dry run would change, in words.
struct Effect: Sendable {
    private static let most = 25

    private let changes: JSONValue
    private let titles: [Int64: String]

    /// Reads the titles of the products that it names.
    init(_ changes: JSONValue, _ site: Site, _ visit: Visit) async throws {
        self.changes = changes
        var titles: [Int64: String] = [:]
        for event in changes["events"]?.array ?? [] {
            if let key = event["key"]?.integer, let title = event["after"]?["title"]?.string { titles[key] = title }
        }
        let rows = (changes["prices"]?.array ?? []) + (changes["stock"]?.array ?? [])
        // What is declared of a rule or a category has its name with it; anything else declared is a product.
        let declared = (changes["events"]?.array ?? []).filter { event in
            event["topic"]?.string == "catalogue" && event["after"]?["name"] == nil
        }
        let ids = rows.compactMap { $0["productId"]?.integer } + declared.compactMap { $0["key"]?.integer }
        for id in ids.prefix(Effect.most) where titles[id] == nil {
            let product = try? await site.call(visit, "product.get", ["productId": .integer(id)])
            titles[id] = product?["title"]?.string
        }
        self.titles = titles
    }

    var html: HTML {
        let lines = prices + stock + others
        guard !lines.isEmpty else { return "<p class=\"effect\">Nothing would change: no price, no stock.</p>" }
        let more = lines.count - Effect.most
        return """
            <ul class="effect">\(Array(lines.prefix(Effect.most)))\
            \(HTML.when(more > 0, "<li>and \(Words.counted(Int64(max(0, more)), "more change")).</li>"))\
            \(HTML.when(prices.isEmpty, "<li>No price moves.</li>"))</ul>
            """
    }

    private func name(_ row: JSONValue) -> String {
        let id = row["productId"]?.integer ?? 0
        return titles[id] ?? row["sku"]?.string ?? "product \(id)"
    }

    private var prices: [HTML] {
        (changes["prices"]?.array ?? []).map { row in
            let (old, new) = (row["old"]?.string, row["new"]?.string)
            let guards = (changes["guards"]?.array ?? []).filter { $0["productId"] == row["productId"] }
            let bound = guards.compactMap { $0["guard"]?.string }.first
            return """
                <li>Price of \(name(row)): <b>\(Words.money(old)) → \(Words.money(new))</b> \
                \(Words.change(old, new).map { "(\($0))" } ?? "")\
                \(bound.map { "; held by the \(Words.spaced($0))" } ?? "")</li>
                """
        }
    }

    private var stock: [HTML] {
        (changes["stock"]?.array ?? []).map { row in
            let (old, new) = (row["old"]?.integer, row["new"]?.integer)
            return "<li>Stock of \(name(row)): <b>\(Words.count(old)) → \(Words.count(new))</b></li>"
        }
    }

    /// Events of other kinds, each in one line.
    private var others: [HTML] {
        (changes["events"]?.array ?? []).compactMap { event in
            guard let topic = event["topic"]?.string, topic != "price", topic != "stock" else { return nil }
            switch topic {
            case "order":
                let status = event["after"]?["status"]?.string ?? ""
                return
                    "<li>Order \(event["key"]?.integer ?? 0): <b>\(event["before"]?["status"]?.string ?? "new") → \(status)</b></li>"
            case "catalogue": return declared(event)
            default: return "<li>\(Words.label(topic)): \(event["op"]?.string ?? "")</li>"
            }
        }
    }

    /// The members of a declaration that change.
    private func declared(_ event: JSONValue) -> HTML? {
        let after = event["after"]?.object ?? [:]
        let before = event["before"]?.object ?? [:]
        let thing =
            after["title"]?.string ?? after["name"]?.string ?? titles[event["key"]?.integer ?? 0]
            ?? "number \(event["key"]?.integer ?? 0)"
        guard event["op"]?.string != "insert" else { return "<li>New: \(thing)</li>" }
        let changed = after.compactMap { member -> String? in
            guard before[member.key] != member.value, before[member.key] != nil else { return nil }
            return "\(Words.thing(member.key)) \(Effect.short(before[member.key])) → \(Effect.short(member.value))"
        }
        return changed.isEmpty ? nil : "<li>\(thing): <b>\(changed.joined(separator: ", "))</b></li>"
    }

    private static func short(_ value: JSONValue?) -> String {
        guard let value, !value.isNull else { return "none" }
        return String((value.string ?? value.description).prefix(80))
    }
}
