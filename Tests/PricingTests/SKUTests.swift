import Postgres
import PricingTestSupport
import Testing

/// SKUs in direct SQL, and orders by name in one batch.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct SKUTests {
    @Test func `Direct SQL keeps a SKU trimmed, and one product's`() async throws {
        try await Shop.with { shop in
            let (first, second) = (try await shop.product(), try await shop.product())
            try await shop.run("update product set sku = E'  Straße\\u00A0' where product_id = \(first)")
            #expect(try await shop.value("select sku from product where product_id = \(first)") == "Straße")
            let taken = await shop.refusal("update product set sku = 'STRASSE' where product_id = \(second)")
            #expect(taken?.sqlState?.code == "PR107")
            for wrong in ["''", "' '", "repeat('x', 65)", "E'a\\u0001'"] {
                let refusal = await shop.refusal("update product set sku = \(wrong) where product_id = \(second)")
                #expect(refusal?.sqlState?.code == "PR602", "\(wrong)")
            }
            try await shop.holding("update product set sku = 'same' where product_id = \(first)") {
                // The other session's is not seen yet: the index decides.
                try await shop.run("set lock_timeout = '100ms'")
                let refusal = await shop.refusal("update product set sku = 'SAME' where product_id = \(second)")
                #expect(refusal?.sqlState == .lockNotAvailable)
            }
        }
    }

    /// As one set, one by one, and where the batch has to be taken apart.
    @Test func `A batch by name is the batch by id`() async throws {
        try await Shop.with { shop in
            let (first, second) = (try await shop.product(stock: 1000), try await shop.product(stock: 12))
            let buyer = try await shop.buyer("Buyer@Example.com")
            try await shop.run("update product set sku = 'A-' || product_id")
            let named = [
                #"{"customerEmail": "buyer@example.com", "lines": [{"sku": "a-\#(first)", "quantity": 2}]}"#,
                #"{"customerId": \#(buyer), "lines": [{"sku": "A-\#(second)", "quantity": 3}]}"#,
                #"{"customerId": \#(buyer), "lines": [{"sku": "lost", "quantity": 1}, {"productId": \#(first), "quantity": 1}]}"#,
                #"{"customerEmail": "no@one", "lines": [{"productId": \#(first), "quantity": 1}]}"#,
                #"{"customerId": \#(buyer), "lines": [{"productId": \#(first), "quantity": 1}, {"sku": "A-\#(first)", "quantity": 1}]}"#,
            ]
            let calls = named.enumerated().map { #"{"params": \#($1), "key": "n\#($0)", "actor": "me"}"# }
            let answers = try await place(calls, shop)
            #expect(
                answers == [
                    "2 x \(first) 90.00", "3 x \(second) 100.00", #"PR101 {"sku": "lost"}"#,
                    #"PR401 {"customerEmail": "no@one"}"#, "2 x \(first) 90.00",
                ]
            )
            #expect(try await place(calls, shop) == answers, "the same under the same keys")
            #expect(try await place([calls[0], calls[0], calls[2]], shop) == [answers[0], answers[0], answers[2]])
            #expect(try await shop.stock(first) == 996)
            #expect(try await shop.stock(second) == 9)
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    private func place(_ calls: [String], _ shop: Shop) async throws -> [String] {
        try await shop.rows(
            """
            select coalesce(o.state || ' ' || o.detail,
                            format('%s x %s %s', o.reply::jsonb #>> '{lines,0,quantity}',
                                   o.reply::jsonb #>> '{lines,0,productId}', o.reply::jsonb #>> '{lines,0,unitPrice}'))
            from place_orders($1, true, true) o
            """,
            [.text("[\(calls.joined(separator: ", "))]")]
        )
    }
}
