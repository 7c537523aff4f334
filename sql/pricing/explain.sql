--! code
-- Why a price is what it is, in words and steps, and at which stock it moves next.

-- The least number of units, up to `most`, whose leaving (sign -1) or coming (sign 1) moves the price that is charged;
-- null when none does. By halving, since more of them never bring the price asked for back; where that wants a person's
-- yes, no movement moves it.
create function units_to_move(d product, r rule, i inventory, sign integer, most bigint) returns bigint
language plpgsql immutable as $$
declare
    low bigint := 0;
    high bigint := 1;
    here integer := i.stock;
    v price_verdict;
begin
    if most < 1 or i.awaits_approval then return null; end if;
    loop
        high := least(high, most);
        i.stock := here + sign * high;
        v := evaluate_price(d, r, i, 'stock');
        exit when charged_at(d, r, i, coalesce(v.proposed, v.price)) <> i.price;
        if high = most then return null; end if;
        low := high;
        high := high * 2;
    end loop;
    while high - low > 1 loop
        i.stock := here + sign * ((low + high) / 2);
        v := evaluate_price(d, r, i, 'stock');
        if charged_at(d, r, i, coalesce(v.proposed, v.price)) <> i.price then
            high := (low + high) / 2;
        else
            low := (low + high) / 2;
        end if;
    end loop;
    i.stock := here + sign * high;
    v := evaluate_price(d, r, i, 'stock');
    return case when v.proposed is null then high end;
end $$;

-- What would change a price next, as posted prices after all guards: how many more sales, how large a restock, and what
-- the next tick does if nothing is sold until then. Each comes true when it is carried out.
create function next_moves(d product, r rule, i inventory) returns jsonb
language plpgsql stable as $$
declare
    moves jsonb := '[]';
    units bigint;
    at_tick timestamptz := to_timestamp(
        (floor(extract(epoch from pricing_now()) / r.tick_seconds) + 1) * r.tick_seconds);
    there inventory := i;
    v price_verdict;
begin
    if d.archived_at is not null then return moves; end if;
    if i.pin_price is not null then
        there.pin_price := null;
        v := evaluate_price(d, r, there, 'declaration');
        return moves || jsonb_build_object('event', 'unpin', 'at', rfc3339(i.pinned_until),
            'price', charged_at(d, r, there, v.price)::text);
    end if;
    moves := next_campaign_move(d, r, i);
    if is_halted(d) then return moves; end if;
    -- To a rule that counts what has not left, a sale is nothing.
    units := case when r.signal <> 'on_hand' then units_to_move(d, r, i, -1, i.stock - i.held - 1) end;
    if units is not null then
        there.stock := i.stock - units;
        v := evaluate_price(d, r, there, 'stock');
        moves := moves || jsonb_build_object('event', 'sales', 'quantity', units,
            'price', charged_at(d, r, i, v.price)::text);
    end if;
    units := units_to_move(d, r, i, 1, least(1000000, 2147483647 - i.stock));
    if units is not null then
        there.stock := i.stock + units;
        v := evaluate_price(d, r, there, 'stock');
        moves := moves || jsonb_build_object('event', 'restock', 'quantity', units,
            'price', charged_at(d, r, i, v.price)::text);
    end if;
    if i.stock > 0 then
        v := evaluate_price(d, r, row_at_tick(d, r, i, at_tick), evaluation_mode(i, i, 'tick'));
        moves := moves || jsonb_build_object('event', 'tick', 'at', rfc3339(at_tick),
            'price', charged_at(d, r, i, v.price)::text);
    end if;
    return moves || coalesce((
        select jsonb_build_object('event', 'approval', 'proposalId', proposal_id,
                                  'price', charged_at(d, r, i, new_price)::text)
        from proposal where product_id = d.product_id and status = 'open'), '[]');
end $$;

-- The next start or end of a campaign that is for a product, and the price then if nothing else moves; none where none
-- is to come.
create function next_campaign_move(d product, r rule, i inventory) returns jsonb
language plpgsql stable as $$
declare
    due timestamptz := (
        select min(case status when 'scheduled' then starts_at else ends_at end) from campaign c
        where status in ('scheduled', 'starting', 'running') and is_for(c, d));
