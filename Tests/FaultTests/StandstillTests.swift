import Foundation
import Glibc
import JSON
import JSONRPC
import Postgres
import PricingTestSupport
import Testing

extension Faults {
    /// What stands still for a while: the daemon, its server, its sessions, a row.
    @Suite
    struct StandstillTests {
        /// Every connection of the daemon is ended each 100 ms: no call fails.
        @Test func `terminated backends reach no client`() async throws {
            let trial = try await Trial.start(on: try await Faults.daemon.value)
            let admin = try await trial.daemon.database()
            let terminate = Statement.int(
                "test_terminate",
                """
                select count(pg_terminate_backend(pid)) from (select pg_sleep(0.1) offset 0) pause
                left join pg_stat_activity on application_name = 'pricingd'
                """
            )
            let ends = isLong ? 600 : 30
            let took = try await trial.run("terminated backends") { _ in
                var ended: Int64 = 0
                for _ in 0..<ends {
                    ended += try await admin.run { (session) throws(PostgresError) in try session.one(terminate) }
                }
                // A round on a busy machine may find none that is back.
                #expect(ended >= ends / 2)
            }
            #expect(trial.journal.refusals.isEmpty, "\(trial.journal.refusals.prefix(3))")
            // A time is asked of the long run only, which has the machine to itself.
            #expect(took[took.count * 99 / 100] < (isLong ? .milliseconds(500) : .seconds(4)))
            await admin.close()
        }

