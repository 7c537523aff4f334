import JSON
import JSONRPC
import Postgres
import PricingTestSupport
import Testing

extension EndToEnd {
    /// What many ask for at once is answered from few queries, each as if it stood alone.
    @Suite
    struct ReadIntakeTests {
        @Test func `many prices at once are what each would get alone`() async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            var products: [Int64] = []
            for _ in 0..<5 { products.append(Int64(try await shop.product())) }
            let wanted: [[Int64]] = (0..<200).map { number in
                [products[number % 5], 9_000_000_000 + Int64(number), products[number % 3], products[number % 5]]
            }
            let database = try await daemon.database()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for ids in wanted {
                    let params: JSONObject = ["productIds": .array(ids.map(JSONValue.integer))]
                    group.addTask {
                        let alone = try await database.text(
                            "select price_get('\(String(decoding: params.serialized(), as: UTF8.self))')::text"
                        )
                        let given = try await shop.client.call("price.get", params)
                        #expect(.object(given.removing("_meta")) == (try JSONParser.parse(Array(alone.utf8))))
                    }
                }
                try await group.waitForAll()
            }
            await database.close()
        }

        /// All kinds in one pipeline; who names no product gets the refusal of its own.
        @Test func `many reads at once are what each would get alone`() async throws {
            let daemon = try await TestDaemon.shared()
            let shop = try await ShopClient.open(daemon)
            var products: [Int64] = []
            for _ in 0..<5 { products.append(Int64(try await shop.product())) }
            let database = try await daemon.database()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<300 {
                    let method = ["product.get", "inventory.get", "price.get"][number % 3]
                    let function = ["product_get", "inventory_get", "price_get"][number % 3]
                    let id = number % 7 < 5 ? products[number % 7] : 9_000_000_000 + Int64(number)
                    let params: JSONObject =
                        method == "price.get" ? ["productIds": [.integer(id)]] : ["productId": .integer(id)]
                    group.addTask {
                        guard id < 9_000_000_000 || method == "price.get" else {
                            let error = try await shop.client.refusal(method, params)
                            #expect(error.reason == "PRODUCT_NOT_FOUND")
                            return
                        }
                        let alone = try await database.text(
                            "select \(function)('\(String(decoding: params.serialized(), as: UTF8.self))')::text"
                        )
                        let given = try await shop.client.call(method, params)
                        #expect(.object(given.removing("_meta")) == (try JSONParser.parse(Array(alone.utf8))))
                    }
                }
                try await group.waitForAll()
            }
            await database.close()
        }

        @Test func `its caller sees its own writes`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let product = try await shop.product()
            for cents in 1...30 {
                let price = "\(100 + cents).00"
                _ = try await shop.client.call(
                    "price.pin",
                    ["productId": .integer(Int64(product)), "price": .string(price)]
                )
                let given = try await shop.client.call("price.get", ["productIds": [.integer(Int64(product))]])
                #expect(given["items"]?.array?.first?["price"]?.string == price)
                for method in ["product.get", "inventory.get"] {
                    let given = try await shop.client.call(method, ["productId": .integer(Int64(product))])
                    #expect(given["price"]?.string == price)
                }
            }
        }
    }
}
