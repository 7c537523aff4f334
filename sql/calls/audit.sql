--! code
-- The audit, as calls run it.

-- One step of `audit.verify`: the next products, then the next orders, until none is left. `state` is the previous
-- step's; the last step returns the reply. All differences are counted, and one page of them is kept: those after the
-- first `cursor`.
create function audit_verify(p jsonb) returns json
language plpgsql stable set jit = off as $$
declare
    skipped bigint := coalesce((open_cursor('audit.verify', p) ->> 0)::bigint, 0);
    s jsonb := coalesce(p -> 'state', '{"product": 0, "order": 0, "products": 0, "movements": 0, "priceChanges": 0,
                                        "orders": 0, "total": 0, "differences": []}');
    ids bigint[] := array(select product_id from product where product_id > (s ->> 'product')::bigint
                          order by product_id limit 250);
    last_order bigint;
    checked jsonb;
    wrong jsonb;
begin
    if ids <> '{}' then
        wrong := (select jsonb_agg(difference_json(a.kind, a."table", a.product_id, a.sequence, a.order_id, a.field,
                                       a.expected, a.found) order by product_id, kind, sequence, order_id, field)
                  from audit_products(ids) a);
        checked := jsonb_build_object('product', ids[cardinality(ids)],
            'products', (s ->> 'products')::bigint + cardinality(ids),
            'movements', (s ->> 'movements')::bigint
                + (select count(*) from stock_movement m where m.product_id = any (ids)),
            'priceChanges', (s ->> 'priceChanges')::bigint
                + (select count(*) from price_change c where c.product_id = any (ids)));
    else
        select max(order_id), jsonb_build_object('order', max(order_id), 'orders', (s ->> 'orders')::bigint + count(*))
        into last_order, checked
        from (select order_id from customer_order where order_id > (s ->> 'order')::bigint
              order by order_id limit 50000) o;
        if last_order is null then
            return json_build_object('reply', json_build_object(
                'checked', s - array['product', 'order', 'total', 'differences'], 'total', s -> 'total',
                'differences', s -> 'differences',
                'nextCursor', case when (s ->> 'total')::bigint > skipped + page_size(p)
                                   then seal_cursor('audit.verify', p, json_build_array(skipped + page_size(p))) end));
        end if;
        wrong := (select jsonb_agg(difference_json(a.kind, a."table", a.product_id, a.sequence, a.order_id, a.field,
                                       a.expected, a.found) order by a.order_id)
                  from audit_orders((s ->> 'order')::bigint + 1, last_order) a);
    end if;
    s := s || checked || jsonb_build_object(
        'total', (s ->> 'total')::bigint + coalesce(jsonb_array_length(wrong), 0),
        'differences', (s -> 'differences') || coalesce((
            select jsonb_agg(w order by n) from jsonb_array_elements(wrong) with ordinality u (w, n)
            where (s ->> 'total')::bigint + n > skipped and (s ->> 'total')::bigint + n <= skipped + page_size(p)),
            '[]'));
    return json_build_object('state', s, 'done', (s ->> 'products')::bigint + (s ->> 'orders')::bigint,
        'total', (select count(*) from product) + (select count(*) from customer_order),
        'message', case when ids <> '{}' then 'products' else 'orders' end);
end $$;

-- `audit.repair`: lists what it can repair and what it cannot; repairs when told to `apply`.
create function audit_repair(p jsonb) returns json
language plpgsql set jit = off as $$
declare
    applies boolean := coalesce((p ->> 'apply')::boolean, false);
    all_ids bigint[] := array(select product_id from product order by product_id);
    reply json;
    ids bigint[];
begin
    with all_wrong as (
        select * from audit_remedies(all_ids)
        union all select *, null from audit_orders(1, 9223372036854775807)
    ), listed as (
        select a.*,
            row_number() over (partition by remedy is null order by product_id, kind, sequence, order_id, field) as n
        from all_wrong a
    ), facts as (
        select n, remedy, difference_json(kind, "table", product_id, sequence, order_id, field, expected, l.found)
                   || jsonb_strip_nulls(jsonb_build_object('remedy', remedy)) as fact
        from listed l where n <= 500
    )
    select json_build_object('applied', applies,
        'repairable', (select count(*) from listed where remedy is not null),
        'repairs', coalesce((select json_agg(fact order by n) from facts where remedy is not null), '[]'),
        'skipped', '[]'::json, 'notRepairable', (select count(*) from listed where remedy is null),
        'differences', coalesce((select json_agg(fact order by n) from facts where remedy is null), '[]')),
        (select array_agg(distinct product_id) from listed where remedy is not null)
    into reply, ids;
    if applies and ids is not null then
        perform repair_products(ids, coalesce(p ->> 'reason', 'audit'));
        return (reply::jsonb || jsonb_build_object('skipped', skipped_json(ids)))::json;
    end if;
    return reply;
end $$;
