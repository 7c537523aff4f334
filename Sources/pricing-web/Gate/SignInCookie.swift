import HTTPTypes

/// The cookie that holds the token of a signed-in person.
enum SignInCookie {
    /// Browsers take the prefix only over TLS.
    private static func name(_ isSecure: Bool) -> String { isSecure ? "__Host-login" : "login" }

    static func token(_ headers: HTTPFields, isSecure: Bool) -> String? {
        Cookies.value(name(isSecure), headers)
    }

    /// What sets it; it goes with the browser's session, and the daemon ends it in its own time.
    static func set(_ token: String, isSecure: Bool) -> String {
        "\(name(isSecure))=\(token); Path=/; HttpOnly; SameSite=Lax" + (isSecure ? "; Secure" : "")
    }

    static func clear(isSecure: Bool) -> String {
        "\(name(isSecure))=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax" + (isSecure ? "; Secure" : "")
    }
}

/// What a browser sent in `Cookie`.
enum Cookies {
    static func value(_ name: String, _ headers: HTTPFields) -> String? {
        for header in headers[values: .cookie] {
            for pair in header.split(separator: ";") {
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2, String(parts[0]).trimmed == name else { continue }
                let value = String(parts[1]).trimmed
                return value.isEmpty ? nil : value
            }
        }
        return nil
    }
}
