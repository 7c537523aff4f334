import Foundation
import Glibc
import JSON
import PricingTestSupport
import RPCTransport
import Testing

extension EndToEnd {
    /// What an engineer sees of a daemon from outside: the pages of `--metrics-socket`, the log.
    @Suite
    struct WatchTests {
        /// A daemon whose pages are served, and how to ask for them.
        private struct Watched {
            let daemon: TestDaemon
            let path: String
            let folder: TemporaryFolder

            init(arguments: [String] = []) async throws {
                folder = try TemporaryFolder()
                path = folder.path + "/m.sock"
                daemon = try await TestDaemon.start(arguments: ["--metrics-socket", path] + arguments)
            }

            func raw(_ request: String) async throws -> String { try await WatchPeer(path).raw(request) }

            func get(_ page: String) async throws -> String { try await WatchPeer(path).get(page) }
        }

        @Test func `a collector reads metrics, and a prober whether it lives and is ready`() async throws {
            let watched = try await Watched()
            let metrics = try await watched.get("/metrics")
            #expect(metrics.hasPrefix("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4"))
            let body = try #require(metrics.split(separator: "\r\n\r\n", maxSplits: 1).last)
            #expect(metrics.contains("Content-Length: \(body.utf8.count)\r\n"))
            let found = try PrometheusText(String(body))
            let client = try await watched.daemon.client()
            let called = try PrometheusText(try #require(try await client.call("server.metrics")["text"]?.string))
            #expect(found.types == called.types)
            #expect(try await watched.get("/live?a=b").hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(try await watched.get("/ready").hasSuffix("\r\n\r\nready\n"))
            let curl = try ChildProgram(
                "/usr/bin/env",
                ["curl", "--silent", "--fail", "--unix-socket", watched.path, "http://localhost/ready"]
            )
            #expect(await curl.line() == "ready")
            #expect(await curl.exit() == 0)
            var facts = stat()
            #expect(unsafe stat(watched.path, &facts) == 0)
            #expect(facts.st_mode & 0o777 == 0o600)
            await client.close()
            #expect(await watched.daemon.stop() == 0)
            #expect(!FileManager.default.fileExists(atPath: watched.path))
        }

        @Test func `without its database it lives and is not ready`() async throws {
            let watched = try await Watched()
            let postmaster = try #require(watched.daemon.postmaster)
            kill(postmaster, SIGSTOP)
            let pool = try ChildProgram("/usr/bin/pkill", ["-STOP", "-P", "\(postmaster)"])
            #expect(await pool.exit() == 0)
            #expect(try await watched.get("/live").hasSuffix("live\n"))
            let ready = try await watched.get("/ready")
            #expect(ready.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"), "\(ready)")
            // What it knows by itself is told all the same.
            let metrics = try await watched.get("/metrics")
            #expect(metrics.contains("pricingd_uptime_seconds") && !metrics.contains("pricingd_failing_products"))
            let again = try ChildProgram("/usr/bin/pkill", ["-CONT", "-P", "\(postmaster)"])
            #expect(await again.exit() == 0)
            kill(postmaster, SIGCONT)
            var isReady = false
            while !isReady { isReady = try await watched.get("/ready").hasSuffix("\r\n\r\nready\n") }
            #expect(await watched.daemon.stop() == 0)
        }

        @Test func `what is no such request is refused, and every connection is bounded`() async throws {
            let watched = try await Watched()
            #expect(try await watched.get("/").hasPrefix("HTTP/1.1 404 Not Found\r\n"))
            #expect(try await watched.raw("POST /metrics HTTP/1.1\r\n\r\n").hasPrefix("HTTP/1.1 405 "))
            let head = try await watched.raw("HEAD /live HTTP/1.1\r\n\r\n")
            #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n") && head.hasSuffix("\r\n\r\n"))
            for wrong in ["{}\r\n\r\n", "GET /live\r\n\r\n", "GET live HTTP/1.1\r\n\r\n", "\r\n\r\n"] {
                #expect(try await watched.raw(wrong).hasPrefix("HTTP/1.1 400 "), "\(wrong)")
            }
            let long = "GET /live HTTP/1.1\r\nA: " + String(repeating: "a", count: WatchServer.headBytes)
            #expect(try await watched.raw(long).hasPrefix("HTTP/1.1 431 "))

            let begin = ContinuousClock.now
            let idle = try (0..<WatchServer.connections).map { number in
                let peer = try LineClient(socket: watched.path, isChecking: false)
                if number % 2 == 0 { peer.send(bytes: Array("GET /li".utf8)) }
                return peer
            }
            var busy = ""
            // Those that connected are counted once they have been accepted.
            while !busy.hasPrefix("HTTP/1.1 503 ") { busy = try await watched.get("/live") }
            // One that was opened while an earlier one still closed may have been refused as well.
            var silent = 0
            for peer in idle where await peer.line() == nil { silent += 1 }
            #expect(silent >= WatchServer.connections / 2)
            let lasted = begin.duration(to: .now)
            #expect(lasted > .seconds(5) && lasted < WatchServer.patience + .seconds(5))
            #expect(try await watched.get("/live").hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(await watched.daemon.stop() == 0)
        }

        /// One line of the log as its members.
        private func members(_ line: Substring) throws -> [String: String] {
            guard case .object(let object) = try JSONParser.parse(Array(line.utf8)) else { return [:] }
            return Dictionary(object.map { ($0.key, $0.value.string ?? "") }) { _, last in last }
        }

        @Test func `every call leaves one line that names no secret`() async throws {
            let daemon = try await TestDaemon.start(arguments: ["--log-level", "info", "--log-format", "json"])
            let client = try await daemon.client()
            let secret = "open sesame 7"
            _ = try await client.call(
                "user.create",
                [
                    "fullName": "A", "email": "a@example.org", "password": .string(secret),
                    "_meta": ["actor": "somebody \"else\""],
                ]
            )
            _ = try await client.refusal("product.get", ["productId": 999_999_999])
            _ = try await client.refusal("product.create", ["title": .string(secret)])
            _ = try await client.refusal("no.such", ["password": .string(secret)])
            let raw = try daemon.lines()
            raw.send("{\"password\":\"\(secret)\"")
            _ = await raw.line()
            await client.close()
            #expect(await daemon.stop() == 0)
            let text = await daemon.program.errorText()
            #expect(!text.contains(secret))
            let lines = try text.split(separator: "\n").map(members)
            let calls = lines.filter { $0["msg"] == "call" }
            let expected = [
                ("user.create", "ok"), ("product.get", "PRODUCT_NOT_FOUND"), ("product.create", "INVALID_PARAMS"),
                ("no.such", "METHOD_NOT_FOUND"),
            ]
            for (method, outcome) in expected {
                let own = calls.filter { $0["method"] == method }
                #expect(own.count == 1 && own.first?["outcome"] == outcome, "\(own)")
                #expect(own.first?["peer"] == "uid:\(getuid()) pid:\(getpid())")
                #expect(own.first?["milliseconds"].flatMap { Double($0) } != nil)
                #expect(own.first?["level"] == "info")
            }
            #expect(calls.first { $0["method"] == "user.create" }?["actor"]?.hasPrefix("somebody") == true)
            #expect(lines.contains { $0["msg"] == "refused" && $0["outcome"] == "PARSE_ERROR" })
            #expect(lines.allSatisfy { $0["time"]?.wholeMatch(of: /\d{4}(-\d\d){2}T(\d\d:){2}\d\d\.\d{3}Z/) != nil })
        }

        @Test func `a slow call is louder, and logfmt keeps an entry on its line`() async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["stock": 5])
            let psql = try await daemon.psql(as: "postgres")
            try await psql.run("begin; update inventory set stock = stock where product_id = \(product)")
            _ = try await shop.client.refusal(
                "inventory.restock",
                ["productId": .integer(product), "quantity": 1, "_meta": ["actor": "a b=\"c\""]]
            )
            try await psql.run("rollback")
            #expect(await daemon.stop() == 0)
            let lines = await daemon.program.errorText().split(separator: "\n")
            let slow = lines.filter { $0.contains("msg=\"slow call\"") }
            #expect(slow.count == 1, "\(lines)")
            #expect(slow.first?.contains(" level=notice ") == true)
            #expect(slow.first?.contains(" method=inventory.restock ") == true)
            #expect(!lines.contains { $0.contains("msg=call") }, "a quick call is not told at the usual level")
        }
    }

    /// The dashboard and the alert rules speak of metrics that there are.
    @Suite
    struct WatchFileTests {
        private static let folder = ExamplesTests.root + "/examples/packaging"

        private func names() async throws -> [String: String] {
            let client = try await TestDaemon.shared().client()
            let text = try #require(try await client.call("server.metrics")["text"]?.string)
            await client.close()
            return try PrometheusText(text).types
        }

        private func unknown(in text: String, _ types: [String: String]) -> Set<String> {
            let named = text.matches(of: /\b(?:pricingd|process)_[a-z_]+\b/).map { String($0.0) }
            return Set(named).filter { name in
                let family = name.replacing(/_(bucket|sum|count)$/, with: "")
                return types[name].map { $0 == "histogram" } ?? (types[family] != "histogram")
            }
        }

        @Test(arguments: ["dashboard.json", "alerts.yml"])
        func `every name is a metric`(file: String) async throws {
            let text = try String(contentsOfFile: Self.folder + "/" + file, encoding: .utf8)
            let types = try await names()
            #expect(unknown(in: text, types).isEmpty)
            #expect(text.matches(of: /pricingd_/).count > 10)
            #expect(unknown(in: "rate(pricingd_nothing_total[5m]) + pricingd_call_seconds", types).count == 2)
        }

        @Test func `the dashboard is JSON, and Operating has every metric and every alert`() async throws {
            let dashboard = try Data(contentsOf: URL(filePath: Self.folder + "/dashboard.json"))
            #expect(try JSONParser.parse(Array(dashboard)).object?["panels"]?.array?.isEmpty == false)
            let page = try String(
                contentsOfFile: ExamplesTests.root + "/Sources/pricingd/pricingd.docc/Operating.md",
                encoding: .utf8
            )
            for name in try await names().keys { #expect(page.contains("`\(name)`"), "\(name)") }
            let rules = try String(contentsOfFile: Self.folder + "/alerts.yml", encoding: .utf8)
            let alerts = rules.matches(of: /alert: (\w+)/).map { String($0.1) }
            #expect(alerts.count > 5)
            for alert in alerts { #expect(page.contains("| `\(alert)` |"), "\(alert)") }
        }

        @Test(
            .enabled(
                if: FileManager.default.isExecutableFile(atPath: "/usr/bin/promtool"),
                "needs promtool, of Debian's package prometheus"
            )
        )
        func `prometheus takes the rules`() async throws {
            let promtool = try ChildProgram("/usr/bin/promtool", ["check", "rules", Self.folder + "/alerts.yml"])
            #expect(await promtool.exit() == 0)
        }
    }
}
