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
    before bigint := (open_cursor('order.list', p) ->> 0)::bigint;
    rows json[];
begin
    execute $query$
        select array(
            select json_build_object('cursor', json_build_array(o.order_id), 'item', order_json(o)) from customer_order o
            where o.order_id < coalesce($2, 9223372036854775807)
              and ($1 ->> 'customerId' is null or o.customer_id = ($1 ->> 'customerId')::bigint)
              and ($1 ->> 'status' is null or o.status = $1 ->> 'status')
            order by o.order_id desc limit page_size($1) + 1)
        $query$ into rows using p, before;
    return as_page('order.list', p, rows);
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

-- Every move of an order passes here, direct SQL too: pending -> processing -> completed -> returned, and cancelled from
-- the first two. What was cancelled or returned goes back to its shelves, once, and subscribers hear of it. The reason
-- travels in the setting pricing.reason.
create or replace function tg_order_move() returns trigger
language plpgsql set search_path = public, pg_temp as $$
declare
    movement text := case new.status when 'cancelled' then 'cancel' when 'returned' then 'return' end;
    why text := nullif(current_setting('pricing.reason', true), '');
    line order_line;
begin
    if new.status = old.status then return new; end if;
    if (old.status, new.status) not in (('pending', 'processing'), ('processing', 'completed'), ('pending', 'cancelled'),
                                        ('processing', 'cancelled'), ('completed', 'returned')) then
        perform fail('PR203', format('An order that is %s cannot become %s.', old.status, new.status),
            jsonb_build_object('orderId', old.order_id, 'from', old.status, 'to', new.status));
    end if;
    if movement is not null then
        for line in select * from order_line where order_id = old.order_id order by product_id loop
            perform make_room(line.product_id, line.quantity);
            update inventory set stock = stock + line.quantity,
                cause = row(movement, null, why, old.order_id)::movement_cause
            where product_id = line.product_id;
        end loop;
    end if;
    insert into event_outbox (at, topic, op, key, before, after, cause, actor)
    values (pricing_now(), 'order', 'update', old.order_id, jsonb_build_object('status', old.status),
            jsonb_build_object('status', new.status, 'total', new.total::text, 'customerId', new.customer_id),
            jsonb_strip_nulls(jsonb_build_object('kind', new.status, 'orderId', old.order_id, 'reason', why)), acting());
    perform wake_sequencer();
    new.changed_at := pricing_now();
    return new;
end $$;

create or replace trigger customer_order_move before update of status on customer_order
    for each row execute function tg_order_move();

-- Moves orders to another status, in their own order. The caller has locked them.
create or replace function set_order_status(ids bigint[], target text, reason text) returns setof customer_order
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
create or replace function move_order(p jsonb, target text) returns json
language plpgsql as $$
declare
    o customer_order := find_order((p ->> 'orderId')::bigint, true);
begin
    if o.status <> target then
        select * into o from set_order_status(array[o.order_id], target, p ->> 'reason');
    end if;
    return order_json(o);
end $$;

create or replace function advance_order(p jsonb) returns json
language sql as $$
    select move_order(p, p ->> 'status')
$$;

create or replace function cancel_order(p jsonb) returns json
language sql as $$
    select move_order(p, 'cancelled')
$$;

create or replace function return_order(p jsonb) returns json
language sql as $$
    select move_order(p, 'returned')
$$;
