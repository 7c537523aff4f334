--! code
-- Placing orders: all lines or none, no unit twice, each price the one that stood under the lock. A batch gives what
-- its orders give one by one: those that move no price as one set, the rest in turn, each alone where that raises.

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

-- Whether the posted price stands, and all that the trigger keeps, once some units are sold.
create function stands_after(i inventory, units numeric) returns boolean
language plpgsql stable as $$
declare
    declared product;
    chosen rule;
begin
    if i.stock <= i.stands_to and i.stock - units >= i.stands_from then return true; end if;
    if i.stands_from is null or i.stock = units then return false; end if;
    select * into declared from product where product_id = i.product_id;
    select * into chosen from rule where rule_id = declared.rule_id;
    return stands_at(declared, chosen, i, (i.stock - units)::integer);
end $$;

-- The lines of a batch in the calls' order, beside what the shop has of each product. Sub-selects and not joins: the
-- plan stays the same index scans, whatever the planner estimates for jsonb.
create function read_lines(calls jsonb) returns batch_line[]
language plpgsql as $$
begin
    return (
    select array_agg(row(l.n, l.product_id, l.quantity, l.price, l.is_calm, l.sku)::batch_line
                     order by l.n, l.product_id)
    from (
        select l.n, l.product_id, l.quantity, (l.i).price, (l.d).sku,
               bool_and((l.max_price is null or (l.i).price <= l.max_price) and (l.d).is_open) over same
               and sum(l.quantity) over same <= (l.i).stock - (l.i).held
               and stands_after((l.i), sum(l.quantity) over same) as is_calm
        from (select l.*, (select i from inventory i where i.product_id = l.product_id) as i,
                     (select row(null, null, null, null, null, active and archived_at is null, sku, null, null)
                          ::wanted_line from product d where d.product_id = l.product_id) as d
              from (select n, (l ->> 'productId')::bigint as product_id,
                           sum((l ->> 'quantity')::bigint)::bigint as quantity,
                           min((l ->> 'maxUnitPrice')::numeric) as max_price
                    from jsonb_array_elements(calls) with ordinality c (c, n),
                         jsonb_array_elements(c #> '{params,lines}') l
                    group by 1, 2) l offset 0) l
        window same as (partition by l.product_id)) l);
end $$;

-- Which calls of a batch can be placed as one set, in any order beside the others: none is under a quote, and all their
-- products stand at prices that no sale of this batch moves, and have stock for all. A call on a product that is not so
-- takes its other products with it. Calls that will be refused or repeated whatever the stock are not among them, and
-- move nothing.
create function calm_calls(calls jsonb, lines batch_line[], held bigint[]) returns integer[]
language plpgsql as $$
declare
    has_quotes boolean := calls @? '$[*].params.quoteId';
    unsettled bigint[] := array(
        select distinct product_id from unnest(lines) l
        where is_calm is not true or has_quotes and calls -> l.call - 1 -> 'params' ? 'quoteId');
    together integer[];
    more bigint[];
begin
    loop
        together := array(
            select n from unnest(lines) l (n) group by n
            having not array_agg(product_id) && (unsettled || held));
        exit when unsettled = '{}';
        more := array(select distinct product_id from unnest(lines) l
                      where l.call <> all (together) and product_id <> all (unsettled || held));
        exit when more = '{}';
        unsettled := unsettled || more;
    end loop;
    -- Scalar sub-selects: for a join the planner would hash a whole table.
    return array(
        select n from unnest(together) n
        where (select true from app_user
               where user_id = (calls -> n - 1 #>> '{params,customerId}')::bigint and archived_at is null)
          and not coalesce((select true from request_key where key = calls -> n - 1 ->> 'key'), false));
end $$;

-- Places calls of a batch whose stock rows are locked as one set: one update a product, within the stocks at which its
-- price stands.
create function place_together(calls jsonb, lines batch_line[], together integer[])
returns table (call integer, reply text)
language plpgsql as $$
declare
    moment timestamptz := pricing_now();
    transaction bigint := current_transaction();
begin
    return query
    with placed as materialized (
        select n as call, nextval('customer_order_order_id_seq') as order_id, calls -> n - 1 as said,
               coalesce(nullif(calls -> n - 1 ->> 'actor', ''), session_user) as actor
        from (select n from unnest(together) n order by n) c
    ), line as materialized (
        -- Numbers are drawn in the calls' order, above what sorts by product.
        select l.*, nextval('change_number') as change_id
        from (select l.*, p.order_id, p.actor,
                     sum(l.quantity) over (partition by l.product_id order by l.call desc) - l.quantity as sold_later,
                     count(*) over (partition by l.product_id order by l.call desc) - 1 as lines_later
              from unnest(lines) l join placed p using (call) order by l.call, l.product_id) l
    ), moved as (
        update inventory i set stock = i.stock - s.units, sales = s.sales
        from (select product_id, sum(quantity) as units, count(*) as sales from line group by 1) s
        where i.product_id = s.product_id
        returning i.product_id, i.stock, i.movement_count
    ), recorded as (
        insert into stock_movement (product_id, sequence, transaction_id, change_id, kind, quantity, stock_after,
                                    order_id, ends_order, actor, at)
        select product_id, movement_count - lines_later, transaction, change_id, 'sale', -quantity,
               stock + sold_later, order_id,
               row_number() over (partition by line.call order by product_id desc) = 1, actor, moment
        from line join moved using (product_id)
    ), kept_lines as (
        insert into order_line (order_id, product_id, quantity, unit_price)
        select order_id, product_id, quantity, price from line
    ), whole as materialized (
        select p.call, p.order_id, (p.said #>> '{params,customerId}')::bigint as customer_id, p.said, p.actor,
               l.total, l.bought
        from placed p join (
            -- Sorted before, since an aggregate that sorts pays for it once a group.
            select s.call, sum(price * quantity)::numeric(24, 2) as total, jsonb_agg(jsonb_build_object(
                       'productId', product_id, 'sku', sku, 'quantity', quantity, 'unitPrice', price::text)) as bought
            from (select * from line order by line.call, product_id) s group by s.call) l using (call)
    ), kept as (
        insert into customer_order (order_id, customer_id, total, shipping_address, placed_at, changed_at, actor)
        overriding system value
        select order_id, customer_id, total, coalesce(said #>> '{params,shippingAddress}', ''), moment, moment, actor
        from whole
    ), kept_keys as (
        insert into request_key (key, request_hash, order_id)
        select said ->> 'key', request_hash('order.place', coalesce(said -> 'sent', said -> 'params')), order_id
        from whole
        where said ? 'key'
    )
    select w.call, placed_reply(order_id, customer_id, total, bought, '[]', moment)::text from whole w;
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

-- The outcomes of a batch whose keys differ, in the calls' order: what stands on calm prices as one set, the rest in
-- turn.
create function place_all(calls jsonb, held bigint[]) returns setof order_outcome
language plpgsql as $$
declare
    lines batch_line[] := read_lines(calls);
    together integer[] := calm_calls(calls, lines, held);
begin
    return query
    with rest as materialized (
        select array_agg(n::integer order by n) as numbers, jsonb_agg(c order by n) as calls
        from jsonb_array_elements(calls) with ordinality u (c, n) where n <> all (together)
    )
    select o.reply, o.replayed, o.state, o.message, o.detail, o.broken from (
        select numbers[place] as call, t.reply, t.replayed, t.state, t.message, t.detail, t.broken
        from rest, place_in_turn(rest.calls, held) with ordinality
            t (reply, replayed, state, message, detail, broken, place) where rest.calls is not null
        union all
        select t.call, t.reply, false, null, null, null, null from place_together(calls, lines, together) t
        where together <> '{}') o
    order by o.call;
end $$;

-- Places orders in one transaction; each succeeds or fails alone, with the result that the same orders would have one
-- by one. Each element of `calls` is {"params", "key", "actor"}, `named` when names stand for ids in some of them; each
-- row answers one of them, with a reply or with the SQLSTATE, message, detail and constraint that refused it. Unless it
-- `waits`, an order on a row that another session has locked is refused at once with 55P03, so that one locked product
-- never delays the others. Where a batch raises, or a key occurs twice in it, each order is placed in a subtransaction;
-- what a single order raises is its caller's. Each step looks up rows by key, however many there are: plans are cached,
-- since planning took a tenth of an order, and never scan a whole table, as one made while the table was empty would.
create function place_orders(calls jsonb, waits boolean default true, named boolean default false)
returns table (reply text, replayed boolean, state text, message text, detail text, broken_constraint text)
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
    size integer := jsonb_array_length(calls);
    held bigint[];
    call jsonb;
begin
    if named then calls := resolve_orders(calls); end if;
    if calls @? '$[*].params.quoteId' then calls := read_quotes(calls, waits); end if;
    held := lock_stock(calls, waits);
    perform lock_keys(calls, held);
    if size = 1 then
        return query select * from place_order(calls -> 0, held);
        return;
    end if;
    if (select count(distinct c ->> 'key') = size from jsonb_array_elements(calls) c) then
        begin
            return query select * from place_all(calls, held);
            return;
        exception when others then
            if ends_batch(sqlstate) then raise; end if;
        end;
    end if;
    for call in select c from jsonb_array_elements(calls) with ordinality u (c, n) order by n loop
        begin
            return query select * from place_order(call, held);
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
