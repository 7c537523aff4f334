--! code
-- Proofs about a rule: it is walked through stock levels by the very functions that price products, and what must not
-- happen is looked for in the walk. A finding that the walk shows carries it as its counterexample.
--
-- Errors, which rule.create refuses too: RATCHET_DOWN, RATCHET_UP (cycles of stock that end where they began move the
-- price), RUNAWAY_UP, RUNAWAY_DOWN (the price moves on while stock stays low or high), OSCILLATION (a normal order and
-- its return flip the price), OVERLAPPING_BANDS, LIMITS_CROSSED, NEVER_MOVES (the dead band is wider than the daily
-- cap). Warnings: FLOOR_ABOVE_CEILING, BAND_UNREACHABLE, LOW_ABOVE_CEILING, HIGH_BELOW_FLOOR, STOCK_NEVER_MOVES,
-- HIGH_STOCK_CUT, NEVER_ASKS (a day may move the price by no more than needs no approval), CARTS_MOVE_PRICE and
-- SALES_UNSEEN (the signal counts more than stock), STEP_TOO_LARGE (products cheaper than five price steps: rounding
-- alone may move their price by a tenth, and below half a step it is to the cent).

-- The rule that a caller describes, with rule.create's names and defaults. Nothing is stored.
create function described_rule(p jsonb) returns rule
language sql stable as $$
    select jsonb_populate_record(null::rule, jsonb_build_object('rule_id', 0,
            'name', coalesce(p ->> 'name', 'described'),
            'version', 0, 'status', 'draft', 'up_share', 0.10, 'down_share', 0.10, 'gap_share', 0.05,
            'minimum_margin', 0, 'price_step', 0.01, 'price_offset', 0, 'cover_days', 30, 'cooldown_seconds', 0,
            'never_up', false, 'from_shop', true, 'signal', 'committed',
            'strategy', coalesce(p ->> 'strategy', 'bands'))
        || (select jsonb_object_agg(case when key in ('up', 'down', 'gap') then key || '_share'
                                         else lower(regexp_replace(key, '([A-Z])', '_\1', 'g')) end, value)
            from jsonb_each(preset_parameters(p ->> 'preset') || coalesce(p -> 'parameters', '{}'))))
$$;

-- The product that a described rule is tried on: base 100.00, half of it to twice of it, and the usual thresholds,
-- where the caller does not say.
create function described_product(p jsonb) returns product
language sql stable as $$
    select jsonb_populate_record(null::product, jsonb_build_object('product_id', 0, 'title', 'described',
        'base_price', base, 'unit_cost', p -> 'unitCost', 'floor_price', coalesce((p ->> 'floor')::numeric, base / 2),
        'ceiling_price', coalesce((p ->> 'ceiling')::numeric, least(base * 2, 9999999999.99)),
        'low_stock', coalesce((p ->> 'lowStock')::integer, 10),
        'high_stock', coalesce((p ->> 'highStock')::integer, 100),
        'elasticity', 2, 'unit_value', 0, 'decay', 0, 'created_at', pricing_now()))
    from (select coalesce((p ->> 'basePrice')::numeric, 100) as base) b
$$;

-- One row of the walk.
create function walk_step(n integer, stock integer, price numeric) returns jsonb
language sql immutable as $$
    select jsonb_build_object('step', n, 'stock', stock, 'price', round(price, 2)::text)
$$;

-- A product's price along stock levels that follow one another, from the price that the first of them is given at once.
-- No move waits for a yes: the row has no movements.
create function walk_stock(declared product, chosen rule, stocks integer[]) returns jsonb[]
language plpgsql stable as $$
declare
    i inventory;
    v price_verdict;
    trace jsonb[] := '{}';
begin
    i.regular_price := declared.base_price;
    i.band := 0;
    i.stock := stocks[1];
    i.ticked_at := pricing_now();
    i.opening_rate := greatest(i.stock, 1) / chosen.cover_days;
    for n in 1..cardinality(stocks) loop
        i.stock := stocks[n];
        v := evaluate_price(declared, chosen, i, case n when 1 then 'first' else 'stock' end);
        i.regular_price := v.price;
        i.band := v.band;
        if n = 1 then i.anchor_price := i.regular_price; end if;
        trace := trace || walk_step(n, i.stock, i.regular_price);
    end loop;
    return trace;
end $$;

-- The same for a rule whose steps are taken from the last price, as no rule of this house is: a step up at each change
-- of stock that ends low, down at each that ends high. Limits hold where there are any.
create function walk_compounding(
    declared product, chosen rule, floor_at numeric, ceiling_at numeric, stocks integer[]
) returns jsonb[]
language plpgsql immutable as $$
declare
    price numeric := declared.base_price;
    trace jsonb[] := array[walk_step(1, stocks[1], price)];
