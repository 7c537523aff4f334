import Foundation
import Glibc
import JSON
import JSONRPC
import Postgres
import PricingTestSupport
import Synchronization
import Testing

extension EndToEnd {
    /// Faults that a client must not notice, or must be told of plainly.
    @Suite
    struct FaultTests {
        private static let isLong = ProcessInfo.processInfo.environment["PRICINGD_LONG"] != nil

        /// Clients that order, look and restock until they are told to end: orders and deliveries come in pairs, so that
        /// the stock tells whether each was done once.
        private final class Load: Sendable {
            private let daemon: TestDaemon
            private let calls: [(method: String, params: JSONObject)]
            private let isOver = Atomic(false)

            init(daemon: TestDaemon, product: Int64, order: JSONObject) {
                self.daemon = daemon
                calls = [
                    ("order.place", order), ("product.get", ["productId": .integer(product)]),
                    ("inventory.restock", ["productId": .integer(product), "quantity": 1]),
                ]
            }

            func end() {
                isOver.store(true, ordering: .relaxed)
            }

            /// One client: how long each call took.
            func run() async throws -> [Duration] {
                let client = try await daemon.client()
                var took: [Duration] = []
                while !isOver.load(ordering: .relaxed) {
                    for call in calls {
                        let begin = ContinuousClock.now
                        _ = try await client.call(call.method, call.params)
                        took.append(begin.duration(to: .now))
                    }
                }
                return took
            }
        }

        /// Every connection of the daemon is ended each 100 ms, under load: no call fails, nothing is done twice.
        @Test func `terminated backends reach no client`() async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["stock": 100_000])
            let admin = try await daemon.database()
            let load = Load(daemon: daemon, product: product, order: shop.order(of: product))
            let rounds = Self.isLong ? 600 : 30
            var ended: Int64 = 0
            var took: [Duration] = []
            try await withThrowingTaskGroup(of: [Duration].self) { group in
                for _ in 0..<4 { group.addTask { try await load.run() } }
                let terminate = Statement.int(
                    "test_terminate",
                    """
                    select count(pg_terminate_backend(pid)) from (select pg_sleep(0.1) offset 0) pause
                    left join pg_stat_activity on application_name = 'pricingd'
                    """
                )
                for _ in 0..<rounds {
                    ended += try await admin.run { (session) throws(PostgresError) in try session.one(terminate) }
                }
                load.end()
                for try await some in group { took += some }
            }
            took.sort()
            let p99 = took[took.count * 99 / 100]
            print(
                "terminated backends: \(ended) ended, \(took.count) calls, p99 \(p99), longest \(took[took.count - 1])"
            )
            // A round on a busy machine may find none that is back.
            #expect(ended >= rounds / 2)
            // A time is asked of the long run only, which has the machine to itself.
            #expect(p99 < (Self.isLong ? .milliseconds(500) : .seconds(4)))
            #expect(try await shop.stock(product) == 100_000)
            let movements = try await shop.all("inventory.movements", ["productId": .integer(product)])
            #expect(movements.count == 1 + took.count / 3 * 2, "each once")
            try await Invariants.expect(daemon)
            await admin.close()
        }

        /// What a frozen daemon finds when it goes on is carried out only while its caller still waits.
        @Test(arguments: ["order.place", "inventory.restock"])
        func `a frozen daemon does nothing past its deadline`(method: String) async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let admin = try await daemon.database()
            var params: JSONObject = ["productId": .integer(product), "quantity": 1]
            if method == "order.place" { params = shop.order(of: product) }
            let patient = params
            params["_meta"] = ["timeoutMs": 500]
            daemon.program.signal(SIGSTOP)
            let lines = try daemon.lines()
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

        /// Without PostgreSQL's server programs there is no private cluster, and the daemon says what to do.
        @Test(.enabled(if: getuid() == 0, "needs root to hide the programs from one process"))
        func `missing server programs are told`() async throws {
            let folder = try TemporaryFolder()
            let hidden = "mount -t tmpfs none /usr/lib/postgresql && exec \"$@\""
            let daemon = try ChildProgram(
                "/usr/bin/unshare",
                [
                    "--mount", "/bin/sh", "-c", hidden, "sh", TestDaemon.program("pricingd"), "--stdio",
                    "--data-dir", folder.path + "/data",
                ]
            )
            #expect(await daemon.exit() == 78)
            let text = await daemon.errorText()
            #expect(text.contains("PostgreSQL's server programs are not installed"))
            #expect(text.contains("apt-get install postgresql"))
            #expect(await daemon.line() == nil)
        }
    }
}
