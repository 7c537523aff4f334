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
create or replace function page_inventory(list text, p jsonb, level text) returns json
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

create or replace function list_inventory(p jsonb) returns json
language sql stable as $$
    select page_inventory('inventory.list', p, p ->> 'level')
$$;

create or replace function list_low_stock(p jsonb) returns json
language sql stable as $$
    select page_inventory('inventory.lowStock', p, 'LOW')
$$;

create or replace function list_movements(p jsonb) returns json
language plpgsql stable as $$
declare
    d product := find_product((p ->> 'productId')::bigint);
    before bigint := (open_cursor('inventory.movements', p) ->> 0)::bigint;
begin
    return as_page('inventory.movements', p, array(
        select json_build_object('cursor', json_build_array(m.sequence), 'item', json_build_object(
            'sequence', m.sequence, 'kind', m.kind, 'quantity', m.quantity, 'stockAfter', m.stock_after,
            'orderId', m.order_id, 'reason', m.reason, 'actor', m.actor, 'at', rfc3339(m.at)))
        from stock_movement m
        where m.product_id = d.product_id
          and m.sequence < coalesce(before, 9223372036854775807)
        order by m.sequence desc limit page_size(p) + 1));
end $$;

-- Moves one product's stock and says what that did to its price. With `sets_eta` the row hears of another earliest
-- arrival in the same step, so that the price moves once.
create or replace function move_stock(
    id bigint, change integer, why movement_cause, sets_eta boolean default false, eta timestamptz default null
) returns json
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
    update inventory set stock = stock + change, cause = why, next_eta = case when sets_eta then eta else next_eta end
    where product_id = id returning * into i;
    return json_build_object('productId', id, 'stock', i.stock, 'available', i.stock - i.held,
        'priceBefore', was.price::text, 'priceAfter', i.price::text,
        'price', json_build_object('before', was.price::text, 'after', i.price::text));
end $$;

-- ---------------------------------------------------------------------------------------------- deliveries
-- What is expected and comes in parts: open is what has not come yet; more than was expected is taken and told.
create or replace function expectation_json(e expectation) returns jsonb
language sql stable as $$
    select jsonb_build_object('expectationId', e.expectation_id, 'productId', e.product_id, 'quantity', e.quantity,
        'received', e.received, 'open', case when e.closed_at is null then greatest(0, e.quantity - e.received) else 0 end,
        'overReceived', greatest(0, e.received - e.quantity), 'eta', rfc3339(e.eta), 'closed', e.closed_at is not null,
        'closedReason', e.closed_reason, 'reason', e.reason, 'actor', e.actor)
$$;

-- Refuses one member of a call.
create or replace function refuse_delivery(path text, rule text, message text, got jsonb default null) returns void
language plpgsql as $$
begin
    perform fail('PR602', format('%s %s.', path, message), jsonb_build_object('violations', jsonb_build_array(
        jsonb_strip_nulls(jsonb_build_object('path', path, 'rule', rule, 'message', message, 'got', got)))));
end $$;

-- The earliest arrival that a product still waits for.
create or replace function earliest_eta(id bigint, without_expectation bigint default null) returns timestamptz
language sql stable as $$
    select min(eta) from expectation
    where product_id = id and closed_at is null and expectation_id is distinct from without_expectation
$$;

-- Tells the product's row the earliest arrival that is still open, and has its price evaluated. The row is locked before
-- it is looked at, so that of two who change a product's deliveries the second sees what the first did.
create or replace function refresh_eta(id bigint, why movement_cause) returns void
language plpgsql as $$
begin
    perform from inventory where product_id = id for no key update;
    update inventory set next_eta = earliest_eta(id), cause = why
    where product_id = id and next_eta is distinct from earliest_eta(id);
end $$;

-- Whoever writes an expectation, the product's price follows at once.
create or replace function tg_expectation_price() returns trigger
language plpgsql set search_path = public, pg_temp as $$
begin
    if tg_op <> 'INSERT' then
        perform refresh_eta(old.product_id, row('expect', null,
            case when tg_op = 'UPDATE' then coalesce(new.closed_reason, new.reason) else old.reason end, null)::movement_cause);
    end if;
    if tg_op = 'INSERT' or tg_op = 'UPDATE' and new.product_id <> old.product_id then
        perform refresh_eta(new.product_id, row('expect', null, new.reason, null)::movement_cause);
    end if;
    return null;
end $$;

create or replace trigger expectation_price after insert or update or delete on expectation
    for each row execute function tg_expectation_price();

-- What is archived waits for nothing.
create or replace function tg_product_stop_waiting() returns trigger
language plpgsql set search_path = public, pg_temp as $$
begin
    update expectation set closed_at = pricing_now(), closed_reason = 'the product was archived'
    where product_id = new.product_id and closed_at is null;
    return null;
end $$;

create or replace trigger product_archive_expectations after update of archived_at on product
    for each row when (old.archived_at is null and new.archived_at is not null)
    execute function tg_product_stop_waiting();

-- The open expectation that a call names, locked after its product's row; of another product, or closed: PR602.
create or replace function find_expectation(p jsonb) returns expectation
language plpgsql as $$
declare
    e expectation;
begin
    select * into e from expectation where expectation_id = (p ->> 'expectationId')::bigint;
    if found then
        perform from inventory where product_id = e.product_id for no key update;
        select * into e from expectation where expectation_id = e.expectation_id for update;
    end if;
    if e.expectation_id is null or e.closed_at is not null or e.product_id <> (p ->> 'productId')::bigint then
        perform refuse_delivery('/expectationId', 'open', case when p ? 'productId'
            then 'must be an open expectation of this product' else 'must be an open expectation' end, p -> 'expectationId');
    end if;
    return e;
end $$;

-- Goods are on their way, or, with an expectationId, come otherwise than was said: then only what is named changes.
-- The product's row hears of the earliest arrival, which `restock` prices by.
create or replace function expect_inventory(p jsonb) returns json
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
                format('must be more than the %s that have come; inventory.unexpect expects no more', e.received), p -> 'quantity');
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

-- What was expected, or the rest of it, comes no more.
create or replace function unexpect_inventory(p jsonb) returns json
language plpgsql as $$
declare
    e expectation := find_expectation(p);
begin
    update expectation set closed_at = pricing_now(), closed_reason = coalesce(nullif(p ->> 'reason', ''), 'cancelled')
    where expectation_id = e.expectation_id returning * into e;
    return expectation_json(e);
end $$;

create or replace function list_expectations(p jsonb) returns json
language sql stable as $$
    select as_page('inventory.expectations', p, array(
        select json_build_object('cursor', json_build_array(e.eta, e.expectation_id), 'item', expectation_json(e))
        from expectation e, (select open_cursor('inventory.expectations', p) as place) after
        where e.closed_at is null and (p ->> 'productId' is null or e.product_id = (p ->> 'productId')::bigint)
          and (place is null or (e.eta, e.expectation_id) > ((place ->> 0)::timestamptz, (place ->> 1)::bigint))
        order by e.eta, e.expectation_id limit page_size(p) + 1))
$$;

-- Goods came in; with an expectation, all or a part of those that were expected, or more of them.
create or replace function restock_inventory(p jsonb) returns json
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

create or replace function adjust_inventory(p jsonb) returns json
language sql as $$
    select move_stock((p ->> 'productId')::bigint, (p ->> 'quantity')::integer,
                      row('adjust', null, p ->> 'reason', null)::movement_cause)
$$;
