import Glibc
import JSON
import JSONRPC
import Postgres
import PricingTestSupport
import Testing

extension Faults {
    /// A daemon that reads its reports from a standby, and what becomes of them when that is late, gone or promoted.
    @Suite
    struct StandbyTests {
        /// A primary with its standby, a daemon on both, and a product of which 50 are in stock.
        private struct Place {
            let pair: ReplicatedPair
            let daemon: TestDaemon
            let shop: ShopClient
            let product: Int64
            /// The superuser, on each of the two servers.
            let primary: PostgresConnection
            let standby: PostgresConnection

            /// - Parameter database: which one of the standby reports are read from.
            init(mostAge: Int = 3600, database: String = "pricing") async throws {
                pair = try await ReplicatedPair()
                primary = try await pair.primary.connect()
                standby = try await pair.standby.connect()
                // A standby that is gone holds up no commit here.
                try await primary.obey("alter system set synchronous_standby_names = ''", "select pg_reload_conf()")
                let program = try TestDaemon.program("pricingd")
                let migration = try ChildProgram(program, ["migrate", "--database-url", pair.url])
                #expect(await migration.exit() == 0)
                let hosts = "host=\(pair.primary.folder)/run,\(pair.standby.folder)/run"
                daemon = try await TestDaemon.start(
                    isSandbox: false,
                    arguments: [
                        "--database-url", pair.url, "--reports-max-age", "\(mostAge)",
                        "--reports-url", "\(hosts) user=postgres dbname=\(database) target_session_attrs=any",
                    ]
                )
                shop = try await ShopClient.open(daemon)
                product = try await shop.product()
            }

            /// The product's stock as a report has it, and how old the report says that it is.
            func report(_ meta: JSONObject = [:]) async throws -> (stock: Int64?, ageMs: Int64?) {
                let params: JSONObject = ["name": "products", "limit": 10_000, "_meta": .object(meta)]
                let reply = try await shop.client.call("report.run", params)
                let columns = reply["columns"]?.array?.compactMap(\.string) ?? []
                let (id, stock) = (try #require(columns.firstIndex(of: "product_id")), columns.firstIndex(of: "stock"))
                let row = reply["rows"]?.array?.compactMap(\.array).first { $0[id].integer == product }
                return (stock.flatMap { row?[$0].integer }, reply["_meta"]?["standby"]?["ageMs"]?.integer)
            }

            /// The standby gets what the primary commits, and has it after a while.
            func untilReplicated() async throws {
                let end = try await primary.text("select pg_current_wal_insert_lsn()::text")
                let query = "select (pg_last_wal_replay_lsn() >= '\(end)')::text"
                while try await standby.text(query) != "true" { try Task.checkCancellation() }
            }

            /// From here on the standby shows the shop as it is now.
            func pauseReplay() async throws {
                try await untilReplicated()
                try await standby.obey("select pg_wal_replay_pause()")
                while try await standby.text("select pg_get_wal_replay_pause_state()") != "paused" {
                    try Task.checkCancellation()
                }
            }

            /// What `server.status` tells of reports.
            func status() async throws -> JSONValue {
                try #require(try await shop.client.call("server.status")["reports"])
            }

            func close() async {
                await primary.close()
                await standby.close()
                await shop.client.close()
                #expect(await daemon.stop() == 0)
            }
        }

        @Test func `a report is the standby's and says how old it is, a fresh one the primary's`() async throws {
            let place = try await Place()
            try await place.pauseReplay()
            try await place.shop.restock(place.product, 7)
            let first = try await place.report()
            #expect(first.stock == 50, "what the standby has")
            let age = try #require(first.ageMs)
            var later = first
            while later.ageMs == age { later = try await place.report() }
            #expect(try #require(later.ageMs) > age && later.stock == 50)

            let fresh = try await place.report(["fresh": true])
            #expect(fresh.stock == 57 && fresh.ageMs == nil)
            // Who wrote sees what they wrote; who says that old data will do, gets it.
            #expect(try await place.shop.stock(place.product) == 57)
            var moves: JSONObject = ["productId": .integer(place.product)]
            let own = try await place.shop.client.call("inventory.movements", moves)
            #expect(own["items"]?.array?.count == 2 && own["_meta"]?["standby"] == nil)
            moves["_meta"] = ["fresh": false]
            let old = try await place.shop.client.call("inventory.movements", moves)
            #expect(old["items"]?.array?.count == 1 && old["_meta"]?["standby"]?["ageMs"] != nil)

            let status = try await place.status()
            #expect(status["host"]?.string == place.pair.standby.folder + "/run")
            #expect(try status["reason"] == .null && #require(status["read"]?.integer) >= 3)
            let metrics = try PrometheusText(
                try #require(try await place.shop.client.call("server.metrics")["text"]?.string)
            )
            #expect(metrics.values["pricingd_standby_reads_total"] == status["read"]?.integer.map(Double.init))
            #expect(metrics.values[#"pricingd_standby_fallbacks_total{reason="away"}"#] == 0)

            try await place.standby.obey("select pg_wal_replay_resume()")
            try await place.untilReplicated()
            while try await place.report().ageMs != 0 { try Task.checkCancellation() }
            #expect(try await place.report().stock == 57, "all that was sent is there")
            await place.close()
        }

