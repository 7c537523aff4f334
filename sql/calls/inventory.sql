--! code
-- Stock: what is on hand, what may be sold, and every movement that made it so.

create function inventory_json(d product, i inventory) returns json
language sql stable as $$
    select json_build_object('productId', i.product_id, 'sku', d.sku, 'title', d.title, 'stock', i.stock,
        'held', i.held, 'available', i.stock - i.held, 'lowStock', d.low_stock, 'highStock', d.high_stock,
        'level', stock_level(i.stock, d.low_stock, d.high_stock), 'price', i.price::text,
        'lastRestockAt', rfc3339(i.last_restock_at))
$$;

create function inventory_get(p jsonb) returns json
language plpgsql stable as $$
declare
    d product := find_product((p ->> 'productId')::bigint);
    i inventory;
begin
    select * into i from inventory where product_id = d.product_id;
    return inventory_json(d, i);
end $$;

-- As read_products.
create function read_inventories(ids bigint[]) returns table (id bigint, reply text)
language plpgsql stable set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
    return query select product_id, inventory_json(d, i)::text from product d join inventory i using (product_id)
    where product_id = any (ids);
end $$;

-- By id; for one level through that level's own index, whichever plan a prepared statement would use.
create function page_inventory(list text, p jsonb, level text) returns json
language plpgsql stable as $$
declare
    after bigint := (open_cursor(list, p) ->> 0)::bigint;
    rows json[];
begin
    execute $query$
        select array(
            select json_build_object('cursor', json_build_array(d.product_id), 'item', inventory_json(d, i))
            from shelf s join product d using (product_id) join inventory i using (product_id)
            where s.product_id > coalesce($2, 0) and s.level is not null and ($3 is null or s.level = $3)
            order by s.product_id limit page_size($1) + 1)
        $query$ into rows using p, after, level;
    return as_page(list, p, rows);
end $$;

create function inventory_list(p jsonb) returns json
language sql stable as $$
    select page_inventory('inventory.list', p, p ->> 'level')
$$;

create function inventory_low_stock(p jsonb) returns json
language sql stable as $$
    select page_inventory('inventory.lowStock', p, 'LOW')
$$;

create function inventory_movements(p jsonb) returns json
language plpgsql stable as $$
declare
    d product := find_product((p ->> 'productId')::bigint);
    before bigint := (open_cursor('inventory.movements', p) ->> 0)::bigint;
begin
    return as_page('inventory.movements', p, array(
        select json_build_object('cursor', json_build_array(m.sequence), 'item', json_build_object(
            'productId', d.product_id, 'sku', d.sku, 'sequence', m.sequence, 'kind', m.kind,
            'quantity', m.quantity, 'stockAfter', m.stock_after, 'orderId', m.order_id, 'reason', m.reason,
            'actor', m.actor, 'at', rfc3339(m.at)))
        from stock_movement m
        where m.product_id = d.product_id
          and m.sequence < coalesce(before, 9223372036854775807)
        order by m.sequence desc limit page_size(p) + 1));
end $$;

-- Goods are on their way; with an expectationId, that expectation is changed where a value is given. The product's row
-- stores the earliest arrival, which `restock` prices by.
create function inventory_expect(p jsonb) returns json
language plpgsql as $$
declare
    e expectation;
    missing text;
begin
    if not p ? 'expectationId' then
        select name into missing from unnest(array['productId', 'quantity', 'eta']) with ordinality u (name, n)
        where not p ? name order by n limit 1;
        if missing is not null then perform refuse_delivery('/' || missing, 'required', 'is missing'); end if;
        perform find_open_product((p ->> 'productId')::bigint);
    end if;
    if (p ->> 'eta')::timestamptz <= pricing_now() then
        perform refuse_delivery('/eta', 'future', 'must lie in the future', p -> 'eta');
    end if;
    if p ? 'expectationId' then
        e := find_expectation(p);
        if (p ->> 'quantity')::bigint <= e.received then
            perform refuse_delivery('/quantity', 'minimum',
                format('must be more than the %s that have come; inventory.unexpect expects no more', e.received),
                p -> 'quantity');
        end if;
        update expectation set quantity = coalesce((p ->> 'quantity')::integer, quantity),
            eta = coalesce((p ->> 'eta')::timestamptz, eta), reason = coalesce(p ->> 'reason', reason), actor = acting()
        where expectation_id = e.expectation_id returning * into e;
    else
        insert into expectation (product_id, quantity, eta, reason, actor, created_at)
        values ((p ->> 'productId')::bigint, (p ->> 'quantity')::integer, (p ->> 'eta')::timestamptz,
                coalesce(p ->> 'reason', ''), acting(), pricing_now())
        returning * into e;
    end if;
    return expectation_json(e);
