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
    if (strategy_facts(chosen.strategy)).learns then i := with_estimates(declared, i, (l.run).state); end if;
    return i;
end $$;

-- What a replay learns from here on, by what is declared now: with nothing, or with what the ledgers teach until then,
-- and as a fold does that begins anew, each order that may still be cancelled.
create function begin_learning(declared product, i inventory, moment timestamptz, anew boolean) returns replay_learner
language plpgsql stable as $$
declare
    l replay_learner := row((select s from due_folds(array[i], moment, true) s), null, '{}', '{}', '{}', '{}', '{}',
                            '{}');
begin
    l.span.base := declared.base_price;
    l.span.elasticity := declared.elasticity;
    l.span.decay := declared.decay;
    l.span.born := coalesce(declared.season_start, declared.created_at);
    l.span.season_start := declared.season_start;
    l.span.season_end := declared.season_end;
    l.span.season_profile := declared.season_profile;
    l.span.to_at := moment;
    l.run := begin_run(case when anew then (select f.state from fold_ledgers(array[l.span]) f)
                            else learner_empty() end, i.price, moment);
    if not anew then return l; end if;
    select coalesce(array_agg(m.order_id order by m.sequence), '{}'),
           coalesce(array_agg(-m.quantity::integer order by m.sequence), '{}'),
           coalesce(array_agg(price_distance(o.unit_price, (l.span).base, (l.span).elasticity, (l.span).decay,
                                             age_between(l.span, m.at, m.at)) order by m.sequence), '{}'),
           coalesce(array_agg(least(moment, next_day(m.at)) order by m.sequence), '{}')
    into l.orders, l.units, l.distances, l.moments
    from stock_movement m join order_line o using (order_id, product_id)
    where m.product_id = i.product_id and m.sequence <= i.movement_count and m.kind = 'sale' and m.at >= (l.span).since
      and not exists (select from stock_movement c where c.product_id = m.product_id and c.sequence > m.sequence
                        and c.sequence <= i.movement_count and c.kind = 'cancel' and c.order_id = m.order_id);
    l.segments := array(select generate_series(1, cardinality(l.orders)));
    l.folds := l.segments;
    return l;
end $$;

-- A product as it was declared at a time, and its pin then: from what was declared of it since.
create function declared_at(declared product, moment timestamptz, out d product, out pin numeric)
language plpgsql stable as $$
declare
    members jsonb := coalesce((
        select jsonb_object_agg(key, value)
        from (select distinct on (key) key, value from declaration_change l, jsonb_each(l.before)
              where l.product_id = declared.product_id and l.at >= moment and l.before is not null
              order by key, l.sequence) first), '{}');
begin
    d := jsonb_populate_record(declared, members - '{pin_price,pinned_until}'::text[]);
    pin := case when members ? 'pin_price' then (members ->> 'pin_price')::numeric
                else (select pin_price from inventory i where i.product_id = declared.product_id) end;
end $$;

-- The halts and campaigns of the shop, by the numbers of their begins and ends. Read once for many products.
create function replay_marks() returns replay_mark[]
language sql stable as $$
    select array(
        select row(change_id, at, op, key)::replay_mark from notice
        where topic = 'automation' and op in ('halt', 'resume')
           or topic = 'catalogue' and op in ('campaign_started', 'campaign_ended')
        order by change_id)
$$;

-- Which of them had begun before a time, and not ended.
create function marks_before(marks replay_mark[], moment timestamptz, begins text, ends text) returns bigint[]
language sql stable as $$
    select array(select m.id from unnest(marks) m where m.at < moment group by m.id
                 having bool_or(m.kind = begins) and not bool_or(m.kind = ends))
$$;

-- Whether one of these halts is of a product.
create function is_halted_by(d product, halts bigint[]) returns boolean
language plpgsql stable as $$
begin
    if halts = '{}' then return false; end if;
    return exists (select from automation_halt h where halt_id = any (halts)
                     and (h.product_id = d.product_id or h.category_id = d.category_id
                          or h.product_id is null and h.category_id is null));
end $$;

-- The state that a replay begins with: a product that existed as if the rule were activated at `starts`, with its stock
-- and price then and what the ledgers teach until then; any other as it was made. opening_price is the price before the
-- rule applied.
create function begin_replay(given product, chosen rule, starts timestamptz, marks replay_mark[]) returns replay
language plpgsql stable as $$
declare
    s replay;
    i inventory;
    declared product;
    then_was record;
    v price_verdict;
    moment timestamptz := greatest(starts, given.created_at);
    mode text := 'declaration';
