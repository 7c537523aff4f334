import Glibc
import Testing

@testable import PricingProtocol

struct SocketPathTests {
    private static let installed = "/run/pricingd/pricingd.sock"
    private static let fallback = "/tmp/pricingd-\(getuid())/pricingd.sock"
    private static let session = "/run/user/7/pricingd/pricingd.sock"

    @Test(
        arguments: [
            ([:], [], fallback), ([:], [installed], installed), ([:], [installed, fallback], installed),
            (["XDG_RUNTIME_DIR": "/run/user/7"], [], session),
            (["XDG_RUNTIME_DIR": "/run/user/7"], [installed], installed),
            (["XDG_RUNTIME_DIR": "/run/user/7"], [installed, session], session),
            (["RUNTIME_DIRECTORY": "/run/x", "XDG_RUNTIME_DIR": "/run/user/7"], [installed], "/run/x/pricingd.sock"),
            (["PRICINGD_SOCKET": "/s", "RUNTIME_DIRECTORY": "/run/x"], [installed], "/s"),
        ] as [([String: String], Set<String>, String)]
    )
    func `a client finds its own daemon, else the installed one`(
        environment: [String: String],
        existing: Set<String>,
        path: String
    ) {
        func found(_ explicit: String?) -> String {
            SocketPath.ofServer(explicit: explicit, environment: { environment[$0] }, exists: existing.contains)
        }
        #expect(found(nil) == path)
        #expect(found("/e") == "/e")
    }
}
