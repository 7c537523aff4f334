import Foundation
import JSON
import PricingTestSupport
import Testing

extension JourneyTests {
    static let memory = "process_resident_memory_bytes"

    @Test
    func `SIGTERM with five hundred open streams ends the gateway at once`() async throws {
        let daemon = try await Self.shared.value.daemon
        let watch = "\(daemon.folder)/streams.sock"
        let gateway = try await Gateway.start(
            daemon,
            port: 0,
            ["--streams-per-address", "600", "--metrics-socket", watch]
        )
        let before = try await WatchPeer(watch).metrics()
        let readers = try Self.script("wire.py", ["streams", gateway.address, "500"])
        #expect(await readers.line() == "open")
        let metrics = try await WatchPeer(watch).metrics()
        #expect(metrics.values["pricing_web_streams"] == 500)
        #expect(metrics.grew(Self.memory, since: before) < 30_000_000)
        let begun = ContinuousClock.now
        gateway.program.signal(SIGTERM)
        #expect(await gateway.program.exit() == 0)
        #expect(ContinuousClock.now - begun < .seconds(1))
        #expect(await readers.line() == "all ended")
        #expect(await readers.exit() == 0)
    }

    @Test
    func `Peers that are slow, silent or too many cost others nothing`() async throws {
        let gateway = try await Gateway.start(
            Self.shared.value.daemon,
            port: 0,
            ["--streams", "3", "--streams-per-address", "2"]
        )
        let peers = try Self.script("wire.py", ["slow", gateway.address])
        let complaint = await peers.errorText().suffix(3000)
        #expect(await peers.exit() == 0, "\(complaint)")
        gateway.program.signal(SIGTERM)
        #expect(await gateway.program.exit() == 0)
    }

    @Test
    func `More connections than there are descriptors wait, and leave some for all else`() async throws {
        let gateway = try await Gateway.start(
            Self.shared.value.daemon,
            port: 0,
            wrapper: ["/usr/bin/prlimit", "--nofile=64"]
        )
        let throng = try Self.script("wire.py", ["throng", gateway.address, "100"])
        #expect(await throng.line() == "open")
        let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(gateway.program.pid)/fd").count
        #expect(open < 64)
        try throng.write("go")
        #expect(await throng.exit() == 0)
        gateway.program.signal(SIGTERM)
        #expect(await gateway.program.exit() == 0)
    }

    @Test
    func `A collector reads what the gateway does, and a prober whether it is ready`() async throws {
        let daemon = try await TestDaemon.start()
        let watch = WatchPeer("\(daemon.folder)/w.sock")
        let gateway = try await Gateway.start(daemon, port: 0, ["--metrics-socket", "\(daemon.folder)/w.sock"])
        let before = try await watch.metrics()
        let reader = try Self.script("wire.py", ["streams", gateway.address, "1"])
        #expect(await reader.line() == "open")
        let pages = try Self.script("wire.py", ["pages", gateway.address, "3"])
        #expect(await pages.exit() == 0)
        let metrics = try await watch.metrics()
        #expect(metrics.values["pricing_web_streams"] == 1 && metrics.values["pricing_web_daemon_up"] == 1)
        #expect(metrics.grew("pricing_web_requests_total{status=\"200\"}", since: before) == 4)
        #expect(metrics.values[Self.memory] ?? 0 > 1_000_000)
        #expect(try await watch.get("/ready").hasSuffix("ready\n"))
        await daemon.kill9()
        var isReady = true
        while isReady { isReady = try await watch.get("/ready").hasPrefix("HTTP/1.1 200 ") }
        #expect(try await watch.metrics().values["pricing_web_daemon_up"] == 0)
        #expect(try await watch.get("/live").hasSuffix("live\n"))
        gateway.program.signal(SIGTERM)
        #expect(await gateway.program.exit() == 0)
    }

