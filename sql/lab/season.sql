--! code
-- The laboratory: whole simulated seasons, priced by the same functions as products. A season is one call of
-- sell_season; many seasons are one statement of lab_seasons. Nothing here writes a table; only a refusal reads one.

-- The policies that there are, for a refusal: those with a name of their own first, then patterns.
create function policy_names() returns jsonb
language sql stable as $$
    select jsonb_agg(name order by place, name)
    from (select 1 as place, name from unnest('{fixed_at_base,best_fixed_oracle,days_of_cover_bands}'::text[]) name
          union all
          select 2, format('%s_%s', name, preset)
          from strategy, unnest('{calm,balanced,agile}'::text[]) preset
          where basis = 'demand' and not awaits_goods
          union all
          select 3, unnest('{bands_P_L_H,original_rule_P_L_H,STRATEGY_cold_PRESET,STRATEGY_known_PRESET,'
                           'STRATEGY_pooled_PRESET}'::text[])) all_names
$$;

-- A policy by its name: what sets its target, how often it ticks, and its guards.
--   fixed_at_base, best_fixed_oracle: one price
--   original_rule_P_L_H: after a sale the last price times 1 + P % below L %
--   of the first stock, 1 - P % above H %; bands_P_L_H: the same on base; days_of_cover_bands;
--   STRATEGY_PRESET, STRATEGY one that models demand and awaits no goods, PRESET of calm, balanced, agile;
--   STRATEGY_cold_PRESET knows base, season, decay and salvage alone, STRATEGY_known_PRESET how far the shop errs, and
--   STRATEGY_pooled_PRESET learns it from the products that it is sold with (lab/shop.sql).
-- `path` is where the call names it.
create function parse_policy(policy text, path text default '/policies') returns lab_policy
language plpgsql immutable as $$
declare
    q lab_policy;
    f text[];
    facts strategy;
    preset jsonb;
begin
    q.ticks := 1;
    if policy in ('fixed_at_base', 'best_fixed_oracle') then
        q.strategy := policy;
    elsif policy = 'days_of_cover_bands' then
        q.strategy := policy;
        q.band_tick := 0;
        q.band_stock := 0;
    elsif policy ~ '^(original_rule|bands)(_[0-9]{1,2}){3}$' then
        f := regexp_match(policy, '^(original_rule|bands)_(\d+)_(\d+)_(\d+)$');
        q.strategy := f[1];
        q.move := f[2]::float8 / 100;
        q.low_share := f[3]::float8 / 100;
        q.high_share := f[4]::float8 / 100;
    else
        f := regexp_match(policy, '^([a-z_]+?)(?:_(cold|known|pooled))?_(calm|balanced|agile)$');
        facts := strategy_facts(f[1]);
        if (facts.basis = 'demand' and not facts.awaits_goods) is not true then
            perform fail('PR602', format('There is no policy %s.', policy), jsonb_build_object('violations',
                jsonb_build_array(jsonb_build_object('path', path, 'rule', 'choice', 'expected', policy_names(),
                    'got', policy, 'message', format('there is no policy %s', policy)))));
        end if;
        q.strategy := f[1];
        q.knows := f[2];
        preset := preset_parameters(f[3]);
        q.ticks := 86400 / (preset ->> 'tickSeconds')::integer;
        q.band_tick := (preset ->> 'bandTick')::numeric;
        q.band_stock := (preset ->> 'bandStock')::numeric;
        q.least_rise := (preset ->> 'leastRise')::float8;
        q.least_fall := (preset ->> 'leastFall')::float8;
        q.daily_cap := (preset ->> 'dailyCap')::numeric;
    end if;
    return q;
end $$;

-- The target of a policy that ticks, before the guards. `rate` and `elasticity` are as the policy sees them at its last
-- tick, t days after the season's start with `season_left` days of average demand to come.
create function policy_target(
    scenario lab_scenario, policy lab_policy, stock integer, elasticity float8, rate float8, season_left float8,
    t float8
) returns float8
language plpgsql immutable parallel safe as $$
declare
    cover float8;
begin
    if policy.strategy = 'bands' then
        return strategy_bands(scenario.base::numeric, policy.move::numeric, policy.move::numeric,
            (case when stock < policy.low_share * scenario.stock then 1
                  when stock > policy.high_share * scenario.stock then -1 else 0 end)::smallint);
    elsif policy.strategy = 'days_of_cover_bands' then
        cover := stock / greatest(rate, 1e-9) / (scenario.horizon - t);
        return scenario.base * case when cover < 0.5 then 1.3 when cover < 0.8 then 1.15 when cover <= 1.25 then 1
                                    when cover <= 2 then 0.9 else 0.8 end;
    end if;
    return strategy_target(policy.strategy, stock, scenario.base, null, scenario.salvage, elasticity, rate, season_left,
                           scenario.horizon - t, true, scenario.decay, t);
