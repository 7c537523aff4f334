--! code
-- Orders: all lines or none, no unit twice, each price the one that stood under the lock.

create function order_json(o customer_order) returns json
language sql stable as $$
    select json_build_object('orderId', o.order_id, 'customerId', o.customer_id, 'status', o.status,
        'total', o.total::text,
        'lines', (select coalesce(json_agg(json_build_object('productId', l.product_id, 'sku', d.sku,
                      'quantity', l.quantity, 'unitPrice', l.unit_price::text) order by l.product_id), '[]')
                  from order_line l join product d using (product_id) where l.order_id = o.order_id),
        'shippingAddress', o.shipping_address, 'placedAt', rfc3339(o.placed_at), 'actor', o.actor)
$$;

-- The reply to an order that was just placed.
create function placed_reply(
    number bigint, buyer bigint, total numeric, bought jsonb, moves jsonb, moment timestamptz
) returns json
language sql stable as $$
    select json_build_object('orderId', number, 'customerId', buyer, 'status', 'pending', 'total', total::text,
        'lines', bought, 'priceChanges', moves, 'placedAt', rfc3339(moment))
$$;

-- The same reply made again: what it says of an order never changes.
create function placed_again(number bigint) returns text
language sql stable as $$
    select placed_reply(o.order_id, o.customer_id, o.total, (
            select jsonb_agg(jsonb_build_object('productId', l.product_id, 'sku', d.sku, 'quantity', l.quantity,
                                                'unitPrice', l.unit_price::text) order by l.product_id)
            from order_line l join product d using (product_id) where l.order_id = o.order_id), (
            select coalesce(jsonb_agg(jsonb_build_object('productId', c.product_id, 'sku', d.sku,
                                                         'old', c.old_price::text, 'new', c.new_price::text)
                                      order by c.product_id), '[]')
            from price_change c join product d using (product_id)
            where c.order_id = o.order_id and c.cause = 'sale'), o.placed_at)::text
    from customer_order o where o.order_id = number
$$;

-- The order that a call names, locked when it is to change, or PR202.
create function find_order(id bigint, lock boolean default false) returns customer_order
language plpgsql as $$
declare
    o customer_order;
begin
    if lock then
        select * into o from customer_order where order_id = id for no key update;
    else
        select * into o from customer_order where order_id = id;
    end if;
    if not found then
        perform fail('PR202', format('There is no order %s.', id), jsonb_build_object('orderId', id));
    end if;
    return o;
end $$;

create function order_get(p jsonb) returns json
language sql as $$
    select order_json(find_order((p ->> 'orderId')::bigint))
$$;

-- Planned for the filters given, so that each uses its own index.
create function order_list(p jsonb) returns json
language plpgsql stable as $$
declare
    before bigint := (open_cursor('order.list', p) ->> 0)::bigint;
    rows json[];
begin
    execute $query$
        select array(
            select json_build_object('cursor', json_build_array(o.order_id), 'item', order_json(o))
            from customer_order o
            where o.order_id < coalesce($2, 9223372036854775807)
              and ($1 ->> 'customerId' is null or o.customer_id = ($1 ->> 'customerId')::bigint)
              and ($1 ->> 'status' is null or o.status = $1 ->> 'status')
            order by o.order_id desc limit page_size($1) + 1)
        $query$ into rows using p, before;
    return as_page('order.list', p, rows);
end $$;

-- Moves orders to another status, in their own order. The caller has locked them.
create function set_order_status(ids bigint[], target text, reason text) returns setof customer_order
language plpgsql as $$
declare
    id bigint;
begin
    perform set_config('pricing.reason', coalesce(reason, ''), true);
    for id in select u from unnest(ids) u order by 1 loop
        return query update customer_order o set status = target where o.order_id = id returning o.*;
    end loop;
    perform set_config('pricing.reason', '', true);
end $$;

-- Moves the order that a call names; asking for the status that it has gives the same reply and changes nothing.
create function move_order(p jsonb, target text) returns json
language plpgsql as $$
declare
    o customer_order := find_order((p ->> 'orderId')::bigint, true);
begin
    if o.status <> target then
        select * into o from set_order_status(array[o.order_id], target, p ->> 'reason');
    end if;
    return order_json(o);
end $$;

create function order_advance(p jsonb) returns json
language sql as $$
    select move_order(p, p ->> 'status')
$$;

create function order_cancel(p jsonb) returns json
language sql as $$
    select move_order(p, 'cancelled')
$$;

create function order_return(p jsonb) returns json
language sql as $$
    select move_order(p, 'returned')
$$;

-- Places one order; a refusal is raised.
create function order_place(p jsonb) returns json
language plpgsql as $$
declare
    calls jsonb := jsonb_build_array(jsonb_build_object('params', p, 'actor', acting()));
    o order_outcome;
begin
    perform lock_stock(calls, true);
    select * into o from place_in_turn(calls);
    if o.state is not null then perform fail(o.state, o.message, o.detail::jsonb); end if;
    return o.reply;
end $$;