begin
    if due is null then return '[]'; end if;
    select max(c.percent_off), min(m.price) into i.campaign_percent, i.campaign_price
    from campaign c left join campaign_product m on m.campaign_id = c.campaign_id and m.product_id = d.product_id
    where (status = 'scheduled' and starts_at <= due or status in ('starting', 'running')) and ends_at > due
      and is_for(c, d);
    return jsonb_build_array(jsonb_build_object('event', 'campaign', 'at', rfc3339(due),
        'price', (charged_price(d, r, i)).price::text));
end $$;

-- The campaigns that run for a product, each with what it alone makes of the regular price.
create function campaigns_of(d product, r rule, i inventory) returns jsonb
language sql stable as $$
    select coalesce(jsonb_agg(jsonb_build_object('campaignId', c.campaign_id, 'name', c.name,
        'percentOff', c.percent_off, 'fixedPrice', m.price::text, 'endsAt', rfc3339(c.ends_at),
        'price', reduced.price::text) order by c.campaign_id), '[]')
    from campaign c left join campaign_product m on m.campaign_id = c.campaign_id and m.product_id = d.product_id
    cross join price_limits(d, r) l
    cross join reduce_price(i.regular_price, c.percent_off, m.price, l.floor_at, l.ceiling_at, r.price_step,
                            r.price_offset) reduced
    where c.status in ('starting', 'running') and is_for(c, d)
$$;

-- A campaign's step in words.
create function campaign_note(d product, r rule, i inventory) returns text
language sql stable as $$
    select coalesce(string_agg(format('%s: %s', c ->> 'name', case when c ->> 'fixedPrice' is null
               then (c ->> 'percentOff') || ' % off' else (c ->> 'fixedPrice') || ' fixed' end), '; '
               order by (c ->> 'campaignId')::bigint), 'a campaign that has just ended')
        || case when (charged_price(d, r, i)).binding = 'floor' then '; the floor beats it' else '' end
    from jsonb_array_elements(campaigns_of(d, r, i)) c
$$;

-- To what a price is rounded, in words.
create function rounding_text(r rule, v price_verdict) returns text
language sql immutable as $$
    select case when round((v.limited + r.price_offset) / r.price_step) >= 1 then 'to ' || r.price_step
                else format('to the cent, below half a step of %s', r.price_step) end
$$;

-- The guards in one line, as people read them.
create function guards_note(r rule, i inventory, v price_verdict) returns text
language sql immutable as $$
    select format('guards: floor %s %s | ceiling %s %s | daily cap %s | dead band %s | rounded %s: %s',
        v.floor_at::numeric(12, 2), case when v.binding = 'floor' then 'reached' else 'ok' end,
        v.ceiling_at, case when v.binding = 'ceiling' then 'reached' else 'ok' end,
        case when v.cap is null then 'none'
             else format('%s..%s %s', round(i.anchor_price * (1 - v.cap), 2), round(i.anchor_price * (1 + v.cap), 2),
                         case when v.binding = 'daily_cap' then 'reached' else 'ok' end) end,
        case when v.dead_band is null then 'none'
             when v.dead_band >= 1e12 then 'cooling down'
             else format('%s %%: %s', trim_scale(round(v.dead_band * 100, 1)),
                         case when v.asked = i.regular_price then 'kept' else 'moved' end) end,
        rounding_text(r, v), v.asked)
        || case when v.approve_above is null then ''
                else format(' | moves over %s %% wait for a yes: %s', trim_scale(v.approve_above * 100),
                            case when v.proposed is not null then 'waits' when v.price = v.asked then 'ok'
                                 else 'at the next tick' end) end
$$;

-- How far a price stands from another, as people read it: +14.7 %.
create function percent_text(price numeric, other numeric) returns text
language sql immutable as $$
    select case when share < 0 then '' else '+' end || share || ' %'
    from (select round(100 * (price / other - 1), 1) as share) s
$$;