begin
    for n in 2..cardinality(stocks) loop
        price := strategy_bands(price, chosen.up_share, chosen.down_share,
            next_band(0::smallint, stocks[n], declared.low_stock, declared.high_stock, 0));
        price := greatest(least(round_to_step(price, chosen.price_step, chosen.price_offset), ceiling_at), floor_at);
        trace := trace || walk_step(n, stocks[n], price);
    end loop;
    return trace;
end $$;

create function walk_rule(declared product, chosen rule, p jsonb, stocks integer[]) returns jsonb[]
language sql stable as $$
    select case when p @> '{"parameters": {"basis": "current"}}'
        then walk_compounding(declared, chosen, (p ->> 'floor')::numeric, (p ->> 'ceiling')::numeric, stocks)
        else walk_stock(declared, chosen, stocks) end
$$;

-- One finding; of a walk its counterexample.
create function finding(code text, severity text, message text, trace jsonb[] default null) returns jsonb
language sql immutable as $$
    select jsonb_build_object('code', code, 'severity', severity, 'message', message)
        || case when trace is null then '{}' else jsonb_build_object('counterexample',
               jsonb_build_object('trace', to_jsonb(trace))) end
$$;

-- A walk repeated so many times.
create function repeat_walk(stocks integer[], times integer) returns integer[]
language sql immutable as $$
    select array(select s from generate_series(1, times) t, unnest(stocks) with ordinality u (s, n) order by t, n)
$$;

-- Where a walk's price must stand still and does not: two steps at the same stock with whole rounds between them, the
-- first of them late enough that a dead band has settled.
create function walk_drift(trace jsonb[], early integer, late integer) returns numeric
language sql immutable as $$
    select (trace[late] ->> 'price')::numeric - (trace[early] ->> 'price')::numeric
$$;

-- Drift and oscillation, looked for in three walks: six cycles of stock, ten changes within the low and the high band.
create function lint_walks(declared product, chosen rule, p jsonb, normal_order integer) returns jsonb[]
language plpgsql stable as $$
declare
    low integer := declared.low_stock;
    high integer := declared.high_stock;
    middle integer := (low + high) / 2;
    trace jsonb[];
    drift numeric;
    found_all jsonb[] := '{}';
begin
    trace := walk_rule(declared, chosen, p, middle || repeat_walk(array[greatest(low, 1), middle, high, middle], 6));
    drift := walk_drift(trace, 17, 25);
    if drift <> 0 then
        found_all := found_all || finding(case when drift < 0 then 'RATCHET_DOWN' else 'RATCHET_UP' end, 'error',
            format('Stock goes low, high and back: after six rounds the price is %s and not %s.',
                   trace[25] ->> 'price', trace[1] ->> 'price'), trace);
    end if;
    trace := walk_rule(declared, chosen, p, middle || repeat_walk(array[greatest(low, 1), greatest(low - 1, 1)], 5));
    drift := walk_drift(trace, 6, 10);
    if drift <> 0 then
        found_all := found_all || finding(case when drift > 0 then 'RUNAWAY_UP' else 'RUNAWAY_DOWN' end, 'error',
            format('Stock stays low and the price moves on with every change: %s after %s steps.',
                   trace[10] ->> 'price', 10), trace);
    end if;
    trace := walk_rule(declared, chosen, p, middle || repeat_walk(array[high, high + 1], 5));
    drift := walk_drift(trace, 6, 10);
    if drift <> 0 then
        found_all := found_all || finding(case when drift > 0 then 'RUNAWAY_UP' else 'RUNAWAY_DOWN' end, 'error',
            format('Stock stays high and the price moves on with every change: %s after %s steps.',
                   trace[10] ->> 'price', 10), trace);
    end if;
    if (strategy_facts(chosen.strategy)).basis = 'level' and found_all = '{}' and low > 0 then
        for trace in select t from (values
            (walk_rule(declared, chosen, p, repeat_walk(array[low + normal_order, low], 4))),
            (walk_rule(declared, chosen, p, repeat_walk(array[high - normal_order, high], 4)))) v (t)
        loop
            if trace[6] ->> 'price' <> trace[7] ->> 'price' and trace[7] ->> 'price' <> trace[8] ->> 'price' then
                return found_all || finding('OSCILLATION', 'error',
                    format('A normal order of %s and its return flip the price each time: the gap of %s is smaller.',
                           normal_order, band_gap(low, high, chosen.gap_share)), trace);
            end if;
        end loop;
    end if;
    return found_all;
end $$;