end $$;

-- What a segment of a season teaches, added to `fresh`: in stock at the price p between two times, and `units` sold.
create function season_segment(
    scenario lab_scenario, elasticity float8, fresh float8[], units integer, p float8, earlier float8, later float8
) returns float8[]
language plpgsql immutable parallel safe as $$
begin
    return learn_segment(fresh, season_integral(scenario.believed, earlier, later), units,
        price_distance(p, scenario.base, elasticity, scenario.decay, (earlier + later) / 2), elasticity);
end $$;

-- The price of a policy that ticks, after the guards; before the first price, `posted` is null and neither cap nor dead
-- band binds.
create function policy_price(
    scenario lab_scenario, policy lab_policy, stock integer, elasticity float8, rate float8, season_left float8,
    t float8, posted numeric, anchor numeric, band numeric
) returns numeric
language plpgsql immutable parallel safe as $$
declare
    target numeric := policy_target(scenario, policy, stock, elasticity, rate, season_left, t);
    guarded record;
begin
    if policy.least_rise is not null then
        band := greatest(band, (least_move(scenario.base / elasticity * bounded_exp(-scenario.decay * t),
            case when target > posted then policy.least_rise else policy.least_fall end,
            (scenario.horizon - t) / scenario.horizon) / posted)::numeric);
    end if;
    guarded := apply_guards(target, posted,
        anchor, case when posted is not null then policy.daily_cap end, scenario.floor_at, scenario.ceiling_at,
        case when posted is not null then band end, scenario.price_step, 0);
    return guarded.price;
end $$;

-- One row of a season's path.
create function path_row(
    cause text, t float8, stock integer, price float8, elasticity float8, rate float8
) returns jsonb
language sql immutable parallel safe as $$
    select jsonb_build_object('cause', cause, 't', t, 'stock', stock, 'price', price, 'elasticity', elasticity,
                              'rate', rate)
$$;

-- One season under a policy that keeps its price, or that moves the last price after each sale (the original rule).
create function sell_compounding(
    scenario lab_scenario, policy lab_policy, times float8[], willing float8[], is_traced boolean,
    out value float8, out prices float8[], out left_over integer, out path jsonb
)
language plpgsql immutable parallel safe as $$
declare
    price float8 := case when policy.strategy = 'best_fixed_oracle' then scenario.best_fixed else scenario.base end;
begin
    value := 0;
    left_over := scenario.stock;
    prices := array[price];
    if is_traced then path := jsonb_build_array(path_row('tick', 0, left_over, price, null, null)); end if;
    for c in 1..cardinality(times) loop
        continue when willing[c] < price;
        value := value + price;
        left_over := left_over - 1;
        exit when left_over = 0;
        if left_over < policy.low_share * scenario.stock then
            price := price * (1 + policy.move);
        elsif left_over > policy.high_share * scenario.stock then
            price := price * (1 - policy.move);
        end if;
        prices := prices || price;
        if is_traced then path := path || path_row('sale', times[c], left_over, price, null, null); end if;
    end loop;
end $$;

-- A season before its first tick.
create function begin_season(scenario lab_scenario, policy lab_policy) returns lab_run
language plpgsql immutable parallel safe as $$
declare
    r lab_run;
begin
    r.stock := scenario.stock;
    r.value := 0;
    r.state := learner_empty();
    r.fresh := learner_empty();
    r.tick := 0;
    r.ticks := 0;
    r.season_left := season_integral(scenario.believed, 0, scenario.horizon);
    case policy.knows
        when 'cold' then
            r.elasticity := 2;
            r.rate := scenario.stock / r.season_left;
        when 'known' then
            r.elasticity := scenario.elasticity * scenario.true_elasticity;
            r.rate := scenario.ref_rate * scenario.true_rate;
        else
            r.elasticity := scenario.elasticity;
            r.rate := scenario.ref_rate;
    end case;
    r.elasticity_now := r.elasticity;
    r.rate_now := r.rate;
    r.price := scenario.base;
    r.opened := 0;
    r.units := 0;
    r.customer := 1;
    return r;
end $$;