end $$;

-- Closes an expectation: what has not come is no longer expected.
create function inventory_unexpect(p jsonb) returns json
language plpgsql as $$
declare
    e expectation := find_expectation(p);
begin
    update expectation set closed_at = pricing_now(), closed_reason = coalesce(nullif(p ->> 'reason', ''), 'cancelled')
    where expectation_id = e.expectation_id returning * into e;
    return expectation_json(e);
end $$;

create function inventory_expectations(p jsonb) returns json
language sql stable as $$
    select as_page('inventory.expectations', p, array(
        select json_build_object('cursor', json_build_array(e.eta, e.expectation_id), 'item', expectation_json(e))
        from expectation e, (select open_cursor('inventory.expectations', p) as place) after
        where e.closed_at is null and (p ->> 'productId' is null or e.product_id = (p ->> 'productId')::bigint)
          and (place is null or (e.eta, e.expectation_id) > ((place ->> 0)::timestamptz, (place ->> 1)::bigint))
        order by e.eta, e.expectation_id limit page_size(p) + 1))
$$;

-- Goods came in; with an expectation they count towards it, in part, in full or beyond it.
create function inventory_restock(p jsonb) returns json
language plpgsql as $$
declare
    id bigint := (p ->> 'productId')::bigint;
    units integer := (p ->> 'quantity')::integer;
    e expectation;
    is_complete boolean;
    moved jsonb;
begin
    perform find_open_product(id);
    if not p ? 'expectationId' then
        return move_stock(id, units, row('restock', null, p ->> 'reason', null)::movement_cause);
    end if;
    e := find_expectation(p);
    is_complete := e.received + units >= e.quantity;
    moved := move_stock(id, units, row('restock', null, concat_ws(': ', 'expectation ' || e.expectation_id,
                            nullif(p ->> 'reason', '')), null)::movement_cause,
                        true, earliest_eta(id, case when is_complete then e.expectation_id end));
    update expectation set received = received + units, closed_at = case when is_complete then pricing_now() end,
        closed_reason = case when is_complete then 'received' end
    where expectation_id = e.expectation_id returning * into e;
    return moved || jsonb_build_object('expectation', expectation_json(e));
end $$;

-- Sets a product's stock to what was counted, as an adjustment; `moved` is null when it is that already.
create function count_stock(id bigint, counted integer, reason text, out difference integer, out moved json)
language plpgsql as $$
begin
    select counted - stock into difference from inventory where product_id = id for no key update;
    if difference <> 0 then
        moved := move_stock(id, difference, row('adjust', null, reason, null)::movement_cause);
    end if;
end $$;

-- A stock-take: what was counted of many products, and where that differs from what was thought.
create function inventory_count(p jsonb) returns json
language plpgsql as $$
declare
    repeated bigint;
    line record;
    c record;
    differences json[] := '{}';
begin
    select n - 1 into repeated
    from (select n, row_number() over (partition by r ->> 'productId' order by n) as place
          from jsonb_array_elements(p -> 'rows') with ordinality u (r, n)) u
    where place > 1 order by n limit 1;
    if repeated is not null then
        perform fail('PR602', format('/rows/%s: a row before it counts this product.', repeated),
            jsonb_build_object('violations', jsonb_build_array(jsonb_build_object('path', '/rows/' || repeated,
                'rule', 'unique', 'message', 'a row before it counts this product'))));
    end if;
    for line in select find_open_product((r ->> 'productId')::bigint) as d, (r ->> 'stock')::integer as counted
                from jsonb_array_elements(p -> 'rows') r order by (r ->> 'productId')::bigint loop
        c := count_stock((line.d).product_id, line.counted, coalesce(p ->> 'reason', 'stock-take'));
        continue when c.moved is null;
        differences := differences || json_build_object('productId', (line.d).product_id, 'sku', (line.d).sku,
            'title', (line.d).title, 'old', line.counted - c.difference, 'new', line.counted,
            'difference', c.difference, 'priceBefore', c.moved ->> 'priceBefore',
            'priceAfter', c.moved ->> 'priceAfter');
    end loop;
    return json_build_object('counted', jsonb_array_length(p -> 'rows'), 'differences', to_json(differences));
end $$;

create function inventory_adjust(p jsonb) returns json
language sql as $$
    select move_stock((p ->> 'productId')::bigint, (p ->> 'quantity')::integer,
                      row('adjust', null, p ->> 'reason', null)::movement_cause)
$$;
