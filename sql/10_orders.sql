--! repeatable
-- Orders: all lines or none, no unit twice, each price the one that stood under the lock.

create or replace function order_json(o customer_order) returns json
language sql stable as $$
    select json_build_object('orderId', o.order_id, 'customerId', o.customer_id, 'status', o.status,
        'total', o.total::text,
        'lines', (select coalesce(json_agg(json_build_object('productId', l.product_id, 'quantity', l.quantity,
                      'unitPrice', l.unit_price::text) order by l.product_id), '[]')
                  from order_line l where l.order_id = o.order_id),
        'shippingAddress', o.shipping_address, 'placedAt', rfc3339(o.placed_at), 'actor', o.actor)
$$;

-- The order that a call names, locked when it is to change, or PR202.
create or replace function find_order(id bigint, lock boolean default false) returns customer_order
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

create or replace function get_order(p jsonb) returns json
language sql as $$
    select order_json(find_order((p ->> 'orderId')::bigint))
$$;

-- Planned for the filters that are there, so that each walks its own index.
create or replace function list_orders(p jsonb) returns json
language plpgsql stable as $$
declare
    rows json[];
begin
    execute $query$
        select array(
            select json_build_object('cursor', o.order_id::text, 'item', order_json(o)) from customer_order o
            where o.order_id < coalesce(($1 ->> 'cursor')::bigint, 9223372036854775807)
              and ($1 ->> 'customerId' is null or o.customer_id = ($1 ->> 'customerId')::bigint)
              and ($1 ->> 'status' is null or o.status = $1 ->> 'status')
            order by o.order_id desc limit page_size($1) + 1)
        $query$ into rows using p;
    return as_page(rows, page_size(p));
end $$;

-- Moves orders to another status and says so, in the orders' own order. The caller has locked them and knows that they
-- may move.
create or replace function set_order_status(ids bigint[], target text, reason text) returns setof customer_order
language plpgsql as $$
begin
    insert into event_outbox (at, topic, op, key, before, after, cause, actor)
    select pricing_now(), 'order', 'update', o.order_id, jsonb_build_object('status', o.status),
           jsonb_build_object('status', target, 'total', o.total::text, 'customerId', o.customer_id),
           jsonb_strip_nulls(jsonb_build_object('kind', target, 'orderId', o.order_id, 'reason', reason)), acting()
    from customer_order o where o.order_id = any (ids) order by o.order_id;
    perform wake_sequencer();
    return query
    update customer_order o set status = target, changed_at = pricing_now() where o.order_id = any (ids) returning o.*;
end $$;

-- pending -> processing -> completed, one step at a time; asking for the present status changes nothing.
create or replace function advance_order(p jsonb) returns json
language plpgsql as $$
declare
    o customer_order := find_order((p ->> 'orderId')::bigint, true);
    target text := p ->> 'status';
begin
    if (o.status, target) in (('pending', 'processing'), ('processing', 'completed')) then
        select * into o from set_order_status(array[o.order_id], target, null);
    elsif o.status <> target then
        perform fail('PR203', format('An order that is %s cannot become %s.', o.status, target),
            jsonb_build_object('orderId', o.order_id, 'from', o.status, 'to', target));
    end if;
    return order_json(o);
end $$;

-- Refuses units that come back to a shelf that cannot hold them, and says how many have to leave it first.
create or replace function make_room(id bigint, units integer) returns void
language plpgsql as $$
declare
    excess bigint := (select stock + units::bigint - 2147483647 from inventory where product_id = id for no key update);
begin
    if excess > 0 then
        perform fail('PR602',
            format('%s units of product %s come back, and its stock would pass 2147483647: take %s out of it first, '
                   'by inventory.adjust.', units, id, excess),
            jsonb_build_object('productId', id, 'excess', excess, 'violations', jsonb_build_array(jsonb_build_object(
                'path', '/orderId', 'rule', 'maximum', 'message', 'stock would pass 2147483647'))));
    end if;
end $$;

-- Puts an order's units back exactly once. `from_status` are the states that it may be called from; called again it
-- gives the same reply and changes nothing.
create or replace function undo_order(p jsonb, target text, movement text, from_status text[]) returns json
language plpgsql as $$
declare
    o customer_order := find_order((p ->> 'orderId')::bigint, true);
    line order_line;
begin
    if o.status = any (from_status) then
        for line in select * from order_line where order_id = o.order_id order by product_id loop
            perform make_room(line.product_id, line.quantity);
            update inventory set stock = stock + line.quantity,
                cause = row(movement, null, p ->> 'reason', o.order_id)::movement_cause
            where product_id = line.product_id;
        end loop;
        select * into o from set_order_status(array[o.order_id], target, p ->> 'reason');
    elsif o.status <> target then
        perform fail('PR203', format('An order that is %s cannot become %s.', o.status, target),
            jsonb_build_object('orderId', o.order_id, 'from', o.status, 'to', target));
    end if;
    return order_json(o);
end $$;

create or replace function cancel_order(p jsonb) returns json
language sql as $$
    select undo_order(p, 'cancelled', 'cancel', array['pending', 'processing'])
$$;

create or replace function return_order(p jsonb) returns json
language sql as $$
    select undo_order(p, 'returned', 'return', array['completed'])
$$;
