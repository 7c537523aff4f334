import CPricingSQL

/// One numbered file of `sql/`.
package struct SQLScript: Sendable, Equatable {
    /// How a script is applied; the file's first line says it.
    package enum Kind: String, Sendable {
        /// Applied once, never edited afterwards.
        case once
        /// Applied again whenever its text changes.
        case repeatable
        /// Sample rows, applied once and only when asked for.
        case demo
        /// What `pricing-bench` runs by pgbench and psql; never applied.
        case bench
        /// Named queries; never applied.
        case queries
    }

    /// The number that its name begins with.
    package let number: Int
    /// The file's name.
    package let name: String
    package let kind: Kind
    package let text: String

    /// nil when the name has no number or the first line no known pragma.
    package init?(name: String, text: String) {
        guard let number = Int(name.prefix { $0.isNumber }),
            let first = text.split(separator: "\n", maxSplits: 1).first, first.hasPrefix("--! "),
            let kind = Kind(rawValue: String(first.dropFirst(4)))
        else { return nil }
        self.number = number
        self.name = name
        self.kind = kind
        self.text = text
    }

    /// The scripts inside this binary, by number.
    package static let embedded: [SQLScript] = (0..<pricing_script_count()).compactMap { index in
        guard let script = unsafe pricing_script_at(index)?.pointee else { return nil }
        let bytes = unsafe UnsafeBufferPointer(start: script.bytes, count: Int(script.length))
        return unsafe SQLScript(name: String(cString: script.name), text: String(decoding: bytes, as: UTF8.self))
    }
}
