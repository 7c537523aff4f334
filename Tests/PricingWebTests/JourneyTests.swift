import Foundation
import JSON
import PricingTestSupport
import Synchronization
import Testing

/// What a browser needs that a test finds or installs beside the shop.
enum ChromiumDriver {
    static let isRequired = TestCluster.isRequired
    static let isAvailable = isRequired || FileManager.default.isExecutableFile(atPath: "/usr/bin/chromedriver")
    static let needs: Comment = "needs chromium, chromium-driver and python3-selenium, which Tests/run.sh installs"
}

/// The judge of accessibility, which comes inside a Python package.
enum Axe {
    private static let file = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../.build/axe/axe_playwright_python/axe.min.js").path
    /// Only Chromium, the browser where none is named, can be told to be narrow or dark.
    private static let isChromium = ProcessInfo.processInfo.environment["BROWSER"] == nil
    static let isAvailable =
        isChromium && (TestCluster.isRequired || FileManager.default.fileExists(atPath: file))
    static let needs: Comment =
        "needs Chromium, and axe-playwright-python in .build/axe, where Tests/run.sh installs it"
}

/// Journeys through the real pages of a real shop, by a real browser. Each is a function of journeys.py.
@Suite(
    .serialized,
    .enabled(if: TestCluster.isAvailable && ChromiumDriver.isAvailable, ChromiumDriver.needs),
    .timeLimit(.minutes(3))
)
struct JourneyTests {
    private static let journeys = [
        "without_scripts", "account", "restock_is_seen", "last_unit", "price_moves", "held_checkout", "effect_is_kept",
        "next_comes_true",
        "buyer_knows", "own_quote", "gives_back", "keyboard", "what_if", "many", "imports", "replay", "one_stream",
        "markup_is_text", "refusals", "odd_inputs", "doors", "weighs", "own_stream", "own_pages", "nothing_between",
        "ends_and_returns",
    ]

    /// One shop with some goods, and its pages, for all journeys.
    static let shared = Task { try await Site.start() }

    @Test(arguments: JourneyTests.journeys)
    func `A browser's journey ends well`(name: String) async throws {
        try await Self.go(name, Self.shared.value)
    }

    @Test(
        .enabled(if: Axe.isAvailable, Axe.needs),
        arguments: ["looks_store", "looks_admin", "looks_deeds", "looks_reports"]
    )
    func `Every page fits the screen, and axe finds nothing wrong with it`(name: String) async throws {
        try await Self.go(name, Self.shared.value)
    }

    @Test(.enabled(if: Axe.isAvailable, Axe.needs))
    func `So does every page of an empty shop, and of one whose daemon is away`() async throws {
        try await Self.go("looks_empty", Site.start(isFilled: false))
    }

    private static func go(_ name: String, _ site: Site) async throws {
        let journey = try script("journeys.py", [name, site.address, site.daemon.socket])
        while let line = await journey.line() {
            try await site.carryOut(line)
            try journey.write("done")
        }
        let complaint = await journey.errorText().suffix(3000)
        #expect(await journey.exit() == 0, "\(complaint)")
    }

    static func script(_ name: String, _ arguments: [String]) throws -> ChildProgram {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().path
        return try ChildProgram("/usr/bin/env", ["-C", folder, "/usr/bin/python3", "-B", name] + arguments)
    }
}

/// A running `pricing-web`.
struct Gateway: Sendable {
    /// Why there is none.
    struct NotReady: Error {
        let text: String
    }

    let program: ChildProgram
    let address: String

    static func start(
        _ daemon: TestDaemon,
        port: Int,
        _ arguments: [String] = ["--streams-per-address", "100"],
        wrapper: [String] = ["/usr/bin/env"]
    ) async throws -> Gateway {
        let words = try [TestDaemon.program("pricing-web"), "--socket", daemon.socket, "--port", "\(port)"]
        let program = try ChildProgram(wrapper[0], wrapper.dropFirst() + words + arguments)
        try daemon.endWithFolder(program)
        guard let line = await program.line(),
            let address = try? JSONParser.parse(Array(line.utf8))["address"]?.string
        else {
            program.signal(SIGKILL)
            throw NotReady(text: await program.errorText())
        }
        return Gateway(program: program, address: address)
    }
}

/// A daemon with goods, and its gateway.
final class Site: Sendable {
    let daemon: TestDaemon
    let address: String
    private let gateway: Mutex<Gateway>

    private init(_ daemon: TestDaemon, _ gateway: Gateway) {
        self.daemon = daemon
        address = gateway.address
        self.gateway = Mutex(gateway)
    }

    static func start(isFilled: Bool = true) async throws -> Site {
        let daemon = try await TestDaemon.start()
        if isFilled {
            let client = try await daemon.client()
            let counts: JSONObject = ["users": 30, "suppliers": 5, "products": 60, "orders": 120, "seed": 7]
            _ = try await client.call("data.generate", counts)
            await client.close()
        }
        return Site(daemon, try await Gateway.start(daemon, port: 0))
    }

    /// What a journey asks for.
    func carryOut(_ deed: String) async throws {
        switch deed {
        case "kill daemon": await daemon.kill9()
        case "start daemon": try await daemon.restart()
        case "kill gateway":
            let program = gateway.withLock { $0.program }
            program.signal(SIGKILL)
            _ = await program.exit()
        case "start gateway":
            let port = address.split(separator: ":").last.flatMap { Int($0) } ?? 0
            let started = try await Gateway.start(daemon, port: port)
            gateway.withLock { $0 = started }
        default: Issue.record("the journey printed \(deed)")
        }
    }
}
