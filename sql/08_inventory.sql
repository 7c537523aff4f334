--! repeatable
-- Stock: what is on hand, what may be sold, and every movement that made it so.

create or replace function stock_level(stock integer, low integer, high integer) returns text
language sql immutable as $$
    select case when stock <= low then 'LOW' when stock >= high then 'HIGH' else 'NORMAL' end
$$;

-- Keeps a product's shelf at its price and its stock level, which an archived one has not; `is_new` without looking.
create or replace function keep_shelf(declared product, i inventory, is_new boolean) returns void
language plpgsql as $$
declare
    level_now text := case when declared.archived_at is null
                           then stock_level(i.stock, declared.low_stock, declared.high_stock) end;
begin
    if is_new then
        insert into shelf (product_id, price, level) values (i.product_id, i.price, level_now);
    else
        update shelf set price = i.price, level = level_now
        where product_id = i.product_id and (price, level) is distinct from (i.price, level_now);
    end if;
end $$;

create or replace function inventory_json(d product, i inventory) returns json
language sql stable as $$
    select json_build_object('productId', i.product_id, 'title', d.title, 'stock', i.stock, 'held', i.held,
        'available', i.stock - i.held, 'lowStock', d.low_stock, 'highStock', d.high_stock,
        'level', stock_level(i.stock, d.low_stock, d.high_stock), 'price', i.price::text,
        'lastRestockAt', rfc3339(i.last_restock_at))
$$;

create or replace function get_inventory(p jsonb) returns json
language plpgsql stable as $$
declare
    d product := find_product((p ->> 'productId')::bigint);
    i inventory;
begin
    select * into i from inventory where product_id = d.product_id;
    return inventory_json(d, i);
end $$;

-- As read_products.
create or replace function read_inventories(ids bigint[]) returns table (id bigint, reply text)
language plpgsql stable set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
    return query select product_id, inventory_json(d, i)::text from product d join inventory i using (product_id)
    where product_id = any (ids);
end $$;

-- By id; of one level by that level's own index, whatever a prepared plan would have made of it.
create or replace function list_inventory(p jsonb) returns json
language plpgsql stable as $$
declare
    rows json[];
begin
    execute $query$
        select array(
            select json_build_object('cursor', d.product_id::text, 'item', inventory_json(d, i))
            from shelf s join product d using (product_id) join inventory i using (product_id)
            where s.product_id > coalesce(($1 ->> 'cursor')::bigint, 0) and s.level is not null
              and ($1 ->> 'level' is null or s.level = $1 ->> 'level')
            order by s.product_id limit page_size($1) + 1)
        $query$ into rows using p;
    return as_page(rows, page_size(p));
end $$;

create or replace function list_low_stock(p jsonb) returns json
language sql stable as $$
    select list_inventory(p || '{"level": "LOW"}')
$$;

create or replace function list_movements(p jsonb) returns json
language plpgsql stable as $$
declare
    d product := find_product((p ->> 'productId')::bigint);
begin
    return as_page(array(
        select json_build_object('cursor', m.sequence::text, 'item', json_build_object(
            'sequence', m.sequence, 'kind', m.kind, 'quantity', m.quantity, 'stockAfter', m.stock_after,
            'orderId', m.order_id, 'reason', m.reason, 'actor', m.actor, 'at', rfc3339(m.at)))
        from stock_movement m
        where m.product_id = d.product_id
          and m.sequence < coalesce((p ->> 'cursor')::bigint, 9223372036854775807)
        order by m.sequence desc limit page_size(p) + 1), page_size(p));
end $$;

-- Moves one product's stock and says what that did to its price.
create or replace function move_stock(id bigint, change integer, why movement_cause) returns json
language plpgsql as $$
declare
    d product := find_open_product(id);
    was inventory;
    i inventory;
begin
    select * into was from inventory where product_id = id for no key update;
    if was.stock - was.held::bigint + change < 0 then
        perform fail('PR201', format('Only %s of product %s are available.', was.stock - was.held, id),
            jsonb_build_object('productId', id, 'requested', -change, 'available', was.stock - was.held));
    end if;
    if change = 0 then
        perform fail('PR602', 'A movement of no units is none.',
            '{"violations": [{"path": "/quantity", "rule": "not zero", "message": "must not be zero"}]}');
    end if;
    if was.stock::bigint + change > 2147483647 then
        perform fail('PR602', 'The stock would pass 2147483647.',
            '{"violations": [{"path": "/quantity", "rule": "maximum", "message": "stock would pass 2147483647"}]}');
    end if;
    update inventory set stock = stock + change, cause = why where product_id = id returning * into i;
    return json_build_object('productId', id, 'stock', i.stock, 'available', i.stock - i.held,
        'priceBefore', was.price::text, 'priceAfter', i.price::text,
        'price', json_build_object('before', was.price::text, 'after', i.price::text));
