--! code
-- The event stream. Nothing is copied for it: an event is made from its ledger row when it is read. Its number is given
-- after the commit, by one sequencer at a time, so no reader sees a number appear below one that it was given, and a
-- long transaction delays only its own events.

-- Each change that a ledger holds, and how many events it is.
create view ledger_change as
select transaction_id, change_id, 1 + ends_order::integer as events, at::timestamptz as at from stock_movement
union all
select transaction_id, change_id, 1, at from price_change
union all
select transaction_id, change_id, 1, at from order_change
union all
select transaction_id, change_id, 1, at from declaration_change
union all
select transaction_id, change_id, 1, at from notice;

-- Events are written as text, member by member: building jsonb for each took eight times as long.
create function event_cause(kind text, order_id bigint, why text default '') returns json
language sql stable as $$
    select ('{"kind":"' || kind || '"' || coalesce(',"orderId":' || order_id, '')
            || case when why = '' then '}' else ',"reason":' || to_json(why) || '}' end)::json
$$;

-- A text as JSON; null as well.
create function json_text(value text) returns text
language sql immutable as $$
    select coalesce(to_json(value)::text, 'null')
$$;

-- Every event, numbered or not, in the order of change_id and part within its transaction: a movement, the price that
-- it moved, the order that it completed. An order is placed with its last line. A hold leaves stock as it is.
create view recorded_event as
select m.transaction_id, m.change_id, 1 as part, m.at::timestamptz as at, 'stock' as topic, 'update' as op,
       m.product_id, m.order_id, m.product_id as key,
       format('{"stock":%s}', m.stock_after - case when is_hold(m.kind) then 0 else m.quantity end)::json as before,
       (case when is_hold(m.kind) then format('{"stock":%s,"heldChange":%s}', m.stock_after, m.quantity)
             else format('{"stock":%s}', m.stock_after) end)::json as after,
       event_cause(m.kind, m.order_id) as cause, m.actor
from stock_movement m
union all
select c.transaction_id, c.change_id, 2, c.at, 'price', 'update', c.product_id, c.order_id, c.product_id,
       format('{"price":"%s"}', c.old_price)::json,
       (select format('{"sku":%s,"price":"%s","stock":%s,"title":%s,"reason":%s}', json_text(d.sku), c.new_price,
                      c.stock, json_text(d.title),
                      json_text(price_reason(c.cause, c.binding_guard, c.inputs, c.reason)))::json
        from product d where d.product_id = c.product_id),
       event_cause(c.cause, c.order_id), c.actor
from price_change c
union all
select m.transaction_id, m.change_id, 3, o.placed_at, 'order', 'insert', null, o.order_id, o.order_id, null,
       format('{"lines":[%s],"total":"%s","status":"pending","customerId":%s}', (
           -- Sorted before, since an aggregate that sorts pays for it once a group.
           select string_agg(format('{"sku":%s,"quantity":%s,"productId":%s,"unitPrice":"%s"}', json_text(l.sku),
                                    l.quantity, l.product_id, l.unit_price), ',')
           from (select l.*, d.sku from order_line l join product d using (product_id)
                 where l.order_id = o.order_id order by l.product_id) l), o.total, o.customer_id)::json,
       event_cause('sale', o.order_id), o.actor
from stock_movement m join customer_order o using (order_id) where m.ends_order
union all
select c.transaction_id, c.change_id, 4, c.at, 'order', 'update', null, c.order_id, c.order_id,
       format('{"status":"%s"}', c.old_status)::json,
       format('{"total":"%s","status":"%s","customerId":%s}', o.total, c.new_status, o.customer_id)::json,
       event_cause(case when c.new_status = c.old_status then 'return' else c.new_status end, c.order_id, c.reason),
       c.actor
from order_change c join customer_order o using (order_id)
union all
select transaction_id, change_id, 6, at, 'catalogue', case when before is null then 'insert' else 'update' end,
       product_id, null, product_id, wire_members(before)::json,
       (jsonb_build_object('productId', product_id) || wire_members(after))::json,
       event_cause(cause, null, reason), actor
from declaration_change
union all
select transaction_id, change_id, 5, at, topic, op, product_id,
       case when topic = 'order' then key else (cause ->> 'orderId')::bigint end, key, before::json, after::json,
       cause::json, actor
from notice;

