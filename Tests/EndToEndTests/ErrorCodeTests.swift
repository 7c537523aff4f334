import JSON
import JSONRPC
import PricingProtocol
import PricingTestSupport
import Testing

extension EndToEnd {
    /// Each refusal that a method declares is met once, and is what the registry says.
    @Suite
    struct ErrorCodeTests {
        /// A call that is refused, and why.
        private struct Refusal {
            let code: ErrorCode
            let method: String
            let params: JSONObject
        }

        @Test func `every declared refusal is met`() async throws {
            let shop = try await ShopClient.open(try await TestDaemon.shared())
            var refusals = try await missing(shop) + present(shop) + users(shop) + campaigns(shop)
            refusals += try await proposals(shop) + quotes(shop)
            for refusal in refusals {
                let error = try await shop.client.refusal(refusal.method, refusal.params)
                #expect(error.code == refusal.code.code, "\(refusal.method)")
                #expect(error.reason == refusal.code.reason, "\(refusal.method)")
                #expect(error.retryable == refusal.code.isRetryable)
                #expect(!error.message.isEmpty)
                let declared = ErrorCode.common + (AllMethods.byName[refusal.method]?.errors ?? [])
                #expect(declared.contains(refusal.code), "\(refusal.method) does not declare \(refusal.code.reason)")
                let explained = try await shop.client.call("server.explain", ["reason": .string(error.reason)])
                #expect(explained["code"] == .integer(Int64(error.code)))
            }
            // NOT_A_SANDBOX has a daemon of its own.
            let declared = Set(AllMethods.list.flatMap(\.errors)).subtracting([.notASandbox])
            #expect(declared.subtracting(refusals.map(\.code)).map(\.reason) == [])
        }

        /// Things that are not there.
        private func missing(_ shop: ShopClient) async throws -> [Refusal] {
            let none: JSONValue = 999_999_999
            let product = JSONValue.integer(try await shop.product())
            let new: JSONObject = ["title": "x", "basePrice": "1.00", "categoryId": .integer(shop.categoryId)]
            func lacking(_ name: String) -> JSONObject {
                var params = new
                params[name] = none
                return params
            }
            let gone = [
                "product.get", "inventory.get", "inventory.movements", "price.history", "price.why", "price.preview",
                "product.history", "product.restore", "audit.trail",
            ]
            return gone.map { Refusal(code: .productNotFound, method: $0, params: ["productId": none]) } + [
                Refusal(code: .productNotFound, method: "product.update", params: ["productId": none, "title": "x"]),
                Refusal(code: .productNotFound, method: "product.archive", params: ["productId": none]),
                Refusal(code: .productNotFound, method: "price.pin", params: ["productId": none, "price": "1.00"]),
                Refusal(
                    code: .productNotFound,
                    method: "inventory.restock",
                    params: ["productId": none, "quantity": 1]
                ),
                Refusal(code: .productNotFound, method: "order.place", params: shop.order(of: 999_999_999)),
                Refusal(code: .categoryNotFound, method: "product.create", params: lacking("categoryId")),
                Refusal(code: .categoryNotFound, method: "category.update", params: ["categoryId": none]),
                Refusal(code: .supplierNotFound, method: "product.create", params: lacking("supplierId")),
                Refusal(code: .ruleNotFound, method: "product.create", params: lacking("ruleId")),
                Refusal(code: .supplierNotFound, method: "supplier.get", params: ["supplierId": none]),
                Refusal(code: .ruleNotFound, method: "rule.get", params: ["ruleId": none]),
                Refusal(code: .priceChangeNotFound, method: "price.rollback", params: ["priceChangeIds": [none]]),
                Refusal(code: .categoryNotFound, method: "price.changes", params: ["categoryId": none]),
                Refusal(code: .ruleNotFound, method: "rule.activate", params: ["ruleId": none]),
                Refusal(code: .ruleNotFound, method: "price.preview", params: ["productId": product, "ruleId": none]),
                Refusal(code: .orderNotFound, method: "order.get", params: ["orderId": none]),
                Refusal(code: .orderNotFound, method: "order.cancel", params: ["orderId": none]),
                Refusal(code: .userNotFound, method: "user.get", params: ["userId": none]),
                Refusal(code: .campaignNotFound, method: "campaign.get", params: ["campaignId": none]),
                Refusal(code: .reportNotFound, method: "report.run", params: ["name": "no such report"]),
                Refusal(code: .subscriptionNotFound, method: "events.unsubscribe", params: ["subscription": "s0"]),
                Refusal(code: .methodNotFound, method: "product.gett", params: [:]),
                Refusal(
                    code: .unsupportedVersion,
                    method: "session.hello",
                    params: ["protocol": ["min": 7, "max": 9]]
                ),
            ]
        }

