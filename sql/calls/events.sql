--! code
-- The event stream as calls read it.

-- The number that `to` means: one itself, or the last of the events before a time.
create function events_until(given jsonb, last bigint) returns bigint
language plpgsql stable as $$
begin
    if given is null then return last; end if;
    if jsonb_typeof(given) = 'number' and given::text ~ '^[0-9]{1,16}$' then return least(given::bigint, last); end if;
    if jsonb_typeof(given) = 'string'
        and given #>> '{}' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:.]+([Zz]|[+-][0-9:]+)$' then
        return least(number_before((given #>> '{}')::timestamptz), last);
    end if;
    perform fail('PR602', '/to: must be a number of the stream, or a time.', '{"violations": [
        {"path": "/to", "rule": "type", "message": "must be a number of the stream, or an RFC 3339 time"}]}');
end $$;

-- The events after number `from`, or from a time on, all committed work included; `gap` names the numbers between that
-- one and the first event there is: expired, or not assigned yet.
create function events_list(p jsonb) returns json
language plpgsql as $$
declare
    last bigint := number_events();
    place bigint := (open_cursor('events.list', p) ->> 0)::bigint;
    is_descending boolean := coalesce(p ->> 'order' = 'desc', false);
    start bigint := coalesce((p ->> 'from')::bigint, number_before((p ->> 'fromTime')::timestamptz), 0);
    until bigint := events_until(p -> 'to', last);
    first bigint;
    gap jsonb;
begin
    if is_descending then until := coalesce(place - 1, until); else start := coalesce(place, start); end if;
    select first_number into first from event_sequence;
    if start > last then
        gap := jsonb_build_object('fromSequence', last + 1, 'toSequence', start, 'reason', 'AHEAD');
    elsif start + 1 < first then
        gap := jsonb_build_object('fromSequence', start + 1, 'toSequence', first - 1, 'reason', 'EXPIRED');
    end if;
    return (as_page('events.list', p, array(
        select json_build_object('cursor', json_build_array(e.sequence), 'item', event_json(e))
        from events_matching(start, until, page_size(p) + 1, p) e
        order by case when is_descending then -e.sequence else e.sequence end))::jsonb
        || jsonb_build_object('sequence', last, 'gap', gap))::json;
end $$;

-- The state that a subscriber starts from: the price and stock of each product that it watches.
create function snapshot_products(ids jsonb) returns json
language sql stable as $$
    select coalesce(json_agg(json_build_object('productId', d.product_id, 'sku', d.sku, 'title', d.title,
                                               'price', i.price::text, 'stock', i.stock) order by d.product_id), '[]')
    from product d join inventory i using (product_id)
    where d.archived_at is null and (ids is null or ids @> to_jsonb(d.product_id))
$$;
