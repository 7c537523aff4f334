import Glibc

/// Where the daemon listens and every client connects.
package enum SocketPath {
    /// `--socket`, else `$PRICINGD_SOCKET`, else `$RUNTIME_DIRECTORY/pricingd.sock`, else
    /// `$XDG_RUNTIME_DIR/pricingd/pricingd.sock`, else `/tmp/pricingd-<uid>/pricingd.sock`.
    package static func resolve(explicit: String?) -> String {
        if let explicit, !explicit.isEmpty { return explicit }
        if let path = environment("PRICINGD_SOCKET") { return path }
        if let folder = environment("RUNTIME_DIRECTORY") { return folder + "/pricingd.sock" }
        if let folder = environment("XDG_RUNTIME_DIR") { return folder + "/pricingd/pricingd.sock" }
        return "/tmp/pricingd-\(getuid())/pricingd.sock"
    }

    private static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        let text = unsafe String(cString: value)
        return text.isEmpty ? nil : text
    }
}
