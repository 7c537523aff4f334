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

-- Locks the stock rows that orders ask for, in product order, so that two of them never wait for each other in a circle.
-- Gives the products that it could not lock, where it does not wait.
create or replace function lock_stock(calls jsonb, waits boolean) returns bigint[]
language plpgsql as $$
declare
    wanted bigint[] := array(
        select distinct id::bigint from jsonb_path_query(calls,
            '$[*].params.lines[*].productId ? (@ >= 1 && @ <= 9223372036854775807)') id);
    locked bigint[];
begin
    if waits then
        perform from inventory where product_id = any (wanted) order by product_id for no key update;
        return '{}';
    end if;
    locked := array(select product_id from inventory where product_id = any (wanted)
                    order by product_id for no key update skip locked);
    if cardinality(locked) = cardinality(wanted) then return '{}'; end if;
    return array(select product_id from inventory where product_id = any (wanted) and product_id <> all (locked));
end $$;

-- Why a line cannot be sold as asked.
create or replace function refuse_line(line wanted_line) returns order_outcome
language plpgsql as $$
declare
    o order_outcome;
    facts jsonb := jsonb_build_object('productId', line.product_id);
begin
    if line.is_open is null then
        o.state := 'PR101';
        o.message := format('There is no product %s.', line.product_id);
    elsif not line.is_open then
        o.state := 'PR102';
        o.message := format('Product %s is not for sale.', line.product_id);
    elsif line.quantity > line.available then
        o.state := 'PR201';
        o.message := format('Only %s of product %s are available.', line.available, line.product_id);
        facts := facts || jsonb_build_object('requested', line.quantity, 'available', line.available);
    else
        o.state := 'PR204';
        o.message := format('Product %s costs %s now.', line.product_id, line.price);
        facts := facts || jsonb_build_object('old', line.max_price::numeric(12, 2)::text, 'new', line.price::text,
            'why', 'the price rose above the highest that the order accepts');
    end if;
    o.replayed := false;
    o.detail := facts::text;
    return o;
end $$;

-- The calls of a batch in their order, with everything that their orders can be told before any of them is placed: the
-- reply that a key was given, whether the customer is known, and the lines, summed by product; of several maxUnitPrice on
-- one product the lowest counts. Sub-selects and not joins: the plan stays the same index scans, whatever the planner
-- thinks of jsonb.
create or replace function read_calls(calls jsonb)
returns table (params jsonb, key text, hash bytea, who text, stored request_key, buyer bigint, is_known boolean,
               lines wanted_line[])
