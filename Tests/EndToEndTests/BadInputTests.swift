import JSON
import JSONRPC
import PricingTestSupport
import Testing

extension EndToEnd {
    /// Input that no client should send, to the real daemon: a typed error, no effect on other clients, and nothing is lost.
    @Suite
    struct BadInputTests {
        @Test func `every violation is named`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let bad: JSONObject = [
                "title": 3, "basePrice": .decimal("4.5"), "categoryId": "1", "colour": "green", "stock": -1,
            ]
            let refusal = try await shop.client.refusal("product.create", bad)
            #expect(refusal.code == -32602)
            #expect(refusal.reason == "INVALID_PARAMS")
            let paths = (refusal.data["violations"]?.array ?? []).compactMap { $0["path"]?.string }
            #expect(Set(paths) == ["/title", "/basePrice", "/categoryId", "/colour", "/stock"])
        }

        @Test(
            arguments: [
                #"{"customerId":"1","lines":[{"productId":1,"quantity":1}]}"#,
                #"{"customerId":1,"lines":{}}"#,
                #"{"customerId":1,"lines":[]}"#,
                #"{"customerId":1,"lines":[{"productId":1,"quantity":0}]}"#,
                #"{"customerId":1,"lines":[{"productId":1,"quantity":-1}]}"#,
                #"{"customerId":1,"lines":[{"productId":1,"quantity":1.5}]}"#,
                #"{"customerId":1,"lines":[{"productId":1,"quantity":1e0}]}"#,
                #"{"customerId":1,"lines":[{"productId":1,"quantity":18446744073709551617}]}"#,
                #"{"customerId":1,"lines":[{"productId":1,"quantity":1,"maxUnitPrice":5}]}"#,
                #"{"customerId":1,"lines":[{"productId":1,"quantity":1,"discount":"all"}]}"#,
                #"{"customerId":1,"lines":[{"productId":1,"quantity":1}],"shippingAddress":"a\u0000b"}"#,
                #"{"customerId":null,"lines":[{"productId":1,"quantity":1}]}"#,
                #"{"lines":[{"productId":1,"quantity":1}]}"#,
            ]
        )
        func `wrong parameters are refused`(params: String) async throws {
            let reply = try await exchange(#"{"jsonrpc":"2.0","id":1,"method":"order.place","params":\#(params)}"#)
            #expect(reply["id"] == 1)
            #expect(reply["error"]?["code"] == -32602)
            #expect(reply["error"]?["data"]?["reason"] == "INVALID_PARAMS")
            #expect(reply["error"]?["data"]?["retryable"] == false)
            #expect(reply["error"]?["data"]?["violations"]?.array?.isEmpty == false)
        }

        @Test(
            arguments: [
                (#"{"jsonrpc":"2.0","id":1,"method":"session.ping""#, -32700, "PARSE_ERROR"),
                ("garbage", -32700, "PARSE_ERROR"),
                (#"{"jsonrpc":"2.0","id":1,"method":"session.ping",}"#, -32700, "PARSE_ERROR"),
                (#"{"jsonrpc":"2.0","id":1,"id":2,"method":"session.ping"}"#, -32600, "INVALID_REQUEST"),
                (#"{"jsonrpc":"1.0","id":1,"method":"session.ping"}"#, -32600, "INVALID_REQUEST"),
                (#"{"jsonrpc":"2.0","id":null,"method":"session.ping"}"#, -32600, "INVALID_REQUEST"),
                (#"{"jsonrpc":"2.0","id":1.5,"method":"session.ping"}"#, -32600, "INVALID_REQUEST"),
                (#"{"jsonrpc":"2.0","id":1,"method":"session.ping","params":[1]}"#, -32602, "POSITIONAL_NOT_SUPPORTED"),
                (#"{"jsonrpc":"2.0","id":1,"method":"session.ping","params":3}"#, -32600, "INVALID_REQUEST"),
                (#"{"jsonrpc":"2.0","id":1,"method":"session.ping","params":{"x":1}}"#, -32602, "INVALID_PARAMS"),
                (#"{"jsonrpc":"2.0","id":1,"method":"session.pong"}"#, -32601, "METHOD_NOT_FOUND"),
                ("[]", -32600, "INVALID_REQUEST"),
                (#"{"jsonrpc":"2.0","id":1,"method":"session.ping","params":{"x":"\ud800"}}"#, -32700, "PARSE_ERROR"),
                (String(repeating: "[", count: 100_000), -32003, "MESSAGE_TOO_LARGE"),
            ]
        )
        func `a broken line costs one error`(line: String, code: Int, reason: String) async throws {
            let reply = try await exchange(line)
            #expect(reply["error"]?["code"] == .integer(Int64(code)))
            #expect(reply["error"]?["data"]?["reason"] == .string(reason))
        }

        @Test func `invalid UTF8 is a parse error`() async throws {
            let peer = try await TestDaemon.shared().lines()
            peer.send(
                bytes: Array(#"{"jsonrpc":"2.0","id":1,"method":"session."#.utf8) + [0xC3, 0x28] + Array("\"}\n".utf8)
            )
            #expect(try await object(peer)["error"]?["code"] == -32700)
            try await expectAlive(peer)
        }

        @Test func `an unknown method suggests the nearest`() async throws {
            let client = try await TestDaemon.shared().client()
            let refusal = try await client.refusal("order.plaec")
            #expect(refusal.code == -32601)
            #expect(refusal.data["didYouMean"]?.array?.first == "order.place")
        }

        @Test func `an oversize line is refused and the next one served`() async throws {
            let peer = try await TestDaemon.shared().lines()
            peer.send(bytes: [UInt8](repeating: UInt8(ascii: "x"), count: 3 << 20) + [UInt8(ascii: "\n")])
            let reply = try await object(peer)
            #expect(reply["error"]?["code"] == -32003)
            #expect(reply["error"]?["data"]?["limit"] == "requestLineBytes")
            #expect(reply["error"]?["data"]?["value"] == 1_048_576)
            try await expectAlive(peer)
        }

        @Test func `batches are answered in one array`() async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["stock": 1])
            let order = String(decoding: shop.order(of: product).serialized(), as: UTF8.self)
            let peer = try daemon.lines()
            peer.send(
                """
                [{"jsonrpc":"2.0","id":1,"method":"session.ping"},{"jsonrpc":"2.0","method":"session.ping"},\
                {"jsonrpc":"2.0","id":2,"method":"order.place","params":\(order)},\
                {"jsonrpc":"2.0","id":3,"method":"order.place","params":\(order)},{"id":4}]
                """
            )
            let line = try #require(await peer.line())
            let replies = try #require(try JSONParser.parse(Array(line.utf8)).array)
            #expect(replies.count == 4)
            let codes = replies.compactMap { $0["error"]?["code"]?.integer }.sorted()
            #expect(codes == [-32600, 201], "one invalid, one of the two orders came late: not atomic")
            #expect(try await shop.stock(product) == 0)
            let ping = #"{"jsonrpc":"2.0","id":1,"method":"session.ping"}"#
            peer.send("[" + Array(repeating: ping, count: 101).joined(separator: ",") + "]")
            #expect(try await object(peer)["error"]?["code"] == -32003)
        }

        @Test func `an id in flight is refused`() async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let held = try await HeldLock(row: product, in: daemon)
            let peer = try daemon.lines()
            let params = #"{"productId":\#(product),"quantity":1}"#
            peer.send(#"{"jsonrpc":"2.0","id":"a","method":"inventory.restock","params":\#(params)}"#)
            peer.send(#"{"jsonrpc":"2.0","id":"a","method":"session.ping"}"#)
            let refusal = try await object(peer)
            #expect(refusal["id"]?.isNull == true)
            #expect(refusal["error"]?["data"]?["reason"] == "DUPLICATE_ID")
            #expect(refusal["error"]?["data"]?["duplicateOf"] == "a")
            try await held.release()
            #expect(try await object(peer)["result"]?["stock"] == 51)
        }

        @Test func `a peer that vanishes does not affect the others`() async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            let order = String(decoding: shop.order(of: product).serialized(), as: UTF8.self)
            for cut in [1, 20, 60, order.utf8.count] {
                let peer = try daemon.lines()
                let line = #"{"jsonrpc":"2.0","id":1,"method":"order.place","params":\#(order)}"#
                peer.send(bytes: Array(line.utf8.prefix(cut)))
                peer.vanish()
                #expect(await peer.line() == nil)
            }
            #expect(try await shop.stock(product) == 50)
            #expect(try await shop.buy(product)["total"] == "100.00")
        }

        /// Its replies fill the socket and its own output; everybody else is served meanwhile.
        @Test func `a peer that never reads costs others nothing`() async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product(["stock": 2000])
            let deaf = try daemon.lines(reads: false)
            let ask = Array((#"{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}"# + "\n").utf8)
            deaf.send(bytes: (0..<400).flatMap { _ in ask })
            for _ in 0..<50 { try await shop.buy(product) }
            #expect(try await shop.stock(product) == 1950)
        }

        /// More calls on one connection than may be in flight, from a peer that reads nothing before all are sent.
        @Test func `a long pipeline is answered whole`() async throws {
            let peer = try await TestDaemon.shared().lines(reads: false)
            let params = #"{"reason":"INSUFFICIENT_STOCK"}"#
            for id in 1...5000 {
                peer.send(#"{"jsonrpc":"2.0","id":\#(id),"method":"server.explain","params":\#(params)}"#)
            }
            peer.startReading()
            var answered: Set<Int64> = []
            for _ in 1...5000 {
                let reply = try await object(peer)
                try #require(reply["result"]?["code"] == 201, "\(reply)")
                #expect(answered.insert(try #require(reply["id"]?.integer)).inserted, "one reply a request")
            }
            #expect(answered == Set(1...5000))
        }

        private func exchange(_ line: String) async throws -> JSONObject {
            let peer = try await TestDaemon.shared().lines()
            peer.send(line)
            let reply = try await object(peer)
            try await expectAlive(peer)
            return reply
        }

        private func object(_ peer: LineClient) async throws -> JSONObject {
            let line = try #require(await peer.line())
            return try #require(try JSONParser.parse(Array(line.utf8)).object)
        }

        private func expectAlive(_ peer: LineClient) async throws {
            peer.send(#"{"jsonrpc":"2.0","id":"alive","method":"session.ping"}"#)
            #expect(try await object(peer) == ["jsonrpc": "2.0", "id": "alive", "result": [:]])
        }

        @Test(arguments: ["0", "0.00", "-1.00"]) func `no price of nothing`(price: String) async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let product = try await shop.product()
            let id = JSONValue.integer(product)
            for (method, member) in [
                ("price.pin", "price"), ("product.update", "basePrice"), ("product.update", "floor"),
            ] {
                let refusal = try await shop.client.refusal(method, ["productId": id, member: .string(price)])
                #expect(refusal.reason == "INVALID_PARAMS", "\(method) \(member)")
            }
            for member in ["lowStock", "highStock"] {
                let refusal = try await shop.client.refusal("product.update", ["productId": id, member: nil])
                #expect(refusal.reason == "INVALID_PARAMS", "no threshold is null")
            }
            let taken: JSONObject = ["productId": id, "quantity": -51]
            #expect(try await shop.client.refusal("inventory.adjust", taken).reason == "INSUFFICIENT_STOCK")
            #expect(try await shop.price(product) == "100.00")
            #expect(try await shop.stock(product) == 50)
        }
    }
}