-- Sells a season on until a day, in the order of events that a product has: at a tick what was sold since the last one
-- is folded and the estimates are renewed, beginning with what the shop knows (shop_step), then the price is
-- evaluated. The day's anchor is the price before the day's first tick; between ticks all is seen as of the last tick.
-- After the last unit nothing happens.
create function sell_until(
    scenario lab_scenario, policy lab_policy, r lab_run, times float8[], willing float8[], is_traced boolean,
    until float8, known float8[]
) returns lab_run
language plpgsql immutable parallel safe as $$
declare
    learns boolean := coalesce((strategy_facts(policy.strategy)).learns, false);
    now float8;        -- the moment of the last sale or tick
    next_tick float8;
    cause text;
    seen record;
begin
    until := least(until, scenario.horizon);
    <<season>>
    while r.tick < until and r.stock > 0 loop
        r.ticks := r.ticks + 1;
        next_tick := least(scenario.horizon, r.ticks::float8 / policy.ticks);
        if learns then
            r.state := learn_fold(r.state, season_segment(scenario, r.elasticity, r.fresh, r.units, r.price, r.opened,
                                                          r.tick), 1::float8 / policy.ticks);
            r.fresh := learner_empty();
            seen := learn_estimate(r.state, r.elasticity, r.rate, known[1], known[2], known[3]);
            r.elasticity_now := seen.elasticity_now;
            r.rate_now := seen.rate_now;
        elsif policy.strategy = 'days_of_cover_bands' and r.ticks > 1 then
            r.rate_now := r.rate_now + (r.units - r.rate_now) / 7;
        end if;
        r.units := 0;
        now := r.tick;
        r.opened := r.tick;
        if (r.ticks - 1) % policy.ticks = 0 then r.anchor := r.posted; end if;
        cause := 'tick';
        loop
            r.posted := policy_price(scenario, policy, r.stock, r.elasticity_now, r.rate_now, r.season_left, r.tick,
                r.posted, r.anchor, case cause when 'tick' then policy.band_tick else policy.band_stock end);
            r.anchor := coalesce(r.anchor, r.posted);
            if learns and r.price <> r.posted then
                r.fresh := season_segment(scenario, r.elasticity, r.fresh, r.units, r.price, r.opened, now);
                r.units := 0;
                r.opened := now;
            end if;
            r.price := r.posted;
            r.prices := r.prices || r.price;
            r.path := case when is_traced then coalesce(r.path, '[]')
                || path_row(cause, now, r.stock, r.price, r.elasticity_now, r.rate_now) end;
            while willing[r.customer] < r.price and times[r.customer] < next_tick loop
                r.customer := r.customer + 1;
            end loop;
            exit when (times[r.customer] < next_tick) is not true;
            now := times[r.customer];
            r.customer := r.customer + 1;
            r.units := r.units + 1;
            r.value := r.value + r.price;
            r.stock := r.stock - 1;
            exit season when r.stock = 0;
            cause := 'sale';
        end loop;
        r.season_left := r.season_left - season_integral(scenario.believed, r.tick, next_tick);
        r.tick := next_tick;
    end loop;
    return r;
end $$;

-- The result of a season that was sold: revenue and salvage, how often the price changed, and how often a change went
-- against the one before.
create function season_result(
    scenario lab_scenario, revenue float8, prices float8[], left_over integer, out value float8, out changes integer,
    out reversals integer
)
language plpgsql immutable parallel safe as $$
declare
    price float8;
    last float8 := prices[1];
    direction float8 := 0;  -- of the last change
begin
    value := revenue + scenario.salvage * left_over;
    changes := 0;
    reversals := 0;
    foreach price in array prices loop
        if price <> last then
            changes := changes + 1;
            if sign(price - last) = -direction then reversals := reversals + 1; end if;
            direction := sign(price - last);
        end if;
        last := price;
    end loop;
end $$;

-- One season of one product under a policy.
create function sell_season(
    scenario lab_scenario, policy lab_policy, times float8[], willing float8[], is_traced boolean,
    out value float8, out changes integer, out reversals integer, out left_over integer, out path jsonb
)
language plpgsql immutable parallel safe as $$
declare
    sold record;
    r lab_run;
    result record;
begin
    if policy.strategy in ('fixed_at_base', 'best_fixed_oracle', 'original_rule') then
        sold := sell_compounding(scenario, policy, times, willing, is_traced);
        result := season_result(scenario, sold.value, sold.prices, sold.left_over);
        left_over := sold.left_over;
        path := sold.path;
    else
        r := sell_until(scenario, policy, begin_season(scenario, policy), times, willing, is_traced, scenario.horizon,
                        '{0, 0, 1}');
        result := season_result(scenario, r.value, r.prices, r.stock);
        left_over := r.stock;
        path := r.path;
    end if;
    value := result.value;
    changes := result.changes;
    reversals := result.reversals;
end $$;

