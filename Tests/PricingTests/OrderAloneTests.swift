import Postgres
import PricingTestSupport
import Testing

/// An order alone of one product whose price stands takes a shorter way than all others, with the same result.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct OrderAloneTests {
    private static func call(_ lines: String, customer: Int, key: String = "k", more: String = "") -> String {
        #"{"params": {"customerId": \#(customer), "lines": [\#(lines)]\#(more)}, "key": "\#(key)", "actor": "tester"}"#
    }

    private static func line(_ product: Int, _ quantity: Int = 1, more: String = "") -> String {
        #"{"productId": \#(product), "quantity": \#(quantity)\#(more)}"#
    }

    @Test
    func `Only an order of one product that moves no price and can be placed as asked goes the short way`() async throws
    {
        try await Shop.with { shop in
            let product = try await shop.product(stock: 50, low: 10)
            let archived = try await shop.product(stock: 50)
            let buyer = try await shop.buyer()
            try await shop.run("update product set active = false where product_id = \(archived)")
            _ = try await shop.rows(
                "select * from place_orders('[\(Self.call(Self.line(product), customer: buyer, key: "known"))]')"
            )
            let long = [
                "two lines": Self.call(Self.line(product) + "," + Self.line(product), customer: buyer),
                "more than the price stands for": Self.call(Self.line(product, 45), customer: buyer),
                "more than there is": Self.call(Self.line(product, 500), customer: buyer),
                "a lower price": Self.call(Self.line(product, more: #", "maxUnitPrice": "1.00""#), customer: buyer),
                "not for sale": Self.call(Self.line(archived), customer: buyer),
                "no such product": Self.call(Self.line(99), customer: buyer),
                "no such buyer": Self.call(Self.line(product), customer: 99),
                "a known key": Self.call(Self.line(product), customer: buyer, key: "known"),
                "under a quote": Self.call(Self.line(product), customer: buyer, more: #", "quoteId": 1"#),
                "no lines": Self.call("", customer: buyer),
            ]
            let rows = "select (select count(*) from customer_order), (select sum(stock) from inventory)"
            let before = try await shop.rows(rows)
            for (what, call) in long {
                #expect(try await shop.value("select sell_alone('\(call)') is null") == "t", "\(what)")
                #expect(try await shop.rows(rows) == before, "\(what)")
            }
            let short = Self.call(Self.line(product, 2), customer: buyer)
            #expect(try await shop.value("select sell_alone('\(short)')::json ->> 'total'") == "200.00")
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    @Test
    func `Two orders alone under one key, of two products and at once: one is placed, the other refused`() async throws
    {
        try await Shop.with { shop in
            let products = [try await shop.product(), try await shop.product()]
            let buyer = try await shop.buyer()
            func place(_ product: Int) -> String {
                "select state from place_orders('[\(Self.call(Self.line(product), customer: buyer))]')"
            }
            let waiting = try await shop.another()
            var pending: Task<[String], any Error>?
            try await shop.holding(place(products[0])) {
                pending = Task { try await waiting.rows(place(products[1])) }
                try await shop.awaitLockWaiters()
            }
            #expect(try await pending?.value == ["PR009"])
            #expect(try await shop.value("select count(*) from customer_order") == "1")
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }
}
