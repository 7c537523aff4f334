--! code
-- `rule.backtest`: what happened to products in a period once more, under another rule: what would have been charged
-- for the units that were sold. What customers would have bought at those prices is unknown, so no uplift is claimed.
-- Nothing is written: the functions that price products are pure. Movements, declarations, pins, approvals, halts and
-- campaigns come in the order of their numbers, ticks at their time to the second; goods on their way and what quotes
-- hold are left out. The rule that was in force reproduces the actual path where ticks came on time.

-- One price path: the moments of its changes, with price, stock and the guard that bound.
create function path_json(
    at timestamptz[], prices numeric[], stocks integer[], guards text[], charged numeric, price numeric, most integer
) returns jsonb
language sql immutable as $$
    select jsonb_build_object('changes', cardinality(prices),
        'reversals', (select count(*) from (
            select sign(p - b) <> lag(sign(p - b)) over (order by n) as turned
            from (select p, lag(p) over (order by n) as b, n from unnest(prices) with ordinality u (p, n)) moves) turns
            where turned),
        'limitHits', (select count(*) from unnest(guards) g where g in ('floor', 'ceiling', 'daily_cap')),
        'lowest', (select min(p)::text from unnest(prices || price) p),
        'highest', (select max(p)::text from unnest(prices || price) p),
        'lastPrice', price::text, 'charged', round(charged, 2)::text,
        'path', coalesce((select jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                'at', rfc3339(at[n]), 'price', prices[n]::text,
                              'stock', stocks[n], 'guard', guards[n])) order by n)
                          from generate_series(1, cardinality(prices)) n
                          where (n - 1) % (1 + (cardinality(prices) - 1) / most) = 0 or n = cardinality(prices)), '[]'))
$$;

-- The first tick of a rule's products after `last`.
create function next_tick(last timestamptz, seconds integer) returns timestamptz
language sql immutable as $$
    select to_timestamp((floor(extract(epoch from last) / seconds) + 1) * seconds)
$$;

-- What a tick, a declaration or a product's first stock renews in a replay.
create function replay_estimates(
    declared product, chosen rule, i inventory, l replay_learner, mode text, moment timestamptz
) returns inventory
language plpgsql stable as $$
begin
    if mode = 'stock' and (i.opening_rate is not null or (strategy_facts(chosen.strategy)).learns) then
        return i;
    end if;
    i := with_opening_rate(declared, chosen, i, mode, moment);
    if (strategy_facts(chosen.strategy)).learns then i := with_estimates(declared, chosen, i, (l.run).state); end if;
    return i;
end $$;

-- The segment of a replay that is open is closed, at the moment that its run has come to.
create function replay_segment(l replay_learner, price float8) returns replay_learner
language plpgsql immutable as $$
begin
    l.distances := l.distances || price_distance((l.run).price, (l.span).base, (l.span).elasticity, (l.span).decay,
                                                 age_between(l.span, (l.run).opened_at, (l.run).counted_to));
    l.folds := l.folds || cardinality(l.moments) + 1;
    l.run := run_price(l.run, l.span, price);
    return l;
end $$;

create function replay_fold(l replay_learner) returns replay_learner
language plpgsql immutable as $$
begin
    l := replay_segment(l, (l.run).price);
    l.run := run_fold(l.run, l.span);
    l.moments := l.moments || (l.run).folded_at;
    return l;
end $$;

-- What a movement of a replay teaches.
create function replay_movement(l replay_learner, kind text, quantity integer, order_id bigint) returns replay_learner
language plpgsql immutable as $$
declare
    n integer := array_position(l.orders, order_id);
    segment integer := l.segments[n];
begin
    if kind = 'sale' then
        l.run.units := (l.run).units - quantity;
        l.orders := l.orders || order_id;
        l.units := l.units || -quantity;
        l.segments := l.segments || cardinality(l.distances) + 1;
    elsif kind = 'cancel' and segment > cardinality(l.distances) then
        l.run.units := (l.run).units - l.units[n];
    elsif kind = 'cancel' and n is not null then
        l.run := run_undo(l.run, l.units[n], l.distances[segment], l.moments[l.folds[segment]]);
    end if;
    return l;
end $$;

