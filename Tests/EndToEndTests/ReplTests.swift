import Testing

/// The shell on a real terminal, against a small server.
@Suite(.serialized) struct ReplTests {
    private func withServer(_ body: (ReplServer, String) throws -> Void) throws {
        let server = try #require(ReplServer())
        defer { server.close() }
        try body(server, String(server.path.dropLast("/s.sock".count)))
    }

    @Test func `a conversation`() throws {
        try withServer { server, home in
            let repl = try #require(ReplProcess(["--socket", server.path], home: home))
            #expect(repl.expect("pricing> "))
            repl.type("product.get productId=1\r")
            #expect(repl.expect("title     | Lamp"))
            #expect(repl.expect("pricing> "))
            repl.type("product.get productId=2\r")
            #expect(repl.expect("error 101 PRODUCT_NOT_FOUND: There is no such product."))
            #expect(repl.expect("pricing> "))
            repl.type("\u{4}")
            #expect(repl.end() == 0)
        }
    }

    @Test func `tab completes methods and live values`() throws {
        try withServer { server, home in
            let repl = try #require(ReplProcess(["--socket", server.path], home: home))
            #expect(repl.expect("pricing> "))
            repl.type("product.g\tp\t\t")
            #expect(repl.expect("productId=1 "))
            repl.type("\r")
            #expect(repl.expect("title     | Lamp"))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }
    }

    @Test func `control c cancels a call and drops a line`() throws {
        try withServer { server, home in
            let repl = try #require(ReplProcess(["--socket", server.path], home: home))
            #expect(repl.expect("pricing> "))
            repl.type("half a line\u{3}")
            #expect(repl.expect("^C"))
            #expect(repl.expect("pricing> "))
            repl.type("slow.call\r")
            server.awaitSlowCall()
            repl.type("\u{3}")
            #expect(repl.expect("error -32001 CANCELLED"))
            #expect(repl.expect("pricing> "))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }
    }

    @Test func `events come above the prompt`() throws {
        try withServer { server, home in
            let repl = try #require(ReplProcess(["--socket", server.path], home: home))
            #expect(repl.expect("pricing> "))
            repl.type("events.subscribe\r")
            #expect(repl.expect("7  price 5.00 → 6.00 ▲20%"))
            #expect(repl.expect("pricing> "))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }
    }

    @Test func `what was typed before is suggested behind the cursor and taken by right`() throws {
        try withServer { server, home in
            let repl = try #require(ReplProcess(["--socket", server.path], home: home))
            #expect(repl.expect("pricing> "))
            repl.type("product.get productId=1\r")
            #expect(repl.expect("title     | Lamp"))
            #expect(repl.expect("pricing> "))
            repl.type("prod")
            #expect(repl.expect("\u{1B}[2muct.get productId=1\u{1B}[0m"))
            repl.type("\u{1B}[C\r")
            #expect(repl.expect("title     | Lamp"))
            #expect(repl.expect("pricing> "))
            repl.type("prod\u{1B}[D\u{1B}[C\u{1B}[F\r")
            #expect(repl.expect("title     | Lamp"))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
            let plain = try #require(ReplProcess(["--socket", server.path], home: home, environment: ["NO_COLOR=1"]))
            #expect(plain.expect("pricing> "))
            plain.type("prod\u{1B}[C")
            #expect(plain.expect("prod"))
            plain.type("\u{3}\\q\r")
            #expect(plain.end() == 0)
            #expect(!plain.seen.contains("uct.get"))
        }
    }

    @Test func `a paste waits for enter`() throws {
        try withServer { server, home in
            let repl = try #require(ReplProcess(["--socket", server.path], home: home))
            #expect(repl.expect("pricing> "))
            repl.type("\u{1B}[200~product.get productId=1\rproduct.get productId=2\r\u{1B}[201~")
            #expect(repl.expect("productId=2"))
            #expect(!repl.seen.contains("Lamp"))
            repl.type("\r")
            #expect(repl.expect("title     | Lamp"))
            #expect(repl.expect("error 101"))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }
    }

    @Test(arguments: [
        (["-c", "product.get productId=1"], 0), (["-c", "product.get productId=2"], 1), (["--bogus"], 3),
        (["-c", "product.get"], 1), (["-c", "product.get 1"], 3), (["--format", "nope"], 3), (["--help"], 0),
    ])
    func `exit statuses`(_ arguments: [String], _ status: Int) throws {
        try withServer { server, home in
            let repl = try #require(ReplProcess(["--socket", server.path] + arguments, home: home))
            #expect(repl.end() == Int32(status))
        }
    }

    @Test func `without a server at the socket the exit code is two`() throws {
        let repl = try #require(ReplProcess(["--socket", "/nowhere/s.sock", "-c", "server.status"], home: "/nowhere"))
        #expect(repl.expect("error: no connection: no daemon answers at /nowhere/s.sock"))
        #expect(repl.end() == 2)
    }
}
