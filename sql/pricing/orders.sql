--! code
-- Placing orders: all lines or none, no unit twice, each price the one that stood under the lock. A batch gives what
-- its orders give one by one: at best as one set (place_together), else one after another (place_in_turn), and where
-- that raises, each in a subtransaction of its own.

-- Locks the stock rows that orders ask for, in product order, so that two of them never deadlock. Without `waits`,
-- returns the products that it could not lock.
create function lock_stock(calls jsonb, waits boolean) returns bigint[]
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

-- Why a line cannot be sold as asked. For a price that is too high, the previous price is reported too, which the buyer
-- may have seen; a price that never moved is its own previous one.
create function refuse_line(line wanted_line) returns order_outcome
language plpgsql as $$
declare
    o order_outcome;
    former numeric(12, 2);
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
        former := coalesce((select old_price from price_change where product_id = line.product_id
                            order by sequence desc limit 1), line.price);
        o.state := 'PR204';
        o.message := format('Product %s costs %s, more than the order accepts.', line.product_id, line.price);
        facts := facts || jsonb_build_object('old', former::text, 'new', line.price::text,
            'maxUnitPrice', line.max_price::numeric(12, 2)::text,
            'why', format('the price %s above the highest that the order accepts',
                          case when former <= line.max_price then 'rose' else 'is' end));
    end if;
    o.replayed := false;
    o.detail := facts::text;
    return o;
end $$;

