--! code
-- From a declaration, a rule and a ledger position to a product's regular price: the strategy's position, its target,
-- the guards; and back again from the inputs that the history keeps. What is charged: campaigns.sql.

-- Why a price moved to where it stands, in words for the merchant, from its line in the history.
create function price_reason(cause text, binding text, f jsonb, note text) returns text
language plpgsql immutable as $$
begin
    return case when cause = 'pin' or f ->> 'mode' = 'pin' then 'pinned by hand'
                when f ->> 'mode' = 'campaign' then
                    case when f ? 'campaign' then 'campaign price' else 'regular price' end
                when binding = 'daily_cap' then 'limited by the daily cap'
                when binding = 'floor' then 'held at the floor'
                when binding = 'ceiling' then 'held at the ceiling'
                when binding = 'approval' then 'held for approval'
                when (strategy_facts(f ->> 'strategy')).basis = 'base' then 'list price'
                when (strategy_facts(f ->> 'strategy')).basis = 'level' then
                    case f ->> 'band' when '1' then 'low stock' when '-1' then 'high stock' else 'normal stock' end
                when (f ->> 'hasEnd')::boolean then
                    format('%s units for %s days', f ->> 'stock', round((f ->> 'daysLeft')::numeric, 1))
                else format('%s units, to last %s days', f ->> 'stock', round((f ->> 'daysLeft')::numeric, 1)) end
        || case when note = '' then '' else ': ' || note end;
end $$;

-- How a row is evaluated after an event of a kind: afresh, as at a tick, or as stock moves. Without anchor_date it
-- waits for what a declaration would have made of it, had automation not been halted. What awaits a person's yes is no
-- stock movement's to evaluate.
create function evaluation_mode(row_was inventory, row_now inventory, kind text) returns text
language sql immutable as $$
    select case when row_now.pin_price is not null and row_now.pin_price is distinct from row_was.pin_price then 'stock'
                when row_now.pin_price is null and (row_was.pin_price is not null or row_was.anchor_date is null
                    and (not row_was.awaits_approval or kind in ('tick', 'resume', 'approval'))) then 'declaration'
                when kind in ('declaration', 'rule', 'rollback') then 'declaration'
                when kind in ('tick', 'approval') then 'tick'
                when row_was.stock = 0 and row_was.movement_count = 0 then 'first'
                else 'stock' end
$$;

-- The row of an evaluation with its time. Only a tick begins a pricing day: between ticks the price depends on stock
-- alone, and what is approved is what the last tick made of it.
create function begin_day(
    row_was inventory, row_now inventory, mode text, kind text, moment timestamptz
) returns inventory
language plpgsql immutable as $$
begin
    if mode = 'tick' and kind = 'tick' and row_now.anchor_date <> (moment at time zone 'UTC')::date then
        row_now.anchor_price := row_was.regular_price;
        row_now.anchor_date := (moment at time zone 'UTC')::date;
    end if;
    if mode = 'first' or kind = 'tick' then row_now.ticked_at := moment; end if;
    return row_now;
end $$;

-- A row as the tick of a moment would find it: the day's anchor, the time and, for `learn`, what the ledgers and the
-- time until then taught, nothing sold meanwhile.
create function row_at_tick(d product, r rule, i inventory, moment timestamptz) returns inventory
language plpgsql stable as $$
declare
    today date := (moment at time zone 'UTC')::date;
begin
    if today is distinct from i.anchor_date then
        i.anchor_price := i.regular_price;
        i.anchor_date := today;
    end if;
    i.ticked_at := moment;
    if models_demand(r.strategy) then
        i := foreseen_estimates(d, r, i, 'tick', moment);
    end if;
    return i;
end $$;

-- Whether automation stands still for a product. Read only where a price would move.
create function is_halted(declared product) returns boolean
language sql stable as $$
    select exists (select from automation_halt where resumed_at is null
        and (product_id = declared.product_id or category_id = declared.category_id
             or (product_id is null and category_id is null)))
$$;

-- Fills in where a strategy stands: the estimates or declarations it goes by, and what is left of the season, all as of
-- the last tick, so that between ticks a price depends on stock alone.
create function strategy_position(declared product, chosen rule, row_now inventory, verdict price_verdict)
returns price_verdict
language plpgsql immutable as $$
declare
    moment timestamptz := coalesce(row_now.ticked_at, declared.created_at);
    awaits boolean := (strategy_facts(chosen.strategy)).awaits_goods;
    ends timestamptz := case when awaits then row_now.next_eta else declared.season_end end;
    starts timestamptz := coalesce(declared.season_start, declared.created_at);
    believed float8;
