import JSON
import Postgres
import PricingTestSupport
import Testing

extension EndToEnd {
    /// A database on a server that is not ours: served when it is in step, refused with a sentence when not.
    @Suite
    struct ConfiguredDatabaseTests {
        private static func url(_ database: TestDatabase) -> String {
            database.settings.keywords.sorted { $0.key < $1.key }.map { "\($0.key)='\($0.value)'" }.joined(
                separator: " "
            )
        }

        private func pricingd(_ arguments: String...) throws -> ChildProgram {
            try ChildProgram(TestDaemon.program("pricingd"), arguments)
        }

        @Test func `it is migrated only when told`() async throws {
            let database = try await TestCluster.shared().database()
            let url = Self.url(database)

            let early = try pricingd("--stdio", "--database-url", url)
            #expect(await early.exit() == 78)
            #expect(await early.errorText().contains("pricingd migrate"))

            let dry = try pricingd("migrate", "--dry-run", "--database-url", url)
            #expect(await dry.line()?.hasPrefix("would apply 01_") == true)
            #expect(await dry.exit() == 0)
            let stillEarly = try pricingd("--stdio", "--database-url", url)
            #expect(await stillEarly.exit() == 78)

            let migration = try pricingd("migrate", "--database-url", url)
            #expect(await migration.exit() == 0)
            let again = try pricingd("migrate", "--database-url", url)
            #expect(await again.line() == "nothing to apply")

            let daemon = try pricingd("--stdio", "--database-url", url)
            try daemon.write(#"{"jsonrpc":"2.0","id":1,"method":"server.status"}"#)
            let status = try JSONParser.parse(Array(try #require(await daemon.line()).utf8))
            #expect(status["result"]?["database"]?["kind"] == "configured")
            #expect(status["result"]?["database"]?["name"] == .string(database.name))
            #expect(status["result"]?["sandbox"] == false)
            try daemon.closeInput()
            #expect(await daemon.exit() == 0)

            let sandbox = try pricingd("--stdio", "--sandbox", "--database-url", url)
            #expect(await sandbox.exit() == 78)
            #expect(await sandbox.errorText().contains("--sandbox"))
            try await database.drop()
        }

        @Test func `it is served beside the tables of others, until another version migrates it`() async throws {
            let database = try await TestCluster.shared().database()
            let url = Self.url(database)
            let theirs = try await PostgresConnection.open(database.settings, logger: TestCluster.silence)
            func run(_ sql: String) async throws {
                try await theirs.run { (session) throws(PostgresError) in try session.script(sql) }
            }
            try await run(
                """
                create table product (id integer, label text); create table category (id integer);
                insert into product values (1, 'theirs'); insert into category values (1)
                """
            )
            let migration = try pricingd("migrate", "--demo", "--database-url", url)
            #expect(await migration.exit() == 0)
            let daemon = try pricingd("--stdio", "--database-url", url)
            let calls = [
                #"{"jsonrpc":"2.0","id":1,"method":"order.place","params":"#
                    + #"{"customerId":3,"lines":[{"productId":1,"quantity":1}]}}"#,
                #"{"jsonrpc":"2.0","id":2,"method":"product.get","params":{"productId":1}}"#,
            ]
            for call in calls {
                try daemon.write(call)
                let reply = try JSONParser.parse(Array(try #require(await daemon.line()).utf8))
                #expect(reply["result"] != nil, "\(reply)")
            }
            let label = Statement.text("label", "select label from public.product")
            let found = try await theirs.run { (session) throws(PostgresError) in try session.one(label) }
            #expect(found == "theirs")
            // What the migrator of another version does last.
            try await run(
                "update pricing.schema_script set sha256 = 'another' where name = 'code'; notify pricing_schema"
            )
            #expect(await daemon.exit() == 78)
            #expect(await daemon.errorText().contains("another version of pricingd"))
            await theirs.close()
            try await database.drop()
        }

        /// A pooler may refuse what a startup packet carries beside user and database, as PgBouncer does with `options`.
        private static let pooler = """
            import os, socket, struct, sys, threading
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(sys.argv[1])
            listener.listen()
            print("listening")
            def pump(a, b):
                while data := a.recv(65536): b.sendall(data)
                b.close()
            def serve(peer):
                start = peer.recv(4096)
                if b"options\\0" in start:
                    text = b"SFATAL\\0C08P01\\0Munsupported startup parameter: options\\0\\0"
                    peer.sendall(b"E" + struct.pack("!i", len(text) + 4) + text)
                    return peer.close()
                server = socket.socket(socket.AF_UNIX)
                server.connect(sys.argv[2])
                server.sendall(start)
                threading.Thread(target=pump, args=(server, peer), daemon=True).start()
                pump(peer, server)
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
            """

        /// A pooler that listens in a folder for a database, and the URL that leads through it.
        private func start(
            _ pooler: String,
            in folder: TemporaryFolder,
            before database: TestDatabase
        ) async throws -> (ChildProgram, url: String) {
            let (host, port) = (try #require(database.settings.host), try #require(database.settings.port))
            let program = try ChildProgram(
                "/usr/bin/env",
                ["python3", "-u", "-c", pooler, folder.path + "/.s.PGSQL.6432", "\(host)/.s.PGSQL.\(port)"]
            )
            try folder.endWithFolder(program.pid)
            #expect(await program.line() == "listening")
            let keywords = database.settings.keywords.merging(["host": folder.path, "port": "6432"]) { _, last in last }
            return (
                program, keywords.sorted { $0.key < $1.key }.map { "\($0.key)='\($0.value)'" }.joined(separator: " ")
            )
        }

        @Test func `it is served through a pooler that takes no options`() async throws {
            let database = try await TestCluster.shared().database()
            let migration = try pricingd("migrate", "--database-url", Self.url(database))
            #expect(await migration.exit() == 0)
            let folder = try TemporaryFolder()
            let (_, url) = try await start(Self.pooler, in: folder, before: database)
            let daemon = try pricingd("--stdio", "--database-url", url)
            try daemon.write(#"{"jsonrpc":"2.0","id":1,"method":"product.list"}"#)
            let reply = try JSONParser.parse(Array(try #require(await daemon.line()).utf8))
            #expect(reply["result"]?["items"]?.array?.isEmpty == true, "\(reply)")
            try daemon.closeInput()
            #expect(await daemon.exit() == 0)
            // What the operator asks for in `options` counts, and a pooler that takes none says so at the start.
            let asking = try pricingd("--stdio", "--database-url", url + " options='-c work_mem=8MB'")
            #expect(await asking.exit() == 69)
            #expect(await asking.errorText().contains("unsupported startup parameter"))
            try await database.drop()
        }

        /// A pooler that lends its one connection to the server to whoever begins a transaction.
        private static let transactionPooler = """
            import socket, struct, sys, threading
            def message(peer):
                head = b""
                while len(head) < 5:
                    piece = peer.recv(5 - len(head))
                    if not piece: return None
                    head += piece
                body, size = b"", struct.unpack("!i", head[1:])[0] - 4
                while len(body) < size: body += peer.recv(size - len(body))
                return head + body
            def startup(peer):
                size = struct.unpack("!i", peer.recv(4))[0]
                return struct.pack("!i", size) + peer.recv(size - 4)
            def until_ready(peer):
                told = b""
                while True:
                    one = message(peer)
                    told += one
                    if one[:1] == b"Z": return told, one[5:6] == b"I"
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(sys.argv[1])
            listener.listen()
            print("listening", flush=True)
            lock, server, greeting = threading.Lock(), None, b""
            def serve(peer):
                global server, greeting
                first = startup(peer)
                with lock:
                    if server is None:
                        server = socket.socket(socket.AF_UNIX)
                        server.connect(sys.argv[2])
                        server.sendall(first)
                        greeting = until_ready(server)[0]
                peer.sendall(greeting)
                while (one := message(peer)) and one[:1] != b"X":
                    with lock:
                        idle = False
                        while not idle:
                            server.sendall(one)
                            if one[:1] in b"SQ":
                                told, idle = until_ready(server)
                                peer.sendall(told)
                            if not idle: one = message(peer)
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
            """

        @Test func `a pooler that lends a connection for a transaction is refused in words`() async throws {
            let database = try await TestCluster.shared().database()
            let migration = try pricingd("migrate", "--database-url", Self.url(database))
            #expect(await migration.exit() == 0)
            let folder = try TemporaryFolder()
            let (pooler, url) = try await start(Self.transactionPooler, in: folder, before: database)
            let daemon = try pricingd("--stdio", "--database-url", url)
            #expect(await daemon.exit() == 78)
            let said = await daemon.errorText()
            #expect(said.contains("for a transaction at a time"), "\(said)")
            pooler.signal(15)
            _ = await pooler.exit()
            try await database.drop()
        }

        @Test func `a wrong command line is its own exit code`() async throws {
            let both = try pricingd("--stdio", "--socket", "/tmp/x.sock")
            #expect(await both.exit() == 64)
            let unknown = try pricingd("--frobnicate")
            #expect(await unknown.exit() == 64)
        }
    }
}