-- Brings what a replay has learned to an event, the row being as it stood until then, and at a tick or a declaration
-- folds it.
create function replay_event(
    l replay_learner, moment timestamptz, was inventory, mode text, kind text, quantity integer, order_id bigint
) returns replay_learner
language plpgsql immutable as $$
begin
    if was.price <> (l.run).price then l := replay_segment(l, was.price); end if;
    l.run := run_to(l.run, l.span, moment, was.stock > 0);
    if quantity <> 0 then
        if kind = 'sale' and not in_season(l.span, moment) then return l; end if;
        return replay_movement(l, kind, quantity, order_id);
    end if;
    if mode in ('tick', 'declaration') then return replay_fold(l); end if;
    return l;
end $$;

-- Takes in what a declaration changed. What is declared anew of demand is learned anew from the ledgers.
create function replay_declaration(s replay, chosen rule, members jsonb, place bigint, moment timestamptz)
returns replay
language plpgsql stable as $$
declare
    i inventory := s.i;
begin
    s.declared := jsonb_populate_record(s.declared, members - '{pin_price,pinned_until}'::text[]);
    if members ? 'pin_price' then i.pin_price := (members ->> 'pin_price')::numeric; end if;
    if members ? 'season_end' then i.opening_rate := null; end if;
    select * into i.campaign_percent, i.campaign_price from reduction_by(s.declared, s.running);
    s.i := i;
    if (strategy_facts(chosen.strategy)).learns
        and members ?| '{base_price,elasticity,decay,season_start,season_end,season_profile}' then
        i.change_count := (select count(*) from price_change c where c.product_id = i.product_id and change_id < place);
        s.l := begin_learning(s.declared, i, moment, true);
    end if;
    return s;
end $$;

-- Evaluates a product of a replay after an event, as the inventory trigger does.
create function replay_evaluation(
    s replay, chosen rule, was inventory, kind text, mode text, moment timestamptz
) returns replay
language plpgsql stable as $$
declare
    v price_verdict;
    i inventory := s.i;
    is_birth boolean := mode = 'first' and kind = 'initial';
    charged record;
begin
    if mode is not null then
        if kind in ('approval', 'rollback') then chosen.approve_above := null; end if;
        v := evaluate_price(s.declared, chosen, i, mode);
        i.band := v.band;
        i := post_price(was, i, v, mode, is_birth, v.price <> was.regular_price and v.frozen is null and not is_birth
                                                   and is_halted_by(s.declared, s.halts), moment);
    end if;
    charged := charged_price(s.declared, chosen, i);
    i.price := charged.price;
    if i.regular_price = was.regular_price then v.binding := charged.binding; end if;
    if is_birth and was.change_count = 0 then
        s.told := i.price;
    elsif i.price <> (case when was.stock = 0 then s.told else was.price end)
        and not (i.stock = 0 and i.regular_price = was.regular_price and i.pin_price is not distinct from was.pin_price)
    then
        i.change_count := was.change_count + 1;
        s.told := i.price;
        s.at := s.at || moment;
        s.prices := s.prices || i.price::numeric;
        s.stocks := s.stocks || i.stock;
        s.guards := s.guards || v.binding;
    end if;
    s.i := i;
    return s;
end $$;

-- Which evaluation an event of a replay asks for: its kind as a movement's cause; null for one that asks for none.
create function replay_kind(s replay, chosen rule, kind text, number bigint, members jsonb) returns text
language sql stable as $$
    select case
        when kind in ('campaign_started', 'campaign_ended') then 'campaign'
        when kind = 'halt' then null
        when kind = 'resume' then case when is_halted_by(s.declared, array[number]) then 'resume' end
        when kind = 'pin' then case when members ->> 'pin_price' is null then 'unpin' else 'pin' end
        when members is null then kind
        when members -> 'rule_id' = to_jsonb(chosen.rule_id) then 'rule'
        when members ?| '{base_price,unit_cost,floor_price,ceiling_price,low_stock,high_stock,category_id,archived_at,'
            'elasticity,ref_rate,unit_value,decay,season_start,season_end,season_profile}' then kind end
$$;

-- Takes in that a halt or a campaign begins or ends.
create function replay_mark(s replay, kind text, number bigint) returns replay
language plpgsql immutable as $$
begin
    if kind = 'halt' then s.halts := s.halts || number;
    elsif kind = 'resume' then s.halts := array_remove(s.halts, number);
    elsif kind = 'campaign_started' then s.running := s.running || number;
    elsif kind = 'campaign_ended' then s.running := array_remove(s.running, number);
    end if;
    return s;
end $$;