begin
    verdict.has_end := ends is not null;
    if awaits and ends <= moment then ends := moment + interval '1 day'; end if;  -- overdue
    if ends is null then
        verdict.days_left := chosen.cover_days;
        verdict.season_left := chosen.cover_days;
    else
        verdict.days_left := greatest(0, days_between(moment, ends));
        verdict.season_left := season_weight(declared.season_profile, starts, declared.season_end, moment, ends);
    end if;
    verdict.age := season_age(declared, moment);
    believed := coalesce(declared.ref_rate, row_now.opening_rate,
                         row_now.stock / greatest(verdict.season_left, 1));
    verdict.elasticity := declared.elasticity;
    verdict.rate := believed;
    if (strategy_facts(chosen.strategy)).learns then
        if row_now.rate_now is not null then
            verdict.elasticity := row_now.elasticity_now;
            verdict.rate := row_now.rate_now;
        else
            select * into verdict.elasticity, verdict.rate
            from learn_estimate(learner_empty(), declared.elasticity, believed);
        end if;
    end if;
    return verdict;
end $$;

-- The dead band around a posted price, as a share of it; of a rule that goes by stock levels null, since it has its gap
-- instead. A price that cools down stays wherever it may stand: a dead band wider than any move.
create function dead_band(declared product, chosen rule, row_now inventory, v price_verdict, at_tick boolean)
returns numeric
language plpgsql immutable as $$
begin
    if chosen.cooldown_seconds > 0
        and row_now.changed_at > row_now.ticked_at - make_interval(secs => chosen.cooldown_seconds) then
        return 1e12;
    elsif (strategy_facts(chosen.strategy)).basis = 'level' then
        return null;
    end if;
    return greatest(case when at_tick then chosen.band_tick else chosen.band_stock end,
                    case when v.days_left is not null
                         then least_share(declared, chosen, v, row_now.regular_price) end);
end $$;

-- The least move worth making from a posted price to a verdict's target, as a share of that price. What awaits goods
-- has no season.
create function least_share(declared product, chosen rule, v price_verdict, posted numeric) returns numeric
language sql immutable as $$
    select (least_move(declared.base_price / v.elasticity * bounded_exp(-declared.decay * v.age),
                       case when v.raw > posted then chosen.least_rise else chosen.least_fall end,
                       case when (strategy_facts(chosen.strategy)).awaits_goods or declared.season_end is null then 1
                            else v.days_left / greatest(v.days_left, days_between(
                                coalesce(declared.season_start, declared.created_at), declared.season_end), 1e-9) end)
            / posted)::numeric
$$;

-- The price that the database would set for one declaration, one rule and one ledger position, with each step to it.
-- `mode` is first | declaration (neither cap nor dead band), stock, or tick. Stock 0 and a pin freeze; a
-- stock below 0 is left to its constraint. Where a move awaits a person's yes, no stock moves the price: it is asked
-- what the next tick would ask, and stands.
create function evaluate_price(declared product, chosen rule, row_now inventory, mode text)
returns price_verdict
language plpgsql immutable as $$
declare
    v price_verdict;
    awaits boolean := mode = 'stock' and coalesce(row_now.awaits_approval, false);
    free boolean := mode in ('first', 'declaration') or awaits and row_now.anchor_date is null;
    guarded record;
begin
    if chosen.signal <> 'committed' then row_now.stock := row_now.stock + signal_offset(chosen, row_now); end if;
    v.gap := band_gap(declared.low_stock, declared.high_stock, chosen.gap_share);
    v.stock := row_now.stock;
    v.band := row_now.band;
    if row_now.stock > 0 then
        v.band := next_band(row_now.band, row_now.stock, declared.low_stock, declared.high_stock, v.gap);
    end if;
    if row_now.pin_price is not null then
        v.frozen := 'pinned';
    elsif declared.archived_at is not null then
        v.frozen := 'archived';
    elsif row_now.stock <= 0 and (awaits or not free) then
        v.frozen := 'out_of_stock';
    end if;
    if v.frozen is not null then
        v.price := coalesce(row_now.pin_price, row_now.regular_price);
        return v;
    end if;
    if not models_demand(chosen.strategy) then
        v.raw := level_target(chosen.strategy, declared.base_price, chosen.up_share, chosen.down_share, v.band);
    elsif row_now.stock <= 0 then
        v.raw := declared.base_price;
    else
        v := strategy_position(declared, chosen, row_now, v);
        v.raw := strategy_target(chosen.strategy, row_now.stock, declared.base_price, declared.unit_cost,
            declared.unit_value, v.elasticity, v.rate, v.season_left, v.days_left, v.has_end, declared.decay, v.age);
    end if;

    if v.raw is null or v.raw = 'NaN' then  -- no guard could tell it from a price
        raise data_exception using message = format('Product %s has no price under strategy %s.', declared.product_id,
                                                    chosen.strategy);
    end if;

    v.floor_at := price_floor(declared.floor_price, declared.unit_cost, chosen.minimum_margin);
    v.ceiling_at := declared.ceiling_price;
    if not free then
        v.cap := chosen.daily_cap;
        if chosen.never_up and (strategy_facts(chosen.strategy)).may_never_rise then
            v.ceiling_at := least(v.ceiling_at, row_now.regular_price);
        end if;
        v.dead_band := dead_band(declared, chosen, row_now, v, mode = 'tick' or awaits);
    end if;
    guarded := apply_guards(v.raw, row_now.regular_price, row_now.anchor_price, v.cap, v.floor_at, v.ceiling_at,
                            v.dead_band, chosen.price_step, chosen.price_offset);
    v.capped := guarded.capped;
    v.limited := guarded.limited;
    v.price := guarded.price;
    v.binding := guarded.binding;
    v.asked := guarded.price;
    if chosen.approve_above is not null and mode <> 'first' and row_now.movement_count > 0 then
        v := hold_verdict(chosen, row_now, v, awaits);
    end if;
    return v;