-- The events after one number and up to another (null: to the last), oldest first, at most so many (null: all). Rows
-- are looked up by the transactions of the page, whatever the planner thinks of a table that was small once.
create function events_between(after bigint, until bigint, most integer) returns setof stream_event
language plpgsql stable rows 500
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set jit = off as $$
declare
    -- Of each transaction of the page, in the order of their numbers. Two may have one id where a shop was restored.
    transactions bigint[];
    numbers bigint[];
    firsts bigint[];
    lasts bigint[];
begin
    select array_agg(transaction_id order by number), array_agg(number order by number),
           array_agg(first order by number), array_agg(last order by number)
    into transactions, numbers, firsts, lasts
    from (select transaction_id, min(first_number) as number, min(first_change) as first, max(last_change) as last
          from (select w.*, sum(event_count) over (order by w.first_number) - event_count as events_before,
                       first_number - sum(event_count) over (partition by w.transaction_id order by w.first_number)
                           + event_count as begins,
                       greatest(events_between.after + 1 - min(w.first_number) over (), 0) as skipped
                from (select * from event_range n
                      where n.first_number >= coalesce((select max(first_number) from event_range
                                                        where first_number <= events_between.after + 1), 0)
                        and n.first_number <= coalesce(until, 9223372036854775807)
                      order by n.first_number limit most + 1) w) r
          where most is null or r.events_before < most + r.skipped
          group by transaction_id, begins) t;
    return query
    select e.* from (
        select t.number + row_number() over (partition by t.place order by r.change_id, r.part) - 1 as sequence,
               r.at, r.topic, r.op, r.product_id, r.order_id, r.key, r.before, r.after, r.cause, r.actor
        from unnest(transactions, numbers, firsts, lasts) with ordinality
                 t (transaction_id, number, first, last, place),
             lateral (select * from recorded_event r
                      where r.transaction_id = t.transaction_id and r.change_id between t.first and t.last
                      offset 0) r
    ) e
    where e.sequence > events_between.after and e.sequence <= coalesce(until, 9223372036854775807)
    order by e.sequence limit most;
end $$;

-- The whole numbered stream, for people.
create view event as select * from events_between(0, null, null);

-- Whether a reader wants an event, by topic, product and order; and of orders those of one customer where there is an
-- `owner`, which the daemon says.
create function wants_event(p jsonb, e stream_event) returns boolean
language sql immutable as $$
    select coalesce(p -> 'topics' ? e.topic, true)
       and coalesce(p -> 'productIds' @> to_jsonb(e.product_id), not p ? 'productIds')
       and (not p ? 'orderId' or e.order_id = (p ->> 'orderId')::bigint)
       and (not p ? 'owner' or e.topic <> 'order' or e.after ->> 'customerId' = p ->> 'owner')
$$;

-- The events after one number and up to another that a reader wants, in the order of their numbers or the newest first.
create function events_matching(after bigint, until bigint, most integer, p jsonb) returns setof stream_event
language plpgsql stable as $$
declare
    e stream_event;
    size constant integer := greatest(most, 500);
    is_descending boolean := coalesce(p ->> 'order' = 'desc', false);
    found_so_far integer := 0;
begin
    while after < until loop
        for e in select * from events_between(
                     case when is_descending then greatest(after, until - size) else after end, until,
                     case when is_descending then null else size end) b
                 order by case when is_descending then -b.sequence else b.sequence end loop
            if not is_descending then after := e.sequence; end if;
            continue when not wants_event(p, e);
            return next e;
            found_so_far := found_so_far + 1;
            if found_so_far = most then return; end if;
        end loop;
        if is_descending then
            until := until - size;
        elsif not found then
            return;
        end if;
    end loop;
end $$;

-- What an event is of. With topic and key it names one thing: each kind has numbers of its own.
create function event_subject(e stream_event) returns text
language sql immutable as $$
    select case when e.topic = 'catalogue' then
                    case when e.product_id is not null then 'product'
                         when coalesce(e.after, e.before) -> 'ruleId' is not null then 'rule'
                         when e.after -> 'campaignId' is not null then 'campaign' else 'category' end
                when e.op in ('halt', 'resume') then 'halt'
                when e.op = 'overdue' then 'delivery'
                when e.op like 'proposal\_%' then 'proposal'
                else e.topic end
$$;

create function event_json(e stream_event) returns json
language sql stable as $$
    select format('{"sequence":%s,"at":"%s","topic":"%s","op":"%s","key":%s,"before":%s,"after":%s,"cause":%s,'
                  '"actor":%s}',
        e.sequence, rfc3339(e.at), e.topic, e.op, coalesce(e.key::text, 'null'), coalesce(e.before::text, 'null'),
        coalesce(e.after::text, 'null'), coalesce(e.cause::text, 'null'), to_json(e.actor))::json
