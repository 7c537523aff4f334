--! code
-- What a replay goes by: the product as it stood when the period began, and what happened to it meanwhile.

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
      and in_season(l.span, m.at)
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
