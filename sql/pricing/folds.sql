--! code
-- The learner's folds: what the ledgers hold since the last one is read, for many products at once, cut into segments
-- and added to their states. Days under another strategy count as what was sold in them. An order that was cancelled
-- before its fold is left out; one cancelled after it is subtracted, as far as it is remembered. Returns do not count.

-- The folds that some products are due, from inventory rows as they stand; the row's lock, or one snapshot, makes row
-- and ledgers agree. A product without a state is folded anew: from its last 210 days, of which a state remembers
-- 0.999, or from learning_since; so is one that is asked for `anew`. Rows are looked up by key, whatever the planner
-- believed of a table when it was empty.
create function due_folds(rows inventory[], moment timestamptz, anew boolean default false) returns setof learn_span
language plpgsql stable set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
#variable_conflict use_column
begin
    return query
    select i.product_id, d.base_price::float8, d.elasticity, d.decay,
        coalesce(d.season_start, d.created_at)::timestamptz, d.season_start::timestamptz, d.season_end::timestamptz,
        d.season_profile::float8[], coalesce(l.last_fold, 0) + 1, l.state::float8[], f.is_first,
        case when f.is_first then coalesce(l.last_fold, 0) + 1 else l.first_fold end,
        case when f.is_first then f.begins else l.since::timestamptz end,
        case when f.is_first then f.begins else last.at::timestamptz end,
        case when f.is_first then coalesce((
            select m.sequence from stock_movement m where m.product_id = i.product_id
              and m.sequence <= i.movement_count and m.at < f.begins order by m.sequence desc limit 1), 0)
            else last.movement end,
        case when f.is_first then coalesce((
            select c.sequence from price_change c where c.product_id = i.product_id
              and c.sequence <= i.change_count and c.at < f.begins order by c.sequence desc limit 1), 0)
            else last.change end,
        greatest(moment, last.at::timestamptz), i.movement_count, i.change_count
    from unnest(rows) i
    join product d using (product_id)
    left join learner l using (product_id)
    left join learner_fold last on last.product_id = i.product_id and last.number = l.last_fold
    cross join lateral (
        select anew or l.state is null as is_first, greatest(i.learning_since::timestamptz,
               moment - interval '210 days', timestamptz '0001-01-01Z') as begins) f
    where f.is_first
       or (last.at, last.movement, last.change) is distinct from
          (greatest(moment, last.at), i.movement_count, i.change_count);
end $$;

-- The folds that gave some products their states, in order.
create function made_folds(ids bigint[]) returns setof learn_span
language sql stable as $$
    select l.product_id, d.base_price, d.elasticity, d.decay, coalesce(d.season_start, d.created_at), d.season_start,
        d.season_end, d.season_profile, f.number, null::float8[], f.number = l.first_fold, l.first_fold, l.since,
        case when f.number = l.first_fold then l.since else lag(f.at) over w end,
        case when f.number = l.first_fold then coalesce((
            select m.sequence from stock_movement m where m.product_id = l.product_id and m.sequence <= f.movement
              and m.at < l.since order by m.sequence desc limit 1), 0)
            else lag(f.movement) over w end,
        case when f.number = l.first_fold then coalesce((
            select c.sequence from price_change c where c.product_id = l.product_id and c.sequence <= f.change
              and c.at < l.since order by c.sequence desc limit 1), 0)
            else lag(f.change) over w end,
        f.at, f.movement, f.change
    from learner l join product d using (product_id)
    join learner_fold f on f.product_id = l.product_id and f.number between l.first_fold and l.last_fold
    where l.product_id = any (ids) and l.state is not null
    window w as (partition by l.product_id order by f.number)
    order by l.product_id, f.number
$$;

-- How old the season was in the middle of a time; read only where willingness to pay falls.
create function age_between(span learn_span, earlier timestamptz, later timestamptz) returns float8
language sql immutable parallel safe as $$
    select case when span.decay = 0 then 0
                else greatest(0, (days_between(span.born, earlier) + days_between(span.born, later)) / 2) end
$$;

-- Whether a moment lies in the season of a span. Outside it no day weighs, so what is sold there teaches nothing: units
-- without the days that brought them would be taken for demand.
create function in_season(span learn_span, moment timestamptz) returns boolean
language sql immutable parallel safe as $$
    select span.season_end is null or moment < span.season_end and (moment < span.season_start) is not true
$$;

create function begin_run(state float8[], price float8, moment timestamptz) returns learn_run
language sql immutable parallel safe as $$
    select row(state, moment, learner_empty(), price, moment, 0, 0, moment)::learn_run
$$;

-- Time passes in a run. Nothing is learned while there is nothing to sell.
create function run_to(run learn_run, span learn_span, moment timestamptz, is_stocked boolean) returns learn_run
language plpgsql immutable parallel safe as $$
begin
    if is_stocked and moment > run.counted_to then
        run.ds := run.ds + season_weight(span.season_profile, span.season_start, span.season_end, run.counted_to,
                                         moment);
    end if;
    run.counted_to := moment;
    return run;
