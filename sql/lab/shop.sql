--! code
-- The laboratory's shops: products that are sold side by side, day by day. Under a policy that is `pooled`, what all of
-- them have shown until a day begins is where each one's estimates of that day begin, and a season begins with half of
-- what each product knew a year before (pricing/shop_prior.sql). Under every other policy, a shop is its products one
-- by one.

-- What is known of a shop after a day, from what was known before it: its two shifts, and the share of the products
-- that err so. The first `on_sale` of them are; the others were.
create function shop_step(shop lab_run[], on_sale integer, known float8[]) returns float8[]
language plpgsql immutable parallel safe as $$
declare
    r lab_run;
    says float8[];
    belief float8;
    sums float8[] := '{0, 0, 0, 0}';
    odds float8[] := '{}';
    believed float8[] := prior_moments(known[2]);
    number integer := 0;
begin
    foreach r in array shop loop
        number := number + 1;
        continue when r.state = learner_empty();
        says := learner_says(r.state, r.elasticity, r.rate, known[1], known[2], believed,
                             grid_weights(r.state, r.elasticity, r.rate, 0, 0));
        belief := shop_belief(known[3], says[5]);
        sums := array[sums[1] + belief * says[1], sums[2] + belief * says[2], sums[3] + belief * says[3],
                      sums[4] + belief * says[4]];
        if number <= on_sale then odds := odds || says[5]; end if;
    end loop;
    return array[shift_step(known[1], sums[1], sums[2]), shift_step(known[2], sums[3], sums[4]), likeliest_share(odds)];
end $$;

-- One season of a shop under a pooled policy: its products as they stand at the end. `past`: they as they stood when
-- the season before ended, or `others` that were sold then and are no more; and what is known of the shop.
create function sell_shop(
    products lab_scenario[], policy lab_policy, customers lab_customers[], past lab_run[], others lab_run[],
    is_traced boolean, inout known float8[], out shop lab_run[]
)
language plpgsql immutable parallel safe as $$
declare
    day integer := 0;
    is_open boolean := true;
begin
    for k in 1..cardinality(products) loop
        shop[k] := begin_season(products[k], policy);
        if past is not null then shop[k].state := learn_fold(past[k].state, learner_empty(), 21); end if;
    end loop;
    for k in 1..coalesce(cardinality(others), 0) loop
        others[k].state := learn_fold(others[k].state, learner_empty(), 21);
    end loop;
    known[3] := likeliest_share('{}');  -- none is on sale between seasons
    while is_open loop
        is_open := false;
        day := day + 1;
        for k in 1..cardinality(products) loop
            continue when shop[k].stock = 0 or shop[k].tick >= products[k].horizon;
            is_open := true;
            shop[k] := sell_until(products[k], policy, shop[k], customers[k].times, customers[k].willing, is_traced,
                                  day, known);
        end loop;
        known := shop_step(shop || others, cardinality(shop), known);
    end loop;
end $$;

-- The customers of a shop's season.
create function shop_customers(products lab_scenario[], season_number bigint) returns lab_customers[]
language sql immutable parallel safe as $$
    select array_agg(row(c.times, c.willing)::lab_customers order by k)
    from generate_series(1, cardinality(products)) k, draw_customers(products[k], season_number) c
$$;

-- The shop `number` under a pooled policy after `history` seasons of the years before, which sold the same products, or
-- the `former` ones.
create function sell_shop_again(
    products lab_scenario[], former lab_scenario[], policy lab_policy, number bigint, history integer, is_traced boolean
) returns lab_run[]
language plpgsql immutable parallel safe as $$
declare
    sold record;
    past lab_run[];
    others lab_run[];
    known float8[] := '{0, 0, 0.5}';
    on_sale lab_scenario[];
begin
    for season in reverse history..0 loop
        on_sale := case when season > 0 and former <> '{}' then former else products end;
        if season = 0 and former <> '{}' then
            others := past;
            past := null;
        end if;
        sold := sell_shop(on_sale, policy, shop_customers(on_sale, number + season::bigint * 1000000000), past,
                          others, is_traced and season = 0, known);
        known := sold.known;
        past := sold.shop;
    end loop;
    return past;
end $$;

create function parse_scenarios(list jsonb) returns lab_scenario[]
language sql immutable as $$
    select array(select s from jsonb_array_elements(list) with ordinality u (j, n), parse_scenario(j) s order by n)
$$;

-- Sums over the shops `first` and on, `count` of them, of each product, numbered from 1, under each policy; of the shop
-- `pathOf` the paths under pooled policies too. Each policy meets the same customers.
create function lab_shops(p jsonb) returns json
language sql stable as $$
    with shops as materialized (
        select number, parse_scenarios(p -> 'scenarios') as products, parse_scenarios(p -> 'former') as former
        from generate_series((p ->> 'first')::bigint, (p ->> 'first')::bigint + (p ->> 'count')::bigint - 1) number
    ), policies as materialized (
        select n, name, q
        from jsonb_array_elements_text(p -> 'policies') with ordinality u (name, n), parse_policy(name) q
    ), sold as (
        select number, n, k, o.value, o.changes, o.reversals, o.left_over, o.path
        from shops, policies, generate_series(1, cardinality(products)) k, draw_customers(products[k], number) c,
             sell_season(products[k], q, c.times, c.willing, false) o
        where (q).knows is distinct from 'pooled'
        union all
        select number, n, k, o.value, o.changes, o.reversals, s.stock, s.path
        from shops, policies,
             lateral sell_shop_again(products, former, q, number, coalesce((p ->> 'history')::integer, 0),
                                     number = (p ->> 'pathOf')::bigint) shop,
             lateral unnest(shop) with ordinality s (stock, value, prices, path, state, fresh, tick, ticks, season_left,
                 elasticity, rate, elasticity_now, rate_now, price, posted, anchor, opened, units, customer, k),
             season_result(products[k], s.value, s.prices, s.stock) o
        where (q).knows = 'pooled'
    )
    select json_agg(r order by product, n)
    from (
        select n, k as product, count(*) as seasons, sum(value) as value, sum(value * value) as squares,
               sum(changes) as changes, sum(reversals) as reversals,
               count(*) filter (where left_over = 0) as "soldOut", sum(left_over) as "leftOver",
               (select name from policies o where o.n = sold.n) as policy,
               (array_agg(path) filter (where path is not null))[1] as path
        from sold group by n, k) r
$$;
