import Glibc

/// The variables that the program was started with.
enum Environment {
    /// Nil for one that is not there or empty.
    static func text(_ name: String) -> String? {
        guard let found = unsafe getenv(name) else { return nil }
        let text = unsafe String(cString: found)
        return text.isEmpty ? nil : text
    }

    /// Whether the locale knows more than ASCII.
    static let isUnicode: Bool = {
        let names = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { text($0) }
        let name = (names.first ?? "C").lowercased()
        return name.hasSuffix("utf-8") || name.hasSuffix("utf8")
    }()

    /// Whether charts are drawn with ASCII alone.
    static var isPlain: Bool { !isUnicode || text("TERM") == "dumb" }
}
