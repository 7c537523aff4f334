import JSON
import JSONRPC
import PricingTestSupport
import Testing

/// A shop whose every figure and name that customers must not see can be told by its text, and a gateway to it.
struct SecretShop {
    /// Parts of texts that only the staff may be given.
    static let secrets = ["61.37", "71.41", "171.71", "2.71828", "ecret", "uid:"]
    static let password = "correct horse"

    let daemon: TestDaemon
    /// The staff, over a connection of its own.
    let staff: TestClient
    let gateway: TestClient
    let product: Int64
    let category: Int64
    let ada: Int64
    let bob: Int64
    let bobsOrder: Int64

    static func open(_ arguments: [String] = []) async throws -> SecretShop {
        let daemon = try await TestDaemon.start(arguments: arguments)
        let staff = try await daemon.client()
        func id(_ method: String, _ params: JSONObject, _ member: String) async throws -> Int64 {
            var params = params
            params["_meta"] = ["actor": "Secret Agent"]
            return try #require(try await staff.call(method, params)[member]?.integer)
        }
        let category = try await id("category.create", ["name": "Mugs"], "categoryId")
        let supplier = try await id("supplier.create", ["companyName": "Secret Supplies"], "supplierId")
        let product = try await id(
            "product.create",
            [
                "title": "Mug", "sku": "MUG", "basePrice": "100.00", "categoryId": .integer(category),
                "supplierId": .integer(supplier), "stock": 50, "unitCost": "61.37", "floor": "71.41",
                "ceiling": "171.71", "elasticity": .decimal("2.71828"),
            ],
            "productId"
        )
        func person(_ name: String, _ email: String, _ role: String) async throws -> Int64 {
            try await id(
                "user.create",
                [
                    "fullName": .string(name), "email": .string(email), "password": .string(Self.password),
                    "role": .string(role),
                ],
                "userId"
            )
        }
        let ada = try await person("Ada", "ada@shop.example", "customer")
        let bob = try await person("Bob Secretname", "bob-secret@shop.example", "customer")
        _ = try await person("Sel Secretname", "seller-secret@shop.example", "seller")
        _ = try await person("Adm Secretname", "admin-secret@shop.example", "admin")
        let order = try await id(
            "order.place",
            [
                "customerId": .integer(bob), "shippingAddress": "1 Secret Street",
                "lines": [["productId": .integer(product), "quantity": 1]],
            ],
            "orderId"
        )
        let gateway = try await Self.gateway(daemon)
        return SecretShop(
            daemon: daemon,
            staff: staff,
            gateway: gateway,
            product: product,
            category: category,
            ada: ada,
            bob: bob,
            bobsOrder: order
        )
    }

    static func gateway(_ daemon: TestDaemon) async throws -> TestClient {
        let gateway = try await daemon.client()
        #expect(try await gateway.call("session.hello", ["gateway": true])["gateway"] == true)
        return gateway
    }

    /// Signs a person in over the gateway: the token.
    func login(_ email: String, _ password: String = SecretShop.password) async throws -> String {
        let opened = try await gateway.call(
            "login.open",
            ["email": .string(email), "password": .string(password), "address": "192.0.2.7"]
        )
        return try #require(opened["token"]?.string)
    }

    /// Everything that moves prices, stock and declarations, so that there is an event of each kind.
    func stir() async throws {
        let meta: JSONValue = ["actor": "Secret Agent"]
        let id = JSONValue.integer(product)
        for (method, params) in [
            ("product.update", ["productId": id, "unitCost": "61.37", "description": "Blue", "_meta": meta]),
            ("price.pin", ["productId": id, "price": "99.00", "reason": "a secret fair", "_meta": meta]),
            ("price.unpin", ["productId": id, "reason": "the secret is out", "_meta": meta]),
            ("category.update", ["categoryId": .integer(category), "description": "Cups too", "_meta": meta]),
            ("rule.create", ["name": "secret rule", "strategy": "bands", "_meta": meta]),
            (
                "campaign.create",
                [
                    "name": "secret sale", "categoryId": .integer(category), "percentOff": 10,
                    "endsAt": "2098-01-01T00:00:00Z", "_meta": meta,
                ]
            ),
            ("pricing.halt", ["scope": "all", "reason": "a secret reason", "_meta": meta]),
            ("order.cancel", ["orderId": .integer(bobsOrder), "reason": "Bob's secret", "_meta": meta]),
        ] as [(String, JSONObject)] { _ = try await staff.call(method, params) }
    }

    /// What a call is answered with, a reply or an error, as text.
    func answer(as login: String?, _ method: String, _ params: JSONObject, _ meta: JSONObject = [:]) async throws
        -> String
    {
        do {
            return JSONValue.object(try await gateway.call(as: login, method, params, meta)).description
        } catch let error as RPCError {
            return JSONValue.object(error.json).description
        }
    }
}

/// Fails the running test where a text holds what only the staff may be given.
func expectNoSecret(_ text: String, _ what: String) {
    for secret in SecretShop.secrets { #expect(!text.contains(secret), "\(what) tells \(secret): \(text)") }
}