        @Test func `a standby that is too old or another database's is left aside`() async throws {
            let place = try await Place(mostAge: 1)
            try await place.pauseReplay()
            try await place.shop.restock(place.product, 7)
            var report = try await place.report()
            while report.ageMs != nil {
                #expect(report.stock == 50)
                report = try await place.report()
            }
            #expect(report.stock == 57)
            #expect(try await place.status()["reason"] == "old")
            await place.close()

            let stranger = try await Place(database: "postgres")
            try await stranger.untilReplicated()
            let own = try await stranger.report()
            #expect(own.stock == 50 && own.ageMs == nil)
            #expect(try await stranger.status()["primary"]?["foreign"] == 1)
            await stranger.close()
        }

        /// As `max_standby_streaming_delay` ends what the primary's vacuum contradicts.
        @Test func `what the standby ends for the sake of its replay the primary answers`() async throws {
            let place = try await Place()
            try await place.primary.obey(
                "alter function product_timeline(jsonb) rename to real_timeline",
                """
                create function pricing_code.product_timeline(p jsonb) returns json language plpgsql as $$ begin
                    if pg_is_in_recovery() then perform pg_sleep(600); end if;
                    return real_timeline(p);
                end $$
                """,
                "create table junk as select 1 as n"
            )
            try await place.standby.obey(
                "alter system set max_standby_streaming_delay = 0",
                "alter system set hot_standby_feedback = off",
                "select pg_reload_conf()"
            )
            try await place.untilReplicated()
            let params: JSONObject = [
                "productId": .integer(place.product), "_meta": ["fresh": false, "timeoutMs": 60_000],
            ]
            async let timeline = place.shop.client.call("product.timeline", params)
            let sleeping = "select count(*)::text from pg_stat_activity where wait_event = 'PgSleep'"
            while try await place.standby.text(sleeping) == "0" { try Task.checkCancellation() }
            try await place.primary.obey("delete from junk", "vacuum junk")
            let reply = try await timeline
            #expect(reply["items"]?.array?.isEmpty == false && reply["_meta"]?["standby"] == nil)
            let status = try await place.status()
            #expect(status["primary"]?["refused"] == 1)
            #expect(status["cause"]?.string?.contains("40001") == true)
            await place.close()
        }

        @Test func `without a standby that answers the primary does, and it is taken up again`() async throws {
            let place = try await Place()
            try await place.untilReplicated()
            #expect(try await place.report().ageMs != nil)
            let server = try #require(place.pair.standby.postmaster)
            let frozen = Processes.family(of: server)
            for pid in frozen { kill(pid, SIGSTOP) }
            let begin = ContinuousClock.now
            #expect(try await place.report().ageMs == nil)
            #expect(begin.duration(to: .now) < .seconds(4), "it waits a second for the standby")
            for pid in frozen.reversed() { kill(pid, SIGCONT) }
            while try await place.report().ageMs == nil { try Task.checkCancellation() }

            kill(server, SIGKILL)
            await place.standby.close()
            try await place.shop.restock(place.product, 7)
            // Its processes may outlive it for a moment.
            var report = try await place.report()
            while report.ageMs != nil { report = try await place.report() }
            #expect(report.stock == 57)
            #expect(try await place.status()["reason"] == "away")
            await place.close()
        }

        /// Whatever the promoted server holds from now on, it is not what the daemon writes.
        @Test func `a standby that was promoted is none`() async throws {
            let place = try await Place()
            try await place.untilReplicated()
            #expect(try await place.report().ageMs != nil)
            try await place.pair.promote()
            try await place.shop.restock(place.product, 7)
            let report = try await place.report()
            #expect(report.stock == 57 && report.ageMs == nil)
            await place.close()
        }
    }
}

extension PostgresConnection {
    /// Runs commands, each in a transaction of its own.
    fileprivate func obey(_ commands: String...) async throws {
        for command in commands {
            try await run { (session) throws(PostgresError) in try session.script(command) }
        }
    }
}
