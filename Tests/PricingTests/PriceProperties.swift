import Testing

/// A sentence about `evaluate_price` and the SQL that finds cases against it.
///
/// The SQL ends a query whose `cases(n, d, r, i)` are random declarations, rules and inventory rows: a `from` list, a
/// `where`, and before it, after `select`, what to say of a counterexample.
struct PriceProperty: Sendable, CustomTestStringConvertible {
    let name: String
    let sql: String

    var testDescription: String { name }

    private static let modes = "unnest(array['first', 'declaration', 'stock', 'tick']) mode"

    static let all: [PriceProperty] = [
        PriceProperty(
            name: "P1: a price stands between floor and ceiling, and floor beats ceiling",
            sql: """
                select format('%s gives %s', mode, e.price) as told, n
                from cases, \(modes), evaluate_price(d, r, i, mode) e,
                     price_floor((d).floor_price, (d).unit_cost, (r).minimum_margin) lowest
                where (e.price between lowest and greatest(lowest, (d).ceiling_price)) is not true
                """
        ),
        PriceProperty(
            name: "P2: more stock never gives a higher price",
            sql: """
                select format('%s: %s, with %s more %s', mode, few.price, more, many.price) as told, n
                from cases, \(modes), evaluate_price(d, r, i, mode) few, unnest(array[1, 7, 50, 300]) more,
                     evaluate_price(d, r, pg_temp.at_stock(i, (i).stock + more), mode) many
                where many.price > few.price
                """
        ),
        PriceProperty(
            name: "P3: between ticks a sale never lowers a price and a restock never raises it",
            sql: """
                select format('%s; %s fewer: %s, %s more: %s', now.price, by, sold.price, by, filled.price) as told, n
                from cases, evaluate_price(d, r, i, 'tick') now,
                     pg_temp.posted(i, now.price, now.band, (i).anchor_price) settled, unnest(array[1, 5, 40]) by,
                     evaluate_price(d, r, pg_temp.at_stock(settled, greatest(1, (i).stock - by)), 'stock') sold,
                     evaluate_price(d, r, pg_temp.at_stock(settled, (i).stock + by), 'stock') filled
                where sold.price < now.price or filled.price > now.price
                """
        ),
        PriceProperty(
            name: "P4: evaluating again changes nothing",
            sql: """
                select format('%s: %s, again %s', mode, first.price, again.price) as told, n
                from cases, \(modes), evaluate_price(d, r, i, mode) first,
                     pg_temp.posted(i, first.price, first.band,
                            case when mode in ('stock', 'tick') then (i).anchor_price else first.price end) settled,
                     evaluate_price(d, r, settled, case mode when 'tick' then 'tick' else 'stock' end) again
                where (again.price, again.band) is distinct from (first.price, first.band)
                """
        ),
        PriceProperty(
            name: "P12: at every stock of its interval a posted price stands, with its band and its level",
            sql: """
                select format('%s..%s after %s of %s: %s at %s, %s at %s', (w).stands_from, (w).stands_to, by, before,
                              (w).regular_price, (w).stock, there.price, held) as told, n
                from (
                    select n, d, r, by, (i).stock as before, widen_interval(d, r, settled,
                               pg_temp.at_stock(settled, moved), after.price, false) as w
                    from cases, evaluate_price(d, r, i, 'tick') now,
                         lateral jsonb_populate_record(
                             pg_temp.posted(i, now.price, now.band, (i).anchor_price),
                             jsonb_build_object('stands_from', (i).stock, 'stands_to', (i).stock)) settled,
                         unnest(array[-40, -5, -1, 1, 60]) by, lateral (select (i).stock + by as moved) m,
                         evaluate_price(d, r, pg_temp.at_stock(settled, greatest(moved, 1)), 'stock') after
                    where (i).stock > 0 and moved > 0
                      and (after.price, after.band) = (now.price, now.band)
                      and stock_level(moved, (d).low_stock, (d).high_stock)
                        = stock_level((i).stock, (d).low_stock, (d).high_stock)) widened,
                    lateral (select distinct (w).stands_from
                                 + floor(share * ((w).stands_to::bigint - (w).stands_from))::integer as held
                             from generate_series(0, 1, 0.0625) share) at,
                    evaluate_price(d, r, pg_temp.at_stock(w, held), 'stock') there
                where (there.price, there.band, stock_level(held, (d).low_stock, (d).high_stock))
                    is distinct from ((w).regular_price, (w).band, stock_level((w).stock, (d).low_stock, (d).high_stock))
                   or not (w).stock between (w).stands_from and (w).stands_to
                """
        ),
        PriceProperty(
            name: "P6: deadline never falls as demand rises, and tends to the best price of plenty as stock grows",
            sql: """
                select format('demand %s: %s, times %s: %s; %s with endless stock', demand, raw, more, dearer, endless)
                       as told, n
                from (select n, (i).stock as stock, (d).base_price::float8 as base, (d).elasticity as elasticity,
                             (d).unit_value::float8 as v, coalesce((d).ref_rate, 1) * 30 as demand from cases) given,
                     strategy_deadline(stock, demand, base, elasticity, v) raw, unnest(array[1.001, 2, 50]) more,
                     strategy_deadline(stock, demand * more, base, elasticity, v) dearer,
                     strategy_deadline(2000000000, demand, base, elasticity, v) endless
                where (dearer < raw * (1 - 1e-12)) is not false
                   or (abs(endless - (v + base / elasticity)) > 1e-9 * base) is not false
                """
        ),
        PriceProperty(
            name: "P7: days times k with rates over k give the same price",
            sql: """
                select format('%s: %s, times %s %s', mode, e.price, k, slow.price) as told, n
                from (select n, d, r, i from cases where ((d).season_profile is null or (d).season_end is not null)
                          -- goods that are overdue come in one day, at any scale
                          and ((strategy_facts((r).strategy)).awaits_goods and (i).next_eta <= (i).ticked_at) is not true
                     ) given,
                     \(modes), evaluate_price(d, r, i, mode) e, unnest(array[2, 10]) k,
                     evaluate_price(
                         jsonb_populate_record(d, jsonb_build_object(
                             'ref_rate', (d).ref_rate / k, 'decay', (d).decay / k,
                             'season_end', (d).season_start + k * ((d).season_end - (d).season_start))),
                         jsonb_populate_record(r, jsonb_build_object('cover_days', (r).cover_days * k)),
                         jsonb_populate_record(i, jsonb_build_object(
                             'opening_rate', (i).opening_rate / k, 'rate_now', (i).rate_now / k,
                             'ticked_at', (d).created_at + k * ((i).ticked_at - (d).created_at),
                             'next_eta', (d).created_at + k * ((i).next_eta - (d).created_at))), mode) slow
                where abs(slow.raw - e.raw) > 1e-7 * e.raw
                   or (not models_demand((r).strategy) and slow.price <> e.price)
                """
        ),
        PriceProperty(
            name: "P7: all money times k gives the price times k",
            sql: """
                select format('%s: %s, times %s %s', mode, e.price, k, big.price) as told, n
                from (select n, r, i, jsonb_populate_record(d, jsonb_build_object('unit_cost', round((d).unit_cost))) d
                      from cases) whole_costs,
                     \(modes), evaluate_price(d, r, i, mode) e, unnest(array[2, 10, 100]) k,
                     evaluate_price(
                         jsonb_populate_record(d, jsonb_build_object(
                             'base_price', (d).base_price * k, 'unit_cost', (d).unit_cost * k,
                             'floor_price', (d).floor_price * k, 'ceiling_price', (d).ceiling_price * k,
                             'unit_value', (d).unit_value * k)),
                         jsonb_populate_record(r, jsonb_build_object(
                             'price_step', (r).price_step * k, 'price_offset', (r).price_offset * k)),
                         pg_temp.posted(i, (i).regular_price * k, (i).band, (i).anchor_price * k), mode) big
                where case when round((e.limited + (r).price_offset) / (r).price_step) >= 1
                           then (big.price, big.binding) is distinct from (e.price * k, e.binding)
                           -- below half a step to the cent, which is no multiple of k
                           else abs(big.price - e.price * k) > 0.01 * k end
                """
        ),
        PriceProperty(
            name: "Rounding moves a price by half a step at most, however large the step",
            sql: """
                select format('%s, step %s: %s from %s', mode, (coarse).price_step, e.price, e.limited) as told, n
                from cases, \(modes), unnest(array[1, 7, 100, 5000]) times,
                     jsonb_populate_record(r, jsonb_build_object('price_step', (r).price_step * times,
                                                                 'price_offset', (r).price_offset * times)) coarse,
                     evaluate_price(d, coarse, i, mode) e
                where (e.price <> (i).regular_price or e.dead_band is null)
                  and (abs(e.price - e.limited) <= (coarse).price_step / 2) is not true
                """
        ),
        PriceProperty(
            name: "A coarse step keeps the order of stock, and an evaluation stands when it is repeated",
            sql: """
                select format('%s, step %s: %s, with %s more %s, again %s', mode, (coarse).price_step, few.price, more,
                              many.price, again.price) as told, n
                from cases, \(modes), unnest(array[7, 100, 5000]) times,
                     jsonb_populate_record(r, jsonb_build_object('price_step', (r).price_step * times,
                                                                 'price_offset', (r).price_offset * times)) coarse,
                     evaluate_price(d, coarse, i, mode) few, unnest(array[1, 50]) more,
                     pg_temp.posted(i, few.price, few.band,
                            case when mode in ('stock', 'tick') then (i).anchor_price else few.price end) settled,
                     evaluate_price(d, coarse, settled, case mode when 'tick' then 'tick' else 'stock' end) again,
                     evaluate_price(d, coarse, pg_temp.at_stock(settled, (i).stock + more), 'stock') many
                where many.price > few.price or again.price <> few.price
                """
        ),
        PriceProperty(
            name: "P8: no strategy reads the last price; one of levels does not even through the guards",
            sql: """
                select format('%s: %s, from %s %s', mode, e.price, (other).regular_price, e2.price) as told, n
                from cases, \(modes), evaluate_price(d, r, i, mode) e, unnest(array[0.5, 1.01, 3]) factor,
                     pg_temp.posted(i, round((i).regular_price * factor, 2) + 0.01, (i).band, (i).anchor_price) other,
                     evaluate_price(d, r, other, mode) e2
                where e2.raw <> e.raw or ((strategy_facts((r).strategy)).basis = 'level' and e2.price <> e.price)
                """
        ),
        PriceProperty(
            name: "P9: the inputs that history keeps give every step, the price and the binding guard again",
            sql: """
                select format('%s: %s %s, recomputed %s %s', mode, e.price, e.binding, g.price, g.binding) as told, n
                from cases, \(modes), evaluate_price(d, r, i, mode) e,
                     recompute_price(price_inputs(d, r, i, (i).regular_price, (i).band, mode, e)::text::jsonb) g
                where (g.raw, g.price, g.binding, g.capped, g.limited)
                      is distinct from (e.raw, e.price, e.binding, e.capped, e.limited)
                """
        ),
        PriceProperty(
            name: "P10: the last unit has a price, no stock keeps price and band",
            sql: """
                select format('one unit: %s, none: %s %s', last.price, gone.frozen, gone.price) as told, n
                from cases, evaluate_price(d, r, pg_temp.at_stock(i, 1), 'stock') last,
                     evaluate_price(d, r, pg_temp.at_stock(i, 0), 'stock') gone
                where (last.price > 0) is not true or last.frozen is not null
                   or (gone.frozen, gone.price, gone.band) is distinct from ('out_of_stock', (i).regular_price, (i).band)
                """
        ),
        PriceProperty(
            name: "P11: twenty cycles of low and high stock end at the price they began with",
            sql: """
                select format('from %s to %s', first.price, last.price) as told, n
                from (select n, d, i, jsonb_populate_record(r, '{"daily_cap": null}') r from cases
                      where (strategy_facts((r).strategy)).basis = 'level' and (d).high_stock - (d).low_stock > 20) free,
                     evaluate_price(d, r, pg_temp.at_stock(pg_temp.posted(i, (i).regular_price, 0::smallint, 1), (d).high_stock / 2), 'first') start,
                     evaluate_price(d, r, pg_temp.at_stock(pg_temp.posted(i, start.price, start.band, start.price), pg_temp.between(d, r)),
                                    'stock') first,
                     pg_temp.cycled(d, r, pg_temp.posted(i, first.price, first.band, first.price), 20) last
                where (last.price, last.band) is distinct from (first.price, first.band)
                """
        ),
    ]