        /// What a frozen daemon finds when it goes on is carried out only while its caller still waits.
        @Test(arguments: ["order.place", "inventory.restock"])
        func `a frozen daemon does nothing past its deadline`(method: String) async throws {
            let daemon = try await Faults.daemon.value
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let admin = try await daemon.database()
            var params: JSONObject = ["productId": .integer(product), "quantity": 1]
            if method == "order.place" { params = shop.order(of: product) }
            let patient = params
            params["_meta"] = ["timeoutMs": 500]
            let lines = try daemon.lines()
            lines.send(request(0, "session.ping", [:]))
            _ = await lines.line()
            daemon.program.signal(SIGSTOP)
            lines.send(request(1, method, params), request(2, method, patient))
            async let late = shop.client.refusal(method, params)
            // The server keeps the time, since the daemon cannot.
            _ = try await admin.text("select pg_sleep(1.5)::text")
            daemon.program.signal(SIGCONT)
            let error = try await late
            #expect(error.reason == "DEADLINE_EXCEEDED")
            #expect(error.data["limit"] == "timeoutMs")
            #expect(error.data["outcome"] == "not_done")
            #expect(error.retryAfterMs != nil && error.retryable, "the standstill was not the caller's")
            #expect(try #require(error.data["elapsedMs"]?.integer) < 1500, "not from before its line was read")
            var replies: [Int64: JSONValue] = [:]
            for _ in 1...2 {
                let reply = try JSONParser.parse(Array(try #require(await lines.line()).utf8))
                replies[try #require(reply["id"]?.integer)] = reply
            }
            #expect(replies[1]?["error"]?["data"]?["reason"] == "DEADLINE_EXCEEDED")
            #expect(replies[2]?["result"] != nil, "its time is not over")
            #expect(try await shop.stock(product) == (method == "order.place" ? 49 : 51))
            await admin.close()
        }

        private func request(_ id: Int64, _ method: String, _ params: JSONObject) -> String {
            let message: JSONObject = [
                "jsonrpc": "2.0", "id": .integer(id), "method": .string(method), "params": .object(params),
            ]
            return String(decoding: message.serialized(), as: UTF8.self)
        }

        @Test func `a daemon that is frozen under load goes on where it was`() async throws {
            let trial = try await Trial.start(on: try await Faults.daemon.value)
            let admin = try await trial.daemon.database()
            var load = Trial.Load()
            load.timeoutMs = 500
            try await trial.run("frozen daemon", load) { random in
                for _ in 0..<rounds {
                    await trial.journal.advances(by: Int.random(in: 20...200, using: &random))
                    trial.daemon.program.signal(SIGSTOP)
                    _ = try await admin.text("select pg_sleep(\(isLong ? 10 : 1))::text")
                    trial.daemon.program.signal(SIGCONT)
                }
                await trial.journal.advances(by: 50)
            }
            await admin.close()
        }

        /// Deadlines are kept without the server's help, and what waits for it costs a bounded memory.
        @Test func `a server that is frozen delays nobody past a deadline`() async throws {
            let daemon = try await Faults.daemon.value
            let trial = try await Trial.start(on: daemon)
            let client = try await daemon.client()
            let server = try #require(daemon.postmaster)
            let before = try Memory.resident(of: daemon.program.pid)
            var load = Trial.Load()
            load.timeoutMs = 400
            try await trial.run("frozen server", load) { _ in
                for _ in 0..<rounds {
                    await trial.journal.advances(by: 50)
                    try await freeze(server, client, trial.products[0])
                }
                await trial.journal.advances(by: 50)
            }
            #expect(try Memory.resident(of: daemon.program.pid) - before < 64 << 20)
            await client.close()
        }

        /// Ten seconds in a release.
        private func freeze(_ server: Int32, _ client: TestClient, _ product: Int64) async throws {
            let frozen = Processes.family(of: server)
            #expect(frozen.count > 3)
            for pid in frozen { kill(pid, SIGSTOP) }
            defer { for pid in frozen.reversed() { kill(pid, SIGCONT) } }
            let end = ContinuousClock.now + .milliseconds(isLong ? 10_000 : 1600)
            repeat {
                let begin = ContinuousClock.now
                let params: JSONObject = ["productId": .integer(product), "_meta": ["timeoutMs": 400]]
                let refusal = try await client.refusal("product.get", params)
                #expect(["DEADLINE_EXCEEDED", "UNAVAILABLE"].contains(refusal.reason), "\(refusal)")
                #expect(begin.duration(to: .now) < .milliseconds(isLong ? 600 : 1500))
            } while .now < end
        }

        /// Its product's writes are refused after their wait; those of other products take no longer for it.
        @Test func `a row that another session holds stops no other product`() async throws {
            let daemon = try await Faults.daemon.value
            let trial = try await Trial.start(on: daemon)
            let wanted = try await trial.shop.product(["stock": 1000])
            let client = try await daemon.client()
            let took = try await trial.run("held row") { _ in
                let order = trial.shop.order(of: wanted)
                let restock: JSONObject = ["productId": .integer(wanted), "quantity": 1]
                for _ in 0..<rounds {
                    await trial.journal.advances(by: 50)
                    let held = try await HeldLock(row: wanted, in: daemon)
                    // Each waits a second and more.
                    for _ in 0..<(isLong ? 5 : 1) {
                        for (method, params) in [("order.place", order), ("inventory.restock", restock)] {
                            let refusal = try await client.refusal(method, params)
                            #expect(refusal.reason == "RESOURCE_EXHAUSTED" && refusal.data["which"] == "lockMs")
                        }
                    }
                    try await held.release()
                }
                await trial.journal.advances(by: 50)
            }
            #expect(trial.journal.refusals.isEmpty, "\(trial.journal.refusals.prefix(3))")
            #expect(took[took.count * 99 / 100] < .milliseconds(isLong ? 100 : 1000))
            #expect(try await trial.shop.stock(wanted) == 1000)
            await client.close()
        }
    }
}

/// What Linux says of processes.
enum Processes {
    /// A process and its children.
    static func family(of parent: Int32) -> [Int32] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        let children = all.compactMap { Int32($0) }.filter { pid in
            let facts = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
            // The name may hold anything but ends with the last bracket; state and parent follow.
            let rest = facts.split(separator: ")").last?.split(separator: " ") ?? []
            return rest.count > 1 && rest[1] == "\(parent)"
        }
        return [parent] + children
    }

    /// The processor time that a process has used, in hundredths of a second.
    static func ticks(of pid: Int32) throws -> Int {
        let facts = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        let rest = facts.split(separator: ")").last?.split(separator: " ") ?? []
        try #require(rest.count > 12)
        return try #require(Int(rest[11])) + #require(Int(rest[12]))
    }
}

/// How much memory a process has.
enum Memory {
    /// In bytes.
    static func resident(of pid: Int32) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let row = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return try #require(row?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) }) << 10
    }
}