end $$;

-- The posted price becomes another: the segment until then is learned.
create function run_price(run learn_run, span learn_span, price float8) returns learn_run
language plpgsql immutable parallel safe as $$
begin
    if run.ds > 0 or run.units <> 0 then
        run.fresh := learn_segment(run.fresh, run.ds, run.units,
            price_distance(run.price, span.base, span.elasticity, span.decay,
                           age_between(span, run.opened_at, run.counted_to)), span.elasticity);
        run.ds := 0;
        run.units := 0;
    end if;
    run.price := price;
    run.opened_at := run.counted_to;
    return run;
end $$;

-- The fold at the moment that the run has come to.
create function run_fold(run learn_run, span learn_span) returns learn_run
language plpgsql immutable parallel safe as $$
begin
    run := run_price(run, span, run.price);
    run.state := learn_fold(run.state, run.fresh, days_between(run.folded_at, run.counted_to));
    run.folded_at := run.counted_to;
    run.fresh := learner_empty();
    return run;
end $$;

-- Units come back that were sold at the distance y and folded at `folded`, null where no fold has seen them yet: as
-- much of them as the state remembers.
create function run_undo(run learn_run, units float8, y float8, folded timestamptz) returns learn_run
language plpgsql immutable parallel safe as $$
begin
    if folded is null then
        run.fresh := learn_segment(run.fresh, 0, -units, y, 0);
    else
        run.state := learn_segment(run.state, 0, -units * learner_memory(days_between(folded, run.folded_at)), y, 0);
    end if;
    return run;
end $$;

-- The sale of an order that was folded before a span, as it was folded: its units, its distance y and the moment of the
-- fold. No units where the state never knew it. Which fold it was follows from the order's time, but for an order that
-- committed after the fold that follows it.
create function folded_sale(span learn_span, order_sold bigint, out units float8, out y float8, out folded timestamptz)
language plpgsql stable as $$
declare
    placed timestamptz;
    paid float8;
    fold learner_fold;
    later learner_fold;
    begins timestamptz;
    stood record;
begin
    select o.placed_at, l.unit_price, l.quantity into placed, paid, units
    from customer_order o join order_line l using (order_id)
    where o.order_id = order_sold and l.product_id = span.product_id;
    if placed is null or placed < span.since or not in_season(span, placed) then
        units := 0;
        return;
    end if;
    select * into fold from learner_fold f
    where f.product_id = span.product_id and f.number between span.first and span.number - 1 and f.at >= placed
    order by f.number limit 1;
    if not found then  -- the clock of the order ran ahead of the fold's
        select * into fold from learner_fold f where f.product_id = span.product_id and f.number = span.number - 1;
    end if;
    select * into later from learner_fold f
    where f.product_id = span.product_id and f.number = fold.number + 1 and f.number < span.number;
    if exists (select from stock_movement m where m.product_id = span.product_id and m.sequence > fold.movement
                 and m.sequence <= later.movement and m.order_id = order_sold) then
        fold := later;
    end if;
    begins := coalesce((select f.at from learner_fold f where f.product_id = span.product_id
                          and f.number = fold.number - 1 and f.number >= span.first), span.since);
    placed := least(greatest(placed, begins), fold.at);
    folded := fold.at;
    if fold.number = span.first then
        folded := least(fold.at, next_day(placed));
        begins := greatest(begins, next_day(placed) - interval '1 day');
    end if;
    if span.decay > 0 then
        select c.at, c.new_price into stood from price_change c
        where c.product_id = span.product_id and c.at < placed order by c.sequence desc limit 1;
        if paid = coalesce(stood.new_price, (select opening_price from inventory i
                                             where i.product_id = span.product_id)) then
            y := price_distance(paid, span.base, span.elasticity, span.decay, age_between(span,
                greatest(begins, stood.at), least(folded, (
                    select c.at from price_change c where c.product_id = span.product_id and c.at >= placed
                    order by c.sequence limit 1))));
            return;
        end if;
    end if;
    y := price_distance(paid, span.base, span.elasticity, span.decay, age_between(span, placed, placed));
end $$;

-- The first moment of the day (UTC) after the one that a moment lies in.
create function next_day(moment timestamptz) returns timestamptz
language sql immutable parallel safe as $$
    select (date_trunc('day', moment at time zone 'UTC') + interval '1 day') at time zone 'UTC'
$$;

-- What happened in some spans, in order: 0 its begin, with stock and price then (null where it goes on from the span
-- before it); 1 a movement; 2 a price change; 3 its end. A time that lies before the line above it, or outside the
-- span, is the nearest that does not. One query for all of them, planned once a session, by key and never by a scan of
-- a ledger.
create function read_folds(spans learn_span[])
returns table (place bigint, at timestamptz, step integer, sequence bigint, span learn_span, stock integer,
               price numeric, kind text, units integer, order_id bigint, is_undone boolean, has_sale boolean)