-- Days in words, for people: 5 days, 1.5 days, less than an hour.
create function days_text(days float8) returns text
language sql immutable as $$
    select case when days < 1.0 / 24 then 'less than an hour'
                when days < 1 then format('%s hour%s', round(days * 24), case when round(days * 24) <> 1 then 's' end)
                else format('%s day%s', trim_scale(round(days::numeric, 1)),
                            case when round(days::numeric, 1) <> 1 then 's' end) end
$$;

-- What the days of a strategy's step are. Goods that are overdue are priced as if they came a day after the tick.
create function days_note(r rule, i inventory, v price_verdict) returns text
language plpgsql stable as $$
declare
    awaits boolean := (strategy_facts(r.strategy)).awaits_goods and v.has_end;
    moment timestamptz := greatest(i.ticked_at, pricing_now());
begin
    if awaits and i.next_eta <= i.ticked_at then
        return format('goods overdue by %s; priced as if they came tomorrow',
            days_text(days_between(i.next_eta, moment)));
    elsif awaits and i.next_eta <= moment then
        return format('goods overdue by %s; priced as at the last tick, when they were due in %s',
                      days_text(days_between(i.next_eta, moment)), days_text(v.days_left));
    end if;
    return format('%s %s', round(v.days_left::numeric, 1),
        case when awaits then 'days until goods arrive' when v.has_end then 'selling days left'
             else 'days that stock should last' end);
end $$;

-- From what the estimates of `learn` were made, where that is not simply every sale until the last tick.
create function learner_note(i inventory) returns text
language sql stable as $$
    select case when l.state is null and (l.since is not null or i.movement_count > 1)
                    then 'what its ledgers teach is folded at the next tick'
                when l.state is not null and l.first_fold > 1
                    then format('what was sold since %s was folded anew at %s', rfc3339(l.since), rfc3339(f.at)) end
    from (select i.product_id) p left join learner l using (product_id)
    left join learner_fold f on f.product_id = l.product_id and f.number = l.first_fold
$$;

-- The stock that a rule goes by, in words.
create function stock_text(r rule, i inventory) returns text
language sql immutable as $$
    select i.stock || ' in stock' || case r.signal when 'available' then format(', %s of them held', i.held)
        when 'on_hand' then format(' and %s sold that have not left', i.unshipped) else '' end
$$;

-- The strategy's step in words: what it goes by and what it makes of it.
create function strategy_note(d product, r rule, i inventory, v price_verdict) returns text
language plpgsql stable as $$
declare
    facts strategy := strategy_facts(r.strategy);
    theta float8 := d.base_price / v.elasticity;
    plenty float8 := theta
        + case when facts.awaits_goods then coalesce(d.unit_cost, d.unit_value) else d.unit_value end;
    d_left float8 := v.rate * v.season_left;
    m float8;
    share numeric;
    lines text[];
begin
    if facts.basis = 'base' then return r.strategy || ': base price'; end if;
    if facts.basis = 'level' then
        share := trim_scale(round(100 * (v.raw / d.base_price - 1), 2));
        return format('%s: %s, low to %s, high from %s, gap %s: %s', r.strategy, stock_text(r, i), d.low_stock,
            d.high_stock, v.gap,
            case v.band when 1 then format('low, base + %s %%', share)
                        when -1 then format('high, base - %s %%', -share)
                        else 'normal, base' end);
    end if;
    if v.days_left is null then return 'nothing in stock: base price'; end if;
    m := demand_at_best(d_left, d.base_price, v.elasticity, plenty - theta);
    lines := array[
        format('base %s, elasticity %s%s: best price if stock were plentiful %s', d.base_price,
            round(v.elasticity::numeric, 3), case when facts.learns then ' as sales show it' else '' end,
            round(plenty::numeric, 2)),
        case when facts.learns and r.rule_id = d.rule_id then learner_note(i) end,
        case when facts.learns then shop_prior_note(d, r, i.ticked_at) end,
        format('%s; %s units would sell at base, %s at %s', days_note(r, i, v),
            round(d_left::numeric, 1), round(m::numeric, 1), round(plenty::numeric, 2)),
        case when not facts.charges_scarcity or (facts.awaits_goods and not v.has_end)
             then stock_text(r, i)
             else format('%s: run-out pressure %s %%, scarcity mark-up %s', stock_text(r, i),
                 round(100 * (1 - erlang_share(v.stock, m))::numeric, 1),
                 round((v.raw::float8 - plenty)::numeric, 2)) end,
        format('computed %s%s%s', round(v.raw, 2),
            case when v.stock > 1 then '; one unit less ' || round(target_at(d, r, v.stock - 1, v), 2) end,
            case when v.stock < 2147483647 then '; one unit more ' || round(target_at(d, r, v.stock + 1, v), 2) end)];
    return array_to_string(lines, E'\n  ');