end $$;

-- Goods are on their way. The product's row hears of the earliest arrival, which `restock` prices by.
create or replace function expect_inventory(p jsonb) returns json
language plpgsql as $$
declare
    d product := find_open_product((p ->> 'productId')::bigint);
    e expectation;
begin
    if (p ->> 'eta')::timestamptz <= pricing_now() then
        perform fail('PR602', 'Goods cannot be expected in the past.', jsonb_build_object('violations', jsonb_build_array(
            jsonb_build_object('path', '/eta', 'rule', 'future', 'message', 'must lie in the future',
                               'got', p ->> 'eta'))));
    end if;
    insert into expectation (product_id, quantity, eta, reason, actor, created_at)
    values (d.product_id, (p ->> 'quantity')::integer, (p ->> 'eta')::timestamptz, coalesce(p ->> 'reason', ''),
            acting(), pricing_now())
    returning * into e;
    perform refresh_eta(d.product_id, row('expect', null, p ->> 'reason', null)::movement_cause);
    return json_build_object('expectationId', e.expectation_id, 'productId', e.product_id, 'quantity', e.quantity,
        'eta', rfc3339(e.eta));
end $$;

create or replace function list_expectations(p jsonb) returns json
language sql stable as $$
    select as_page(array(
        select json_build_object('cursor', json_build_array(e.eta, e.expectation_id)::text, 'item', json_build_object(
            'expectationId', e.expectation_id, 'productId', e.product_id, 'quantity', e.quantity, 'eta', rfc3339(e.eta),
            'reason', e.reason, 'actor', e.actor))
        from expectation e
        where e.closed_at is null and (p ->> 'productId' is null or e.product_id = (p ->> 'productId')::bigint)
          and (p ->> 'cursor' is null or (e.eta, e.expectation_id) >
               (((p ->> 'cursor')::jsonb ->> 0)::timestamptz, ((p ->> 'cursor')::jsonb ->> 1)::bigint))
        order by e.eta, e.expectation_id limit page_size(p) + 1), page_size(p))
$$;

-- Tells the product's row the earliest arrival that is still open, and has its price evaluated.
create or replace function refresh_eta(id bigint, why movement_cause) returns void
language sql as $$
    update inventory set cause = why,
        next_eta = (select min(eta) from expectation where product_id = id and closed_at is null)
    where product_id = id
$$;

-- Closes an expectation whose goods came: PR602 unless it is an open one of this product.
create or replace function close_expectation(p jsonb) returns void
language plpgsql as $$
begin
    update expectation set closed_at = pricing_now()
    where expectation_id = (p ->> 'expectationId')::bigint and product_id = (p ->> 'productId')::bigint
      and closed_at is null;
    if not found then
        perform fail('PR602', format('Expectation %s is not an open one of product %s.', p ->> 'expectationId',
                                     p ->> 'productId'),
            jsonb_build_object('violations', jsonb_build_array(jsonb_build_object('path', '/expectationId',
                'rule', 'open', 'message', 'must be an open expectation of this product',
                'got', p -> 'expectationId'))));
    end if;
    update inventory set next_eta = (select min(eta) from expectation
                                     where product_id = (p ->> 'productId')::bigint and closed_at is null)
    where product_id = (p ->> 'productId')::bigint;
end $$;

-- Goods came in; with an expectation, those that were expected.
create or replace function restock_inventory(p jsonb) returns json
language plpgsql as $$
begin
    perform find_open_product((p ->> 'productId')::bigint);
    if p ? 'expectationId' then perform close_expectation(p); end if;
    return move_stock((p ->> 'productId')::bigint, (p ->> 'quantity')::integer,
                      row('restock', null, p ->> 'reason', null)::movement_cause);
end $$;

create or replace function adjust_inventory(p jsonb) returns json
language sql as $$
    select move_stock((p ->> 'productId')::bigint, (p ->> 'quantity')::integer,
                      row('adjust', null, p ->> 'reason', null)::movement_cause)
$$;