-- Whether a rule asks for a yes in vain.
create function lint_approval(chosen rule) returns jsonb[]
language sql immutable as $$
    select case when chosen.daily_cap <= chosen.approve_above then array[finding('NEVER_ASKS', 'warning', format(
        'A day may move the price by %s %%, and moves up to %s %% need no approval: a declaration alone asks.',
        trim_scale(chosen.daily_cap * 100), trim_scale(chosen.approve_above * 100)))] else '{}' end
$$;

-- What a signal beside `committed` costs.
create function lint_signal(declared product, chosen rule) returns jsonb[]
language plpgsql stable as $$
declare
    middle integer := (declared.low_stock + declared.high_stock) / 2;
    trace jsonb[] := walk_stock(declared, chosen, array[middle, greatest(declared.low_stock, 1), middle]);
begin
    if chosen.signal = 'available' then
        return array[finding('CARTS_MOVE_PRICE', 'warning', format(
            'What quotes hold counts as sold: of %s units, one of %s that comes to nothing moves the price to %s, and '
            'back. committed counts sales alone.', middle, middle - greatest(declared.low_stock, 1),
            trace[2] ->> 'price'), trace)];
    elsif chosen.signal = 'on_hand' then
        return array[finding('SALES_UNSEEN', 'warning', format(
            'What was sold counts until its order is completed: with %s of %s units sold the price is still %s, where '
            'committed asks %s.', middle - greatest(declared.low_stock, 1), middle, trace[1] ->> 'price',
            trace[2] ->> 'price'), trace)];
    end if;
    return '{}';
end $$;

-- A dead band that no day's move can leave: of the smaller of rise and fall, from base, where a season has just begun.
create function lint_dead_band(declared product, chosen rule) returns jsonb[]
language plpgsql stable as $$
declare
    least_made numeric := least(chosen.least_rise, chosen.least_fall) / declared.elasticity::numeric;
    at_tick numeric := greatest(chosen.band_tick, least_made);
    at_stock numeric := greatest(chosen.band_stock, least_made);
    never boolean := chosen.daily_cap <= at_tick;
begin
    if not models_demand(chosen.strategy) or (chosen.daily_cap <= at_stock) is not true then return '{}'; end if;
    return array[finding(
        case when never then 'NEVER_MOVES' else 'STOCK_NEVER_MOVES' end,
        case when never then 'error' else 'warning' end,
        format('A day may move the price by %s %% and moves up to %s %% are left out: %s moves it.',
               trim_scale(chosen.daily_cap * 100),
               trim_scale(round(case when never then at_tick else at_stock end * 100, 2)),
               case when never then 'nothing ever' else 'no change of stock' end),
        walk_stock(declared, chosen, array[declared.high_stock, (declared.low_stock + declared.high_stock) / 2,
                                           greatest(declared.low_stock, 1), 1]))];
end $$;

-- What the numbers alone tell: limits, thresholds, dead band and cap, and whether a cut at high stock pays.
create function lint_numbers(declared product, chosen rule, p jsonb) returns jsonb[]
language plpgsql stable as $$
declare
    low integer := declared.low_stock;
    high integer := declared.high_stock;
    gap integer := band_gap(low, high, chosen.gap_share);
    base numeric := declared.base_price;
    compounds boolean := p @> '{"parameters": {"basis": "current"}}';
    scarce numeric := level_target(chosen.strategy, base, chosen.up_share, chosen.down_share, 1::smallint);
    ample numeric := level_target(chosen.strategy, base, chosen.up_share, chosen.down_share, -1::smallint);
    floor_at numeric := price_floor(declared.floor_price, declared.unit_cost, chosen.minimum_margin);
    learning rule := chosen;
    trace jsonb[];
    f jsonb[] := '{}';
