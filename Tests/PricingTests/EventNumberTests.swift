import Postgres
import PricingTestSupport
import Testing

/// A number is given after the commit, by one sequencer at a time.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct EventNumberTests {
    @Test
    func `An event inserted earlier and committed later is neither lost nor numbered below one that was given`()
        async throws
    {
        try await Shop.with { shop in
            let late = try await shop.product()
            let early = try await shop.product()
            let start = try await number(shop)
            let reader = try await shop.another()
            try await shop.holding("update inventory set stock = 60 where product_id = \(late)") {
                try await shop.run("update inventory set stock = 70 where product_id = \(early)")
                #expect(try await number(reader) == start + 1)
                #expect(try await products(reader, after: start) == [early])
            }
            #expect(try await number(reader) == start + 2)
            #expect(try await products(reader, after: start) == [early, late])
            #expect(try await products(reader, after: start + 1) == [late])
        }
    }

    @Test
    func `Two sequencers at once: the second waits, and numbers begin where the first ended`() async throws {
        try await Shop.with { shop in
            let product = try await shop.product()
            let start = try await number(shop)
            for stock in 61...65 {
                try await shop.run("update inventory set stock = \(stock) where product_id = \(product)")
            }
            let outcome = try await shop.race("select number_events()", against: "select number_events()")
            #expect(outcome == nil)
            _ = try await number(shop)
            let numbers = try await shop.rows("select sequence from event where sequence > \(start) order by 1")
            #expect(numbers == (1...5).map { "\(start + $0)" })
            #expect(
                try await shop.rows("select after ->> 'stock' from event where sequence > \(start) order by sequence")
                    == ["61", "62", "63", "64", "65"]
            )
            #expect(try await shop.value("select unnumbered_events()") == "0")
        }
    }

    @Test
    func `Many writers and an impatient reader: numbers rise one by one, each event once, each product's in order`()
        async throws
    {
        try await Shop.with { shop in
            let products = [
                try await shop.product(), try await shop.product(), try await shop.product(), try await shop.product(),
            ]
            let start = try await number(shop)
            let reader = try await shop.another()
            let rounds = 25 * Int(effort)
            let seen = try await withThrowingTaskGroup(of: [Int].self) { group in
                for product in products {
                    let writer = try await shop.another()
                    group.addTask {
                        for _ in 0..<rounds {
                            try await writer.run("update inventory set stock = stock + 1 where product_id = \(product)")
                        }
                        await writer.connection.close()
                        return []
                    }
                }
                group.addTask {
                    var seen: [Int] = []
                    while seen.count < products.count * rounds {
                        _ = try await number(reader)
                        seen += try await reader.rows(
                            "select sequence from event where topic = 'stock' and sequence > \(seen.last ?? start) order by 1"
                        ).compactMap { Int($0) }
                    }
                    return seen
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(seen == Array(Set(seen)).sorted())
            #expect(try await shop.value("select max(sequence) - min(sequence) + 1 = count(*) from event") == "t")
            #expect(
                try await shop.rows(
                    """
                    select product_id from (
                        select product_id, (after ->> 'stock')::integer
                               - lag((after ->> 'stock')::integer) over (partition by product_id order by sequence) as step
                        from event where topic = 'stock') steps
                    where step <> 1
                    """
                ) == []
            )
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    @Test
    func `Where a partition is full the next one is made; old ones go as a whole, never the one that is being filled`()
        async throws
    {
        try await Shop.with { shop in
            let product = try await shop.product()
            _ = try await number(shop)
            try await shop.run("update event_sequence set last_number = 39999997")
            for stock in 61...65 {
                try await shop.run("update inventory set stock = \(stock) where product_id = \(product)")
            }
            #expect(try await number(shop) == 40_000_002)
            #expect(
                try await shop.rows(
                    """
                    select tableoid::regclass || ' ' || sum(event_count) from event_range
                    where first_number > 20000000 group by tableoid
                    """
                )
                .sorted() == ["event_range_p1 2", "event_range_p2 3"]
            )
            let expire = "select expire_events()"
            #expect(try await shop.value(expire) == "f", "nothing is old")
            try await shop.run("update event_range set at = at - interval '3 days'")
            #expect(try await shop.value(expire) == "f", "events are kept 90 days")
            try await shop.run("insert into setting values ('event_days', '2')")
            try await shop.run("update event_range set at = now() where first_number = 39999999")
            #expect(try await shop.value(expire) == "t")
            #expect(try await shop.value("select min(sequence) from event") == "39999998")
            #expect(try await shop.value("select first_number from event_sequence") == "20000000")
            #expect(try await shop.value(expire) == "f", "the next one's last event is new")
            try await shop.run("update event_range set at = now() - interval '3 days'")
            try await shop.holding("lock table event_range in access share mode") {
                let other = try await shop.another()
                #expect(try await other.value(expire) == "f", "not while a long reading runs")
                await other.connection.close()
            }
            #expect(try await shop.value(expire) == "t")
            #expect(try await shop.value(expire) == "f", "this one is being filled")
            #expect(
                try await shop.rows("select sequence from event order by 1") == ["40000000", "40000001", "40000002"]
            )
            #expect(try await shop.value("select first_number from event_sequence") == "40000000")
            for days in ["0", "1.5", "\"x\"", "null", "36501"] {
                let error = await shop.refusal("update setting set value = '\(days)' where name = 'event_days'")
                #expect(error?.constraint == "setting_event_days_whole", "\(days)")
            }
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    /// The events of a restored shop are not told again, though what runs while it is settled has the number that one of its
    /// transactions had in the other server; and what it writes is not lost.
    @Test
    func `A transaction that runs while a restored shop is settled has no part in another's events`() async throws {
        try await Shop.with { shop in
            let (kept, other) = (try await shop.product(), try await shop.product())
            _ = try await number(shop)
            let start = try await number(shop)
            try await shop.holding("update inventory set stock = 70 where product_id = \(other)") {
                try await shop.run(
                    """
                    create temporary table run_now as
                        select backend_xid::text::bigint as id from pg_stat_activity
                        where datname = current_database() and backend_xid is not null and pid <> pg_backend_pid();
                    set local session_replication_role = replica;
                    update event_range set transaction_id = (select id from run_now) where transaction_id = (
                        select transaction_id from stock_movement where product_id = \(kept));
                    update stock_movement set transaction_id = (select id from run_now) where product_id = \(kept);
                    set local session_replication_role = origin;
                    update event_sequence set looked_to = looked_to + 1000;
                    update transaction_origin set system_identifier = 1;
                    select settle_transactions();
                    """
                )
                let last = try await number(shop)
                try #require(last == start, "nothing is told again while it runs")
            }
            let (last, told) = (try await number(shop), try await products(shop, after: start))
            #expect([last] + told == [start + 1, other])
            #expect(try await number(shop) == last, "nor after it")
        }
    }

    @Test
    func `What was rolled back has no event`() async throws {
        try await Shop.with { shop in
            let product = try await shop.product()
            let start = try await number(shop)
            try await shop.run("begin; update inventory set stock = 7 where product_id = \(product); rollback")
            #expect(try await number(shop) == start)
        }
    }
}

private func number(_ shop: Shop) async throws -> Int {
    try #require(Int(try await shop.value("select number_events()")))
}

private func products(_ shop: Shop, after start: Int) async throws -> [Int] {
    try await shop.rows("select product_id from event where sequence > \(start) order by sequence").compactMap {
        Int($0)
    }
}
