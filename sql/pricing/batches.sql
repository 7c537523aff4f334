--! code
-- Placing orders together. A batch gives what its orders give one by one: those that move no price as one set, the rest
-- in turn, each alone where that raises.

-- Whether the posted price stands, and all that the trigger keeps, once some units are sold that lead out of the stocks
-- at which it is known to.
create function stands_after(id bigint, units numeric) returns boolean
language plpgsql stable as $$
declare
    i inventory;
    declared product;
    chosen rule;
begin
    select * into i from inventory where product_id = id;
    if i.stands_from is null or i.stock = units then return false; end if;
    select * into declared from product where product_id = id;
    select * into chosen from rule where rule_id = declared.rule_id;
    return stands_at(declared, chosen, i, (i.stock - units)::integer);
end $$;

-- The lines of a batch in the calls' order, beside what the shop has of each product. Lookups that cannot be flattened:
-- the plan stays the same index scans, whatever the planner estimates for jsonb.
create function read_lines(calls jsonb) returns batch_line[]
language plpgsql as $$
begin
    return array(
        select row(l.n, l.product_id, l.quantity, l.price,
                   l.is_sold and l.units <= l.stock - l.held
                   and case when l.stock <= l.stands_to and l.stock - l.units >= l.stands_from then true
                            else stands_after(l.product_id, l.units) end,
                   l.sku, l.is_new)::batch_line
        from (
            select l.*, i.*, d.sku, sum(l.quantity) over same as units,
                   bool_and(d.is_open and not l.is_quoted and (l.max_price is null or i.price <= l.max_price)) over same
                       as is_sold
            from (select n, is_new, is_quoted, (l ->> 'productId')::bigint as product_id,
                         sum((l ->> 'quantity')::bigint)::bigint as quantity,
                         min((l ->> 'maxUnitPrice')::numeric) as max_price
                  from (select n, c, c -> 'params' ? 'quoteId' as is_quoted,
                               (select true from app_user where user_id = (c #>> '{params,customerId}')::bigint
                                                            and archived_at is null)
                               and not coalesce((select true from request_key where key = c ->> 'key'), false) as is_new
                        from jsonb_array_elements(calls) with ordinality c (c, n) offset 0) c,
                       jsonb_array_elements(c #> '{params,lines}') l
                  group by 1, 2, 3, 4) l
                 left join lateral (select price, stock, held, stands_from, stands_to from inventory i
                                    where i.product_id = l.product_id offset 0) i on true
                 left join lateral (select sku, active and archived_at is null as is_open from product d
                                    where d.product_id = l.product_id offset 0) d on true
            window same as (partition by l.product_id)) l
        order by l.n, l.product_id);
end $$;

-- Which calls of a batch can be placed as one set, in any order beside the others: none is under a quote, and all their
-- products stand at prices that no sale of this batch moves, and have stock for all. A call on a product that is not so
-- takes its other products with it. Calls that will be refused or repeated whatever the stock are not among them, and
-- move nothing.
create function calm_calls(lines batch_line[], held bigint[]) returns integer[]
language plpgsql as $$
declare
    unsettled bigint[] := held || array(select distinct product_id from unnest(lines) l where is_calm is not true);
    together integer[];
    more bigint[];
begin
    if unsettled = '{}' then return array(select distinct call from unnest(lines) l where is_new); end if;
    loop
        together := array(
            select call from unnest(lines) l group by call having not array_agg(product_id) && unsettled);
        more := array(select distinct product_id from unnest(lines) l
                      where call <> all (together) and product_id <> all (unsettled));
        exit when more = '{}';
        unsettled := unsettled || more;
    end loop;
    return array(select distinct call from unnest(lines) l where is_new and call = any (together));
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
        select n::integer as call, nextval('customer_order_order_id_seq') as order_id, said,
               coalesce(nullif(said ->> 'actor', ''), session_user) as actor
        from jsonb_array_elements(calls) with ordinality c (said, n) where n = any (together)
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
    together integer[] := calm_calls(lines, held);
begin
    if cardinality(together) = jsonb_array_length(calls) then
        return query select t.reply, false, null::text, null::text, null::text, null::text
                     from place_together(calls, lines, together) t order by t.call;
        return;
    end if;
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
    if size = 1 and not named then
        reply := sell_alone(calls -> 0);
        if reply is not null then
            replayed := false;
            return next;
            return;
        end if;
    end if;
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