        /// Things that are there, and in another state than asked for.
        private func present(_ shop: ShopClient) async throws -> [Refusal] {
            let id = try await shop.product()
            let archivedId = try await shop.product()
            let (product, archived) = (JSONValue.integer(id), JSONValue.integer(archivedId))
            _ = try await shop.client.call("product.archive", ["productId": archived])
            let supplier = try #require(
                try await shop.client.call("supplier.create", ["companyName": "Busy"])["supplierId"]
            )
            _ = try await shop.product(["supplierId": supplier])
            let order = try #require(try await shop.buy(id)["orderId"])
            let sku = JSONValue.string("taken \(ShopClient.unique())")
            _ = try await shop.product(["sku": sku])
            let rule: JSONObject = ["name": .string("draft \(ShopClient.unique())"), "strategy": "bands"]
            let draft = try #require(try await shop.client.call("rule.create", rule)["ruleId"])
            var dear = shop.order(of: id)
            dear["lines"] = [["productId": product, "quantity": 1, "maxUnitPrice": "50.00"]]
            return [
                Refusal(code: .productArchived, method: "order.place", params: shop.order(of: archivedId)),
                Refusal(
                    code: .productArchived,
                    method: "product.update",
                    params: ["productId": archived, "title": "x"]
                ),
                Refusal(
                    code: .productArchived,
                    method: "price.pin",
                    params: ["productId": archived, "price": "99.00"]
                ),
                Refusal(
                    code: .productArchived,
                    method: "inventory.restock",
                    params: ["productId": archived, "quantity": 1]
                ),
                Refusal(code: .supplierInUse, method: "supplier.delete", params: ["supplierId": supplier]),
                Refusal(
                    code: .categoryInUse,
                    method: "category.delete",
                    params: ["categoryId": .integer(shop.categoryId)]
                ),
                Refusal(code: .skuTaken, method: "product.update", params: ["productId": product, "sku": sku]),
                Refusal(code: .insufficientStock, method: "order.place", params: shop.order(of: id, 1000)),
                Refusal(
                    code: .insufficientStock,
                    method: "inventory.adjust",
                    params: ["productId": product, "quantity": -99]
                ),
                Refusal(code: .orderState, method: "order.advance", params: ["orderId": order, "status": "completed"]),
                Refusal(code: .orderState, method: "order.return", params: ["orderId": order]),
                Refusal(code: .priceChanged, method: "order.place", params: dear),
                Refusal(code: .ruleInvalid, method: "product.update", params: ["productId": product, "ruleId": draft]),
                Refusal(code: .outsideLimits, method: "price.pin", params: ["productId": product, "price": "1.00"]),
                Refusal(
                    code: .stale,
                    method: "product.update",
                    params: ["productId": product, "title": "x", "version": 99]
                ),
            ]
        }

        private func campaigns(_ shop: ShopClient) async throws -> [Refusal] {
            let price: JSONValue = ["productId": .integer(try await shop.product()), "price": "70.00"]
            let params: JSONObject = ["name": "Fixed", "prices": [price], "endsAt": "2098-01-01T00:00:00Z"]
            _ = try await shop.client.call("campaign.create", params)
            return [Refusal(code: .campaignOverlaps, method: "campaign.create", params: params)]
        }

        private func proposals(_ shop: ShopClient) async throws -> [Refusal] {
            let (product, proposal) = try await shop.proposal()
            _ = try await shop.client.call("pricing.halt", ["productId": .integer(product), "reason": "a test"])
            return [
                Refusal(code: .proposalNotFound, method: "proposal.reject", params: ["proposalId": 999_999_999]),
                Refusal(code: .automationHalted, method: "proposal.approve", params: ["proposalId": proposal]),
            ]
        }

        private func quotes(_ shop: ShopClient) async throws -> [Refusal] {
            let params = shop.order(of: try await shop.product())
            let quote = try #require(try await shop.client.call("quote.create", params)["quoteId"])
            _ = try await shop.client.call("quote.release", ["quoteId": quote])
            return [
                Refusal(code: .quoteNotFound, method: "quote.get", params: ["quoteId": 999_999_999]),
                Refusal(code: .quoteExpired, method: "quote.extend", params: ["quoteId": quote]),
                Refusal(code: .loginExpired, method: "login.get", params: ["token": "none"]),
            ]
        }

        private func users(_ shop: ShopClient) async throws -> [Refusal] {
            let number = ShopClient.unique()
            let email = JSONValue.string("Taken\(number)@test.example")
            let phone = JSONValue.string("+49 30 77\(number)")
            let user: JSONObject = ["fullName": "One", "email": email, "phoneNumber": phone]
            _ = try await shop.client.call("user.create", user)
            var twin = user
            twin["email"] = .string("TAKEN\(number)@TEST.example")
            twin["phoneNumber"] = nil
            var sibling = user
            sibling["email"] = .string("sibling\(number)@test.example")
            var stranger = shop.order(of: try await shop.product())
            stranger["customerId"] = 999_999_999
            return [
                Refusal(code: .emailTaken, method: "user.create", params: twin),
                Refusal(code: .phoneTaken, method: "user.create", params: sibling),
                Refusal(
                    code: .emailTaken,
                    method: "user.update",
                    params: ["userId": .integer(shop.customerId), "email": email]
                ),
                Refusal(code: .userNotFound, method: "order.place", params: stranger),
                Refusal(code: .badCredentials, method: "user.authenticate", params: ["email": email, "password": "x"]),
            ]
        }
    }
}