language sql stable as $$
    select c -> 'params', c ->> 'key', case when c ? 'key' then request_hash('order.place', c -> 'params') end,
           coalesce(nullif(c ->> 'actor', ''), session_user),
           case when c ? 'key' then (select r from request_key r where r.key = c ->> 'key') end,
           (c #>> '{params,customerId}')::bigint,
           (select true from app_user u
            where u.user_id = (c #>> '{params,customerId}')::bigint and u.archived_at is null),
           array(select row(l.id, l.quantity, l.max_price, null, null,
                            (select d.active and d.archived_at is null from product d where d.product_id = l.id)
                           )::wanted_line
                 from (select (l ->> 'productId')::bigint as id, sum((l ->> 'quantity')::bigint)::bigint as quantity,
                              min((l ->> 'maxUnitPrice')::numeric) as max_price
                       from jsonb_array_elements(c #> '{params,lines}') l group by 1) l
                 order by l.id)
    from jsonb_array_elements(calls) with ordinality u (c, n) order by n
$$;

-- Takes an order's lines out of stock, at the prices read under the lock; the new prices are the trigger's.
create or replace function sell_lines(
    wanted wanted_line[], who text, number bigint, out sold order_line[], out bought jsonb, out moves jsonb
)
language plpgsql as $$
declare
    line wanted_line;
    price_after numeric(12, 2);
begin
    sold := '{}';
    bought := '[]';
    moves := '[]';
    foreach line in array wanted loop
        update inventory set stock = stock - line.quantity, cause = row('sale', who, '', number)::movement_cause
        where product_id = line.product_id returning price into price_after;
        sold := sold || row(number, line.product_id, line.quantity, line.price)::order_line;
        bought := bought || jsonb_build_object('productId', line.product_id, 'quantity', line.quantity,
                                               'unitPrice', line.price::text);
        if price_after <> line.price then
            moves := moves || jsonb_build_object('productId', line.product_id, 'old', line.price::text,
                                                 'new', price_after::text);
        end if;
    end loop;
end $$;

-- Places orders whose stock rows are locked, each at the prices that the one before it left; all lines of an order or
-- none. What the shop refuses is an outcome, and anything else an error that undoes all of them. Prices and ledger are
-- the trigger's, movement by movement; the rows of the orders are written together.
create or replace function place_all(calls jsonb, held bigint[] default '{}') returns setof order_outcome
language plpgsql as $$
declare
    moment timestamptz := pricing_now();
    call record;
    sale record;
    line wanted_line;
    o order_outcome;
    number bigint;
    sum_total numeric(14, 2);
    wanted wanted_line[];
    orders customer_order[] := '{}';
    lines order_line[] := '{}';
    events event_outbox[] := '{}';
    keys request_key[] := '{}';
begin
    for call in select * from read_calls(calls) loop
        o := row(null, false, null, null, null, null);
        wanted := '{}';
        sum_total := 0;
        if (call.stored).key is not null then
            o := replay(call.stored, call.hash);
        elsif held <> '{}' and exists (select from unnest(call.lines) l where l.product_id = any (held)) then
            o.state := '55P03';
            o.message := 'another transaction holds the stock of a product';
        elsif call.is_known is null then
            o.state := 'PR401';
            o.message := format('There is no user %s.', call.buyer);
            o.detail := jsonb_build_object('userId', call.buyer);
        else
            foreach line in array call.lines loop
                select price, stock - i.held into line.price, line.available
                from inventory i where product_id = line.product_id for no key update;
                if line.is_open and line.quantity <= line.available
                    and (line.max_price is null or line.price <= line.max_price) then
                    sum_total := sum_total + line.price * line.quantity;
                    wanted := wanted || line;
                else
                    o := refuse_line(line);
                    exit;
                end if;
            end loop;
        end if;
        if o.state is not null or o.replayed then
            return next o;
            continue;
        end if;
        number := nextval('customer_order_order_id_seq');
        sale := sell_lines(wanted, call.who, number);
        lines := lines || sale.sold;
        orders := orders || row(number, call.buyer, 'pending', sum_total, coalesce(call.params ->> 'shippingAddress', ''),
                                moment, moment, call.who)::customer_order;
        events := events || row(nextval('event_outbox_event_id_seq'), pg_current_xact_id(), moment, 'order', 'insert', null,
            number, null, jsonb_build_object('status', 'pending', 'total', sum_total::text, 'customerId', call.buyer,
                                             'lines', sale.bought),
            jsonb_build_object('kind', 'sale', 'orderId', number), call.who)::event_outbox;
        o.reply := json_build_object('orderId', number, 'customerId', call.buyer, 'status', 'pending',
            'total', sum_total::text, 'lines', sale.bought, 'priceChanges', sale.moves, 'placedAt', rfc3339(moment));
        if call.key is not null then
            keys := keys || row(call.key, call.hash, o.reply, now())::request_key;
        end if;
        return next o;
    end loop;
    insert into customer_order overriding system value select * from unnest(orders);
    insert into order_line select * from unnest(lines);
    insert into event_outbox overriding system value select * from unnest(events);
    if keys <> '{}' then
        insert into request_key select * from unnest(keys);
    end if;
end $$;

-- Places one order: what the shop refuses is raised.
create or replace function place_order(p jsonb) returns json
language plpgsql as $$
declare
    calls jsonb := jsonb_build_array(jsonb_build_object('params', p, 'actor', acting()));
    o order_outcome;
begin
    perform lock_stock(calls, true);
    select * into o from place_all(calls);
    if o.state is not null then perform fail(o.state, o.message, o.detail::jsonb); end if;
    return o.reply;
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
-- a reply or with the SQLSTATE, message, detail and constraint that refused it. Unless it `waits`, an order on a row that
-- somebody else holds is refused at once with 55P03, so that one held product never delays the others.
-- All of them are placed at once. Where that ends in an error, or a key stands twice, each is tried alone.
create or replace function place_orders(calls jsonb, waits boolean default true)
returns table (reply text, replayed boolean, state text, message text, detail text, broken_constraint text)
language plpgsql as $$
declare
    held bigint[];
    call jsonb;
begin
    if (select count(distinct c ->> 'key') = count(*) from jsonb_array_elements(calls) c) then
        begin
            held := lock_stock(calls, waits);
            return query select * from place_keyed(calls, held);
            return;
        exception when others then
            if ends_batch(sqlstate) then raise; end if;
        end;
    end if;
    held := lock_stock(calls, waits);
    for call in select c from jsonb_array_elements(calls) with ordinality u (c, n) order by n loop
        begin
            return query select * from place_keyed(jsonb_build_array(call), held);
        exception when others then
            get stacked diagnostics state = returned_sqlstate, message = message_text,
                detail = pg_exception_detail, broken_constraint = constraint_name;
            if ends_batch(state) then raise; end if;
            reply := null;
            replayed := false;
            return next;
        end;
    end loop;
end $$;

-- Whether an error is not one order's own fault and ends the whole batch, which is then tried again or refused.
create or replace function ends_batch(state text) returns boolean
language sql immutable as $$
    select state in ('40001', '40P01', '57014') or state like '53%' or state like '57P%'
$$;

-- Places orders under their keys. The keys are locked before any of their replies is read, as find_reply does.
create or replace function place_keyed(calls jsonb, held bigint[]) returns setof order_outcome
language plpgsql as $$
begin
    perform pg_advisory_xact_lock(k.lock)
    from (select hashtextextended(c ->> 'key', 0) as lock from jsonb_array_elements(calls) c
          where held = '{}' or not exists (
              select from jsonb_path_query(c, '$.params.lines[*].productId ? (@ >= 1 && @ <= 9223372036854775807)') id
              where id::bigint = any (held))
          order by 1) k;
    return query select * from place_all(calls, held);
end $$;
