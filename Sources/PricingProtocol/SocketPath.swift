import FileTrust
import Glibc

/// The path of the socket on which the daemon listens and to which clients connect.
package enum SocketPath {
    /// Where a daemon that runs as a system service listens.
    private static let installed = "/run/pricingd/pricingd.sock"

    /// Where a daemon listens: `--socket`, else `$PRICINGD_SOCKET`, else `$RUNTIME_DIRECTORY/pricingd.sock`, else
    /// `$XDG_RUNTIME_DIR/pricingd/pricingd.sock`, else `/tmp/pricingd-<uid>/pricingd.sock`.
    package static func toListen(explicit: String?) -> String {
        named(explicit, environment) ?? own(environment)
    }

    /// Where a client looks: the same places, but an installed service comes before a user's own folder without a socket.
    package static func ofServer(explicit: String?) -> String {
        ofServer(explicit: explicit, environment: environment) { unsafe access($0, F_OK) == 0 }
    }

    static func ofServer(
        explicit: String?,
        environment: (String) -> String?,
        exists: (String) -> Bool
    ) -> String {
        if let path = named(explicit, environment) { return path }
        let own = own(environment)
        let isSession = environment("XDG_RUNTIME_DIR") != nil
        if isSession, exists(own) { return own }
        return exists(installed) ? installed : own
    }

    private static func named(_ explicit: String?, _ environment: (String) -> String?) -> String? {
        if let explicit, !explicit.isEmpty { return explicit }
        if let path = environment("PRICINGD_SOCKET") { return path }
        return environment("RUNTIME_DIRECTORY").map { $0 + "/pricingd.sock" }
    }

    private static func own(_ environment: (String) -> String?) -> String {
        if let folder = environment("XDG_RUNTIME_DIR") { return folder + "/pricingd/pricingd.sock" }
        return SharedSocketFolder.path(of: getuid()) + "/pricingd.sock"
    }

    private static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        let text = unsafe String(cString: value)
        return text.isEmpty ? nil : text
    }
}