end $$;

-- The verdict of a rule that keeps moves for a person's yes; where one `awaits` it, the posted price stands.
create function hold_verdict(chosen rule, row_now inventory, v price_verdict, awaits boolean) returns price_verdict
language plpgsql immutable as $$
declare
    held record := hold_move(v.asked, row_now.regular_price, chosen.approve_above, v.floor_at, v.ceiling_at,
                             chosen.price_step, chosen.price_offset);
begin
    v.approve_above := chosen.approve_above;
    v.price := case when awaits then row_now.regular_price else held.price end;
    v.proposed := held.proposed;
    if v.proposed is not null or v.price <> v.asked then v.binding := 'approval'; end if;
    return v;
end $$;

-- What a rule counts beside stock.
create function signal_offset(chosen rule, i inventory) returns integer
language sql immutable as $$
    select case chosen.signal when 'available' then -coalesce(i.held, 0) when 'on_hand' then coalesce(i.unshipped, 0)
                              else 0 end
$$;

-- Whether the regular price, and all else that the trigger keeps, would stay as they are at another stock; then the
-- price that is charged does too.
create function stands_at(declared product, chosen rule, i inventory, stock integer) returns boolean
language plpgsql immutable as $$
declare
    level text := stock_level(i.stock, declared.low_stock, declared.high_stock);
    v price_verdict;
begin
    if stock_level(stock, declared.low_stock, declared.high_stock) <> level then return false; end if;
    i.stock := stock;
    v := evaluate_price(declared, chosen, i, 'stock');
    return v.price = i.regular_price and v.band = i.band and (v.proposed is null or i.awaits_approval);
end $$;

-- The row with the stocks between which its regular price stands, after an evaluation, `afresh` where more than stock
-- moved. A price that is not the one evaluated, since automation is halted, stands on none. A price falls as stock
-- grows, and so do band and level: where it is the same at both ends, it is between them. A new one reaches a few sales
-- down, so that the first after a tick computes nothing. The rest is found as stock moves, since most prices are reset
-- before their ends are reached: a movement that leaves the interval and changes nothing widens it, further each time
-- and by a sixteenth of the stock at least, since prices follow stock in proportion, and to its very end where that
-- comes into reach. Stock 0 lies outside, evaluates nothing and keeps it. Under a rule that counts more than stock
-- there is none.
create function widen_interval(
    declared product, chosen rule, row_was inventory, row_now inventory, evaluated numeric, afresh boolean
) returns inventory
language plpgsql immutable as $$
declare
    sign integer := case when row_now.stock < row_was.stock then -1 else 1 end;
    is_new boolean := false;
    reach bigint;
    near integer := row_now.stock;
    far bigint;
    middle integer;
begin
    if afresh or evaluated <> row_now.regular_price or chosen.signal <> 'committed' then
        row_now.stands_from := null;
        row_now.stands_to := null;
    end if;
    if row_now.stock = 0 or evaluated <> row_now.regular_price or chosen.signal <> 'committed'
        or (row_now.stock = row_was.stock and not afresh) then
        return row_now;
    end if;
    if row_now.stands_from is null then
        row_now.stands_from := row_now.stock;
        row_now.stands_to := row_now.stock;
        sign := -1;
        is_new := true;
    end if;
    reach := greatest(8, case when not is_new then row_now.stock / 16 end,
                      2 * (row_now.stands_to::bigint - row_now.stands_from));
    far := least(2147483647, greatest(1, near + sign * reach));
    if far = near or stands_at(declared, chosen, row_now, far::integer) then
        near := far;
    elsif not is_new then
        while abs(far - near) > 1 loop
            middle := (near + far) / 2;
            if stands_at(declared, chosen, row_now, middle) then near := middle; else far := middle; end if;
        end loop;
    end if;
    row_now.stands_from := least(row_now.stands_from, row_now.stock, near);
    row_now.stands_to := greatest(row_now.stands_to, row_now.stock, near);
    return row_now;
