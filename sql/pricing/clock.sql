--! code
-- The shop's clock: the real one, or a sandbox's virtual one.

-- The clock that prices, orders and history read: the transaction's time, or where virtual_clock has its row, the time
-- there. With that row a transaction may move its own time (pricing.moment), as the generator does from order to order;
-- on a live database the setting has no effect.
create function pricing_now() returns timestamptz
language plpgsql stable as $$
declare
    moment timestamptz;
begin
    select coalesce(nullif(current_setting('pricing.moment', true), '')::timestamptz, at) into moment
    from virtual_clock;
    return coalesce(moment, now());
end $$;

create function is_sandbox() returns boolean
language sql stable as $$
    select coalesce((select value = 'true' from setting where name = 'sandbox'), false)
$$;

-- The first moment of today, UTC.
create function start_of_today() returns timestamptz
language sql stable as $$
    select date_trunc('day', pricing_now() at time zone 'UTC') at time zone 'UTC'
$$;

-- Sets the clock for the rest of this transaction; null removes it. Only the first move writes the row: every reading
-- of the clock would pass each later version of it.
create function set_virtual_clock(moment timestamptz) returns void
language plpgsql as $$
begin
    if moment is null then
        delete from virtual_clock;
    else
        insert into virtual_clock (at) values (moment) on conflict do nothing;
    end if;
    perform set_config('pricing.moment', coalesce(moment::text, ''), true);
end $$;

-- Days between two times.
create function days_between(earlier timestamptz, later timestamptz) returns float8
language sql immutable parallel safe as $$
    select extract(epoch from later - earlier)::float8 / 86400
$$;
