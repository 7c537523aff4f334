--! code
-- `rule.backtest`: the stock ledger of a period once more, under another rule: what would have been charged for the
-- units that were sold. What customers would have bought at those prices is unknown, so no uplift is claimed. Nothing
-- is written: the functions that price products are pure. It is of regular prices: pins, halts, campaigns and
-- declarations of the period are left out, the declaration is today's, and ticks come at their time to the second;
-- where none of that differs, the rule that was in force reproduces the actual path.

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

-- The state that a replay begins with: a product that existed as if the rule were activated at `starts`, with its stock
-- and price then and what the ledgers teach until then; any other as it was opened. opening_price is the price before
-- the rule applied.
create function begin_replay(
    declared product, chosen rule, starts timestamptz, ends timestamptz, out i inventory, out l replay_learner
)
language plpgsql stable as $$
declare
    v price_verdict;
    moment timestamptz := starts;
    is_new boolean;
    state float8[] := learner_empty();
begin
    select m.stock_after, m.sequence into i.stock, i.movement_count from stock_movement m
    where m.product_id = declared.product_id and m.at < starts order by m.sequence desc limit 1;
    is_new := not found;
    if is_new then
        select 0, 0, declared.base_price, greatest(least(min(m.at), ends), starts)
        into i.stock, i.movement_count, i.regular_price, moment
        from stock_movement m where m.product_id = declared.product_id;
    else
        select coalesce((select coalesce(c.new_regular, c.new_price) from price_change c
                         where c.product_id = declared.product_id and c.at < starts
                         order by c.sequence desc limit 1), opening_price), learning_since,
               (select count(*) from price_change c where c.product_id = declared.product_id and c.at < starts)
        into i.regular_price, i.learning_since, i.change_count from inventory where product_id = declared.product_id;
    end if;
    i.product_id := declared.product_id;
    i.opening_is_final := false;
    i.band := 0;
    i.ticked_at := moment;
    i.anchor_date := (moment at time zone 'UTC')::date;
    if models_demand(chosen.strategy) then
        l := row((select s from due_folds(array[i], moment, true) s), null, '{}', '{}', '{}', '{}', '{}', '{}');
        if (strategy_facts(chosen.strategy)).learns and not is_new then
            state := (select f.state from fold_ledgers(array[l.span]) f);
        end if;
        l.run := begin_run(state, i.regular_price, moment);
        if not is_new then i := replay_estimates(declared, chosen, i, l, 'declaration', moment); end if;
    end if;
    v := evaluate_price(declared, chosen, i, case when is_new then 'first' else 'declaration' end);
    i.opening_price := case when is_new then v.price else i.regular_price end;
    i.regular_price := v.price;
    i.anchor_price := v.price;
    i.band := v.band;
end $$;

-- A product's movements after one of them, and a last row at the end of the period that moves nothing.
create function ledger_after(id bigint, last bigint, ends timestamptz)
returns table (sequence bigint, kind text, quantity integer, order_id bigint, at timestamptz, is_sold boolean)
language sql stable as $$
    select m.sequence, m.kind, m.quantity, m.order_id, m.at,
           m.kind = 'sale' and o.status not in ('cancelled', 'returned')
    from stock_movement m left join customer_order o using (order_id)
    where m.product_id = id and m.sequence > last and m.at <= ends and not is_hold(m.kind)
    union all select 9223372036854775807, null, 0, null, ends, null
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

-- What a movement of a replay teaches. An order of before the period is not taken back.
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

-- Brings what a replay has learned to an event, the row being as it stood until then, and at a tick folds it.
create function replay_event(
    l replay_learner, moment timestamptz, was inventory, mode text, kind text, quantity integer, order_id bigint
) returns replay_learner
language plpgsql immutable as $$
begin
    if was.regular_price <> (l.run).price then l := replay_segment(l, was.regular_price); end if;
    l.run := run_to(l.run, l.span, moment, was.stock > 0);
    if mode = 'tick' then return replay_fold(l); end if;
    return replay_movement(l, kind, quantity, order_id);
end $$;

-- Replays one product's stock ledger from `starts` to `ends` under a rule. As in the inventory trigger: a tick begins a
-- pricing day, then what was learned is folded, then the price is evaluated.
create function replay_product(
    declared product, chosen rule, starts timestamptz, ends timestamptz, most integer
) returns jsonb
language plpgsql stable as $$
declare
    i inventory;
    was inventory;
    l replay_learner;
    v price_verdict;
    moved record := begin_replay(declared, chosen, starts, ends);
    mode text;
    moment timestamptz;
    tick timestamptz;
    charged numeric := 0;
    at timestamptz[] := '{}';
    prices numeric[] := '{}';
    stocks integer[] := '{}';
    guards text[] := '{}';
begin
    declared.archived_at := null;
    i := moved.i; l := moved.l;
    if i.regular_price <> i.opening_price then
        at := array[starts]; prices := array[i.regular_price]; stocks := array[i.stock]; guards := array[null];
    end if;
    for moved in select * from ledger_after(i.product_id, i.movement_count, ends) order by sequence loop
        loop  -- the ticks up to the movement, then the movement
            tick := next_tick(i.ticked_at, chosen.tick_seconds);
            was := i;
            if tick <= moved.at then
                mode := 'tick';
                moment := tick;
                i.ticked_at := tick;
                if i.anchor_date <> (tick at time zone 'UTC')::date then
                    i.anchor_price := i.regular_price;
                    i.anchor_date := (tick at time zone 'UTC')::date;
                end if;
            else
                exit when moved.kind is null;
                if moved.is_sold then charged := charged - i.regular_price * moved.quantity; end if;
                mode := evaluation_mode(was, i, moved.kind);
                moment := moved.at;
                i.stock := i.stock + moved.quantity;
                i.movement_count := moved.sequence;
                if mode = 'first' then i.ticked_at := moment; end if;
            end if;
            if models_demand(chosen.strategy) then
                l := replay_event(l, moment, was, mode, moved.kind, moved.quantity, moved.order_id);
                i := replay_estimates(declared, chosen, i, l, mode, moment);
            end if;
            v := evaluate_price(declared, chosen, i, mode);
            i.band := v.band;
            if mode = 'first' and moved.kind = 'initial' then  -- born at this price
                i.regular_price := v.price;
            elsif v.price <> i.regular_price then
                at := at || moment; prices := prices || v.price;
                stocks := stocks || i.stock; guards := guards || v.binding;
                i.regular_price := v.price;
                i.changed_at := moment;
            end if;
            if mode = 'first' then i.anchor_price := i.regular_price; end if;
            exit when mode <> 'tick';
            -- Where time plays no part and the day's cap holds nothing back, the ticks to come change nothing.
            if not models_demand(chosen.strategy) and (v.price, v.price) = (was.regular_price, i.anchor_price) then
                i.ticked_at := next_tick(moved.at, chosen.tick_seconds) - chosen.tick_seconds * interval '1 second';
                i.anchor_date := (i.ticked_at at time zone 'UTC')::date;
            end if;
        end loop;
    end loop;
    return path_json(at, prices, stocks, guards, charged, i.regular_price, most);
end $$;

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
