--! code
-- The clock of a sandbox.

create function clock_get(p jsonb default '{}') returns json
language sql stable as $$
    select json_build_object('at', rfc3339(pricing_now()), 'sandbox', is_sandbox(),
        'virtual', exists (select from virtual_clock))
$$;

-- Sets a sandbox's clock; campaigns start and end, and quotes expire, that are due until then, each at its time; and
-- runs the tick for the new time, after any tick that is running: a tick that finds another one running does nothing. A
-- live database refuses (PR502).
create function clock_set(p jsonb) returns json
language plpgsql security definer set search_path = pricing, pricing_code, pg_temp as $$
declare
    moment timestamptz := (p ->> 'at')::timestamptz;
begin
    if not is_sandbox() then
        perform fail('PR502', 'Only a database made with --sandbox has a clock that can be set.');
    end if;
    perform pg_advisory_xact_lock(hashtext('pricing_tick'));
    insert into virtual_clock (at) values (least(pricing_now(), moment))
    on conflict (only_row) do update set at = excluded.at;
    perform play_due(moment);
    update virtual_clock set at = moment;
    perform tick_prices();
    return clock_get();
end $$;