language plpgsql stable set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
#variable_conflict use_column
begin
    return query
    with span as materialized (
        select n, s, not is_first and state is null as goes_on
        from unnest(spans) with ordinality u (product_id, base, elasticity, decay, born, season_start, season_end,
            season_profile, number, state, is_first, first, since, from_at, from_movement, from_change, to_at,
            to_movement, to_change, n),
        lateral (select row(product_id, base, elasticity, decay, born, season_start, season_end, season_profile, number,
            state, is_first, first, since, from_at, from_movement, from_change, to_at, to_movement, to_change
            )::learn_span as s) whole
    ), moved as materialized (
        select n, least(greatest(max(m.at) over (partition by n order by m.sequence), (s).from_at), (s).to_at) as at,
               m.sequence, m.stock_after, m.kind, m.quantity, m.order_id,
               bool_or(m.kind = 'cancel') over (partition by n, m.order_id) as is_undone,
               bool_or(m.kind = 'sale') over (partition by n, m.order_id) as has_sale
        from span cross join lateral (
            select * from stock_movement m where m.product_id = (s).product_id and m.sequence > (s).from_movement
              and m.sequence <= (s).to_movement and not is_hold(m.kind) offset 0) m
    )
    select n, (s).from_at, 0, 0::bigint, s,
           case when goes_on then null else coalesce((
               select m.stock_after from stock_movement m
               where m.product_id = (s).product_id and m.sequence = (s).from_movement), 0) end,
           case when goes_on then null else coalesce(
               (select c.new_price from price_change c
                where c.product_id = (s).product_id and c.sequence = (s).from_change),
               (select i.opening_price from inventory i where i.product_id = (s).product_id))::numeric end,
           null::text, 0, null::bigint, null::boolean, null::boolean
    from span
    union all
    select n, m.at, 1, m.sequence, null, m.stock_after,
           case when m.kind = 'sale' then (select l.unit_price from order_line l
                                           where l.order_id = m.order_id and l.product_id = (s).product_id) end,
           m.kind::text, case when in_season(s, m.at) then -m.quantity::integer else 0 end, m.order_id,
           m.order_id is not null and is_undone,
           m.order_id is not null and has_sale
    from moved m join span using (n)
    union all
    select n, least(greatest(max(c.at) over (partition by n order by c.sequence), (s).from_at), (s).to_at), 2,
           c.sequence, null, null, c.new_price, null, 0, null, null, null
    from span cross join lateral (
        select * from price_change c where c.product_id = (s).product_id and c.sequence > (s).from_change
          and c.sequence <= (s).to_change offset 0) c
    union all
    select n, (s).to_at, 3, 0, null, null, null, null, 0, null, null, null from span
    order by 1, 2, 3, 4;
end $$;

-- The states after some spans, read from the ledgers. A span that is not a first one and brings no state goes on from
-- the span before it. A first span folds at the end of each day, UTC, as a daily tick would have.
create function fold_ledgers(spans learn_span[])
returns table (product_id bigint, number bigint, state float8[])
language plpgsql stable as $$
declare
    e record;
    span learn_span;
    run learn_run;
    is_stocked boolean;
    cut timestamptz;
    undone record;
begin
    for e in select * from read_folds(spans) loop
        if e.step = 0 then
            span := e.span;
            run := begin_run(case when span.is_first then learner_empty() else coalesce(span.state, run.state) end,
                             coalesce(e.price, run.price::numeric), span.from_at);
            is_stocked := coalesce(e.stock > 0, is_stocked);
            cut := case when span.is_first then next_day(span.from_at) end;
            continue;
        end if;
        while cut <= e.at loop
            if is_stocked or run.units <> 0 or run.state <> learner_empty() or run.fresh <> learner_empty() then
                run := run_fold(run_to(run, span, cut, is_stocked), span);
                cut := cut + interval '1 day';
            else  -- nothing to learn or to forget until now
                cut := next_day(e.at);
                run := begin_run(run.state, run.price, e.at);
            end if;
        end loop;
        if e.step = 1 then
            if is_stocked <> (e.stock > 0) then
                run := run_to(run, span, e.at, is_stocked);
                is_stocked := e.stock > 0;
            end if;
            if e.kind = 'sale' and not e.is_undone then
                if e.price = run.price::numeric or e.price is null then
                    run.units := run.units + e.units;
                else
                    run.fresh := learn_segment(run.fresh, 0, e.units, price_distance(e.price, span.base,
                        span.elasticity, span.decay, age_between(span, e.at, e.at)), span.elasticity);
                end if;
            elsif e.kind = 'cancel' and e.order_id is not null and not e.has_sale and not span.is_first then
                undone := folded_sale(span, e.order_id);
                if undone.units > 0 then run := run_undo(run, undone.units, undone.y, undone.folded); end if;
            end if;
        elsif e.step = 2 then
            run := run_price(run_to(run, span, e.at, is_stocked), span, e.price);
        else
            run := run_fold(run_to(run, span, e.at, is_stocked), span);
            product_id := span.product_id;
            number := span.number;
            state := run.state;
            return next;
        end if;
    end loop;
end $$;
