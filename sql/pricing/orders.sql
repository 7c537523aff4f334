--! code
-- Placing one order: all lines or none, no unit twice, each price the one that stood under the lock.

-- Places one order of one product whose price this sale does not move: one statement that locks, one that does it all.
-- Null, with nothing written, where that is not so or the order cannot be placed as asked: place_order says the rest.
create function sell_alone(call jsonb) returns text
language plpgsql as $$
declare
    answer text;
begin
    perform pg_advisory_xact_lock(hashtextextended(call ->> 'key', 0)) from inventory
    where product_id = (call #>> '{params,lines,0,productId}')::bigint
      and jsonb_array_length(call #> '{params,lines}') = 1 and not call -> 'params' ? 'quoteId'
    for no key update skip locked;
    if not found then return null; end if;
    with said as materialized (
        select call -> 'params' as params, call ->> 'key' as key, (call #>> '{params,customerId}')::bigint as buyer,
               (call #>> '{params,lines,0,productId}')::bigint as product_id,
               (call #>> '{params,lines,0,quantity}')::bigint as units,
               (call #>> '{params,lines,0,maxUnitPrice}')::numeric as max_price,
               coalesce(nullif(call ->> 'actor', ''), session_user) as actor, pricing_now() as moment
    ), sold as (
        update inventory i set stock = i.stock - units, sales = 1
        from said
             join product d using (product_id)
        where i.product_id = said.product_id and d.active and d.archived_at is null
          and units <= i.stock - i.held and i.stock <= i.stands_to and i.stock - units >= i.stands_from
          and (max_price is null or i.price <= max_price)
          and exists (select from app_user where user_id = buyer and archived_at is null)
          and not exists (select from request_key k where k.key = said.key)
        returning said.*, i.movement_count, i.stock, i.price, (i.price * units)::numeric(24, 2) as total, d.sku,
                  nextval('customer_order_order_id_seq') as order_id
    ), recorded as (
        insert into stock_movement (product_id, sequence, transaction_id, change_id, kind, quantity, stock_after,
                                    order_id, ends_order, actor, at)
        select product_id, movement_count, current_transaction(), nextval('change_number'), 'sale', -units, stock,
               order_id, true, actor, moment
        from sold
    ), kept_line as (
        insert into order_line (order_id, product_id, quantity, unit_price)
        select order_id, product_id, units, price from sold
    ), kept_key as (
        insert into request_key (key, request_hash, order_id)
        select key, request_hash('order.place', params), order_id from sold where key is not null
    ), kept as (
        insert into customer_order (order_id, customer_id, total, shipping_address, placed_at, changed_at, actor)
        overriding system value
        select order_id, buyer, total, coalesce(params ->> 'shippingAddress', ''), moment, moment, actor from sold
    )
    select placed_reply(order_id, buyer, total, jsonb_build_array(jsonb_build_object(
               'productId', product_id, 'sku', sku, 'quantity', units, 'unitPrice', price::text)), '[]', moment)
    into answer from sold;
    return answer;
end $$;

-- Takes the lines of one order out of stock, each at the price that stands, and keeps the order. Where no price can
-- move, all of it is one statement.
create function sell_lines(
    params jsonb, request_key text, hash bytea, who text, lines wanted_line[], moment timestamptz, quoted jsonb
) returns text
language plpgsql as $$
declare
    number bigint := nextval('customer_order_order_id_seq');
    buyer bigint := (params ->> 'customerId')::bigint;
    line wanted_line;
    last bigint := (lines[cardinality(lines)]).product_id;
    prices_stand boolean := true;
    transaction bigint := current_transaction();
    total numeric(24, 2) := 0;
    price_after numeric(12, 2);
    bought jsonb := '[]';
    moves jsonb := '[]';
begin
    if quoted is not null then
        update quote set status = 'ordered', order_id = number where quote_id = (params ->> 'quoteId')::bigint;
    end if;
    foreach line in array lines loop
        total := total + line.unit_price * line.quantity;
        prices_stand := prices_stand and line.is_calm is true;
        bought := bought || jsonb_build_object('productId', line.product_id, 'sku', line.sku,
                                               'quantity', line.quantity, 'unitPrice', line.unit_price::text);
    end loop;
    if not prices_stand then
        foreach line in array lines loop
            update inventory set stock = stock - line.quantity, cause = row('sale', who, '', number)::movement_cause,
                ends_order = line.product_id = last
            where product_id = line.product_id returning price into price_after;
            if price_after <> line.price then
                moves := moves || jsonb_build_object('productId', line.product_id, 'sku', line.sku,
                                                     'old', line.price::text, 'new', price_after::text);
            end if;
        end loop;
    end if;
    with sold as (
        update inventory i set stock = i.stock - l.quantity, sales = 1
        from (select l.*, nextval('change_number') as change_id from unnest(lines) l where prices_stand offset 0) l
        where i.product_id = l.product_id
        returning i.product_id, i.movement_count, i.stock, l.quantity, l.change_id
    ), recorded as (
        insert into stock_movement (product_id, sequence, transaction_id, change_id, kind, quantity, stock_after,
                                    order_id, ends_order, actor, at)
        select product_id, movement_count, transaction, change_id, 'sale', -quantity, stock, number,
               product_id = last, who, moment
        from sold
    ), kept_lines as (
        insert into order_line (order_id, product_id, quantity, unit_price)
        select number, product_id, quantity, unit_price from unnest(lines)
    ), kept_key as (
        insert into request_key (key, request_hash, order_id)
        select sell_lines.request_key, hash, number where sell_lines.request_key is not null
    )
    insert into customer_order (order_id, customer_id, total, shipping_address, placed_at, changed_at, actor)
    overriding system value
    values (number, buyer, total, coalesce(params ->> 'shippingAddress', ''), moment, moment, who);
    if quoted is not null then  -- what the quote held besides is free again
        perform count_signal(array(select (q ->> 'productId')::bigint from jsonb_array_elements(quoted) q
                                   except select product_id from unnest(lines)), 'available', number);
    end if;
    return placed_reply(number, buyer, total, bought, moves, moment)::text;
end $$;

-- Places an order whose key and stock rows are locked, but for those that are `held`, at the prices that stand; all its
-- lines or none. A refusal is an outcome.
create function place_order(call jsonb, held bigint[]) returns order_outcome
language plpgsql as $$
declare
    params jsonb := call -> 'params';
    hash bytea := case when call ? 'key' then request_hash('order.place', coalesce(call -> 'sent', params)) end;
    known record;
    lines wanted_line[];
    refusal record;
    o order_outcome;
begin
    select (select k from request_key k where k.key = call ->> 'key') as request,
           (select true from app_user
            where user_id = (params ->> 'customerId')::bigint and archived_at is null) as buyer
    into known;
    if (known.request).key is not null then return repeat_reply(known.request, hash); end if;
    o.replayed := false;
    if call ? 'refused' then return jsonb_populate_record(o, call -> 'refused'); end if;
    lines := read_order(params);
    if lines = '{}' and not params ? 'quoteId' then
        o.state := 'PR602';
        o.message := '/lines: is missing.';
        o.detail := '{"violations": [{"path": "/lines", "rule": "required", "message": "is missing"}]}';
        return o;
    end if;
    if (call ->> 'isContended')::boolean
        or held <> '{}' and exists (select from unnest(lines) l where l.product_id = any (held)) then
        o.state := '55P03';
        o.message := 'another transaction holds the stock of a product';
        return o;
    elsif known.buyer is null then
        o.state := 'PR401';
        o.message := format('There is no user %s.', params ->> 'customerId');
        o.detail := jsonb_build_object('userId', params -> 'customerId');
        return o;
    end if;
    if params ? 'quoteId' then
        refusal := refuse_quoted(params, call -> 'quoted', lines);
        if refusal.state is not null then
            o.state := refusal.state;
            o.message := refusal.message;
            o.detail := refusal.detail;
            return o;
        end if;
        lines := quoted_lines(lines, call -> 'quoted');
    end if;
    o := refuse_lines(lines);
    if o.state is not null then
        lines := reclaim_lines(lines, (params ->> 'customerId')::bigint);
        o := refuse_lines(lines);
        if o.state is not null then return o; end if;
    end if;
    o.replayed := false;
    o.reply := sell_lines(params, call ->> 'key', hash, coalesce(nullif(call ->> 'actor', ''), session_user), lines,
                          pricing_now(), call -> 'quoted');
    return o;
end $$;

-- Places orders one after another, each at the prices that the one before left. A refusal is an outcome, and any other
-- error rolls back all of them.
create function place_in_turn(calls jsonb, held bigint[] default '{}') returns setof order_outcome
language plpgsql as $$
declare
    call jsonb;
begin
    for call in select c from jsonb_array_elements(calls) with ordinality u (c, n) order by n loop
        return next place_order(call, held);
    end loop;
end $$;
