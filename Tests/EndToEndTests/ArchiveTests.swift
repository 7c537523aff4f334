import Foundation
import Glibc
import JSON
import Postgres
import PricingTestSupport
import Testing

extension EndToEnd {
    /// `--archive-dir`, and back to any moment from what it kept.
    @Suite
    struct ArchiveTests {
        private func pricingd(_ arguments: [String]) async throws -> (status: Int32, said: String) {
            let program = try ChildProgram(TestDaemon.program("pricingd"), arguments)
            var lines: [String] = []
            while let line = await program.line() { lines.append(line) }
            return (await program.exit(), (lines + [await program.errorText()]).joined(separator: "\n"))
        }

        /// The stock of a product in a data folder, as a daemon on it says.
        private func stock(of product: Int64, in data: String, _ folder: TemporaryFolder) async throws -> JSONValue? {
            let socket = folder.path + "/r.sock"
            let daemon = try ChildProgram(TestDaemon.program("pricingd"), ["--socket", socket, "--data-dir", data])
            try folder.endWithFolder(daemon.pid)
            _ = try #require(await daemon.line())
            let client = try await TestClient(socket: socket)
            let found = try await client.call("product.get", ["productId": .integer(product)])["stock"]
            await client.close()
            daemon.signal(SIGTERM)
            #expect(await daemon.exit() == 0)
            return found
        }

        /// Waits until all that was written so far is in the archive.
        private func archived(_ database: PostgresConnection) async throws {
            let file = try await database.text("select pg_walfile_name(pg_switch_wal())")
            let done = "select coalesce(max(last_archived_wal) >= '\(file)', false)::text from pg_stat_archiver"
            while try await database.text(done) != "true" { await Task.yield() }
        }

        private let now = """
            select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
            """

        @Test func `a shop goes back to the moment before a mistake, and to no moment that is not kept`() async throws {
            let folder = try TemporaryFolder()
            // The server does not run as root, so it must get past this folder.
            unsafe chmod(folder.path, 0o711)
            let archive = folder.path + "/archive"
            let daemon = try await TestDaemon.start(isSandbox: false, arguments: ["--archive-dir", archive])
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["stock": 50])
            try await shop.buy(product, 2)
            var database = try await daemon.database()
            // The copy is of the second before.
            _ = try await database.text("select pg_sleep(2)::text")
            let moment = try await database.text(now)
            try await shop.buy(product, 20)
            await database.close()
            await daemon.kill9()
            try await daemon.restart()
            database = try await daemon.database()
            try await archived(database)

            func restore(_ name: String, _ more: String...) async throws -> (status: Int32, said: String) {
                try await pricingd(
                    ["restore", "--data-dir", "\(folder.path)/\(name)", "--archive-dir", archive] + more
                )
            }
            let before = try await restore("before", "--to", moment)
            #expect(before.status == 0 && before.said.contains("no differences"), "\(before)")
            #expect(try await stock(of: product, in: folder.path + "/before", folder) == 48)
            let whole = try await restore("whole")
            #expect(whole.status == 0 && whole.said.contains("no differences"), "\(whole)")
            #expect(try await stock(of: product, in: folder.path + "/whole", folder) == 28)

            let occupied = try await restore("whole")
            #expect(occupied.status == 78 && occupied.said.contains("has a shop"), "\(occupied)")
            let early = try await restore("early", "--to", "2020-01-01T00:00:00Z")
            #expect(early.status == 69 && early.said.contains("goes back so far"), "\(early)")
            let late = try await restore("late", "--to", "2099-01-01T00:00:00Z")
            #expect(late.status == 69 && late.said.contains("does not reach that moment"), "\(late)")
            let odd = try await restore("odd", "--to", "yesterday")
            #expect(odd.status == 64 && odd.said.contains("is no moment"), "\(odd)")

            // One that was put back is a shop like others, and goes on in the same archive; another one may not.
            let copied = try await pricingd(["backup", "--data-dir", daemon.dataDirectory, "--archive-dir", archive])
            #expect(copied.status == 0, "\(copied)")
            let bases = try FileManager.default.contentsOfDirectory(atPath: archive + "/base")
            #expect(bases.count == 2 && bases.allSatisfy { $0.hasSuffix("Z.tar") }, "\(bases)")
            let other = try await pricingd([
                "serve", "--stdio", "--data-dir", "\(folder.path)/b", "--archive-dir", archive,
            ])
            #expect(other.status == 78 && other.said.contains("another cluster"), "\(other)")
            await database.close()
            #expect(await daemon.stop() == 0)
        }
    }
}
