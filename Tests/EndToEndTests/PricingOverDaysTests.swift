import JSON
import PricingTestSupport
import Testing

extension EndToEnd {
    /// Prices over many days, over the socket, with a clock that the test moves: they must not drift. Its own daemon, so
    /// that the clock of no other test moves; the tests take turns.
    @Suite
    struct PricingOverDaysTests {
        private static let daemon = Task { try await TestDaemon.start() }

        /// A shop and the first day of a test, which begins after every earlier one.
        private func open(year: Int) async throws -> (ShopClient, Calendar) {
            let shop = try await ShopClient.open(try await Self.daemon.value)
            var calendar = Calendar(client: shop.client, year: year)
            try await calendar.nextDay()
            return (shop, calendar)
        }

        @Test func `twenty cycles end at the starting price`() async throws {
            let (shop, calendar) = try await open(year: 2031)
            var days = calendar
            let product = try await shop.product()
            let start = try await shop.price(product)
            var seen: Set<String> = []
            for _ in 0..<20 {
                try await shop.buy(product, 45)
                try await days.nextDay()
                seen.insert(try await shop.price(product))
                try await shop.restock(product, 115)
                try await days.nextDay()
                seen.insert(try await shop.price(product))
                try await shop.buy(product, 70)
                try await days.nextDay()
            }
            #expect(try await shop.price(product) == start)
            #expect(seen == ["110.00", "90.00"])
            #expect(start == "100.00")
        }

        @Test func `fourteen days of sales never pass the ceiling`() async throws {
            let (shop, calendar) = try await open(year: 2032)
            var days = calendar
            let free = try await shop.product(["stock": 24, "lowStock": 25])
            let tight = try await shop.product(["stock": 24, "lowStock": 25, "ceiling": "104.00"])
            for _ in 0..<14 {
                for product in [free, tight] { try await shop.buy(product) }
                try await days.nextDay()
                #expect(try await shop.price(free) == "110.00")
                #expect(try await shop.price(tight) == "104.00")
            }
            for product in [free, tight] { try await shop.restock(product, 40) }
            #expect(try await shop.price(free) == "100.00")
            #expect(try await shop.price(tight) == "100.00")
        }

        @Test func `thirty restocks never pass the floor`() async throws {
            let (shop, calendar) = try await open(year: 2033)
            var days = calendar
            let free = try await shop.product(["stock": 101])
            let tight = try await shop.product(["stock": 101, "floor": "95.00"])
            for number in 0..<30 {
                for product in [free, tight] { try await shop.restock(product, 1) }
                if number % 3 == 0 { try await days.nextDay() }
                #expect(try await shop.price(free) == "90.00")
                #expect(try await shop.price(tight) == "95.00")
            }
        }

        @Test func `a manual price stands while automation runs`() async throws {
            let (shop, calendar) = try await open(year: 2034)
            var days = calendar
            let product = try await shop.product()
            let id = JSONValue.integer(product)
            _ = try await shop.client.call("price.pin", ["productId": id, "price": "123.45", "reason": "fair"])
            try await shop.buy(product, 45)
            try await days.nextDay()
            #expect(try await shop.price(product) == "123.45")
            try await shop.restock(product, 200)
            try await days.nextDay()
            #expect(try await shop.price(product) == "123.45")
            _ = try await shop.client.call("price.unpin", ["productId": id])
            #expect(try await shop.price(product) == "90.00")
        }

        @Test func `a manual price stands in a race`() async throws {
            let (shop, calendar) = try await open(year: 2035)
            var days = calendar
            for round in 0..<5 {
                let product = try await shop.product(["stock": 26, "lowStock": 20])
                let price = "10\(round).50"
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<24 {
                        group.addTask {
                            // Each pair crosses the low threshold and comes back.
                            _ = number % 2 == 0 ? try await shop.buy(product, 2) : try await shop.restock(product, 2)
                        }
                    }
                    group.addTask {
                        _ = try await shop.client.call(
                            "price.pin",
                            ["productId": .integer(product), "price": .string(price)]
                        )
                    }
                    try await days.nextDay()
                    try await group.waitForAll()
                }
                #expect(try await shop.price(product) == price)
                let history = try await shop.all("price.history", ["productId": .integer(product)])
                #expect(history.first?["new"] == .string(price))
                #expect(history.first?["cause"] == "pin")
            }
        }

        /// Setting the clock waits for a tick that runs, and then runs the new time's own.
        @Test func `the clock never skips a tick`() async throws {
            let (shop, calendar) = try await open(year: 2037)
            var days = calendar
            let rule = try await shop.client.call(
                "rule.create",
                ["name": "slow", "strategy": "bands", "parameters": ["dailyCap": .decimal("0.2")]]
            )
            _ = try await shop.client.call("rule.activate", ["ruleId": rule["ruleId"] ?? .null])
            let product = try await shop.product(["stock": 120, "ruleId": rule["ruleId"] ?? .null])
            try await days.nextDay()
            try await shop.buy(product, 112)
            #expect(try await shop.price(product) == "108.00", "the daily cap: 20 % of 90")
            let held = try await HeldLock(
                "select pg_advisory_xact_lock(hashtext('pricing_tick'))",
                in: try await Self.daemon.value
            )
            let time = days.time(after: 1)
            async let set = shop.client.call("clock.set", ["at": .string(time)])
            try await held.awaitWaiter()
            try await held.release()
            _ = try await set
            #expect(try await shop.price(product) == "110.00", "a new day, a new cap")
        }

        @Test func `a pin ends by itself`() async throws {
            let (shop, calendar) = try await open(year: 2036)
            var days = calendar
            let product = try await shop.product()
            let pin: JSONObject = [
                "productId": .integer(product), "price": "120.00", "until": .string(days.time(after: 1)),
            ]
            _ = try await shop.client.call("price.pin", pin)
            #expect(try await shop.price(product) == "120.00")
            try await days.nextDay()
            try await days.nextDay()
            #expect(try await shop.price(product) == "100.00")
            #expect(try await shop.get(product)["pinned"] == false)
        }
    }
}

/// Days of a sandbox, 25 hours apart.
private struct Calendar {
    let client: TestClient
    let year: Int
    private var hours = 0

    init(client: TestClient, year: Int) {
        self.client = client
        self.year = year
    }

    /// RFC 3339, so many steps of 25 hours from now.
    func time(after steps: Int) -> String {
        let hours = hours + 25 * steps
        let day = hours / 24
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(year)-\(two(1 + day / 28))-\(two(1 + day % 28))T\(two(hours % 24)):00:00Z"
    }

    mutating func nextDay() async throws {
        _ = try await client.call("clock.set", ["at": .string(time(after: 1))])
        hours += 25
    }
}