end $$;

-- What would change a price next, a line each.
create function moves_text(moves jsonb, price numeric) returns text[]
language sql immutable as $$
    select array(
        select format('  next: %s: %s%s',
            case m ->> 'event' when 'sales' then format('%s more sold', m ->> 'quantity')
                when 'restock' then format('a restock of %s', m ->> 'quantity')
                when 'tick' then format('at the tick of %s, if nothing is sold', m ->> 'at')
                when 'campaign' then format('a campaign begins or ends at %s', m ->> 'at')
                when 'approval' then format('proposal %s is approved', m ->> 'proposalId')
                else 'without the pin' end,
            m ->> 'price', case when m ->> 'price' = price::text then ', unchanged' else '' end)
        from jsonb_array_elements(moves) with ordinality u (m, n) order by n)
$$;

-- Why a price is not computed.
create function frozen_note(frozen text, i inventory) returns text
language sql stable as $$
    select case frozen
        when 'pinned' then format('pinned by hand at %s%s', i.pin_price,
            coalesce(' until ' || rfc3339(i.pinned_until), ''))
        when 'archived' then 'archived: no longer priced'
        when 'halted' then 'automation is halted: the last price stands'
        else 'out of stock: the last price stands' end
$$;

-- What becomes of a move that a rule keeps for a person's yes, in words.
create function approval_note(v price_verdict) returns text
language sql immutable as $$
    select format('moves over %s %% wait for a yes: %s', trim_scale(v.approve_above * 100),
        case when v.proposed is not null then v.proposed || ' waits for one'
             when v.price <> v.asked then 'this one needs none, and comes with the next tick'
             else 'this one needs none' end)
$$;

-- The steps from base to the price that is charged: `charged` is what campaigns make of where the verdict leads.
create function price_steps(
    d product, r rule, i inventory, v price_verdict, evaluated price_verdict, charged numeric
) returns jsonb
language plpgsql stable as $$
declare
    steps jsonb;
begin
    if v.frozen is not null then
        steps := jsonb_build_array(jsonb_build_object('step', 'frozen', 'before', i.regular_price::text,
            'after', i.regular_price::text, 'note', frozen_note(v.frozen, i)));
    else
        steps := jsonb_build_array(
            jsonb_build_object('step', 'strategy', 'before', d.base_price::text, 'after', round(v.raw, 4)::text,
                'note', strategy_note(d, r, i, v)),
            jsonb_build_object('step', 'daily_cap', 'before', round(v.raw, 4)::text,
                'after', round(v.capped, 4)::text,
                'note', case when v.cap is null then 'none' else format('%s..%s in a day',
                    round(i.anchor_price * (1 - v.cap), 2), round(i.anchor_price * (1 + v.cap), 2)) end),
            jsonb_build_object('step', 'limits', 'before', round(v.capped, 4)::text,
                'after', round(v.limited, 4)::text,
                'note', format('floor %s%s, ceiling %s%s', v.floor_at::numeric(12, 2),
                    case when v.limited = v.floor_at then ' reached' else '' end, v.ceiling_at,
                    case when v.limited = v.ceiling_at then ' reached' else '' end)),
            jsonb_build_object('step', 'dead_band', 'before', round(v.limited, 4)::text,
                'after', case when v.binding = 'dead_band' then i.regular_price else round(v.limited, 4) end::text,
                'note', case when v.dead_band is null then 'none: the gap serves'
                             when v.dead_band >= 1e12 then 'the price cools down after its last move'
                             else format('a move of less than %s, %s %%, would not earn its trouble',
                                         round(v.dead_band * i.regular_price, 2),
                                         trim_scale(round(v.dead_band * 100, 1))) end),
            jsonb_build_object('step', 'rounding', 'before', round(v.limited, 4)::text,
                'after', v.asked::text, 'note', 'rounded ' || rounding_text(r, evaluated)));
        if v.approve_above is not null then
            steps := steps || jsonb_build_object('step', 'approval', 'before', v.asked::text, 'after', v.price::text,
                'note', approval_note(v));
        end if;
    end if;
    if is_reduced(i) then
        steps := steps || jsonb_build_object('step', 'campaign', 'before', case when v.frozen = 'halted'
                then i.regular_price else v.price end::text,
            'after', case when v.frozen = 'halted' then i.price else charged end::text, 'note', campaign_note(d, r, i));
    end if;
    return steps;
