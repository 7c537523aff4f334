import JSON

/// One price move, as `events.event` tells it.
struct PriceMove: Sendable, Equatable {
    /// Its number in the event stream.
    let sequence: Int64
    let productId: Int64
    let title: String
    /// Exact decimal text.
    let old: String
    let new: String
    let stock: Int64
    /// Why, in the daemon's words.
    let reason: String

    /// Reads an event; nil when it is no price move.
    init?(event: JSONObject) {
        guard event["topic"]?.string == "price", let sequence = event["sequence"]?.integer,
            let productId = event["key"]?.integer, let old = event["before"]?["price"]?.string,
            let after = event["after"], let new = after["price"]?.string
        else { return nil }
        self.sequence = sequence
        self.productId = productId
        self.old = old
        self.new = new
        title = after["title"]?.string ?? "product \(productId)"
        stock = after["stock"]?.integer ?? 0
        reason = after["reason"]?.string ?? ""
    }

    /// The line that people watch.
    var line: String {
        let name = title.count < 32 ? title + String(repeating: " ", count: 32 - title.count) : title
        return "\(name)  \(old) → \(new)  (\(Figures.change(old, new)))  stock \(stock)  \(reason)"
    }

    /// The same for programs.
    var json: JSONObject {
        [
            "sequence": .integer(sequence), "productId": .integer(productId), "title": .string(title),
            "old": .string(old), "new": .string(new), "stock": .integer(stock), "reason": .string(reason),
        ]
    }
}

/// Figures for people to read; no price is ever computed from one.
enum Figures {
    /// `+10.0 %`
    static func change(_ old: String, _ new: String) -> String {
        let tenths = ((ratio(old, new) - 1) * 1000).rounded()
        let size = abs(tenths)
        return "\(tenths < 0 ? "-" : "+")\(Int64(size / 10)).\(Int64(size.truncatingRemainder(dividingBy: 10))) %"
    }

    /// New over old; 1 when either is no price.
    static func ratio(_ old: String, _ new: String) -> Double {
        guard let from = Double(old), let to = Double(new), from > 0, to > 0, (to / from) < 1e12 else { return 1 }
        return to / from
    }

    /// Milliseconds with two digits: `1.25`.
    static func milliseconds(_ duration: Duration) -> String {
        let parts = duration.components
        let hundredths = parts.seconds * 100_000 + parts.attoseconds / 10_000_000_000_000
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}
