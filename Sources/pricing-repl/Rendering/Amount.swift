import JSON

/// Amounts of money as the wire has them, in cents: exact, since nothing is a fraction of a cent.
struct Amount: Equatable {
    var cents: Int64

    init(cents: Int64) { self.cents = cents }

    /// Nil for what is no amount with at most two decimals.
    init?(_ value: JSONValue?) {
        guard let text = value?.string else { return nil }
        let isNegative = text.hasPrefix("-")
        let parts = (isNegative ? text.dropFirst() : text[...]).split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let whole = Int64(parts[0]), whole < 90_000_000_000_000_000 else {
            return nil
        }
        var fraction = parts.count == 2 ? String(parts[1]) : ""
        while fraction.count < 2 { fraction += "0" }
        guard fraction.count == 2, let rest = Int64(fraction) else { return nil }
        cents = (whole * 100 + rest) * (isNegative ? -1 : 1)
    }

    var text: String {
        let size = abs(cents)
        return (cents < 0 ? "-" : "") + "\(size / 100)." + WallTime.two(size % 100)
    }

    /// By how much it is more than `base`: `▲10%`, `▼ 9.1%`; empty when it is the same.
    func change(from base: Amount) -> String {
        guard base.cents > 0, cents != base.cents else { return "" }
        let tenths = (abs(cents - base.cents) * 2000 + base.cents) / (2 * base.cents)
        let size = tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
        return (cents > base.cents ? "▲" : "▼") + (tenths == 0 ? "<0.1" : size) + "%"
    }
}