$$;

-- Creates the missing partitions from the last number up to `number` and the one after, at most 100; as the owner,
-- since the daemon's role may not create tables.
create function make_event_partitions(number bigint) returns void
language plpgsql security definer set search_path = pricing, pricing_code, pg_temp as $$
declare
    size constant bigint := 20000000;
    last bigint;
begin
    select last_number into last from event_sequence for no key update;
    for part in last / size .. least(number / size, last / size + 100) + 1 loop
        continue when to_regclass('event_range_p' || part) is not null;
        execute format('create table event_range_p%s (like event_range including all, primary key (first_number))',
                       part);
        -- Unlike `create table … partition of` this blocks no reader of the stream.
        execute format('alter table event_range attach partition event_range_p%s for values from (%s) to (%s)', part,
                       part * size, (part + 1) * size);
    end loop;
end $$;

-- Drops the oldest partition, never the one that is being filled, if its last event is older than the retention:
-- `event_days` of table setting, else 90 days. Returns whether one was dropped; a subscriber behind it is told of the
-- gap. A long read of the stream postpones it: the lock timeout keeps others from waiting.
create function expire_events() returns boolean
language plpgsql security definer set search_path = pricing, pricing_code, pg_temp set lock_timeout = '100ms' as $$
declare
    size constant bigint := 20000000;
    days integer := coalesce((select value::integer from setting where name = 'event_days'), 90);
    part bigint;
    last bigint;
    newest timestamptz;
    next_number bigint;
begin
    -- Before the lock on the stream, in the sequencer's order.
    select last_number into last from event_sequence for no key update;
    select min(substring(inhrelid::regclass::text from '[0-9]+$')::bigint) into part
    from pg_inherits where inhparent = 'event_range'::regclass;
    if part >= last / size then return false; end if;
    execute format('select at, first_number + event_count from event_range_p%s order by first_number desc limit 1',
                   part) into newest, next_number;
    if newest >= pricing_now() - make_interval(days => days) then return false; end if;
    execute format('drop table event_range_p%s', part);
    update event_sequence set first_number = greatest(first_number, (part + 1) * size, next_number);
    return true;
exception when lock_not_available then
    return false;
end $$;

-- How many committed events have no number yet. A transaction's own have none before its commit. Here and below `+ 0`
-- keeps the planner from an index by change_id: settled_change is 0 in a shop that was never restored.
create function unnumbered_events() returns bigint
language plpgsql stable set enable_seqscan = off set jit = off as $$
declare
    state event_sequence;
    own bigint := pg_current_xact_id_if_assigned()::text::bigint
        + (select offset_by from transaction_origin where only_row);
begin
    select * into state from event_sequence where only_row;
    return (select coalesce(sum(events), 0) from ledger_change c
            where (c.transaction_id >= state.looked_to or c.transaction_id = any (state.running))
              and c.change_id + 0 > state.settled_change and c.transaction_id is distinct from own);
end $$;

-- Numbers what was committed; returns the last number. The row lock on event_sequence is held to the commit, so numbers
-- become visible in order. It looks at the transactions that had not ended when it looked last. Of those that it finds,
-- the one with the smaller last change comes first: a transaction that waited for another's row lies above it.
create function number_events() returns bigint
language plpgsql set enable_seqscan = off set jit = off as $$
declare
    last bigint;
    origin bigint;
    own bigint;
    state event_sequence;
    seen pg_snapshot;
    ranges event_range[];
    found_events bigint;