-- Sums over the seasons `first` and on, `count` of them, of one scenario under each policy. Each policy meets the same
-- customers.
create function lab_seasons(p jsonb) returns json
language sql stable as $$
    with seasons as materialized (
        select s, c.times, c.willing
        from parse_scenario(p -> 'scenario') s,
             generate_series((p ->> 'first')::bigint, (p ->> 'first')::bigint + (p ->> 'count')::bigint - 1) number,
             draw_customers(s, number) c
    ), policies as materialized (
        select n, name, q
        from jsonb_array_elements_text(p -> 'policies') with ordinality u (name, n), parse_policy(name) q
    ), sums as (
        select n, name, count(*) as seasons, sum(value) as value, sum(value * value) as squares,
               sum(changes) as changes, sum(reversals) as reversals, sum(left_over) as left_over,
               count(*) filter (where left_over = 0) as sold_out
        from seasons, policies, sell_season(s, q, times, willing, false)
        group by n, name
    )
    select json_agg(json_build_object('scenario', p -> 'scenario' ->> 'name', 'policy', name, 'seasons', seasons,
        'value', value, 'squares', squares, 'changes', changes, 'reversals', reversals, 'soldOut', sold_out,
        'leftOver', left_over) order by n)
    from sums
$$;

-- Prepares a scenario for many seasons, or PR602 where it or a policy is invalid: with another seed if one is given,
-- and with what costs too much to compute for each season: the best fixed price, and the optimum where it is asked for.
create function lab_prepare(p jsonb) returns json
language plpgsql stable as $$
declare
    scenario jsonb := p -> 'scenario';
    s lab_scenario;
begin
    if p ? 'seed' then scenario := scenario || jsonb_build_object('seed', p -> 'seed'); end if;
    s := parse_scenario(scenario);
    perform parse_policy(policy, format('/policies/%s', n - 1))
    from jsonb_array_elements_text(p -> 'policies') with ordinality u (policy, n);
    if p -> 'policies' ? 'best_fixed_oracle' and s.best_fixed is null then
        scenario := scenario || jsonb_build_object('best_fixed_price', best_fixed_price(s));
    end if;
    if (p ->> 'withOptimum')::boolean and coalesce((scenario ->> 'optimum')::float8, 0) = 0 then
        scenario := scenario || jsonb_build_object('optimum', lab_optimum(s));
    end if;
    return scenario;
end $$;

-- The rows of one prepared scenario from the sums of its seasons. share and its ci95, half the width of the 95 %
-- interval, are shares of the optimum, null without one; meanCi95 is mean's. changes, reversals, soldOut and leftOver
-- are means over the seasons. path is that of the season `pathOf`, null unless asked for.
create function lab_rows(p jsonb) returns json
language sql stable as $$
    with sums as (
        select f.policy, sum(f.seasons) as seasons, sum(f.value) as value, sum(f.squares) as squares,
               sum(f.changes) as changes, sum(f.reversals) as reversals, sum(f."soldOut") as sold_out,
               sum(f."leftOver") as left_over, (array_agg(f.path) filter (where f.path <> 'null'))[1] as path
        from jsonb_to_recordset(p -> 'sums') as f (policy text, seasons bigint, value float8, squares float8,
             changes float8, reversals float8, "soldOut" float8, "leftOver" float8, path jsonb)
        group by f.policy
    ), means as (
        select *, value / seasons as mean, nullif((p -> 'scenario' ->> 'optimum')::float8, 0) as optimum,
               1.96 * sqrt(greatest(0, squares - value * value / seasons) / nullif(seasons - 1, 0) / seasons)
                   as half_width
        from jsonb_array_elements_text(p -> 'policies') with ordinality u (policy, n) join sums using (policy)
    )
    select json_agg(json_build_object('scenario', p -> 'scenario' ->> 'name', 'policy', policy, 'seasons', seasons,
        'mean', round(mean::numeric, 4), 'share', round((mean / optimum)::numeric, 6),
        'ci95', round((half_width / optimum)::numeric, 6), 'meanCi95', round(half_width::numeric, 4),
        'changes', round((changes / seasons)::numeric, 4), 'reversals', round((reversals / seasons)::numeric, 4),
        'soldOut', round((sold_out / seasons)::numeric, 4), 'leftOver', round((left_over / seasons)::numeric, 4),
        'path', coalesce(path, (
            select o.path from parse_scenario(p -> 'scenario') s, parse_policy(policy) q,
                 draw_customers(s, (p ->> 'pathOf')::bigint) c, sell_season(s, q, c.times, c.willing, true) o
            where p ? 'pathOf'))) order by n)
    from means
$$;
