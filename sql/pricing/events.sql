--! code
-- The event stream. A number is assigned after commit, by one sequencer at a time, so no reader sees a number appear
-- below one that it was given, and a long transaction delays only its own events.

-- Creates the missing partitions from the last number assigned up to `number`, at most 100 ahead; as the owner, since
-- the daemon's role may not create tables.
create function make_event_partitions(number bigint) returns void
language plpgsql security definer set search_path = pricing, pricing_code, pg_temp as $$
declare
    size constant bigint := 20000000;
    last bigint;
begin
    select last_number into last from event_sequence for no key update;
    for part in last / size .. least(number / size, last / size + 100) loop
        continue when to_regclass('event_p' || part) is not null;
        execute format('create table event_p%s (like event including all, primary key (sequence))', part);
        -- Unlike `create table … partition of` this blocks no reader of the stream.
        execute format('alter table event attach partition event_p%s for values from (%s) to (%s)', part, part * size,
                       (part + 1) * size);
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
begin
    -- Before the lock on the stream, in the sequencer's order.
    select last_number into last from event_sequence for no key update;
    select min(substring(inhrelid::regclass::text from '[0-9]+$')::bigint) into part
    from pg_inherits where inhparent = 'event'::regclass;
    if part >= last / size then return false; end if;
    execute format('select at from event_p%s order by sequence desc limit 1', part) into newest;
    if newest >= pricing_now() - make_interval(days => days) then return false; end if;
    execute format('drop table event_p%s', part);
    update event_sequence set first_number = greatest(first_number, (part + 1) * size);
    return true;
exception when lock_not_available then
    return false;
end $$;

-- Moves the oldest event from the outbox to event_set_aside: it cannot be numbered, and those behind it wait. Reported
-- by an event, unless it is such an event itself.
create function set_event_aside(state text, reason text) returns void
language plpgsql as $$
declare
    e event_outbox;
begin
    delete from event_outbox where event_id = (select min(event_id) from event_outbox) returning * into e;
    insert into event_set_aside (event_id, row, sqlstate, message) values (e.event_id, to_jsonb(e), state, reason);
    if (e.topic, e.op) <> ('automation', 'failing') then
        insert into event_outbox (at, topic, op, product_id, key, after, cause, actor)
        values (pricing_now(), 'automation', 'failing', null, e.event_id, jsonb_build_object('eventId', e.event_id,
                    'topic', e.topic, 'productId', e.product_id, 'reason', failure_reason(state, reason)),
                '{"kind": "event"}', acting());
    end if;
end $$;

-- Numbers up to `most` committed events; returns the last number. The row lock on event_sequence is held to the commit,
-- so numbers become visible in order. An event that cannot be numbered is set aside once those before it are.
create function number_events(most integer default 1000) returns bigint
language plpgsql as $$
declare
    last bigint;
    moved bigint;
    state text;
    reason text;
begin
    if not exists (select from event_outbox) then
        return (select last_number from event_sequence);
    end if;
    select last_number into last from event_sequence for no key update;
    if to_regclass('event_p' || (last + most) / 20000000) is null then
        perform make_event_partitions(last + most);
    end if;
    begin
        with taken as (
            -- A range, not a list of ids: one index scan, whatever the statistics of a table that is filled and emptied
            -- all day.
            delete from event_outbox
            where event_id <= (select max(event_id)
                               from (select event_id from event_outbox order by event_id limit most) o)
            returning *
        )
        insert into event (sequence, at, topic, op, product_id, key, before, after, cause, actor)
        select last + row_number() over (order by event_id), at, topic, op, product_id, key, before, after, cause, actor
        from taken;
        get diagnostics moved = row_count;
    exception when others then
        get stacked diagnostics state = returned_sqlstate, reason = message_text;
        if not is_row_error(state) then raise; end if;
        -- The counter was set back, in a copied database for example: go on after the numbers already assigned.
        if state = '23505' and last < (select max(sequence) from event) then
            update event_sequence set last_number = (select max(sequence) from event);
        elsif most = 1 then
            perform set_event_aside(state, reason);
        else
            return number_events(most / 2);
        end if;
        return number_events(most);
    end;
    if moved > 0 then
        update event_sequence set last_number = last + moved;
        -- Wakes other daemons; outside every order's transaction, once a batch of events.
        perform pg_notify('pricing_event', '');
    end if;
    return last + moved;
end $$;

create function event_json(e event) returns json
language sql stable as $$
    select json_build_object('sequence', e.sequence, 'at', rfc3339(e.at), 'topic', e.topic, 'op', e.op,
        'key', e.key, 'before', e.before, 'after', e.after, 'cause', e.cause, 'actor', e.actor)
$$;