-- The calls of a batch in their order, with everything that can be known before any of them is placed: a key's stored
-- reply, whether the customer is known, and the lines, summed by product; of several maxUnitPrice on one product the
-- lowest counts. Sub-selects and not joins: the plan stays the same index scans, whatever the planner estimates for
-- jsonb.
create function read_calls(calls jsonb)
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
create function sell_lines(
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

-- The reply to an order that was just placed, and its event.
create function placed_reply(
    number bigint, buyer bigint, total numeric, bought jsonb, moves jsonb, moment timestamptz
) returns json
language sql stable as $$
    select json_build_object('orderId', number, 'customerId', buyer, 'status', 'pending', 'total', total::text,
        'lines', bought, 'priceChanges', moves, 'placedAt', rfc3339(moment))
$$;

create function placed_event(buyer bigint, total numeric, bought jsonb) returns jsonb
language sql stable as $$
    select jsonb_build_object('status', 'pending', 'total', total::text, 'customerId', buyer, 'lines', bought)
$$;

-- Places orders whose stock rows are locked, one after another, each at the prices that the one before left; all lines
-- of an order or none. A refusal is an outcome, and any other error rolls back all of them. Prices and stock ledger are
-- written by the trigger, movement by movement; the rows of the orders are inserted together.
create function place_in_turn(calls jsonb, held bigint[] default '{}') returns setof order_outcome
language plpgsql as $$
declare
    moment timestamptz := pricing_now();
    call record;
    sale record;
    line wanted_line;
    o order_outcome;
    number bigint;
    sum_total numeric(24, 2);
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
            o := repeat_reply(call.stored, call.hash);
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
        orders := orders || row(number, call.buyer, 'pending', sum_total,
            coalesce(call.params ->> 'shippingAddress', ''),
                                moment, moment, call.who)::customer_order;
        events := events || row(nextval('event_outbox_event_id_seq'), pg_current_xact_id(), moment, 'order', 'insert',
            null,
            number, null, placed_event(call.buyer, sum_total, sale.bought),
            jsonb_build_object('kind', 'sale', 'orderId', number), call.who)::event_outbox;
        o.reply := placed_reply(number, call.buyer, sum_total, sale.bought, sale.moves, moment);
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

-- The lines of a batch in the calls' order, beside what the shop has of each product. Sub-selects and not joins: the
-- plan stays the same index scans, whatever the planner estimates for jsonb.
create function read_lines(calls jsonb) returns batch_line[]
language sql as $$
    select array(
        select row(l.n, l.who, l.id, l.quantity, l.max_price, (i.stands).price, (i.stands).stock - (i.stands).held,
                   i.is_open,
                   sum(l.quantity) over (partition by l.id order by l.n),
                   nextval('event_outbox_event_id_seq'), nextval('event_outbox_event_id_seq'),
                   nextval('event_outbox_event_id_seq'))::batch_line
        from (select n, coalesce(nullif(c ->> 'actor', ''), session_user) as who, (l ->> 'productId')::bigint as id,
                     sum((l ->> 'quantity')::bigint)::bigint as quantity,
                     min((l ->> 'maxUnitPrice')::numeric) as max_price
              from jsonb_array_elements(calls) with ordinality c (c, n), jsonb_array_elements(c #> '{params,lines}') l
              group by 1, 2, 3 order by 1, 3) l,
        lateral (select (select i from inventory i where i.product_id = l.id) as stands,
                        (select d.active and d.archived_at is null from product d where d.product_id = l.id) as is_open
                 offset 0) i
        order by l.n, l.id)
$$;

-- Places a batch whose stock rows are locked as one set, one update a product. Returns no row where that is not
-- possible: a refusal, a reply to repeat, or stock that does not last for all. Sales that move a price between them
-- raise in the trigger.
create function place_together(calls jsonb) returns setof order_outcome
language plpgsql as $$
declare
    moment timestamptz := pricing_now();
    lines batch_line[] := read_lines(calls);
    numbers bigint[];
    moved jsonb;
begin
    if not (
        select count(*) filter (where is_open and asked <= available and (max_price is null or price <= max_price))
            = count(*)
               and count(distinct call) = jsonb_array_length(calls)
        from unnest(lines))
       or not (
        -- Scalar sub-selects: for a join the planner would hash a whole table.
        select bool_and((select true from app_user
                         where user_id = (c #>> '{params,customerId}')::bigint and archived_at is null) is not null
                        and (select true from request_key where key = c ->> 'key') is null)
        from jsonb_array_elements(calls) c)
    then
        return;
    end if;
    numbers := array(select nextval('customer_order_order_id_seq') from generate_series(1, jsonb_array_length(calls)));
    with sold as materialized (
        select product_id, min(price) as price,
               array_agg(row(numbers[call], actor, quantity, stock_event, price_event)::unit_sale order by call)
                   as sales
        from unnest(lines) group by product_id
    ), after as (
        update inventory i set sales = s.sales
        from sold s where i.product_id = s.product_id
        returning i.product_id, s.price as old, i.price as new
    )
    select coalesce(jsonb_object_agg(product_id, new::text), '{}') into moved from after where new <> old;
    return query
    with sold as materialized (
        select numbers[call] as order_id, call, actor, sum(price * quantity)::numeric(24, 2) as total,
               calls -> call - 1 as said, max(order_event) as event_id,
               jsonb_agg(jsonb_build_object('productId', product_id, 'quantity', quantity, 'unitPrice', price::text)
                         order by product_id) as bought,
               coalesce(jsonb_agg(jsonb_build_object('productId', product_id, 'old', price::text,
                                                     'new', moved ->> product_id::text) order by product_id)
                        filter (where moved ? product_id::text), '[]') as moves
        from unnest(lines) group by call, actor
    ), placed as materialized (
        select s.*, b.customer_id, said ->> 'key' as key,
               placed_reply(order_id, b.customer_id, total, bought, moves, moment)::text as reply
        from sold s, lateral (select (said #>> '{params,customerId}')::bigint as customer_id) b order by call
    ), kept as (
        insert into customer_order (order_id, customer_id, total, shipping_address, placed_at, changed_at, actor)
        overriding system value
        select order_id, customer_id, total, coalesce(said #>> '{params,shippingAddress}', ''), moment, moment, actor
        from placed
    ), kept_lines as (
        insert into order_line (order_id, product_id, quantity, unit_price)
        select numbers[call], product_id, quantity, price from unnest(lines)
    ), kept_keys as (
        insert into request_key (key, request_hash, reply)
        select key, request_hash('order.place', said -> 'params'), reply from placed where key is not null
    ), told as (
        insert into event_outbox (event_id, at, topic, op, key, after, cause, actor)
        overriding system value
        select event_id, moment, 'order', 'insert', order_id,
               placed_event(customer_id, total, bought), jsonb_build_object('kind', 'sale', 'orderId', order_id), actor
        from placed
    )
    select reply, false, null, null, null, null from placed order by call;
end $$;

-- Locks the keys of calls before any of their replies is read, as find_reply does; not of a call that is refused
-- because its stock is locked.
create function lock_keys(calls jsonb, held bigint[]) returns void
language plpgsql as $$
begin
    perform pg_advisory_xact_lock(k.lock)
    from (select hashtextextended(c ->> 'key', 0) as lock from jsonb_array_elements(calls) c
          where held = '{}' or not exists (
              select from jsonb_path_query(c, '$.params.lines[*].productId ? (@ >= 1 && @ <= 9223372036854775807)') id
              where id::bigint = any (held))
          order by 1) k;
end $$;

-- Whether an error concerns the whole batch and not one order: the batch is then tried again or refused.
create function ends_batch(state text) returns boolean
language sql immutable as $$
    select state in ('40001', '40P01', '57014') or state like '53%' or state like '57P%'
$$;

-- Places orders in one transaction; each succeeds or fails alone, with the result that the same orders would have one
-- by one. Each element of `calls` is {"params", "key", "actor"}; each row answers one of them, with a reply or with the
-- SQLSTATE, message, detail and constraint that refused it. Unless it `waits`, an order on a row that another session
-- has locked is refused at once with 55P03, so that one locked product never delays the others. As a set where that is
-- possible, else in turn; where that raises, or a key occurs twice, each in a subtransaction. Each step looks up rows
-- by key, however many there are: plans are cached, since planning took a tenth of an order, and never scan a whole
-- table, as a plan made while the table was empty would.
create function place_orders(calls jsonb, waits boolean default true)
returns table (reply text, replayed boolean, state text, message text, detail text, broken_constraint text)
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
    size integer := jsonb_array_length(calls);
    in_turn boolean := size < 16;  -- from about 16 orders on a set is cheaper
    held bigint[];
    call jsonb;
begin
    while size = 1 or (select count(distinct c ->> 'key') = size from jsonb_array_elements(calls) c) loop
        begin
            held := lock_stock(calls, waits);
            perform lock_keys(calls, held);
            if not in_turn and held = '{}' then
                return query select * from place_together(calls);
                if found then return; end if;
            end if;
            return query select * from place_in_turn(calls, held);
            return;
        exception when others then
            if ends_batch(sqlstate) then raise; end if;
        end;
        exit when in_turn;
        in_turn := true;
    end loop;
    held := lock_stock(calls, waits);
    for call in select c from jsonb_array_elements(calls) with ordinality u (c, n) order by n loop
        begin
            perform lock_keys(jsonb_build_array(call), held);
            return query select * from place_in_turn(jsonb_build_array(call), held);
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
