import JSON
import Postgres
import PricingTestSupport
import Testing

/// The overlay of campaigns: what is charged, what is told, and who keeps the state.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct CampaignTests {
    private static let facts = """
        select concat_ws(' ', price, regular_price, campaign_percent, campaign_price) from inventory where product_id = 
        """

    /// Makes a campaign for all products until day 30, beginning now unless told otherwise.
    @discardableResult
    private func campaign(_ shop: Shop, _ given: JSONObject = [:]) async throws -> Int64 {
        var params: JSONObject = ["name": "Sale", "endsAt": "2031-01-31T12:00:00Z"]
        if given["productIds"] == nil, given["categoryId"] == nil, given["prices"] == nil { params["all"] = true }
        if given["prices"] == nil { params["percentOff"] = 20 }
        for (name, value) in given { params[name] = value }
        return try #require(try await shop.object("campaign_create", params)["campaignId"]?.integer)
    }

    private func end(_ shop: Shop, _ id: Int64) async throws {
        _ = try await shop.object("campaign_end", ["campaignId": .integer(id)])
    }

    private func expectSound(_ shop: Shop, _ location: SourceLocation = #_sourceLocation) async throws {
        #expect(try await shop.differences() == [], sourceLocation: location)
        #expect(try await shop.rows(Invariants.sql) == [], sourceLocation: location)
    }

    @Test func `A pin stands above both prices, and a halt freezes the regular one alone`() async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            try await shop.product()
            try await shop.run("update inventory set price = 95 where product_id = 1")
            let id = try await campaign(shop)
            #expect(try await shop.value(Self.facts + "1") == "95.00 95.00 20")
            try await shop.run("select price_unpin('{\"productId\": 1}')")
            #expect(try await shop.value(Self.facts + "1") == "80.00 100.00 20")
            try await shop.run("select pricing_halt('{\"productId\": 1, \"reason\": \"x\"}')")
            try await shop.run("update inventory set stock = 5 where product_id = 1")
            #expect(try await shop.value(Self.facts + "1") == "80.00 100.00 20")
            try await end(shop, id)
            #expect(try await shop.value(Self.facts + "1") == "100.00 100.00")
            try await expectSound(shop)
        }
    }

    @Test func `The floor beats a campaign and it is said; rounding never lifts a price above the regular one`()
        async throws
    {
        try await Shop.with { shop in
            try await shop.setDay(0)
            try await shop.product()
            try await campaign(shop, ["percentOff": 60])
            #expect(try await shop.price(1) == "50.00")
            let product = try await shop.object("product_get", ["productId": 1])
            #expect(product["warnings"] == ["the floor of 50.00 beats the campaign"])
            let why = try await shop.object("price_why", ["productId": 1])
            #expect(why["text"]?.string?.contains("Sale: 60 % off; the floor beats it") == true)
            #expect(why["steps"]?.array?.last?["after"] == "50.00")
            #expect(why["regularPrice"] == "100.00" && why["campaigns"]?.array?.count == 1)
            try await expectSound(shop)
            let made = try await shop.rows(
                """
                select concat_ws(' ', v.price, v.binding)
                from (values (9.90, 1, null, 5, 20, 1, 0), (99.99, 20, null, 5, 200, 0.01, 0),
                    (49.99, 20, null, 5, 200, 1, 0.01), (100, 20, 75, 5, 200, 0.01, 0), (70, 20, 75, 60, 200, 0.01, 0),
                    (50, null, 75, 60, 200, 0.01, 0), (100, 5, null, 5, 90, 0.01, 0)) u (p, o, f, low, high, step, shift),
                    reduce_price(p, o, f, low, high, step, shift) v
                """
            )
            #expect(made == ["9.90", "79.99", "39.99", "75.00", "60.00 floor", "50.00 floor", "90.00"])
        }
    }

    @Test func `At stock 0 the overlay changes without an event; the next stock tells it`() async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            try await shop.product()
            try await shop.run("update inventory set stock = 0 where product_id = 1")
            let events = "select count(*) from recorded_event where topic = 'price'"
            let before = try await shop.value(events)
            let id = try await campaign(shop)
            #expect(try await shop.price(1) == "80.00")
            #expect(try await shop.value("select price from shelf") == "80.00")
            try await end(shop, id)
            #expect(try await shop.price(1) == "100.00")
            try await campaign(shop, ["percentOff": 30])
            try await shop.setDay(1)
            #expect(try await shop.value(events) == before)
            try await expectSound(shop)
            try await shop.run("update inventory set stock = 40 where product_id = 1")
            let told = "select concat_ws(' ', cause, old_price, new_price, new_regular) from price_change"
            #expect(try await shop.value(told) == "adjust 100.00 70.00 100.00")
            try await expectSound(shop)
        }
    }

    @Test func `Products join and leave with what they are`() async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            try await shop.product()
            try await shop.run("insert into category (name) values ('Others')")
            let id = try await campaign(shop, ["categoryId": 1])
            #expect(try await shop.price(shop.product()) == "80.00")
            #expect(try await shop.value("select count(*) from price_change where product_id = 2") == "0")
            let opening = "select concat_ws(' ', opening_price, anchor_price) from inventory where product_id = 2"
            #expect(try await shop.value(opening) == "80.00 100.00")
            for (sql, price) in [
                ("category_id = 2", "100.00"), ("category_id = 1", "80.00"),
                ("archived_at = pricing_now(), active = false", "100.00"),
                ("archived_at = null, active = true", "80.00"),
            ] {
                try await shop.run("update product set \(sql) where product_id = 1")
                #expect(try await shop.price(1) == price, "\(sql)")
                try await expectSound(shop)
            }
            try await shop.run("update product set archived_at = pricing_now() where product_id = 1")
            try await end(shop, id)
            try await shop.run("update product set archived_at = null where product_id = 1")
            #expect(try await shop.rows("select price from inventory") == ["100.00", "100.00"])
            try await expectSound(shop)
        }
    }

    @Test func `What only its makers may write is kept from direct SQL`() async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            try await shop.product()
            try await campaign(shop)
            let fixed: JSONObject = ["prices": [["productId": 1, "price": "70.00"]]]
            try await campaign(shop, fixed)
            let insert = "insert into campaign (name, percent_off, is_for_all, starts_at, ends_at"
            let times = "pricing_now(), pricing_now() + interval '1 day'"
            for (sql, state) in [
                ("update inventory set regular_price = 1", "PR903"),
                ("update inventory set campaign_percent = 90", "PR903"),
                ("update inventory set campaign_price = 1", "PR903"), ("update campaign set percent_off = 90", "PR903"),
                ("update campaign set ends_at = ends_at + interval '1 day'", "PR903"),
                ("update campaign set status = 'scheduled'", "PR903"), ("delete from campaign_product", "PR903"),
                ("delete from campaign", "PR903"), ("update campaign_product set price = 1", "PR903"),
                ("insert into campaign_product (campaign_id, product_id) values (1, 1)", "PR903"),
                ("\(insert), status) values ('x', 5, true, \(times), 'running')", "PR903"),
                ("\(insert)) values ('x', 96, true, \(times))", "23514"),
                ("\(insert)) values ('x', null, true, \(times))", "23514"),
                ("\(insert)) values ('x', 'NaN', true, \(times))", "23514"),
                ("\(insert)) values (' ', 5, true, \(times))", "PR602"),
                ("\(insert)) values ('x', 5, true, pricing_now(), pricing_now())", "23514"),
                (
                    "with c as (\(insert)) values ('x', null, false, \(times)) returning campaign_id) "
                        + "insert into campaign_product select campaign_id, 1, 60 from c", "PR309"
                ),
            ] {
                #expect((await shop.refusal(sql))?.sqlState?.code == state, "\(sql)")
            }
            let rival = """
                select campaign_create('{"name": "x", "endsAt": "2031-01-05T00:00:00Z",
                                         "prices": [{"productId": 1, "price": "60.00"}]}')
                """
            #expect((await shop.refusal(rival))?.sqlState?.code == "PR309")
            try await shop.run("\(insert)) values ('by hand', 50, true, \(times))")
            try await shop.setDay(0)
            #expect(try await shop.price(1) == "50.00")
            try await expectSound(shop)
        }
    }

    @Test func `Fixed prices may follow each other, and one that was ended early is out of the way`() async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            try await shop.product()
            func fixed(_ price: JSONValue, from: String, to: String) -> JSONObject {
                [
                    "prices": [["productId": 1, "price": price]], "startsAt": .string(from), "endsAt": .string(to),
                ]
            }
            let first = try await campaign(
                shop,
                fixed("90.00", from: "2031-01-02T00:00:00Z", to: "2031-01-05T00:00:00Z")
            )
            try await campaign(shop, fixed("85.00", from: "2031-01-05T02:00:00+02:00", to: "2031-01-09T00:00:00Z"))
            try await shop.setClock("2031-01-02T00:00:00Z")
            #expect(try await shop.price(1) == "90.00")
            try await end(shop, first)
            #expect(try await shop.price(1) == "100.00")
            try await campaign(shop, fixed("70.00", from: "2031-01-03T00:00:00Z", to: "2031-01-04T00:00:00Z"))
            try await shop.setClock("2031-01-10T00:00:00Z")
            let told = "select concat_ws(' ', to_char(at, 'DD HH24:MI'), new_price) from price_change order by sequence"
            #expect(
                try await shop.rows(told) == [
                    "02 00:00 90.00", "02 00:00 100.00", "03 00:00 70.00", "04 00:00 100.00", "05 00:00 85.00",
                    "09 00:00 100.00",
                ]
            )
            try await expectSound(shop)
        }
    }

    @Test func `A page leaves a row that another session holds for later, and waits for none`() async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            for _ in 1...7 { try await shop.product() }
            try await shop.holding("select from inventory where product_id = 3 for update") {
                try await campaign(shop)
                #expect(try await shop.rows("select product_id from inventory where price = 100") == ["3"])
                let state = "select concat_ws(' ', status, waiting, reached) from campaign"
                #expect(try await shop.value(state) == "starting {3}")
                #expect(try await shop.value("select is_idle from campaign_step(50)") == "t")
                #expect(try await shop.value("select seconds_to_campaign() between 0.05 and 0.3") == "t")
                #expect(try await shop.differences() == [])
            }
            #expect(try await shop.value("select visited from campaign_step(50)") == "1")
            #expect(try await shop.value("select status from campaign") == "running")
            #expect(try await shop.rows("select distinct price from inventory") == ["80.00"])
            try await expectSound(shop)
        }
    }

    @Test func `What was due while nobody served comes in its order, and what is over never runs`() async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            for _ in 1...3 { try await shop.product() }
            for (name, product, from, to) in [
                ("over", 1, 2, 4), ("late", 2, 3, 20), ("early", 3, 1, 20),
            ] {
                try await shop.run(
                    """
                    insert into campaign (name, percent_off, starts_at, ends_at)
                    select '\(name)', 10, pricing_now() + interval '\(from) days', pricing_now() + interval '\(to) days';
                    insert into campaign_product select max(campaign_id), \(product) from campaign
                    """
                )
            }
            // As a live shop finds it: nothing ran, and the time has come and gone.
            try await shop.run("update virtual_clock set at = at + interval '10 days'")
            #expect(try await shop.value("select seconds_to_campaign()") == "0.05")
            try await shop.run(
                "do $$ begin while not (campaign_step(50)).is_idle loop null; end loop; end $$"
            )
            let told = """
                select concat_ws(' ', op, after ->> 'name') from recorded_event where topic = 'catalogue' and op in ('campaign_started', 'campaign_ended')
                order by change_id
                """
            #expect(
                try await shop.rows(told) == ["campaign_started early", "campaign_ended over", "campaign_started late"]
            )
            #expect(
                try await shop.rows("select price from inventory order by product_id") == ["100.00", "90.00", "90.00"]
            )
            let why = "select end_reason from campaign where name = 'over'"
            #expect(try await shop.value(why) == "it was over before it could start")
            try await expectSound(shop)
        }
    }

    @Test func `What learns sees the price that was charged`() async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            let (one, twin) = (try await shop.product(rule: "learn"), try await shop.product(rule: "learn"))
            let rivals = "select concat_ws(' ', state) from learner order by product_id"
            try await campaign(shop, ["productIds": [.integer(Int64(one))]])
            let charged = try await shop.price(one)
            try await shop.run("update inventory set price = \(charged) where product_id = \(twin)")
            let buyer = try await shop.buyer()
            try await shop.run(place(buyer, [(one, 3)]))
            try await shop.run(place(buyer, [(twin, 3)]))
            #expect(try await shop.price(one) == charged, "within the interval, and the same dead band")
            try await shop.setDay(1)
            let states = try await shop.rows(rivals)
            #expect(states.count == 2 && states[0] == states[1])
            try await expectSound(shop)
        }
    }
}