    @Test
    func `Readers that take nothing of their stream are cut off, at a bounded cost`() async throws {
        let daemon = try await TestDaemon.start()
        let client = try await daemon.client()
        let category = try await client.call("category.create", ["name": "Things"])["categoryId"] ?? .null
        var products: [JSONValue] = []
        for number in 0..<40 {
            let long = String(repeating: "Long \(number) ", count: 20)
            let params: JSONObject = [
                "title": .string(long), "basePrice": "100.00", "categoryId": category, "stock": 40,
            ]
            products.append(try await client.call("product.create", params)["productId"] ?? .null)
        }
        let watch = WatchPeer("\(daemon.folder)/w.sock")
        let limits = ["--silence", "1", "--streams-per-address", "100"]
        let gateway = try await Gateway.start(
            daemon,
            port: 0,
            limits + ["--metrics-socket", "\(daemon.folder)/w.sock"]
        )
        let before = try await watch.metrics()
        let readers = try Self.script("wire.py", ["silent", gateway.address, "50"])
        #expect(await readers.line() == "open")
        var (price, dropped) = (100, 0.0)
        var memory = 0.0
        // As long as it takes until what the kernel and the gateway keep for each of them is full.
        while dropped < 50 {
            price += 1
            for product in products {
                _ = try await client.call(
                    "price.pin",
                    ["productId": product, "price": .string("\(price % 100 + 100).00"), "reason": "test"]
                )
            }
            let metrics = try await watch.metrics()
            dropped = metrics.values["pricing_web_streams_dropped_total"] ?? 0
            memory = max(memory, metrics.grew(Self.memory, since: before))
        }
        #expect(memory < 40_000_000)
        try readers.write("read")
        #expect(await readers.line() == "all ended")
        #expect(await readers.exit() == 0)
        #expect(try await watch.metrics().values["pricing_web_streams"] == 0)
        await client.close()
        gateway.program.signal(SIGTERM)
        #expect(await gateway.program.exit() == 0)
    }

    @Test
    func `However many look at the catalogue, the daemon is asked a few times a second`() async throws {
        let site = try await Self.shared.value
        let client = try await site.daemon.client()
        func calls() async throws -> PrometheusText {
            try PrometheusText(try #require(try await client.call("server.metrics")["text"]?.string))
        }
        let before = try await calls()
        let begun = ContinuousClock.now
        let pages = try Self.script("wire.py", ["pages", site.address, "300"])
        #expect(await pages.exit() == 0)
        let seconds = Double((ContinuousClock.now - begun).components.seconds + 1)
        let after = try await calls()
        for method in ["product.browse", "category.list"] {
            let asked = after.grew("pricingd_call_seconds_count{method=\"\(method)\"}", since: before)
            #expect(asked > 0 && asked <= 4 * seconds + 1, "\(method): \(asked) calls in \(seconds) s")
        }
        await client.close()
    }
}

/// A judge of the interface for programs, which finds requests of its own.
enum Schemathesis {
    static let program = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../.build/schemathesis/bin/schemathesis").standardizedFileURL.path
    static let isWanted = ProcessInfo.processInfo.environment["PRICINGD_LONG"] != nil
    static let needs: Comment = "runs under Tests/run.sh --long, which installs schemathesis"

    /// What end the daemon, the login or the test's time.
    static let leftOut =
        "/api/(server.drain|data.generate|lab.run|login.close|clock.set|rule.backtest|user.(delete|changePassword|update))$"
    /// Not that what a schema forbids is refused: null and an empty parameter are left out ones.
    static let checks =
        "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
        + "response_schema_conformance,unsupported_method,allow_header_conformance,missing_required_header"
}

extension JourneyTests {
    @Test(.enabled(if: Schemathesis.isWanted, Schemathesis.needs), arguments: ["guest", "customer", "seller", "admin"])
    func `Every answer is one that the OpenAPI document describes`(who: String) async throws {
        let site = try await Self.shared.value
        var headers = ["--header", "Origin: \(site.address)"]
        if who != "guest" {
            let client = try await site.daemon.client()
            let login: JSONObject = ["email": .string("\(who)@example.com"), "password": "pricingd-demo"]
            let token = try #require(try await client.call("login.open", login)["token"]?.string)
            headers += ["--header", "Authorization: Bearer \(token)"]
            await client.close()
        }
        let judge = try ChildProgram(
            "/usr/bin/env",
            [
                "-C", site.daemon.folder, Schemathesis.program, "--no-color", "run", "\(site.address)/openapi.json",
                "--url", site.address, "--exclude-path-regex", Schemathesis.leftOut, "--checks", Schemathesis.checks,
                "--phases", "examples,coverage,fuzzing", "--max-examples", "3", "--seed", "7", "--no-shrink",
                "--suppress-health-check", "all",
            ] + headers
        )
        var told = ""
        while let line = await judge.line() { told += line + "\n" }
        #expect(await judge.exit() == 0, "\(told.suffix(3000))")
        #expect(told.contains("Tested:"))
    }
}

extension PrometheusText {
    /// By how much a sample is larger than it was.
    fileprivate func grew(_ name: String, since before: PrometheusText) -> Double {
        (values[name] ?? 0) - (before.values[name] ?? 0)
    }
}