-- As what an event is counted; null for what is no deed.
create function replay_deed(s replay, event text, kind text, number bigint) returns text
language sql stable as $$
    select case when event = 'halt' and is_halted_by(s.declared, array[number]) then 'halts'
                when kind = 'campaign' then 'campaigns' when kind in ('pin', 'unpin') then 'pins'
                when kind = 'approval' then 'approvals'
                when kind in ('declaration', 'rule', 'rollback') then 'declarations' end
$$;

-- The ticks of a replay until an event.
create function replay_ticks(s replay, chosen rule, until timestamptz, is_early boolean) returns replay
language plpgsql stable as $$
declare
    i inventory := s.i;
    was inventory;
    tick timestamptz;
    mode text;
begin
    loop
        tick := next_tick(i.ticked_at, chosen.tick_seconds);
        exit when tick > until or is_early and tick = until;
        was := i;
        mode := evaluation_mode(was, i, 'tick');
        s.i := begin_day(was, i, mode, 'tick', tick);
        if models_demand(chosen.strategy) then
            s.l := replay_event(s.l, tick, was, mode, 'tick', 0, null);
            s.i := replay_estimates(s.declared, chosen, s.i, s.l, mode, tick);
        end if;
        s := replay_evaluation(s, chosen, was, 'tick', mode, tick);
        i := s.i;
        -- Where time plays no part and the day's cap holds nothing back, the ticks to come change nothing.
        if not models_demand(chosen.strategy) and mode = 'tick'
            and (i.regular_price, i.regular_price) = (was.regular_price, i.anchor_price)
            and not is_halted_by(s.declared, s.halts) then
            i.ticked_at := greatest(i.ticked_at, next_tick(until - case when is_early then interval '1 microsecond'
                                                                    else interval '0' end, chosen.tick_seconds)
                                                 - chosen.tick_seconds * interval '1 second');
            i.anchor_date := (i.ticked_at at time zone 'UTC')::date;
        end if;
    end loop;
    s.i := i;
    return s;
end $$;

-- Replays one product from `starts` to `ends` under a rule, with what was declared, pinned, approved, halted and
-- reduced meanwhile. As in the inventory trigger: a tick begins a pricing day, then what was learned is folded, then
-- the price is evaluated.
create function replay_product(
    given product, chosen rule, starts timestamptz, ends timestamptz, most integer, marks replay_mark[]
) returns jsonb
language plpgsql stable as $$
declare
    s replay := begin_replay(given, chosen, starts, marks);
    was inventory;
    e record;
    reduced record;
    kind text;
    mode text;
    charged numeric := 0;
    opened numeric := (s.i).opening_price;
    took jsonb := '{"declarations": 0, "pins": 0, "approvals": 0, "halts": 0, "campaigns": 0}';
    what text;
begin
    s.at := '{}'; s.prices := '{}'; s.stocks := '{}'; s.guards := '{}';
    if (s.i).price <> opened then
        s.at := array[starts]; s.prices := array[(s.i).price::numeric]; s.stocks := array[(s.i).stock];
        s.guards := array[null];
    end if;
    for e in select * from replay_events(given.product_id, (s.i).movement_count, starts, ends, marks) order by place
    loop
        s := replay_ticks(s, chosen, e.at, e.is_early);
        exit when e.kind is null;
        was := s.i;
        kind := replay_kind(s, chosen, e.kind, e.number, e.members);
        s := replay_mark(s, e.kind, e.number);
        if e.quantity <> 0 then
            if e.is_sold then charged := charged - was.price * e.quantity; end if;
            s.i.stock := was.stock + e.quantity;
            s.i.movement_count := e.number;
        end if;
        if e.members is not null then s := replay_declaration(s, chosen, e.members, e.place, e.at); end if;
        what := replay_deed(s, e.kind, kind, e.number);
        if kind in ('campaign', 'resume') then
            reduced := reduction_by(s.declared, s.running);
            s.i.campaign_percent := reduced.percent;
            s.i.campaign_price := reduced.price;
            if kind = 'campaign' and ((s.i).campaign_percent, (s.i).campaign_price)
                is not distinct from (was.campaign_percent, was.campaign_price) then
                kind := null;
                what := null;
            end if;
        end if;
        if what is not null then took := jsonb_set(took, array[what], to_jsonb((took ->> what)::integer + 1)); end if;
        if kind is null then continue; end if;
        mode := case when kind <> 'campaign' then evaluation_mode(was, s.i, kind) end;
        -- An approval is of what it approved: another target waits on.
        if kind = 'approval' and e.price is distinct from
                                 (evaluate_price(s.declared, chosen, s.i, 'stock')).proposed then
            continue;
        end if;
        if mode is not null then s.i := begin_day(was, s.i, mode, kind, e.at); end if;
        if models_demand(chosen.strategy) then
            s.l := replay_event(s.l, e.at, was, case when kind <> 'approval' then mode end, kind, e.quantity,
                                e.order_id);
            if mode is not null and kind <> 'approval' then
                s.i := replay_estimates(s.declared, chosen, s.i, s.l,
                    case when mode = 'declaration' and e.quantity <> 0 then 'stock' else mode end, e.at);
            end if;
        end if;
        s := replay_evaluation(s, chosen, was, kind, mode, e.at);
    end loop;
    return path_json(s.at, s.prices, s.stocks, s.guards, charged, (s.i).price, most)
        || jsonb_build_object('took', took)
        || path_differences(given.product_id, starts, ends, opened, s.at, s.prices);
