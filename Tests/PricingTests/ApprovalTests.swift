import JSON
import Postgres
import PricingTestSupport
import Testing

/// Moves that want a person's yes: who proposes, renews, decides and ends them, and what stands meanwhile.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct ApprovalTests {
    private static let state = """
        select concat_ws(' ', i.price, i.regular_price, i.awaits_approval, i.stands_from, i.stands_to, p.status, p.old_price, p.new_price)
        from inventory i left join proposal p on p.product_id = i.product_id and p.status = 'open' where i.product_id = 
        """
    private static let proposals = """
        select concat_ws(' ', status, old_price, new_price, cause, nullif(reason, '')) from proposal order by proposal_id
        """
    private static let told = """
        select op || ' ' || (after ->> 'price') from recorded_event where op like 'proposal%' order by change_id
        """

    /// Makes a rule that products can follow.
    @discardableResult
    private func rule(
        _ shop: Shop,
        above: String = "0.05",
        strategy: String = "bands",
        more: String = "",
        name: String = "careful"
    ) async throws -> Int {
        let id = try await shop.value(
            """
            select rule_activate(rule_create('{"name": "\(name)", "strategy": "\(strategy)",
                "parameters": {"approveAbove": \(above)\(more)}}')::jsonb) ->> 'ruleId'
            """
        )
        return try #require(Int(id))
    }

    private func expectSound(_ shop: Shop, _ location: SourceLocation = #_sourceLocation) async throws {
        #expect(try await shop.differences() == [], sourceLocation: location)
        #expect(try await shop.rows(Invariants.sql) == [], sourceLocation: location)
    }

    private func price(_ shop: Shop, base: Int) async throws {
        try await shop.run("update product set base_price = \(base)")
    }

    @Test func `An order keeps the posted price and proposes nothing; the next tick does`() async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            try await rule(shop)
            let product = try await shop.product(rule: "careful")
            try await shop.run(place(try await shop.buyer(), [(product, 42)]))
            #expect(try await shop.value(Self.state + "1") == "100.00 100.00 t 1 8")
            #expect(try await shop.rows(Self.proposals) == [])
            try await expectSound(shop)
            try await shop.setDay(1)
            #expect(try await shop.value(Self.state + "1") == "100.00 100.00 t 1 8 open 100.00 110.00")
            try await expectSound(shop)
            // The target comes back: nothing moves before the next tick, and that withdraws it.
            try await shop.run("update inventory set stock = 60")
            #expect(try await shop.rows(Self.proposals) == ["open 100.00 110.00 tick"])
            try await shop.setDay(2)
            #expect(try await shop.rows(Self.proposals) == ["withdrawn 100.00 110.00 tick the target moved back"])
            #expect(try await shop.rows(Self.told) == ["proposal_made 110.00", "proposal_withdrawn 110.00"])
            try await expectSound(shop)
        }
    }

    @Test func `A declaration is proposed, renewed as it moves, and approved as it stands`() async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            try await rule(shop)
            try await shop.product(rule: "careful")
            try await price(shop, base: 104)
            #expect(try await shop.price(1) == "104.00", "within what needs no yes")
            try await price(shop, base: 150)
            try await price(shop, base: 160)
            #expect(try await shop.rows(Self.proposals) == ["open 104.00 160.00 declaration"])
            try await expectSound(shop)
            // The day's cap does not cut what was declared, nor does the next day.
            try await shop.setDay(1)
            #expect(try await shop.rows(Self.proposals) == ["open 104.00 160.00 declaration"])
            let decided = try await shop.object("proposal_approve", ["proposalId": 1, "reason": "as planned"])
            #expect(decided["status"] == "approved" && decided["price"] == "160.00" && decided["old"] == "104.00")
            let change = """
                select concat_ws(' ', cause, old_price, new_price, binding_guard, inputs ->> 'mode', reason)
                from price_change order by sequence desc limit 1
                """
            #expect(try await shop.value(change) == "approval 104.00 160.00 declaration as planned")
            let anchor = "select concat_ws(' ', anchor_price, anchor_date) from inventory"
            #expect(try await shop.value(anchor) == "160.00 2031-01-02", "a declaration's price is the day's anchor")
            #expect(
                try await shop.rows(Self.told)
                    == ["proposal_made 150.00", "proposal_renewed 160.00", "proposal_approved 160.00"]
            )
            try await expectSound(shop)
            let trail = try await shop.object("audit_trail", ["productId": 1])
            #expect(trail["items"]?.array?.first?["kind"] == "approve")
            #expect(trail["items"]?.array?.first?["reason"] == "as planned")
            let again = await shop.refusal("select proposal_approve('{\"proposalId\": 1}')")
            #expect(again?.sqlState?.code == "PR306" && again?.detail?.contains("\"approved\"") == true)
        }
    }

    @Test func `What stock has moved since is STALE with the new target, which may be approved instead`() async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            try await rule(shop, strategy: "cover", more: #", "dailyCap": null, "bandTick": 0, "bandStock": 0"#)
            let product = try await shop.product(stock: 200, rule: "careful")
            try await shop.run("update product set ref_rate = 5")
            try await shop.run("update inventory set stock = 100")
            try await shop.setDay(1)
            let made = try await shop.value("select new_price from proposal where status = 'open'")
            try await shop.run(place(try await shop.buyer(), [(product, 3)]))
            let refusal = await shop.refusal("select proposal_approve('{\"proposalId\": 1}')")
            #expect(refusal?.sqlState?.code == "PR306")
            let facts = try JSONParser.parse(Array(try #require(refusal?.detail).utf8))
            let target = try #require(facts["target"]?.string)
            #expect(facts["proposed"]?.string == made && target != made)
            let wrong = await shop.refusal("select proposal_approve('{\"proposalId\": 1, \"price\": \"1.00\"}')")
            #expect(
                wrong?.message == "The price asked for is \(target) now.",
                "it is open, and is not said to be decided"
            )
            #expect(wrong?.detail == refusal?.detail)
            let listed = try await shop.object("proposal_list", ["status": "open"])["items"]?.array?.first
            #expect(listed?["target"]?.string == target && listed?["proposed"]?.string == made)
            let posted = try await shop.price(product)
            #expect(try await shop.value("select price_why('{\"productId\": 1}') ->> 'proposed'") == target)
            let decided = try await shop.object("proposal_approve", ["proposalId": 1, "price": .string(target)])
            #expect(decided["price"]?.string == target && decided["old"]?.string == posted)
            try await expectSound(shop)
        }
    }

    @Test func `A rejected target stays rejected until it leaves the dead band around it`() async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            try await rule(shop, strategy: "manual", more: #", "bandTick": 0.1, "bandStock": 0.1"#)
            try await shop.product(rule: "careful")
            try await price(shop, base: 150)
            _ = try await shop.object("proposal_reject", ["proposalId": 1, "reason": "too dear"])
            for (base, count) in [(150, 1), (155, 1), (164, 1), (166, 2), (150, 2)] {
                try await price(shop, base: base)
                #expect(try await shop.rows("select status from proposal").count == count, "base \(base)")
                #expect(try await shop.price(1) == "100.00")
            }
            #expect(try await shop.value("select new_price from proposal where status = 'open'") == "150.00")
            try await expectSound(shop)
            try await price(shop, base: 101)
            #expect(
                try await shop.rows(Self.proposals) == [
                    "rejected 100.00 150.00 declaration too dear",
                    "withdrawn 100.00 150.00 declaration the target moved back",
                ]
            )
            #expect(try await shop.price(1) == "101.00")
            try await expectSound(shop)
        }
    }

    @Test func `One that nobody decides expires after seven days, and is not asked for again`() async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            try await rule(shop)
            try await shop.product(rule: "careful")
            try await price(shop, base: 150)
            try await shop.setDay(6)
            #expect(try await shop.rows(Self.proposals) == ["open 100.00 150.00 declaration"])
            try await shop.setDay(7)
            try await shop.setDay(9)
            #expect(try await shop.rows(Self.proposals) == ["expired 100.00 150.00 declaration"])
            #expect(try await shop.rows(Self.told) == ["proposal_made 150.00", "proposal_expired 150.00"])
            let refusal = await shop.refusal("select proposal_approve('{\"proposalId\": 1}')")
            #expect(refusal?.sqlState?.code == "PR306")
            try await price(shop, base: 151)
            #expect(try await shop.value("select new_price from proposal where status = 'open'") == "151.00")
            try await expectSound(shop)
        }
    }

    @Test func `In shadow mode everything is proposed and nothing moves but a first price`() async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            try await rule(shop, above: "0")
            let product = try await shop.product(stock: 5, rule: "careful")
            #expect(try await shop.price(product) == "110.00", "a first price waits for nobody")
            let buyer = try await shop.buyer()
            try await shop.run("update inventory set stock = 50")
            try await shop.setDay(1)
            for day in 2...4 {
                try await shop.run(place(buyer, [(product, 15)]))
                try await shop.setDay(day)
                try await expectSound(shop)
            }
            #expect(try await shop.value(Self.state + "1").hasPrefix("110.00 110.00 f"))
            try await price(shop, base: 101)
            #expect(try await shop.value("select count(*) from price_change") == "0")
            #expect(try await shop.rows(Self.proposals).last == "open 110.00 111.10 declaration")
            try await expectSound(shop)
        }
    }

    @Test func `Limits wait for nobody: the price comes to them, and the rest is proposed`() async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            try await rule(shop, above: "0")
            try await shop.product(rule: "careful")
            try await shop.run("update product set base_price = 300, floor_price = 120, ceiling_price = 600")
            #expect(try await shop.price(1) == "120.00")
            #expect(try await shop.rows(Self.proposals) == ["open 120.00 300.00 declaration"])
            try await expectSound(shop)
            try await shop.setDay(1)
            #expect(try await shop.rows(Self.proposals) == ["open 120.00 300.00 declaration"])
            _ = try await shop.object("proposal_approve", ["proposalId": 1])
            #expect(try await shop.price(1) == "300.00")
            try await expectSound(shop)
        }
    }

    @Test func `The proposal is of what the daily cap leaves, day by day`() async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            try await rule(shop, more: #", "up": 0.5, "dailyCap": 0.2"#)
            let product = try await shop.product(rule: "careful")
            try await shop.run("update inventory set stock = 5")
            for (day, target) in [(1, "120.00"), (2, "120.00"), (3, "120.00")] {
                try await shop.setDay(day)
                #expect(try await shop.value("select new_price from proposal where status = 'open'") == target)
            }
            let item = try await shop.object("proposal_list", [:])["items"]?.array?.first
            #expect(item?["bindingGuard"] == "daily_cap" && item?["why"] == "limited by the daily cap")
            #expect(item?["steps"]?.array?.last?["after"] == "120.00")
            let why = try await shop.object("price_why", ["productId": 1])
            #expect(why["bindingGuard"] == "approval" && why["withoutGuard"] == "120.00")
            #expect(why["proposal"]?["proposalId"] == 1 && why["steps"]?.array?.last?["step"] == "approval")
            #expect(why["next"]?.array?.last?["price"] == "120.00")
            _ = try await shop.object("proposal_approve", ["proposalId": 1])
            #expect(try await shop.price(product) == "120.00")
            try await shop.setDay(4)
            #expect(try await shop.value("select new_price from proposal where status = 'open'") == "144.00")
            try await expectSound(shop)
        }
    }

    @Test func `A pin, the archive and another rule withdraw it; a halt freezes it`() async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            try await rule(shop)
            try await shop.product(rule: "careful")
            try await price(shop, base: 150)
            try await shop.run("select pricing_halt('{\"productId\": 1, \"reason\": \"x\"}')")
            #expect((await shop.refusal("select proposal_approve('{\"proposalId\": 1}')"))?.sqlState?.code == "PR304")
            try await price(shop, base: 160)
            try await shop.setDay(1)
            #expect(try await shop.rows(Self.proposals) == ["open 100.00 150.00 declaration"], "halted: not renewed")
            try await expectSound(shop)
            try await shop.run("select pricing_resume('{\"productId\": 1, \"reason\": \"x\"}')")
            #expect(try await shop.rows(Self.proposals) == ["open 100.00 160.00 resume"])
            try await shop.run("update inventory set price = 130")
            #expect(try await shop.rows(Self.proposals) == ["withdrawn 100.00 160.00 resume the price was pinned"])
            try await shop.run("select price_unpin('{\"productId\": 1}')")
            #expect(try await shop.rows(Self.proposals).last == "open 130.00 160.00 unpin")
            #expect(try await shop.price(1) == "130.00")
            try await expectSound(shop)
            try await shop.run("select product_archive('{\"productId\": 1}')")
            #expect(
                try await shop.rows(Self.proposals).last == "withdrawn 130.00 160.00 unpin the product was archived"
            )
            try await shop.run("select product_restore('{\"productId\": 1}')")
            #expect(try await shop.rows(Self.proposals).last == "open 130.00 160.00 declaration")
            try await rule(shop, above: "null")
            #expect(
                try await shop.rows(Self.proposals).last == "withdrawn 130.00 160.00 declaration the price moved"
            )
            #expect(try await shop.price(1) == "160.00")
            try await expectSound(shop)
        }
    }

    @Test func `Regular prices are compared, and a campaign lowers what is charged as ever`() async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            try await rule(shop)
            try await shop.product(rule: "careful")
            try await shop.run(
                """
                select campaign_create('{"name": "Sale", "percentOff": 20, "all": true, "endsAt": "2031-01-31T12:00:00Z"}')
                """
            )
            try await price(shop, base: 150)
            #expect(try await shop.value(Self.state + "1").hasPrefix("80.00 100.00 t"))
            #expect(try await shop.rows(Self.proposals) == ["open 100.00 150.00 declaration"])
            let decided = try await shop.object("proposal_approve", ["proposalId": 1])
            #expect(decided["price"] == "120.00" && decided["regularPrice"] == "150.00")
            try await expectSound(shop)
        }
    }

    @Test func `A rollback takes an approved move back, and asks nobody`() async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            try await rule(shop)
            let product = try await shop.product(rule: "careful")
            try await shop.setDay(1)
            try await shop.run("update inventory set stock = 5")
            try await shop.setDay(2)
            _ = try await shop.object("proposal_approve", ["proposalId": 1])
            #expect(try await shop.price(product) == "110.00")
            try await shop.run(
                "select number_events(); select price_rollback('{\"to\": \"2031-01-03T00:00:00Z\", \"all\": true, \"cause\": \"approval\"}')"
            )
            #expect(try await shop.price(product) == "100.00")
            #expect(try await shop.value("select pin_price from inventory") == "100.00", "automation moved it: a pin")
            try await expectSound(shop)
            try await shop.setDay(4)
            try await price(shop, base: 150)
            _ = try await shop.object("proposal_approve", ["proposalId": 2])
            #expect(try await shop.price(product) == "165.00")
            try await shop.run(
                "select number_events(); select price_rollback('{\"to\": \"2031-01-05T12:00:00Z\", \"all\": true}')"
            )
            #expect(try await shop.price(product) == "100.00", "as it stood")
            #expect(try await shop.value("select base_price from product") == "100.00")
            #expect(try await shop.value("select count(*) from proposal where status = 'open'") == "0")
            try await expectSound(shop)
        }
    }

    @Test func `Direct SQL obeys: one open proposal, decided once, and an approval moves the price`() async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            try await rule(shop)
            try await shop.product(rule: "careful")
            try await price(shop, base: 150)
            let copy = """
                insert into proposal (product_id, rule_id, old_price, new_price, stock, cause, inputs, made_at, renewed_at, expires_at)
                select product_id, rule_id, old_price, new_price, stock, cause, inputs, made_at, renewed_at, expires_at from proposal
                """
            for (sql, state) in [
                (copy, "23505"), ("delete from proposal", "PR903"), ("truncate proposal", "PR903"),
                ("update proposal set product_id = 2", "PR903"),
                ("update proposal set status = 'approved', new_price = 155", "PR306"),
                ("update inventory set awaits_approval = false", "PR903"),
            ] {
                #expect((await shop.refusal(sql))?.sqlState?.code == state, "\(sql)")
            }
            try await shop.run("update proposal set status = 'approved'")
            #expect(try await shop.price(1) == "150.00")
            for sql in ["status = 'rejected'", "new_price = 1", "stands = true", "reason = 'x'"] {
                #expect((await shop.refusal("update proposal set \(sql)"))?.sqlState?.code == "PR903", "\(sql)")
            }
            try await expectSound(shop)
        }
    }

    @Test func `Of two who approve at once one wins, and the other is told`() async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            try await rule(shop)
            try await shop.product(rule: "careful")
            try await price(shop, base: 150)
            let approve = "select proposal_approve('{\"proposalId\": 1}')"
            for second in [approve, "select proposal_reject('{\"proposalId\": 1}')"] {
                let outcome = try await shop.race(approve, against: second)
                #expect(outcome?.sqlState?.code == "PR306")
                #expect(outcome?.detail?.contains("\"approved\"") == true)
                try await expectSound(shop)
                break
            }
            #expect(try await shop.price(1) == "150.00")
            #expect(try await shop.value("select count(*) from price_change where cause = 'approval'") == "1")
        }
    }

    @Test func `A preview with a rule that asks proposes; lint names a share that no day reaches`() async throws {
        try await Shop.with { shop in
            try await shop.setDay(0)
            let id = try await rule(shop, above: "0.3", more: #", "up": 0.5"#)
            let product = try await shop.product(stock: 5)
            try await shop.run("update product set base_price = 200, ceiling_price = 400 where product_id = \(product)")
            let said = try await shop.object("price_preview", ["productId": 1, "rule": .integer(Int64(id))])
            #expect(said["price"] == "220.00" && said["proposed"] == "300.00")
            let lint = try await shop.object("rule_lint", ["ruleId": .integer(Int64(id))])
            #expect(lint["ok"] == true)
            #expect(lint["findings"]?.array?.contains { $0["code"] == "NEVER_ASKS" } == true)
        }
    }
}