begin
    if declared.floor_price > declared.ceiling_price then
        f := f || finding('LIMITS_CROSSED', 'error',
            format('The floor %s lies above the ceiling %s.', declared.floor_price, declared.ceiling_price));
    elsif floor_at > declared.ceiling_price then
        f := f || finding('FLOOR_ABOVE_CEILING', 'warning', format(
            'Unit cost and margin lift the floor to %s, above the ceiling %s: the floor wins.', floor_at,
            declared.ceiling_price));
    end if;
    f := f || lint_dead_band(declared, chosen) || lint_signal(declared, chosen) || lint_approval(chosen);
    if (strategy_facts(chosen.strategy)).basis <> 'level' then return f; end if;

    if high - gap <= low + gap then
        f := f || finding('OVERLAPPING_BANDS', 'error', format(
            'Low holds until %s, high from %s down to %s: no stock lies between them.', low + gap, high, high - gap),
            walk_rule(declared, chosen, p, array[greatest(low, 1), high, greatest(low, 1)]));
    end if;
    if low = 0 then
        f := f || finding('BAND_UNREACHABLE', 'warning',
            'Low begins at 0 units, where nothing is priced: the low price is never asked.');
    end if;
    if not compounds and scarce > greatest(declared.ceiling_price, floor_at) then
        f := f || finding('LOW_ABOVE_CEILING', 'warning', format('Low stock asks %s, above the ceiling %s.',
            round(scarce, 2), declared.ceiling_price),
            walk_stock(declared, chosen, array[(low + high) / 2, greatest(low, 1)]));
    end if;
    if not compounds and ample < floor_at then
        f := f || finding('HIGH_BELOW_FLOOR', 'warning', format('High stock asks %s, below the floor %s.',
            round(ample, 2), round(floor_at, 2)),
            walk_stock(declared, chosen, array[(low + high) / 2, high]));
    end if;
    if ample < base then
        learning.strategy := 'learn';
        trace := walk_stock(declared, learning, array[(low + high) / 2, high]);
        f := f || finding('HIGH_STOCK_CUT', 'warning', format(
            'A cut at high stock loses money whenever the price stands at its best already: measured in the '
            'laboratory, '
            'bands of 10 %% up and down earned 0.858 of the optimum, 20 %% up and no cut 0.873, `learn` 0.964. Here, '
            'with '
            '%s in stock to last %s days, `learn` would begin at %s and ask %s once there are %s.',
            (low + high) / 2, chosen.cover_days, trace[1] ->> 'price', trace[2] ->> 'price', high));
    end if;
    return f;
end $$;

-- Whether a price is cheaper than a few steps of its rule; a smaller step than a cent there is not.
create function is_step_coarse(base numeric, step numeric) returns boolean
language sql immutable as $$
    select step > 0.01 and base < 5 * step
$$;

-- The products that are too cheap for a rule's price step: of those that follow it, or where none does of the whole
-- catalogue, as if it were activated for that. Null when there are none; the first 20 of them by id, and how many.
create function lint_steps(chosen rule, p jsonb) returns jsonb
language plpgsql stable as $$
declare
    is_followed boolean := exists (select from product where rule_id = chosen.rule_id and archived_at is null);
    base numeric := coalesce((p ->> 'basePrice')::numeric, 100);
    ids bigint[];
    amount bigint;
begin
    if chosen.price_step <= 0.01 then return null; end if;
    select (array_agg(product_id order by product_id))[1:20], count(*) into ids, amount
    from product
    where archived_at is null and (rule_id = chosen.rule_id or not is_followed)
      and is_step_coarse(base_price, chosen.price_step);
    if amount = 0 and (is_followed or not is_step_coarse(base, chosen.price_step)) then return null; end if;
    return finding('STEP_TOO_LARGE', 'warning', format('Cheaper than five price steps of %s: %s.',
            chosen.price_step, case when amount = 0 then format('a product of %s', base)
                else format('%s of the products that %s', amount,
                            case when is_followed then 'follow the rule' else 'it could be activated for' end) end))
        || case when amount = 0 then '{}' else jsonb_build_object('productId', ids[1],
            'sku', (select sku from product where product_id = ids[1]), 'productIds', to_jsonb(ids),
                                                                  'count', amount) end;
end $$;

-- All findings on one product, errors first.
create function lint_on(declared product, chosen rule, p jsonb, normal_order integer) returns jsonb
language sql stable as $$
    select coalesce(jsonb_agg(f || case when declared.product_id > 0
                                        then jsonb_build_object('productId', declared.product_id, 'sku', declared.sku)
                                        else '{}' end order by f ->> 'severity', n), '[]')
    from unnest(case when declared.low_stock < declared.high_stock
                     then lint_walks(declared, chosen, p, normal_order) end
                || lint_numbers(declared, chosen, p)) with ordinality u (f, n)
$$;

-- Refuses a rule that is wrong on any product, with the first error's counterexample (PR302).
create function refuse_unsound_rule(p jsonb) returns void
language plpgsql stable as $$
declare
    errors jsonb := (select jsonb_agg(f order by n) from jsonb_array_elements(rule_lint(p)::jsonb -> 'findings')
                     with ordinality u (f, n) where f ->> 'severity' = 'error');
begin
    if errors is not null then
        perform fail('PR302', errors #>> '{0,message}', jsonb_build_object(
            'violations', (select jsonb_agg(jsonb_build_object('path', '/parameters', 'rule', f ->> 'code',
                               'message', f ->> 'message')) from jsonb_array_elements(errors) f),
            'counterexample', errors #> '{0,counterexample}'));
    end if;
end $$;
