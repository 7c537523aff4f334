import Glibc

/// The variables that the program was started with.
enum Environment {
    /// Nil for one that is not there or empty.
    static func text(_ name: String) -> String? {
        guard let found = unsafe getenv(name) else { return nil }
        let text = unsafe String(cString: found)
        return text.isEmpty ? nil : text
    }
}
