import Postgres
import PricingTestSupport
import Testing

/// Nothing compounds: random campaigns start, overlap and end over random sales, restocks, ticks, pins, halts and moves
/// between categories. Each product has a twin to which the same happens but for the campaigns. `learn` is left out: what
/// it learns follows the price that was charged.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct CampaignPropertyTests {
    @Test(arguments: 1...3 * effort)
    func `The regular price is the twin's, and what is charged is the lowest of it and of each campaign's`(seed: Int64)
        async throws
    {
        try await Shop.with { shop in
            try await shop.run(Self.functions)
            #expect(try await shop.rows("select * from pg_temp.play($1, 200)", [.int(seed)]) == [])
            let made = try await shop.value("select count(*) from price_change where cause = 'campaign'")
            #expect(Int(made) ?? 0 > 20, "campaigns moved prices")
            #expect(try await shop.differences() == [])
            #expect(try await shop.rows(Invariants.sql) == [])
        }
    }

    private static let functions = """
        create function pg_temp.dice(seed bigint, step integer, stream integer) returns float8 language sql as $$
            select random_unit(seed, stream, step)
        $$;
        create function pg_temp.expected(p inventory) returns numeric language plpgsql as $$
        declare
            d product; r rule; lowest numeric := p.regular_price; floor_at numeric; made numeric; one record;
        begin
            select * into d from product where product_id = p.product_id;
            select * into r from rule where rule_id = d.rule_id;
            if p.pin_price is not null or d.archived_at is not null then return p.regular_price; end if;
            floor_at := greatest(d.floor_price, coalesce(d.unit_cost, 0));
            for one in select c.percent_off, m.price from campaign c left join campaign_product m using (campaign_id)
                     where c.started_at is not null and c.ended_at is null
                       and (c.is_for_all or c.category_id = d.category_id or m.product_id = d.product_id) loop
                made := coalesce(one.price, p.regular_price * (100 - one.percent_off) / 100);
                lowest := least(lowest, greatest(round(made, 2), floor_at));
            end loop;
            return lowest;
        end $$;
        create function pg_temp.play(seed bigint, steps integer) returns setof text language plpgsql as $$
        declare
            u float8; v float8; ids bigint[]; twin bigint[]; n integer; k integer; moment timestamptz := '2031-01-01T06:00Z';
            qty integer; id bigint; row record; said text;
        begin
            perform clock_set(jsonb_build_object('at', moment));
            perform pg_temp.make_shop();
            ids := array(select product_id from product where product_id % 2 = 1 order by 1);
            twin := array(select product_id from product where product_id % 2 = 0 order by 1);
            for step in 1..steps loop
                u := pg_temp.dice(seed, step, 1); v := pg_temp.dice(seed, step, 2);
                n := 1 + floor(cardinality(ids) * pg_temp.dice(seed, step, 3));
                said := '';
                if u < 0.35 then
                    qty := least((select stock from inventory where product_id = ids[n]), 1 + floor(30 * v * v)::integer);
                    if qty > 0 and (select archived_at is null from product where product_id = ids[n]) then
                        for k in 0..1 loop
                            perform order_place(jsonb_build_object('customerId', 1, 'lines', jsonb_build_array(jsonb_build_object(
                                'productId', case k when 0 then ids[n] else twin[n] end, 'quantity', qty))));
                        end loop;
                    end if;
                elsif u < 0.5 then
                    update inventory set stock = stock + 1 + floor(60 * v * v)::integer, cause.kind = 'restock'
                    where product_id in (ids[n], twin[n]);
                elsif u < 0.68 then
                    moment := moment + interval '1 hour' * (1 + floor(30 * v));
                    perform clock_set(jsonb_build_object('at', moment));
                elsif u < 0.84 then
                    begin
                        perform campaign_create(jsonb_build_object('name', 'Sale ' || step,
                            'startsAt', moment + interval '1 hour' * floor(40 * pg_temp.dice(seed, step, 4) - 10),
                            'endsAt', moment + interval '1 hour' * (31 + floor(60 * pg_temp.dice(seed, step, 5))))
                            || case when v < 0.3 then jsonb_build_object('categoryId', 1, 'percentOff', round((1 + 60 * v)::numeric, 1))
                                    when v < 0.7 then jsonb_build_object('productIds', to_jsonb(ids[n:n + 2]), 'percentOff', round((90 * v)::numeric, 2))
                                    else jsonb_build_object('prices', jsonb_build_array(jsonb_build_object('productId', ids[n],
                                        'price', (30 + 80 * pg_temp.dice(seed, step, 6))::numeric(12, 2)::text))) end);
                    exception when others then
                        if sqlstate not in ('PR309', 'PR102') then raise; end if;
                    end;
                elsif u < 0.88 then
                    select campaign_id into id from campaign where ended_at is null order by hashint8(campaign_id + step) limit 1;
                    if found then perform campaign_end(jsonb_build_object('campaignId', id)); end if;
                elsif u < 0.91 then
                    if (select archived_at is null from product where product_id = ids[n]) then
                    update inventory set pin_price = 90 + floor(20 * v), pinned_until = moment + interval '20 hours',
                        cause.kind = 'pin' where product_id in (ids[n], twin[n]); end if;
                elsif u < 0.93 then
                    perform price_unpin(jsonb_build_object('productId', p)) from unnest(array[ids[n], twin[n]]) p, product d
                    where d.product_id = p and archived_at is null;
                elsif u < 0.95 then
                    perform pricing_halt(jsonb_build_object('productId', p, 'reason', 'x')) from unnest(array[ids[n], twin[n]]) p;
                elsif u < 0.96 then
                    perform pricing_resume(jsonb_build_object('productId', p, 'reason', 'x')) from unnest(array[ids[n], twin[n]]) p;
                elsif u < 0.98 then
                    -- from the campaigns' category to another and back, its twin likewise
                    update product set category_id = case category_id when 1 then 3 when 3 then 1 when 2 then 4 else 2 end
                    where product_id in (ids[n], twin[n]);
                else
                    update product set archived_at = case when archived_at is null then pricing_now() end
                    where product_id in (ids[n], twin[n]);
                end if;
                if step = steps then
                    perform campaign_end(jsonb_build_object('campaignId', campaign_id)) from campaign where ended_at is null;
                end if;
                return query
                    select format('seed %s step %s (%s) product %s: %s of %s, expected %s; twin %s', seed, step, round(u::numeric, 3),
                                  i.product_id, i.price, i.regular_price, pg_temp.expected(i), t.regular_price)
                    from inventory i join inventory t on t.product_id = i.product_id + 1
                    where i.product_id % 2 = 1
                      and (i.price <> pg_temp.expected(i) or i.regular_price <> t.regular_price or t.price <> t.regular_price
                           or (i.anchor_price, i.anchor_date, i.stands_from, i.stands_to, i.changed_at, i.band, i.ticked_at)
                              is distinct from
                              (t.anchor_price, t.anchor_date, t.stands_from, t.stands_to, t.changed_at, t.band, t.ticked_at)
                           or step = steps and i.price <> t.price);
                if found then return; end if;
            end loop;
        end $$;
        create function pg_temp.make_shop() returns void language plpgsql as $$
        declare s record; d bigint;
        begin
            insert into category (name) values ('in'), ('twins'), ('out'), ('twins out');
            insert into app_user (full_name, email) values ('b', 'b@example.com');
            for s in select r.rule_id, r.strategy from rule r where status = 'active' and strategy <> 'learn' order by rule_id loop
                for k in 1..2 loop
                    perform product_create(jsonb_build_object('title', s.strategy, 'basePrice', '100.00', 'floor', '55.00',
                        'unitCost', '50.00', 'categoryId', k, 'stock', 60, 'refRate', 2, 'ruleId', s.rule_id,
                        'seasonEnd', '2031-03-01T00:00:00Z'));
                end loop;
            end loop;
        end $$;
        """
}
