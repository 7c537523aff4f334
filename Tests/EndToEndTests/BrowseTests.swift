import JSON
import JSONRPC
import PricingTestSupport
import Testing

extension EndToEnd {
    /// What the pages read.
    @Suite
    struct BrowseTests {
        @Test func `the window shows what is for sale, and from which event on it changes`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let category = JSONValue.integer(shop.categoryId)
            var ids: [JSONValue] = []
            for stock in [0, 10, 11] {
                ids.append(.integer(try await shop.product(["stock": .integer(Int64(stock)), "unitCost": "31.37"])))
            }
            let hidden = try await shop.product(["active": false])
            let window: JSONObject = ["categoryId": category, "sort": "productId"]
            let page = try await shop.client.call("product.browse", window)
            let items = page["items"]?.array ?? []
            #expect(items.map { $0["productId"] } == ids && !ids.contains(.integer(hidden)))
            #expect(items.map { $0["availability"] } == ["soldOut", "fewLeft", "inStock"])
            #expect(items.map { $0["unitsLeft"] } == [.null, 10, .null])
            #expect(
                items.first?.object?.keys == [
                    "productId", "sku", "title", "description", "categoryId", "category", "price", "availability",
                    "unitsLeft",
                ]
            )
            let named = try await shop.client.call(
                "product.browse",
                ["productIds": [ids[2], ids[0], .integer(hidden)]]
            )
            #expect(named["items"]?.array?.map { $0["productId"] } == [ids[0], ids[2]])
            var window2 = window
            window2["limit"] = 1
            window2["sort"] = "-price"
            let first = try await shop.client.call("product.browse", window2)
            window2["cursor"] = first["nextCursor"]
            let second = try await shop.client.call("product.browse", window2)
            #expect(second["items"]?.array?.count == 1)
            #expect(second["items"]?.array?.first?["productId"] != first["items"]?.array?.first?["productId"])
            let number = try #require(page["sequence"])
            let last = try #require(ids[2].integer)
            try await shop.restock(last, 1)
            let events = try await shop.client.call("events.list", ["from": number, "productIds": [ids[2]]])
            #expect(events["items"]?.array?.last?["after"] == ["stock": 12])
        }

        @Test func `a timeline keeps its extremes, however few points it has`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let product = try await shop.product(["stock": 60])
            for quantity in [-52, 300, -280, 10, 20, -7, 3, -1, 50] {
                _ = try await shop.client.call(
                    "inventory.adjust",
                    ["productId": .integer(product), "quantity": .integer(Int64(quantity)), "reason": "counted"]
                )
            }
            func points(_ most: Int64) async throws -> [JSONValue] {
                let params: JSONObject = ["productId": .integer(product), "points": .integer(most)]
                return try await shop.client.call("product.timeline", params)["items"]?.array ?? []
            }
            let all = try await points(2000)
            #expect(all.map { $0["stock"] } == [60, 8, 308, 28, 38, 58, 51, 54, 53, 103])
            #expect(all[1]["price"] == "110.00" && all[1]["reason"] == "low stock: counted")
            #expect(all[2]["price"] == "90.00" && all[3]["price"] == "100.00" && all[4]["reason"] == "counted")
            for most in [4, 6, 8] as [Int64] {
                let few = try await points(most)
                #expect(few.count <= Int(most))
                let stocks = few.map { $0["stock"] }
                let prices = few.map { $0["price"] }
                #expect(stocks.contains(8) && stocks.contains(308), "\(most)")
                #expect(prices.contains("110.00") && prices.contains("90.00"), "\(most)")
            }
        }

        @Test func `a curve is what previews give`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            let product = try await shop.product(["stock": 50])
            let curve = try await shop.client.call(
                "price.curve",
                ["productId": .integer(product), "fromStock": 0, "toStock": 120, "points": 9]
            )
            let items = curve["items"]?.array ?? []
            #expect(items.map { $0["stock"] } == [0, 15, 30, 45, 60, 75, 90, 105, 120])
            for item in items {
                let preview = try await shop.client.call(
                    "price.preview",
                    ["productId": .integer(product), "stock": item["stock"] ?? .null]
                )
                #expect(item["price"] == preview["price"], "\(item)")
            }
            #expect(items.last?["price"] == "90.00")
            let few = try await shop.client.call(
                "price.curve",
                ["productId": .integer(product), "fromStock": 7, "toStock": 9]
            )
            #expect(few["items"]?.array?.map { $0["stock"] } == [7, 8, 9])
            let error = try await shop.client.refusal(
                "price.curve",
                ["productId": .integer(product), "fromStock": 9, "toStock": 7]
            )
            #expect(error.reason == "INVALID_PARAMS" && error.data["violations"]?.array?.first?["path"] == "/toStock")
        }

        @Test func `events are pulled by time, by order and from either end`() async throws {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let product = try await shop.product()
            _ = try await shop.client.call("clock.set", ["at": "2031-01-01T10:00:00Z"])
            let early = try await shop.buy(product)
            _ = try await shop.client.call("clock.set", ["at": "2031-01-01T11:00:00Z"])
            let late = try await shop.buy(product)
            func numbers(_ params: JSONObject) async throws -> [Int64] {
                try await shop.client.call("events.list", params)["items"]?.array?.compactMap { $0["key"]?.integer }
                    ?? []
            }
            let orders: JSONObject = ["topics": ["order"]]
            func with(_ members: JSONObject) -> JSONObject {
                members.reduce(into: orders) { $0[$1.key] = $1.value }
            }
            let (first, second) = (try #require(early["orderId"]?.integer), try #require(late["orderId"]?.integer))
            #expect(try await numbers(orders) == [first, second])
            #expect(try await numbers(with(["order": "desc"])) == [second, first])
            #expect(try await numbers(with(["fromTime": "2031-01-01T10:30:00Z"])) == [second])
            #expect(try await numbers(with(["to": "2031-01-01T10:30:00Z"])) == [first])
            #expect(try await numbers(with(["orderId": .integer(first)])) == [first])
            let page = try await shop.client.call("events.list", with(["order": "desc", "limit": 1]))
            let next = try await numbers(with(["order": "desc", "limit": 1, "cursor": page["nextCursor"] ?? .null]))
            #expect(next == [first])
            #expect(try await shop.client.refusal("events.list", ["to": [1]]).reason == "INVALID_PARAMS")
            let watch = try await Watch(daemon, with(["fromTime": "2031-01-01T10:30:00Z"]))
            #expect(try await watch.next()["key"] == .integer(second))
            await watch.close()
        }
    }
}
