/// Numbers as text.
package enum Decimals {
    /// A number with at most so many decimals, none that are only zeros; a number that is none is 0.
    package static func text(_ value: Double, _ places: Int) -> String {
        var text = fixed(value, places)
        guard text.utf8.contains(UInt8(ascii: ".")) else { return text }
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text == "-0" ? "0" : text
    }

    /// A number with exactly so many decimals.
    package static func fixed(_ value: Double, _ places: Int) -> String {
        let scale = (0..<max(0, places)).reduce(1.0) { factor, _ in factor * 10 }
        let scaled = (value * scale).rounded()
        guard scaled.isFinite, let whole = Int64(exactly: scaled) else { return "0" }
        var digits = String(whole.magnitude)
        guard places > 0 else { return (whole < 0 ? "-" : "") + digits }
        if digits.utf8.count <= places {
            digits = String(repeating: "0", count: places + 1 - digits.utf8.count) + digits
        }
        return (whole < 0 ? "-" : "") + digits.dropLast(places) + "." + digits.suffix(places)
    }

    /// Commas between the thousands of a number's whole part.
    package static func grouped(_ number: String) -> String {
        let parts = number.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first else { return number }
        let sign = first.hasPrefix("-") ? "-" : ""
        let digits = Array(first.dropFirst(sign.isEmpty ? 0 : 1))
        guard digits.count > 3, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return number }
        var whole = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { whole.append(",") }
            whole.append(digit)
        }
        return sign + whole + (parts.count > 1 ? "." + parts[1] : "")
    }
}