end $$;

-- Where a path differs from what was charged: how many times of a change, and the first of them with both prices.
create function path_differences(
    id bigint, starts timestamptz, ends timestamptz, opened numeric, at timestamptz[], prices numeric[]
) returns jsonb
language sql stable as $$
    with theirs as materialized (
        select c.at, c.new_price, c.sequence from price_change c
        where c.product_id = id and c.at between starts and ends
    ), step as (
        select moment, ours, other,
            count(ours) over (order by moment, n) as our_count, count(other) over (order by moment, n) as their_count, n
        from (select u.at as moment, n, p as ours, null::numeric as other
              from unnest(at, prices) with ordinality u (at, p, n)
              union all select t.at, t.sequence, null, t.new_price from theirs t) s
    ), path as (
        select moment, n,
               case when our_count = 0 then opened else max(ours) over (partition by our_count) end as price,
               case when their_count = 0 then first_price else max(other) over (partition by their_count) end as actual
        from step, (select coalesce((select c.new_price from price_change c where c.product_id = id and c.at < starts
                                     order by c.sequence desc limit 1),
                                    (select opening_price from inventory where product_id = id)) as first_price) f
    ), settled as (
        select distinct on (moment) moment, price, actual from path order by moment, n desc
    ), differing as (
        select *, row_number() over (order by moment) as place from settled where price <> actual
    )
    select jsonb_build_object('differences', count(*), 'differs', coalesce(jsonb_agg(jsonb_build_object(
        'at', rfc3339(moment), 'price', price::text, 'actual', actual::text) order by moment)
        filter (where place <= 20), '[]'))
    from differing
$$;

-- The actual path of one product between two times, in the same form; `interventions` are moves that no rule made.
create function actual_path(id bigint, starts timestamptz, ends timestamptz, most integer) returns jsonb
language sql stable as $$
    select path_json(coalesce(array_agg(c.at order by sequence), '{}'),
               coalesce(array_agg(new_price order by sequence), '{}'),
               coalesce(array_agg(stock order by sequence), '{}'),
               coalesce(array_agg(binding_guard order by sequence), '{}'),
               (select coalesce(-sum(m.quantity * l.unit_price), 0) from stock_movement m
                join order_line l using (order_id, product_id) join customer_order o using (order_id)
                where m.product_id = id and m.kind = 'sale' and m.at between starts and ends
                  and o.status not in ('cancelled', 'returned')),
               coalesce((select new_price from price_change l where l.product_id = id and l.at <= ends
                         order by l.sequence desc limit 1),
                        (select opening_price from inventory where product_id = id)), most)
           || jsonb_build_object('interventions', count(*) filter (
               where cause not in ('initial', 'sale', 'cancel', 'return', 'restock', 'adjust', 'tick')))
    from price_change c where c.product_id = id and c.at between starts and ends
$$;

-- Adds one product's path to the totals.
create function add_path(sums jsonb, path jsonb) returns jsonb
language sql immutable as $$
    select jsonb_build_object('changes', (sums ->> 'changes')::bigint + (path ->> 'changes')::bigint,
        'reversals', (sums ->> 'reversals')::bigint + (path ->> 'reversals')::bigint,
        'limitHits', (sums ->> 'limitHits')::bigint + (path ->> 'limitHits')::bigint,
        'charged', ((sums ->> 'charged')::numeric + (path ->> 'charged')::numeric)::text)
$$;