    /// Random cases and what the properties need, as functions of the session.
    static let functions = """
        create function pg_temp.at_stock(i inventory, stock integer) returns inventory language sql as $$
            select jsonb_populate_record(i, jsonb_build_object('stock', stock))
        $$;
        create function pg_temp.posted(i inventory, price numeric, band smallint, anchor numeric) returns inventory
        language sql as $$
            select jsonb_populate_record(i, jsonb_build_object('price', price, 'regular_price', price, 'band', band,
                                                                       'anchor_price', anchor))
        $$;
        -- a stock in the middle of both thresholds, past both gaps
        create function pg_temp.between(d product, r rule) returns integer language sql as $$
            select d.low_stock + band_gap(d.low_stock, d.high_stock, r.gap_share) + 1
        $$;
        create function pg_temp.cycled(d product, r rule, i inventory, times integer) returns inventory
        language plpgsql as $$
        declare
            stock integer;
            verdict record;
        begin
            for step in 1..times loop
                foreach stock in array array[1, pg_temp.between(d, r), d.high_stock + 5, pg_temp.between(d, r)] loop
                    i.anchor_price := i.regular_price;  -- the next day
                    i.stock := greatest(1, stock);
                    verdict := evaluate_price(d, r, i, 'stock');
                    i.regular_price := verdict.price;
                    i.band := verdict.band;
                end loop;
            end loop;
            return i;
        end $$;
        create function pg_temp.sample(seed bigint, n bigint, out d product, out r rule, out i inventory)
        language sql as $$
            with dice as (select array(select random_unit(seed, s, n) from generate_series(0, 39) s) as u),
            -- bands thrice: it has the most states
            named as (select array['bands', 'bands'] || array(select name from strategy order by name) as names),
            declared as (
                select u, round((0.05 * 200000 ^ u[1])::numeric, 2) as base, floor(u[3] * 60)::integer as low,
                       (array[0.01, 0.05, 0.10, 0.50, 1.00])[1 + floor(5 * u[2])::integer] as step,
                       round((u[7] ^ 2)::numeric, 4) as band
                from dice),
            limited as (
                select *, greatest(0.01, round(base * (0.2 + 0.8 * u[4])::numeric, 2)) as floor,
                       low + 3 + floor(u[5] * 300)::integer as high
                from declared),
            whole as (select *, floor + round(base * (2 * u[6] ^ 2)::numeric, 2) as ceiling from limited)
            select jsonb_populate_record(null::product, jsonb_build_object(
                       'product_id', n, 'base_price', base, 'floor_price', floor, 'ceiling_price', ceiling,
                       'unit_cost', case when u[8] < 0.7 then round(base * (1.2 * u[9])::numeric, 2) end,
                       'low_stock', low, 'high_stock', high, 'created_at', '2026-01-01T00:00:00Z'::timestamptz,
                       'elasticity', 0.3 + 4 * u[26] ^ 2, 'ref_rate', case when u[27] < 0.8 then high / 60.0 * exp(4 * u[28] - 2) end,
                       'unit_value', case when u[29] < 0.4 then round(base * (0.6 * u[29])::numeric, 2) else 0 end,
                       'decay', case when u[30] < 0.3 then 0.1 * u[30] else 0 end,
                       'season_start', case when u[31] < 0.7 then '2026-01-01T00:00:00Z'::timestamptz end,
                       'season_end', case when u[31] < 0.7 then
                           '2026-01-01T00:00:00Z'::timestamptz + (1 + floor(120 * u[32])) * interval '1 day' end,
                       'season_profile', case when u[31] < 0.3 then array[u[1], u[2], u[3], 0.1 + u[4]] end)),
                   jsonb_populate_record(null::rule, jsonb_build_object(
                       'rule_id', 1, 'strategy', names[1 + floor(cardinality(names) * u[10])::integer],
                       'cover_days', 1 + 90 * u[33], 'cooldown_seconds', 0, 'never_up', u[34] < 0.1,
                       'up_share', round(u[11]::numeric, 4), 'down_share', round((0.95 * u[12])::numeric, 4),
                       'gap_share', round((0.45 * u[13])::numeric, 4), 'band_tick', band,
                       'band_stock', round(band + (1 - band) * (u[14] ^ 2)::numeric, 4),
                       'least_rise', case when u[34] < 0.5 then round(u[33]::numeric, 4) else 0 end,
                       'least_fall', case when u[34] < 0.6 then round((0.4 * u[19])::numeric, 4) else 0 end,
                       'daily_cap', case when u[15] < 0.7 then round((0.001 + u[16] ^ 2)::numeric, 4) end,
                       'minimum_margin', round((u[17] ^ 3)::numeric, 2), 'price_step', step,
                       'price_offset', case when u[18] < 0.5 then 0 else round(step * (0.99 * u[19])::numeric, 2) end)),
                   jsonb_populate_record(null::inventory, jsonb_build_object(
                       'product_id', n, 'stock', 1 + floor(1.4 * high * u[20])::integer, 'held', 0,
                       'regular_price', greatest(0.01, round(floor + (ceiling - floor) * u[21]::numeric, 2)),
                       'band', floor(3 * u[22])::integer - 1,
                       'anchor_price', greatest(0.01, round(base * (0.5 + u[23])::numeric, 2)),
                       'ticked_at', '2026-01-01T00:00:00Z'::timestamptz + floor(140 * u[35] ^ 2) * interval '1 day',
                       'opening_rate', high / 60.0 * exp(4 * u[36] - 2), 'elasticity_now', 0.3 + 5 * u[37] ^ 2,
                       'rate_now', high / 60.0 * exp(4 * u[38] - 2),
                       'next_eta', case when u[39] < 0.6 then
                           '2026-01-01T00:00:00Z'::timestamptz + floor(200 * u[40]) * interval '1 day' end))
            from whole, named
        $$;
        """
}