end $$;

-- Each step from base to the price that is charged, what would change it next, and the text that people read. Of a
-- product as it stands `price` is that price, always; `wouldBe` is where the steps lead when that is elsewhere:
-- automation is halted, or nothing has evaluated the product since what it is priced by moved.
create function explain_price(d product, r rule, i inventory, v price_verdict, is_preview boolean)
returns json
language plpgsql stable as $$
declare
    steps jsonb;
    lines text[];
    moves jsonb;
    settled inventory := i;
    evaluated price_verdict := v;
    charged numeric := charged_at(d, r, i, v.price);
    would_be numeric;
    was numeric := case when is_preview then i.price else (
        select old_price from price_change where product_id = d.product_id order by sequence desc limit 1) end;
begin
    if is_preview then
        settled.regular_price := v.price;
        settled.price := charged;
    end if;
    moves := next_moves(d, r, settled);
    if is_preview then moves := jsonb_path_query_array(moves, '$[*] ? (@.event != "tick")'); end if;
    if v.frozen is null and is_halted(d) then v.frozen := 'halted'; end if;
    if charged <> i.price and (v.frozen = 'halted' or not is_preview) then would_be := charged; end if;
    steps := price_steps(d, r, i, v, evaluated, charged);
    if would_be is not null then charged := i.price; end if;
    lines := array[format('price %s%s   strategy %s, rule %s version %s', charged,
                case when was is not null
                     then format(' (%s %s, %s)', case when is_preview then 'posted' else 'was' end, was,
                                 percent_text(charged, was)) end,
                r.strategy, r.name, r.version)]
        || case when would_be is null then '{}'
                when v.frozen = 'halted' then array[format('  would be %s if automation were not halted', would_be)]
                else array[format('  would be %s: not priced again since; the next movement or tick sees it',
                                  would_be)] end
        || array['  ' || (steps -> 0 ->> 'note')]
        || case when v.frozen is null then array['  ' || guards_note(r, i, evaluated)] else '{}' end
        || case when is_reduced(i)
                then array[format('  campaign: regular price %s, %s', steps #>> '{-1,before}', steps #>> '{-1,note}')]
                else '{}' end
        || case when v.frozen is null and v.floor_at > d.ceiling_price
                then array['  warning: unit cost lifts the floor above the ceiling; the floor wins'] else '{}' end
        || case when v.binding is null then array[]::text[]
                else array[format('  binding guard: %s; without it %s', v.binding,
                                  charged_at(d, r, i, price_without_guard(r, i.regular_price, i.anchor_price, v)))] end
        || moves_text(moves, charged);
    return json_build_object('productId', d.product_id, 'sku', d.sku, 'price', charged::text,
        'regularPrice', case when is_preview then v.price else i.regular_price end::text,
        'campaigns', campaigns_of(d, r, settled),
        'posted', i.price::text, 'wouldBe', would_be::text, 'basePrice', d.base_price::text, 'stock', i.stock,
        'strategy', r.strategy, 'ruleId', r.rule_id, 'frozen', v.frozen, 'bindingGuard', v.binding,
        'proposed', v.proposed::text, 'proposal', case when not is_preview then (
            select proposal_note(p) from proposal p where p.product_id = d.product_id and status = 'open') end,
        'withoutGuard', charged_at(d, r, i, price_without_guard(r, i.regular_price, i.anchor_price, v))::text,
        'steps', steps, 'next', moves, 'text', array_to_string(lines, E'\n'));
end $$;
