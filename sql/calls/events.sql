--! code
-- The event stream as calls read it.

-- The events after number `from`, oldest first, all committed work included; `gap` names the numbers between that one
-- and the first event there is: expired, or not assigned yet.
create function events_list(p jsonb) returns json
language plpgsql as $$
declare
    start bigint := coalesce((open_cursor('events.list', p) ->> 0)::bigint, (p ->> 'from')::bigint, 0);
    last bigint := number_events();
    first bigint;
    gap jsonb;
begin
    select first_number into first from event_sequence;
    if start > last then
        gap := jsonb_build_object('fromSequence', last + 1, 'toSequence', start, 'reason', 'AHEAD');
    elsif start + 1 < first then
        gap := jsonb_build_object('fromSequence', start + 1, 'toSequence', first - 1, 'reason', 'EXPIRED');
    end if;
    return (as_page('events.list', p, array(
        select json_build_object('cursor', json_build_array(e.sequence), 'item', event_json(e))
        from events_matching(start, page_size(p) + 1, p -> 'topics', p -> 'productIds', p -> 'owner') e
        order by e.sequence))::jsonb || jsonb_build_object('sequence', last, 'gap', gap))::json;
end $$;

-- The state that a subscriber starts from: the price and stock of each product that it watches.
create function snapshot_products(ids jsonb) returns json
language sql stable as $$
    select coalesce(json_agg(json_build_object('productId', d.product_id, 'sku', d.sku, 'title', d.title,
                                               'price', i.price::text, 'stock', i.stock) order by d.product_id), '[]')
    from product d join inventory i using (product_id)
    where d.archived_at is null and (ids is null or ids @> to_jsonb(d.product_id))
$$;
