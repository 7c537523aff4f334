import Glibc
import JSON
import JSONRPC
import Postgres
import PricingProtocol
import PricingTestSupport
import Testing

extension Faults {
    /// A daemon that is told two hosts, of which one is the primary.
    @Suite
    struct FailoverTests {
        /// A daemon on both servers of a pair.
        private func daemon(on pair: ReplicatedPair) async throws -> TestDaemon {
            let migration = try ChildProgram(TestDaemon.program("pricingd"), ["migrate", "--database-url", pair.url])
            #expect(await migration.exit() == 0)
            return try await TestDaemon.start(isSandbox: false, arguments: ["--database-url", pair.url])
        }

        /// The primary dies under load and the standby takes its place.
        @Test func `a lost primary loses no acknowledged order`() async throws {
            for _ in 0..<commitRounds { try await losePrimary() }
        }

        private func losePrimary() async throws {
            let pair = try await ReplicatedPair()
            let daemon = try await daemon(on: pair)
            let trial = try await Trial.start(on: daemon)
            let killed = try #require(pair.primary.postmaster)
            try await trial.run("lost primary") { _ in
                await trial.journal.advances(by: 100)
                kill(killed, SIGKILL)
                try await expectQuickRefusals(daemon, trial.shop, trial.products[0])
                try await pair.promote()
                let gap = await ContinuousClock().measure { await trial.journal.advances(by: 1) }
                print("failover: serving \(gap) after the promotion")
                #expect(gap < .seconds(3))
                await trial.journal.advances(by: 100)
            }
            #expect(try await daemon.host() == pair.standby.folder + "/run")
            #expect(await daemon.stop() == 0)
        }

        /// While no primary is known, reads and writes are refused at once, as not done and worth another try.
        private func expectQuickRefusals(_ daemon: TestDaemon, _ shop: ShopClient, _ product: Int64) async throws {
            let client = try await daemon.client()
            let calls: [(String, JSONObject)] = [
                ("order.place", shop.order(of: product)), ("product.get", ["productId": .integer(product)]),
                ("inventory.restock", ["productId": .integer(product), "quantity": 1]),
            ]
            while (try? await client.call("product.get", ["productId": .integer(product)])) != nil {}
            var took: [Duration] = []
            for number in 0..<150 {
                let (method, params) = calls[number % calls.count]
                let begin = ContinuousClock.now
                let refusal = try await client.refusal(method, params)
                took.append(begin.duration(to: .now))
                #expect(refusal.reason == "UNAVAILABLE")
                #expect(refusal.data["outcome"] == "not_done")
                #expect(refusal.retryable)
                #expect(refusal.retryAfterMs != nil)
                let cause = try #require(refusal.data["cause"]?.string)
                #expect(!cause.isEmpty && cause.last?.isNewline == false, "staff is told why")
            }
            took.sort()
            print("failover: UNAVAILABLE within \(took[75]) (median), \(took[148]) (p99)")
            #expect(took[75] < .milliseconds(10))
            await client.close()
        }

        /// A commit that was told to wait for its standby no longer is neither done nor not done, and it gets no
        /// reply before the standby has it.
        @Test func `a commit cancelled before its standby had it is unknown`() async throws {
            let pair = try await ReplicatedPair()
            let daemon = try await daemon(on: pair)
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let look = try await pair.primary.connect()
            let receiver = try await pair.standby.connect()
            let pid = try #require(Int32(try await receiver.text("select pid::text from pg_stat_wal_receiver")))
            kill(pid, SIGSTOP)
            defer { kill(pid, SIGCONT) }
            let restock: JSONObject = [
                "productId": .integer(product), "quantity": 5,
                "_meta": ["idempotencyKey": "cancelled", "timeoutMs": 60_000],
            ]
            let first = Task { try await shop.client.call("inventory.restock", restock) }
            _ = try await standbyWait(look)
            first.cancel()
            let error = await #expect(throws: RPCError.self) { try await first.value }
            #expect(error?.reason == "UNAVAILABLE")
            #expect(error?.data["outcome"] == "unknown")
            #expect(error?.retryable == true, "with the same key")

            // Another client's cancel is no success either: the daemon asks again by itself.
            let second = Task { try await shop.client.call("inventory.restock", restock) }
            let waiting = try await standbyWait(look)
            _ = try await look.text("select pg_cancel_backend(\(waiting))::text")
            _ = try await standbyWait(look, besides: waiting)
            kill(pid, SIGCONT)
            let reply = try await second.value
            #expect(reply["_meta"]?["replayed"] == true)
            #expect(try await shop.stock(product) == 55, "once")
            await receiver.close()
            await look.close()
            #expect(await daemon.stop() == 0)
        }

        /// Asks until another commit of a call waits for the standby: its process.
        private func standbyWait(_ look: PostgresConnection, besides former: String = "0") async throws -> String {
            // Calls with a time of their own are transactions; the daemon's own work is not.
            let waiting = """
                select coalesce(min(pid), 0)::text from pg_stat_activity
                where wait_event = 'SyncRep' and query = 'commit' and application_name = 'pricingd' and pid <> \(former)
                """
            while true {
                let pid = try await look.text(waiting)
                if pid != "0" { return pid }
                try Task.checkCancellation()
            }
        }

        /// A server that turns read-only under the daemon is no primary: nothing is done until one is there.
        @Test func `a primary that turns read only is lost`() async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let restock: JSONObject = ["productId": .integer(product), "quantity": 1, "_meta": ["timeoutMs": 500]]
            let admin = try await daemon.database()
            func makeReadOnly(_ state: String) async throws {
                try await admin.run { (session) throws(PostgresError) in
                    try session.script("set default_transaction_read_only = off")
                    try session.script("alter system set default_transaction_read_only = \(state)")
                    try session.script("select pg_reload_conf()")
                }
            }
            try await makeReadOnly("on")
            var done: Int64 = 0
            var refusal: RPCError?
            // A session that has not noticed yet may still write.
            while refusal == nil {
                do {
                    _ = try await shop.client.call("inventory.restock", restock)
                    done += 1
                } catch let error as RPCError {
                    refusal = error
                }
            }
            #expect(refusal?.reason == "UNAVAILABLE")
            #expect(refusal?.data["outcome"] == "not_done")
            #expect(refusal?.retryable == true)
            try await makeReadOnly("off")
            while (try? await shop.client.call("inventory.restock", restock)) == nil { try Task.checkCancellation() }
            #expect(try await shop.stock(product) == 51 + done)
            await admin.close()
        }
    }
}

extension TestDaemon {
    /// The host that its database is on now.
    fileprivate func host() async throws -> String? {
        let client = try await client()
        let status = try await client.call("server.status")
        await client.close()
        return status["database"]?["host"]?.string
    }
}
