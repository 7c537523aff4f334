import HTTPTypes
import JSON
import PricingProtocol
import Testing

@testable import pricing_web

/// What the gate lets through, without a socket.
struct GateTests {
    private static func headers(_ pairs: KeyValuePairs<HTTPField.Name, String>) -> HTTPFields {
        var headers = HTTPFields()
        for (name, value) in pairs { headers[name] = value }
        return headers
    }

    @Test(arguments: [
        ("127.0.0.1:8080", true), ("LOCALHOST:8080", true), ("[::1]:8080", true), ("shop.example", true),
        ("intern:9000", true), ("127.0.0.1", false), ("127.0.0.1:81", false), ("evil.example:8080", false), ("", false),
    ])
    func `Only known hosts are served`(host: String, isOurs: Bool) {
        let origins = Origins(host: "127.0.0.1", port: 8080, origin: "https://shop.example", allowed: ["intern:9000"])
        #expect(origins.isOurs(host) == isOurs)
    }

    @Test
    func `A form comes from a page of ours, or says nothing and is refused`() {
        let origins = Origins(host: "127.0.0.1", port: 8080, origin: nil, allowed: [])
        func isRefused(_ pairs: KeyValuePairs<HTTPField.Name, String>) -> Bool {
            origins.refusal(Self.headers(pairs), host: "127.0.0.1:8080") != nil
        }
        #expect(!isRefused([.secFetchSite: "same-origin"]) && !isRefused([.origin: "http://127.0.0.1:8080"]))
        #expect(!isRefused([.secFetchSite: "same-origin", .origin: "http://127.0.0.1:8080"]))
        #expect(isRefused([.secFetchSite: "same-site"]) && isRefused([.secFetchSite: "none"]) && isRefused([:]))
        #expect(isRefused([.origin: "null"]) && isRefused([.origin: "http://127.0.0.1:8081"]))
        #expect(isRefused([.secFetchSite: "same-origin", .origin: "http://evil.example"]))
    }

    @Test
    func `Only what our own proxies say of an address is believed`() throws {
        let proxies = try #require(TrustedProxies(["10.0.0.0/8", "fd00::/8"]))
        #expect(proxies.visitor("192.0.2.1", "203.0.113.9") == "192.0.2.1")
        #expect(proxies.visitor("10.1.2.3", "1.1.1.1, 203.0.113.9, 10.9.9.9") == "203.0.113.9")
        #expect(proxies.visitor("fd00::1", "2001:db8::7") == "2001:db8::7")
        #expect(proxies.visitor("10.1.2.3", "nonsense") == "10.1.2.3")
        #expect(TrustedProxies(["10.0.0.0/33"]) == nil && TrustedProxies(["shop"]) == nil)
    }

    @Test
    func `Every error of the registry has a status, and only a fault of ours is 500`() {
        for code in ErrorCode.all {
            let status = HTTPStatus.of(code.reason)
            #expect((400...504).contains(status), "\(code.reason)")
            #expect((status == 500) == (code.reason == "INTERNAL"), "\(code.reason)")
        }
    }

    @Test(arguments: ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nb", "evil", ""])
    func `Nobody is sent to another site`(path: String) {
        #expect(Answer.local(path, else: "/store") == "/store")
        #expect(Answer.local("/store/cart?a=1", else: "/") == "/store/cart?a=1")
    }

    @Test
    func `A cart survives its cookie, and what is no line is left out`() {
        var cart = Cart([:])
        cart.set(3, 2, price: "12.50")
        cart.set(4, 1, price: "1.00")
        cart.set(4, 0, price: "1.00")
        cart.set(5, 99_999, price: "2.00")
        let cookie = String(cart.setCookie.prefix { $0 != ";" })
        let read = Cart(Self.headers([.cookie: "other=1; \(cookie)"]))
        #expect(read.lines == cart.lines && read.units == 2 + Cart.mostUnits)
        let broken = Self.headers([.cookie: "cart=3_2_12.50~x_1_1.00~4_-1_1.00~3_1_1.00~9_1_1e3~8_1"])
        #expect(Cart(broken).lines == [Cart.Line(productId: 3, quantity: 2, price: "12.50")])
    }

    @Test
    func `What is typed becomes what the method takes`() throws {
        let update = try #require(AllMethods.byName["product.update"])
        let typed = Typed.params(
            update,
            Fields("productId=7&title=+Mug+&elasticity=1.5&seasonEnd=2030-01-31&unitCost=&had=unitCost&basePrice=&x=1")
        )
        #expect(
            typed == [
                "productId": 7, "title": "Mug", "elasticity": .decimal("1.5"), "seasonEnd": "2030-01-31T00:00:00.000Z",
                "unitCost": .null,
            ]
        )
        let rollback = try #require(AllMethods.byName["price.rollback"])
        #expect(Typed.params(rollback, Fields("priceChangeIds=1&priceChangeIds=2")) == ["priceChangeIds": [1, 2]])
        #expect(Typed.params(rollback, Fields("priceChangeIds=5")) == ["priceChangeIds": [5]])
        #expect(
            Typed.params(rollback, Fields("priceChangeIds=x")) == ["priceChangeIds": ["x"]],
            "the daemon says what is wrong"
        )
    }

    @Test
    func `A path without its method is 405 and says which one it takes`() async throws {
        var routes = Routes()
        routes.get("/a/{id}") { .text($0.parameters.joined()) }
        routes.post("/a/b") { _ in .text("posted") }
        func visit(_ method: String, _ path: [String]) -> Visit {
            Visit(
                method: method,
                path: path,
                rawPath: "/",
                query: Fields(""),
                headers: [:],
                body: [],
                address: "",
                origin: "",
                token: nil,
                hangUp: {},
                isBearer: false
            )
        }
        #expect(try await routes.answer(visit("GET", ["a", "7"])).status == 200)
        let refusal = await #expect(throws: Refusal.self) { try await routes.answer(visit("PUT", ["a", "b"])) }
        #expect(refusal?.status == 405 && refusal?.headers.first?.1 == "GET, POST")
        let missing = await #expect(throws: Refusal.self) { try await routes.answer(visit("GET", ["b"])) }
        #expect(missing?.status == 404)
    }
}
