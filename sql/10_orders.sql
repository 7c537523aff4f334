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

-- What an order asks of each product, its stock rows locked in product order. Lines on one product are summed; of
-- several maxUnitPrice on one product the lowest counts. Refuses what cannot be sold as asked, the first product first.
-- A look-up a product and not a join: its plan stays the same two index scans, whatever the planner thinks of jsonb.
create or replace function lock_wanted_lines(lines jsonb) returns wanted_line[]
language plpgsql as $$
declare
    line wanted_line;
    wanted wanted_line[] := '{}';
    is_open boolean;
begin
    for line.product_id, line.quantity, line.max_price in
        select (l ->> 'productId')::bigint, sum((l ->> 'quantity')::bigint)::bigint,
               min((l ->> 'maxUnitPrice')::numeric)
        from jsonb_array_elements(lines) l group by 1 order by 1
    loop
        select price, stock - held into line.price, line.available
        from inventory where product_id = line.product_id for no key update;
        -- Read by a statement that began under the lock: while that waited, the product may have been archived.
        select active and archived_at is null into is_open from product where product_id = line.product_id;
        if is_open is null then
            perform fail('PR101', format('There is no product %s.', line.product_id),
                jsonb_build_object('productId', line.product_id));
        elsif not is_open then
            perform fail('PR102', format('Product %s is not for sale.', line.product_id),
                jsonb_build_object('productId', line.product_id));
        elsif line.quantity > line.available then
            perform fail('PR201', format('Only %s of product %s are available.', line.available, line.product_id),
                jsonb_build_object('productId', line.product_id, 'requested', line.quantity,
                                   'available', line.available));
        elsif line.price > line.max_price then
            perform fail('PR204', format('Product %s costs %s now.', line.product_id, line.price),
                jsonb_build_object('productId', line.product_id, 'old', line.max_price::numeric(12, 2)::text,
                                   'new', line.price::text,
                                   'why', 'the price rose above the highest that the order accepts'));
        end if;
        wanted := wanted || line;
    end loop;
    return wanted;
end $$;

-- Places one order: locks, checks every line before it moves any, charges the prices read under the lock, and leaves
-- the new prices to the trigger.
create or replace function place_order(p jsonb) returns json
language plpgsql as $$
declare
    buyer bigint := (p ->> 'customerId')::bigint;
    moment timestamptz := pricing_now();
    who text := acting();
    wanted wanted_line[];
    line wanted_line;
    number bigint;
    sum_total numeric(14, 2) := 0;
    price_after numeric(12, 2);
    bought jsonb := '[]';
    moves jsonb := '[]';
begin
    if not exists (select from app_user where user_id = buyer and archived_at is null) then
        perform fail('PR401', format('There is no user %s.', buyer), jsonb_build_object('userId', buyer));
    end if;
    wanted := lock_wanted_lines(p -> 'lines');
    foreach line in array wanted loop
        sum_total := sum_total + line.price * line.quantity;
    end loop;
    insert into customer_order (customer_id, total, shipping_address, placed_at, changed_at, actor)
    values (buyer, sum_total, coalesce(p ->> 'shippingAddress', ''), moment, moment, who)
    returning order_id into number;
    foreach line in array wanted loop
        insert into order_line (order_id, product_id, quantity, unit_price)
        values (number, line.product_id, line.quantity, line.price);
        update inventory set stock = stock - line.quantity, cause = row('sale', who, '', number)::movement_cause
        where product_id = line.product_id returning price into price_after;
        bought := bought || jsonb_build_object('productId', line.product_id, 'quantity', line.quantity,
                                               'unitPrice', line.price::text);
        if price_after <> line.price then
            moves := moves || jsonb_build_object('productId', line.product_id, 'old', line.price::text,
                                                 'new', price_after::text);
        end if;
    end loop;
    insert into event_outbox (at, topic, op, key, after, cause, actor)
    values (moment, 'order', 'insert', number,
            jsonb_build_object('status', 'pending', 'total', sum_total::text, 'customerId', buyer, 'lines', bought),
            jsonb_build_object('kind', 'sale', 'orderId', number), who);
    return json_build_object('orderId', number, 'customerId', buyer, 'status', 'pending', 'total', sum_total::text,
        'lines', bought, 'priceChanges', moves, 'placedAt', rfc3339(moment));
end $$;

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

-- Places orders one after another in one transaction; each succeeds or fails alone, and the result is what the same
-- orders would give one by one. Each element of `calls` is {"params", "key", "actor"}; each row answers one of them, with
-- a reply or with the SQLSTATE, message, detail and constraint that refused it. The stock rows of all of them are locked
-- first, in product order, so that two batches never wait for each other in a circle. Unless it `waits`, an order on a
-- row that somebody else holds is refused at once with 55P03, so that one held product never delays the others.
create or replace function place_orders(calls jsonb, waits boolean default true)
returns table (reply text, replayed boolean, state text, message text, detail text, broken_constraint text)
language plpgsql as $$
declare
    call jsonb;
    hash bytea;
    wanted bigint[] := '{}';
    locked bigint[];
    held bigint[] := '{}';
begin
    begin
        wanted := array(select distinct (l ->> 'productId')::bigint
            from jsonb_array_elements(calls) c, jsonb_array_elements(c #> '{params,lines}') l);
    exception when data_exception then null;  -- a malformed order is refused below, alone
    end;
    if waits then
        perform from inventory where product_id = any (wanted) order by product_id for no key update;
    else
        locked := array(select product_id from inventory where product_id = any (wanted)
                        order by product_id for no key update skip locked);
        if cardinality(locked) < cardinality(wanted) then
            held := array(select product_id from inventory
                          where product_id = any (wanted) and product_id <> all (locked));
        end if;
    end if;
    for call in select c from jsonb_array_elements(calls) with ordinality u (c, n) order by n loop
        reply := null; state := null; message := null; detail := null; broken_constraint := null; replayed := false;
        if held <> '{}' and exists (select from jsonb_array_elements(call #> '{params,lines}') l
                                    where (l ->> 'productId')::bigint = any (held)) then
            state := '55P03';
            message := 'another transaction holds the stock of a product';
            return next;
            continue;
        end if;
        begin
            perform set_config('pricing.actor', call ->> 'actor', true);
            hash := request_hash('order.place', call -> 'params');
            reply := find_reply(call ->> 'key', hash);
            if reply is null then
                reply := place_order(call -> 'params')::text;
                insert into request_key (key, request_hash, reply) values (call ->> 'key', hash, place_orders.reply);
            else
                replayed := true;
            end if;
        exception when others then
            get stacked diagnostics state = returned_sqlstate, message = message_text,
                detail = pg_exception_detail, broken_constraint = constraint_name;
            -- What is not this order's own fault ends the whole batch, which is then tried again or refused.
            if state in ('40001', '40P01', '57014') or state like '53%' or state like '57P%' then
                raise;
            end if;
            reply := null;
            replayed := false;
        end;
        return next;
    end loop;
end $$;