end $$;

-- Everything that a price was computed from, as the history keeps it.
create function price_inputs(
    declared product, chosen rule, row_now inventory, posted numeric, band_before smallint, mode text, v price_verdict
) returns jsonb
language plpgsql immutable as $$
declare
    inputs jsonb := jsonb_build_object(
        'mode', mode, 'strategy', chosen.strategy, 'ruleId', chosen.rule_id, 'base', declared.base_price,
        'unitCost', declared.unit_cost, 'stock', row_now.stock, 'raw', v.raw,
        'anchor', row_now.anchor_price, 'dailyCap', v.cap, 'capped', v.capped, 'floor', v.floor_at,
        'ceiling', v.ceiling_at, 'limited', v.limited, 'posted', posted, 'deadBand', v.dead_band,
        'step', chosen.price_step, 'offset', chosen.price_offset, 'rounding', 'cent') || campaign_inputs(row_now)
        || case when v.approve_above is null then '{}' else jsonb_build_object('approveAbove', v.approve_above) end;
begin
    if chosen.signal <> 'committed' then
        inputs := inputs || jsonb_build_object('signal', chosen.signal, 'signalOffset', signal_offset(chosen, row_now));
    end if;
    if not models_demand(chosen.strategy) or v.days_left is null then
        return inputs || jsonb_build_object('up', chosen.up_share, 'down', chosen.down_share,
            'low', declared.low_stock, 'high', declared.high_stock, 'gap', v.gap, 'bandBefore', band_before,
            'band', v.band);
    end if;
    return inputs || jsonb_build_object('unitValue', declared.unit_value, 'elasticity', v.elasticity, 'rate', v.rate,
        'seasonLeft', v.season_left, 'daysLeft', v.days_left, 'hasEnd', v.has_end, 'decay', declared.decay,
        'age', v.age,
        'ticked', row_now.ticked_at);
end $$;

-- The same price from its inputs alone, as verification does it: what it gives must be what the history says.
-- `rounding` tells how a price below half a step was rounded: to the cent, or in rows without it up to the first step.
create function recompute_price(
    f jsonb, out raw numeric, out capped numeric, out limited numeric, out price numeric, out binding text
)
language plpgsql immutable as $$
declare
    guarded record;
    held record;
    stock integer := (f ->> 'stock')::integer + coalesce((f ->> 'signalOffset')::integer, 0);
    band smallint := f ->> 'bandBefore';
begin
    if f ? 'daysLeft' then
        raw := strategy_target(f ->> 'strategy', stock, (f ->> 'base')::numeric, (f ->> 'unitCost')::numeric,
            (f ->> 'unitValue')::numeric, (f ->> 'elasticity')::float8, (f ->> 'rate')::float8,
            (f ->> 'seasonLeft')::float8, (f ->> 'daysLeft')::float8, (f ->> 'hasEnd')::boolean,
            (f ->> 'decay')::float8, (f ->> 'age')::float8);
    elsif models_demand(f ->> 'strategy') then  -- nothing in stock
        raw := (f ->> 'base')::numeric;
    else
        if stock > 0 then
            band := next_band(band, stock, (f ->> 'low')::integer, (f ->> 'high')::integer, (f ->> 'gap')::integer);
        end if;
        raw := level_target(f ->> 'strategy', (f ->> 'base')::numeric, (f ->> 'up')::numeric, (f ->> 'down')::numeric,
                            band);
    end if;
    guarded := apply_guards(raw, (f ->> 'posted')::numeric, (f ->> 'anchor')::numeric, (f ->> 'dailyCap')::numeric,
        (f ->> 'floor')::numeric, (f ->> 'ceiling')::numeric, (f ->> 'deadBand')::numeric, (f ->> 'step')::numeric,
        (f ->> 'offset')::numeric);
    capped := guarded.capped;
    limited := guarded.limited;
    price := guarded.price;
    binding := guarded.binding;
    if f ->> 'rounding' is null and binding is distinct from 'dead_band'
        and round((limited + (f ->> 'offset')::numeric) / (f ->> 'step')::numeric) < 1 then
        price := greatest(least((f ->> 'step')::numeric - (f ->> 'offset')::numeric,
                                greatest((f ->> 'floor')::numeric, (f ->> 'ceiling')::numeric)),
                          (f ->> 'floor')::numeric);
    end if;
    if f ? 'approveAbove' then
        held := hold_move(price, (f ->> 'posted')::numeric, (f ->> 'approveAbove')::numeric, (f ->> 'floor')::numeric,
                          (f ->> 'ceiling')::numeric, (f ->> 'step')::numeric, (f ->> 'offset')::numeric);
        price := held.price;
        if held.proposed is not null then binding := 'approval'; end if;
    end if;
end $$;