begin
    then_was := declared_at(given, starts);
    declared := then_was.d;
    i.pin_price := then_was.pin;
    select m.stock_after, m.sequence into i.stock, i.movement_count from stock_movement m
    where m.product_id = declared.product_id and m.at < starts order by m.sequence desc limit 1;
    if not found then
        i.stock := 0;
        i.movement_count := 0;
        i.change_count := 0;
        i.regular_price := declared.base_price;
        mode := 'first';
    else
        select coalesce((select coalesce(c.new_regular, c.new_price) from price_change c
                         where c.product_id = declared.product_id and c.at < starts
                         order by c.sequence desc limit 1), opening_price), learning_since,
               (select count(*) from price_change c where c.product_id = declared.product_id and c.at < starts)
        into i.regular_price, i.learning_since, i.change_count from inventory where product_id = declared.product_id;
    end if;
    s.halts := marks_before(marks, moment, 'halt', 'resume');
    s.running := marks_before(marks, moment, 'campaign_started', 'campaign_ended');
    select * into i.campaign_percent, i.campaign_price from reduction_by(declared, s.running);
    i.product_id := declared.product_id;
    i.opening_is_final := false;
    i.awaits_approval := false;
    i.band := 0;
    i.ticked_at := moment;
    i.anchor_date := (moment at time zone 'UTC')::date;
    i.price := (charged_price(declared, chosen, i)).price;
    i.opening_price := i.price;
    if models_demand(chosen.strategy) then
        s.l := begin_learning(declared, i, moment, mode <> 'first' and (strategy_facts(chosen.strategy)).learns);
        if mode <> 'first' then i := replay_estimates(declared, chosen, i, s.l, mode, moment); end if;
    end if;
    v := evaluate_price(declared, chosen, i, mode);
    i.anchor_price := i.regular_price;
    i.band := v.band;
    i := post_price(i, i, v, mode, false, mode <> 'first' and is_halted_by(declared, s.halts), moment);
    i.price := (charged_price(declared, chosen, i)).price;
    if mode = 'first' then i.opening_price := i.price; end if;
    i.changed_at := null;
    s.declared := declared;
    s.i := i;
    s.told := i.price;
    return s;
end $$;

-- What happened to a product in the period, in the order of its numbers, and a last row at its end: movements after one
-- of them, declarations, pins, approvals, halts and campaigns. `is_early`: it comes before a tick of the same moment.
create function replay_events(
    id bigint, last bigint, starts timestamptz, ends timestamptz, marks replay_mark[]
) returns table (place bigint, kind text, number bigint, quantity integer, order_id bigint, members jsonb,
                 price numeric, at timestamptz, is_early boolean, is_sold boolean)
language sql stable as $$
    select m.change_id, m.kind::text, m.sequence, m.quantity::integer, m.order_id, null::jsonb, null::numeric,
           m.at::timestamptz, false, m.kind = 'sale' and o.status not in ('cancelled', 'returned')
    from stock_movement m left join customer_order o using (order_id)
    where m.product_id = id and m.sequence > last and m.at <= ends and not is_hold(m.kind)
    union all
    select l.change_id, case when l.after ? 'pin_price' then 'pin' when l.cause = 'rollback' then 'rollback'
                             else 'declaration' end, null, 0, null, l.after, null, l.at,
           l.cause = 'tick' and l.after ? 'pin_price', false  -- a pin that ended
    from declaration_change l
    where l.product_id = id and l.at between starts and ends and l.before is not null
    union all
    select n.change_id, 'approval', null, 0, null, null, (n.after ->> 'price')::numeric, n.at, false, false
    from notice n where n.product_id = id and n.op = 'proposal_approved' and n.at between starts and ends
    union all
    -- A campaign's products join and leave it one after the other: where the price told of it.
    select coalesce((select min(c.change_id) from price_change c
                     where c.product_id = id and c.cause = 'campaign' and c.change_id > m.change_id
                       and c.reason = (select g.name from campaign g where g.campaign_id = m.id)
                           || case m.kind when 'campaign_started' then ' began' else ' ended' end
                       and m.kind in ('campaign_started', 'campaign_ended')), m.change_id),
           m.kind, m.id, 0, null, null, null, m.at, m.kind in ('campaign_started', 'campaign_ended'), false
    from unnest(marks) m where m.at between starts and ends
    union all
    select 9223372036854775807, null, null, 0, null, null, null, ends, false, false
    order by 1
$$;

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
    if quantity <> 0 then return replay_movement(l, kind, quantity, order_id); end if;
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
        if e.kind = 'halt' then s.halts := s.halts || e.number;
        elsif e.kind = 'resume' then s.halts := array_remove(s.halts, e.number);
        elsif e.kind = 'campaign_started' then s.running := s.running || e.number;
        elsif e.kind = 'campaign_ended' then s.running := array_remove(s.running, e.number);
        elsif e.quantity <> 0 then
            if e.is_sold then charged := charged - was.price * e.quantity; end if;
            s.i.stock := was.stock + e.quantity;
            s.i.movement_count := e.number;
        end if;
        if e.members is not null then s := replay_declaration(s, chosen, e.members, e.place, e.at); end if;
        what := case when e.kind = 'halt' and is_halted_by(s.declared, array[e.number]) then 'halts'
                     when kind = 'campaign' then 'campaigns' when kind in ('pin', 'unpin') then 'pins'
                     when kind = 'approval' then 'approvals'
                     when kind in ('declaration', 'rule', 'rollback') then 'declarations' end;
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
