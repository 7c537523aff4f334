import Foundation
import Glibc
import JSON
import PricingTestSupport
import RPCTransport
import Testing

extension EndToEnd {
    /// `pricingd backup` and `pricingd restore`, and what else may be done beside a running daemon.
    @Suite
    struct BackupTests {
        private struct Outcome {
            let status: Int32
            let lines: [String]
            let errors: String
        }

        private func pricingd(_ arguments: String...) async throws -> Outcome {
            let program = try ChildProgram(TestDaemon.program("pricingd"), arguments)
            var lines: [String] = []
            while let line = await program.line() { lines.append(line) }
            return Outcome(status: await program.exit(), lines: lines, errors: await program.errorText())
        }

        private func serve(_ data: String, in folder: TemporaryFolder) async throws -> (ChildProgram, TestClient) {
            let socket = folder.path + "/r.sock"
            let daemon = try ChildProgram(TestDaemon.program("pricingd"), ["--socket", socket, "--data-dir", data])
            try folder.endWithFolder(daemon.pid)
            _ = try #require(await daemon.line())
            return (daemon, try await TestClient(socket: socket))
        }

        @Test func `a shop that trades is backed up, and comes back in an empty folder`() async throws {
            let daemon = try await TestDaemon.start(isSandbox: false, hasDemo: true)
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["title": "Kept", "stock": 50])
            try await shop.buy(product, 2)
            let folder = try TemporaryFolder()
            let (file, data) = (folder.path + "/shop.dump", folder.path + "/data")
            let backup = try await pricingd("backup", "--data-dir", daemon.dataDirectory, file)
            #expect(backup.status == 0 && backup.errors.isEmpty && backup.lines.isEmpty, "\(backup)")
            var facts = stat()
            #expect(unsafe stat(file, &facts) == 0)
            #expect(facts.st_mode & 0o777 == 0o600)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["shop.dump"])
            try await shop.buy(product, 1)

            let restored = try await pricingd("restore", "--data-dir", data, file)
            #expect(restored.status == 0 && restored.errors.isEmpty, "\(restored)")
            #expect(restored.lines.last == "no differences")
            let audited = try #require(restored.lines.first)
            #expect(audited.hasPrefix("audited: ") && audited.contains(/[1-9]\d* products/), "\(audited)")
            #expect(audited.contains(/[1-9]\d* orders/), "\(audited)")
            #expect(unsafe access(data + "/cluster/postmaster.pid", F_OK) != 0, "its server has stopped")
            let (program, again) = try await serve(data, in: folder)
            let id: JSONObject = ["productId": .integer(product)]
            #expect(try await again.call("product.get", id)["stock"] == 48)
            _ = try await again.call("inventory.restock", ["productId": .integer(product), "quantity": 1])
            #expect(try await again.call("audit.verify")["differences"]?.array?.isEmpty == true)
            await again.close()
            program.signal(SIGTERM)
            #expect(await program.exit() == 0)

            // The cluster sleeps now: its shop is not lost by mistake, and can be backed up all the same.
            let refused = try await pricingd("restore", "--data-dir", data, file)
            #expect(refused.status == 78 && refused.errors.contains("--replace"), "\(refused)")
            let sleeping = try await pricingd("backup", "--data-dir", data, file)
            #expect(sleeping.status == 0, "\(sleeping)")
            let replaced = try await pricingd("restore", "--data-dir", data, "--replace", file)
            #expect(replaced.status == 0, "\(replaced)")
            #expect(await daemon.stop() == 0)
        }

        @Test func `a shop is replaced under its daemon, and its subscribers are told`() async throws {
            let daemon = try await TestDaemon.start(isSandbox: false)
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["stock": 50])
            let folder = try TemporaryFolder()
            let file = folder.path + "/shop.dump"
            #expect(try await pricingd("backup", "--data-dir", daemon.dataDirectory, file).status == 0)
            try await shop.buy(product, 20)
            let follower = try await daemon.client()
            _ = try await follower.call("events.subscribe", ["topics": ["stock"]])
            let restored = try await pricingd("restore", "--data-dir", daemon.dataDirectory, "--replace", file)
            #expect(restored.status == 0 && restored.lines.last == "no differences", "\(restored)")
            #expect(try await shop.stock(product) == 50)
            _ = try await shop.client.call("inventory.restock", ["productId": .integer(product), "quantity": 5])
            var news = follower.notifications.makeAsyncIterator()
            let gap = try #require(await news.next())
            #expect(gap.method == "events.gap" && gap.params["reason"] == "RESTORED")
            // What had no number yet when the backup was made comes first.
            var stock: JSONValue?
            while stock != 55 { stock = try #require(await news.next()).params["after"]?["stock"] }
            await follower.close()
            #expect(await daemon.stop() == 0)
        }

        @Test func `what is no backup, or of a later version, is refused before anything is touched`() async throws {
            let daemon = try await TestDaemon.start(isSandbox: false)
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["stock": 50])
            let folder = try TemporaryFolder()
            let file = folder.path + "/shop.dump"
            let data = daemon.dataDirectory
            let nothing = try await pricingd("backup", "--data-dir", folder.path + "/none", file)
            #expect(nothing.status == 78 && nothing.errors.contains("there is no shop"), "\(nothing)")
            let psql = try await daemon.psql(as: "postgres")
            try await psql.run("insert into pricing.schema_script values ('99_later.sql', 'once', '')")
            #expect(try await pricingd("backup", "--data-dir", data, file).status == 0)
            try await psql.run("delete from pricing.schema_script where name = '99_later.sql'")
            let later = try await pricingd("restore", "--data-dir", data, "--replace", file)
            #expect(later.status == 78 && later.errors.contains("99_later.sql"), "\(later)")
            try "no backup".write(toFile: file, atomically: true, encoding: .utf8)
            let garbage = try await pricingd("restore", "--data-dir", data, "--replace", file)
            #expect(garbage.status == 78 && garbage.errors.contains("no backup of a shop"), "\(garbage)")
            let missing = try await pricingd("restore", "--data-dir", data, "--replace", folder.path + "/none")
            #expect(missing.status == 78 && missing.errors.contains("cannot read"), "\(missing)")
            let foreign = try await pricingd("backup", "--database-url", "postgresql://h/d", file)
            #expect(foreign.status == 64 && foreign.errors.contains("pg_dump"), "\(foreign)")
            #expect(try await shop.stock(product) == 50)
            #expect(await daemon.stop() == 0)
        }

        @Test func `a migration is tried beside the daemon that serves`() async throws {
            let daemon = try await TestDaemon.start(isSandbox: false)
            let client = try await daemon.client()
            let dry = try await pricingd("migrate", "--dry-run", "--data-dir", daemon.dataDirectory)
            #expect(dry.status == 0 && dry.lines == ["nothing to apply"], "\(dry)")
            let demo = try await pricingd("migrate", "--dry-run", "--demo", "--data-dir", daemon.dataDirectory)
            #expect(demo.lines == ["would apply 02_insert_dummy_data.sql"], "\(demo)")
            let real = try await pricingd("migrate", "--data-dir", daemon.dataDirectory)
            #expect(real.status == 73 && real.errors.contains("(pid \(daemon.program.pid))"), "\(real)")
            _ = try await client.call("session.ping")
            await client.close()
            #expect(await daemon.stop() == 0)
        }
    }
}