begin
    select offset_by into origin from transaction_origin where only_row;
    select * into state from event_sequence where only_row;
    if pg_snapshot_xmax(pg_current_snapshot())::text::bigint + origin < state.looked_to then
        perform settle_transactions();  -- another shop was restored here
        select offset_by into origin from transaction_origin where only_row;
        select * into state from event_sequence where only_row;
    end if;
    if not exists (select from ledger_change
                   where transaction_id >= state.looked_to and change_id + 0 > state.settled_change)
        and not exists (select from ledger_change
                        where transaction_id = any (state.running) and change_id + 0 > state.settled_change) then
        return state.last_number;
    end if;
    own := pg_current_xact_id()::text::bigint + origin;
    select * into state from event_sequence where only_row for no key update;
    -- In a database where the counter was set back, numbers go on after those that were given.
    last := greatest(state.last_number,
                     (select first_number + event_count - 1 from event_range order by first_number desc limit 1));
    with looked as materialized (
        select pg_current_snapshot() as snapshot
    ), change as (
        select c.*, max(change_id) over (partition by transaction_id) as newest,
               -- Rows of about 250 events each, so that a page reads little more than it gives of a large transaction.
               (sum(events) over (partition by transaction_id order by change_id) - 1) / 250 as row_part
        from ledger_change c
        where (transaction_id >= state.looked_to or transaction_id = any (state.running))
          and change_id + 0 > state.settled_change and transaction_id <> own
    ), made as (
        select transaction_id, newest, min(change_id) as first_change, max(change_id) as last_change,
               sum(events)::integer as events, max(at) as at
        from change group by transaction_id, newest, row_part
    )
    select snapshot, (
        select array_agg(row(ends - events + 1, events, transaction_id, first_change, last_change, at)::event_range)
        from (select last + sum(events) over (order by newest, first_change) as ends, made.* from made) m)
    into seen, ranges from looked;
    if ranges is null then return last; end if;
    select sum(event_count) into found_events from unnest(ranges);
    if to_regclass('event_range_p' || (last + found_events) / 20000000 + 1) is null then
        perform make_event_partitions(last + found_events);
    end if;
    insert into event_range select * from unnest(ranges);
    update event_sequence set last_number = last + found_events,
        looked_to = pg_snapshot_xmax(seen)::text::bigint + origin,
        running = array(select x::text::bigint + origin from pg_snapshot_xip(seen) x) || own;
    -- Wakes other daemons; outside every order's transaction, once a pass.
    perform pg_notify('pricing_event', '');
    return last + found_events;
end $$;

-- A shop that was restored into another server, or copied, meets transaction numbers that its ledgers have: they
-- go on above all stored, and what was not numbered is. Called when a daemon begins, and by the sequencer where the
-- server's numbers lie below those that it has looked at.
create function settle_transactions() returns void
language plpgsql as $$
declare
    here bigint := (select system_identifier from pg_control_system());
    was transaction_origin;
    newest bigint;
    numbered bigint;
    missed bigint[];
    run_now bigint[];
begin
    select * into was from transaction_origin;
    newest := greatest(
        (select max(transaction_id) from stock_movement), (select max(transaction_id) from price_change),
        (select max(transaction_id) from order_change), (select max(transaction_id) from notice),
        (select max(transaction_id) from declaration_change),
        (select looked_to - 1 from event_sequence));
    if was.system_identifier = here
        and newest < pg_snapshot_xmax(pg_current_snapshot())::text::bigint + was.offset_by then
        return;
    end if;
    perform from event_sequence for no key update;
    select * into was from transaction_origin for no key update;
    numbered := coalesce((select max(last_change) from event_range), 0);
    -- Written in this server before now, below the numbers of the other one; and what runs, which may have written with
    -- such a number and has not been seen. In one statement, so that nothing ends in between.
    select array(select distinct c.transaction_id from ledger_change c, event_sequence s
                 where c.change_id > numbered and c.transaction_id < s.looked_to
                   and c.transaction_id <> all (s.running)),
           array(select x::text::bigint + was.offset_by from pg_snapshot_xip(pg_current_snapshot()) x
                 union select x + was.offset_by from generate_series(
                     pg_snapshot_xmax(pg_current_snapshot())::text::bigint, pg_current_xact_id()::text::bigint) x)
    into missed, run_now;
    update transaction_origin set system_identifier = here, offset_by = greatest(was.offset_by,
        newest + 1 - pg_snapshot_xmin(pg_current_snapshot())::text::bigint);
    update event_sequence set running = running || missed;
    perform number_events();
    -- Its number may be that of a transaction that came with the shop and is numbered.
    update event_sequence set running = running || run_now, settled_change = numbered;
end $$;

-- The number after which the events of a moment and later begin. The times of numbered transactions rise, but for
-- those that ran long: so the search by halves begins a minute early, and the first event of the moment is looked for
-- from there.
create function number_before(moment timestamptz) returns bigint
language plpgsql stable strict as $$
declare
    low bigint;
    high bigint;
    middle bigint;
    is_before boolean;
    place bigint;
begin
    select first_number - 1, last_number into low, high from event_sequence;
    while low < high loop
        middle := (low + high + 1) / 2;
        select at < moment - interval '1 minute' into is_before
        from event_range where first_number <= middle order by first_number desc limit 1;
        if coalesce(is_before, true) then low := middle; else high := middle - 1; end if;
    end loop;
    loop
        select min(sequence) filter (where at >= moment) - 1, max(sequence) into place, high
        from events_between(low, null, 500);
        if place is not null then return place; end if;
        if high is null then return low; end if;
        low := high;
    end loop;
end $$;
