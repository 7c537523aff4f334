import Postgres
import PricingTestSupport
import Testing

/// What a merchant may type and time may do to it, far past anything sensible: no price function raises, and none gives
/// nothing, NaN or infinity.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct ExtremeValueTests {
    private static let seed: Int64 = 20_260_202
    private static let count: Int64 = effort > 1 ? 20_000 : 2000

    /// `pg_temp.between(low, high, u)` is spread evenly over magnitudes; `pg_temp.extreme` is one case: declaration, rule,
    /// row, and how long and how much of it was sold at its price before.
    private static let functions = """
        create function pg_temp.between(low float8, high float8, u float8) returns float8 language sql immutable as $$
            select exp(ln(low) + (ln(high) - ln(low)) * u)
        $$;
        create function pg_temp.extreme(
            seed bigint, n bigint, out d product, out r rule, out i inventory, out days float8, out sold float8
        )
        language sql as $$
            with dice as (select array(select random_unit(seed, s, n) from generate_series(1, 30) s) as u),
            -- learn twice: it has the most to go wrong
            named as (select array['learn'] || array(select name from strategy order by name) as names),
            sized as (
                select u, pg_temp.between(0.01, 9999999999.99, u[1])::numeric(12, 2) as base, 36500 * u[2] ^ 3 as age,
                       timestamptz '2000-01-01Z' as born
                from dice),
            limited as (
                select *, greatest(0.01, base * (0.001 + 0.9 * u[3])::numeric)::numeric(12, 2) as floor,
                       least(9999999999.99, base * (1 + 200 * u[4] ^ 4)::numeric)::numeric(12, 2) as ceiling
                from sized)
            select jsonb_populate_record(null::product, jsonb_build_object(
                       'product_id', n, 'base_price', base, 'floor_price', least(floor, ceiling), 'ceiling_price', ceiling,
                       'unit_cost', case when u[5] < 0.5 then pg_temp.between(0.01, 9999999999.99, u[6])::numeric(12, 2) end,
                       'low_stock', 10, 'high_stock', 100, 'created_at', born,
                       'elasticity', pg_temp.between(0.1, 20, u[7]),
                       'ref_rate', case when u[8] < 0.8 then pg_temp.between(1e-300, 1e9, u[9]) end,
                       'unit_value', case when u[10] < 0.5 then pg_temp.between(0.01, 9999999999.99, u[11])::numeric(12, 2)
                                          else 0 end,
                       'decay', case when u[12] < 0.5 then u[13] ^ 3 when u[12] < 0.6 then 1 else 0 end,
                       'season_start', case when u[14] < 0.7 then born end,
                       'season_end', case when u[14] < 0.7 then born
                           + pg_temp.between(1e-6, 86400 * 36500::float8, u[15]) * interval '1 second' end,
                       'season_profile', case when u[14] < 0.3 then
                           array[0, 1e-9, case when u[16] < 0.5 then 0 else 1000 end, pg_temp.between(1e-9, 1000, u[17])] end)),
                   jsonb_populate_record(null::rule, jsonb_build_object(
                       'rule_id', 1, 'strategy', names[1 + floor(cardinality(names) * u[18])::integer],
                       'cover_days', pg_temp.between(1, 3650, u[19]), 'cooldown_seconds', 0, 'never_up', u[20] < 0.1,
                       'up_share', u[21], 'down_share', 0.95 * u[21], 'gap_share', 0.05, 'band_tick', 0.08,
                       'band_stock', 0.15, 'least_rise', 10 * u[23],
                       'least_fall', 10 * u[22] ^ 4, 'daily_cap', case when u[22] < 0.5 then 10 end,
                       'minimum_margin', 10 * u[23] ^ 4, 'price_step', 0.01, 'price_offset', 0, 'tick_seconds', 86400)),
                   jsonb_populate_record(null::inventory, jsonb_build_object(
                       'product_id', n, 'stock', pg_temp.between(1, 2e7, u[24])::integer, 'held', 0,
                       'price', pg_temp.between(0.01, ceiling::float8, u[25])::numeric(12, 2), 'band', 0,
                       'anchor_price', pg_temp.between(0.01, ceiling::float8, u[25])::numeric(12, 2),
                       'ticked_at', born + age * interval '1 day', 'anchor_date', '2000-01-01',
                       'opening_rate', case when u[26] < 0.8 then pg_temp.between(1e-9, 1e9, u[26]) end,
                       'next_eta', case when u[27] < 0.5 then born + 36500 * u[28] * interval '1 day' end)),
                   age, pg_temp.between(1, 1e9, u[29])
            from limited, named
        $$;
        -- The row after `days` days at its price, in parts of which each sold its share, as a tick learns it.
        create function pg_temp.learned(d product, r rule, i inventory, days float8, sold float8) returns inventory
        language plpgsql as $$
        declare
            state float8[] := learner_empty();
            at timestamptz := d.created_at;
            later timestamptz;
        begin
            foreach days in array array[0, days / 2, days / 2] loop
                later := at + days * interval '1 day';
                state := learn_fold(state, learn_segment(learner_empty(),
                    season_weight(d.season_profile, d.season_start, d.season_end, at, later), sold * (1 + days),
                    price_distance(i.regular_price, d.base_price, d.elasticity, d.decay, season_age(d, later)), d.elasticity), days);
                at := later;
            end loop;
            return with_estimates(d, r, with_opening_rate(d, r, i, 'tick', at), state);
        end $$;
        """

    @Test
    func `No strategy, guard or estimate raises, or gives nothing, NaN or infinity`() async throws {
        try await Shop.with { shop in
            try await shop.run(Self.functions)
            // Case by case, so that an error names its case.
            try await shop.run(
                """
                create temporary table broken (n bigint, told text);
                do $$
                declare
                    c record;
                    i inventory;
                    v price_verdict;
                    mode text;
                begin
                    for n in 1..\(Self.count) loop
                        c := pg_temp.extreme(\(Self.seed), n);
                        begin
                            i := case when (strategy_facts((c.r).strategy)).learns then pg_temp.learned(c.d, c.r, c.i, c.days, c.sold)
                                      else c.i end;
                            foreach mode in array array['first', 'declaration', 'stock', 'tick'] loop
                                v := evaluate_price(c.d, c.r, i, mode);
                                if (v.price between v.floor_at and greatest(v.floor_at, (c.d).ceiling_price)
                                    and abs(v.raw) < 'Infinity' and coalesce(v.rate, 1) between 0 and 1e300
                                    and coalesce(v.elasticity, 1) between 1e-9 and 1e9) is not true then
                                    insert into broken values (n, format('%s: %s', mode, v));
                                end if;
                                if ((recompute_price(price_inputs(c.d, c.r, i, i.regular_price, i.band, mode, v)::text::jsonb)).price
                                    = v.price) is not true then
                                    insert into broken values (n, format('%s, recomputed: %s', mode, v));
                                end if;
                            end loop;
                            v := evaluate_price(c.d, c.r, row_at_tick(c.d, c.r, i, i.ticked_at + interval '1 day'), 'tick');
                            if (strategy_note(c.d, c.r, i, v) <> '') is not true then
                                insert into broken values (n, 'no note');
                            end if;
                        exception when others then
                            insert into broken values (n, format('%s %s; %s %s %s', sqlstate, sqlerrm, c.d, c.r, i));
                        end;
                    end loop;
                end $$
                """
            )
            #expect(try await shop.rows("select format('case %s: %s', n, told) from broken order by n limit 3") == [])
        }
    }

    @Test(arguments: [
        // days, units a day, restocked each week, declaration
        (60, 50, 350, #"{"basePrice": "100.00", "stock": 700}"#),
        (40, 500, 3500, #"{"basePrice": "100.00", "stock": 20000}"#),
        (150, 0, 0, #"{"basePrice": "100.00", "stock": 500, "decay": 0.05, "seasonEnd": "2031-05-30T00:00:00Z"}"#),
        (90, 1, 0, #"{"basePrice": "100.00", "stock": 500, "decay": 0.1, "seasonEnd": "2031-05-30T00:00:00Z"}"#),
        (3, 0, 0, #"{"basePrice": "1.00", "unitValue": "99999.00", "stock": 500}"#),
    ])
    func `A product of long ago, of many sales or far from its base is priced, sold, restocked, unpinned and archived`(
        days: Int,
        units: Int,
        weekly: Int,
        declaration: String
    ) async throws {
        try await Shop.with { shop in
            let id = try await product(shop, declaration)
            let buyer = try await shop.buyer()
            for day in 1...days {
                try await shop.setDay(day)
                if units > 0 { try await order(shop, buyer, id, units) }
                if weekly > 0, day.isMultiple(of: 7) {
                    _ = try await shop.value(
                        "select inventory_restock('{\"productId\": \(id), \"quantity\": \(weekly)}')"
                    )
                }
            }
            try await shop.setDay(40_000)
            for call in ["price_unpin", "product_archive"] {
                _ = try await shop.value("select \(call)('{\"productId\": \(id)}')")
            }
            #expect(try await shop.rows("select kind from audit_products(array[\(id)])") == [])
        }
    }

    @Test
    func `A sale far above base leaves a product that can be unpinned, restocked and sold`() async throws {
        try await Shop.with { shop in
            let id = try await product(
                shop,
                #"{"basePrice": "1.00", "floor": "0.50", "ceiling": "200.00", "stock": 20}"#
            )
            let buyer = try await shop.buyer()
            _ = try await shop.value("select price_pin('{\"productId\": \(id), \"price\": \"200.00\"}')")
            try await order(shop, buyer, id, 1)
            _ = try await shop.value("select price_unpin('{\"productId\": \(id)}')")
            let price = try #require(Double(try await shop.price(id)))
            #expect((1.0...2.0).contains(price), "one sale at 200 times base is one sale")
            _ = try await shop.value("select inventory_restock('{\"productId\": \(id), \"quantity\": 1}')")
            try await order(shop, buyer, id, 1)
        }
    }

    @Test(arguments: [
        "array[0, 0, 0]", "array[null, 1]", "array['NaN', 1]", "array[1, -1]", "array[1e-300, 0]", "'{}'",
    ])
    func `A season in which nothing weighs is refused, by call and by SQL`(profile: String) async throws {
        try await Shop.with { shop in
            let id = try await shop.product(rule: "deadline")
            try await shop.run("update product set season_start = now(), season_end = now() + interval '9 days'")
            let refused = await shop.refusal(
                "update product set season_profile = \(profile)::float8[] where product_id = \(id)"
            )
            #expect(refused?.sqlState?.code == "23514")
            let typed = await shop.refusal(
                "select product_update('{\"productId\": \(id), \"seasonProfile\": [0, 0, 0]}')"
            )
            #expect(typed?.sqlState?.code == "PR602")
            #expect(typed?.detail?.contains("/seasonProfile") == true)
        }
    }

    private func product(_ shop: Shop, _ declaration: String) async throws -> Int {
        let id = try await shop.value(
            """
            with c as (insert into category (name) values ('Things') on conflict (name) do update set name = 'Things'
                       returning category_id)
            select product_create($1::jsonb || jsonb_build_object('title', 'Thing', 'categoryId', category_id, 'ruleId',
                (select rule_id from rule where name = 'learn' and status = 'active'))) ->> 'productId' from c
            """,
            [.text(declaration)]
        )
        return try #require(Int(id))
    }

    @discardableResult
    private func order(_ shop: Shop, _ buyer: Int, _ product: Int, _ units: Int) async throws -> Int {
        let id = try await shop.value(
            """
            select order_place(jsonb_build_object('customerId', \(buyer), 'lines', jsonb_build_array(
                jsonb_build_object('productId', \(product), 'quantity', \(units))))) ->> 'orderId'
            """
        )
        return try #require(Int(id))
    }
}
