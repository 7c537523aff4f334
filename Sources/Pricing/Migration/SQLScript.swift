import CPricingSQL

/// One file of `sql/`.
package struct SQLScript: Sendable, Equatable {
    /// How a script is applied; the file's first line says it.
    package enum Kind: String, Sendable {
        /// A change of the schema: applied once, never edited afterwards.
        case once
        /// Functions, triggers and grants: all of them made anew whenever the text of one changed.
        case code
        /// Sample rows, applied once and only when asked for.
        case demo
        /// What `pricing-bench` runs by pgbench and psql; never applied.
        case bench
        /// Named queries; never applied.
        case queries
    }

    /// Its path inside `sql/`.
    package let name: String
    package let kind: Kind
    package let text: String
    /// Its order among the scripts of its kind: `code first` (types), then those that need no order, then `code last`
    /// (triggers and grants, which name functions).
    private let turn: Int

    /// nil when the first line is no known pragma, or when a script that is applied once has no number.
    package init?(name: String, text: String) {
        guard let first = text.split(separator: "\n", maxSplits: 1).first, first.hasPrefix("--! ") else { return nil }
        let words = first.dropFirst(4).split(separator: " ", omittingEmptySubsequences: false)
        guard let kind = words.first.flatMap({ Kind(rawValue: String($0)) }) else { return nil }
        switch words.dropFirst().joined(separator: " ") {
        case "": turn = 1
        case "first" where kind == .code: turn = 0
        case "last" where kind == .code: turn = 2
        default: return nil
        }
        let isApplied = kind == .once || kind == .demo
        guard !isApplied || name.wholeMatch(of: /[0-9]{2}_[a-z0-9_]+\.sql/) != nil else { return nil }
        self.name = name
        self.kind = kind
        self.text = text
    }

    /// The scripts inside this binary: by kind in the order in which they are applied.
    package static let embedded: [SQLScript] = (0..<pricing_script_count()).compactMap { index in
        guard let script = unsafe pricing_script_at(index)?.pointee else { return nil }
        let bytes = unsafe UnsafeBufferPointer(start: script.bytes, count: Int(script.length))
        return unsafe SQLScript(name: String(cString: script.name), text: String(decoding: bytes, as: UTF8.self))
    }
    .sorted { ($0.turn, $0.name) < ($1.turn, $1.name) }
}
