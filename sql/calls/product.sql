--! code
-- Products: what the merchant declares.

-- floor and ceiling are those in force: unit cost with its minimum margin may lift the floor, and floor beats ceiling.
-- PL/pgSQL caches the plan, and planning costs as much as all the rest.
create function product_json(d product, i inventory) returns json
language plpgsql stable as $$
declare
    l record;
begin
    select * into l from price_limits(d, (select r from rule r where r.rule_id = d.rule_id));
    return json_build_object('productId', d.product_id, 'sku', d.sku, 'title', d.title, 'description', d.description,
        'categoryId', d.category_id, 'supplierId', d.supplier_id, 'basePrice', d.base_price::text,
        'unitCost', d.unit_cost::text, 'price', i.price::text, 'regularPrice', i.regular_price::text,
        'floor', l.floor_at::numeric(12, 2)::text, 'ceiling', l.ceiling_at::numeric(12, 2)::text,
        'declaredFloor', d.floor_price::text, 'declaredCeiling', d.ceiling_price::text,
        'limitsDeclared', array_remove(array[case when d.floor_typed then 'floor' end,
                                             case when d.ceiling_typed then 'ceiling' end], null),
        'stock', i.stock, 'available', i.stock - i.held, 'lowStock', d.low_stock, 'highStock', d.high_stock,
        'ruleId', d.rule_id, 'elasticity', d.elasticity, 'refRate', d.ref_rate, 'unitValue', d.unit_value::text,
        'decay', d.decay,
        'seasonStart', rfc3339(d.season_start), 'seasonEnd', rfc3339(d.season_end), 'seasonProfile', d.season_profile,
        'pinned', i.pin_price is not null, 'active', d.active and d.archived_at is null,
        'archived', d.archived_at is not null, 'version', d.version,
        'warnings', to_json(product_warnings(d, i, l.floor_at, l.ceiling_at)));
end $$;

-- Warnings about a declaration that was accepted.
create function product_warnings(d product, i inventory, floor_at numeric, ceiling_at numeric) returns text[]
language sql immutable as $$
    select array_remove(array[
        case when floor_at > d.ceiling_price then format('unit cost lifts the floor to %s, above the ceiling of %s: '
            'the floor wins', floor_at::numeric(12, 2), d.ceiling_price) end,
        case when d.base_price > ceiling_at then format('the base price of %s is above the ceiling of %s: no price '
            'goes past the ceiling', d.base_price, ceiling_at::numeric(12, 2)) end,
        case when d.base_price < floor_at then format('the base price of %s is below the floor of %s: no price goes '
            'below the floor', d.base_price, floor_at::numeric(12, 2)) end,
        case when i.price < floor_at then format('the posted price of %s stays below the floor of %s until it may move '
            'again', i.price, floor_at::numeric(12, 2)) end,
        case when i.price > ceiling_at then format('the posted price of %s stays above the ceiling of %s until it may '
            'move again', i.price, ceiling_at::numeric(12, 2)) end,
        case when is_reduced(i) and least(i.campaign_price, i.regular_price * (1 - i.campaign_percent / 100)) < floor_at
            then format('the floor of %s beats the campaign', floor_at::numeric(12, 2)) end], null)
$$;

-- The product that a call names, or PR101.
create function find_product(id bigint) returns product
language plpgsql stable as $$
declare
    d product;
begin
    select * into d from product where product_id = id;
    if not found then
        perform fail('PR101', format('There is no product %s.', id), jsonb_build_object('productId', id));
    end if;
    return d;
end $$;

-- The same for a change: an archived product refuses it with PR102.
create function find_open_product(id bigint) returns product
language plpgsql stable as $$
declare
    d product := find_product(id);
begin
    if d.archived_at is not null then
        perform fail('PR102', format('Product %s is archived.', id), jsonb_build_object('productId', id));
    end if;
    return d;
end $$;

create function product_get(p jsonb) returns json
language plpgsql stable as $$
declare
    d product := find_product((p ->> 'productId')::bigint);
    i inventory;
begin
    select * into i from inventory where product_id = d.product_id;
    return product_json(d, i);
end $$;

-- The products that exist of these ids. Its plan is cached, since planning costs more than reading one of them, and
-- uses the index even if it was made while the table was empty.
create function read_products(ids bigint[]) returns table (id bigint, reply text)
language plpgsql stable set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
    return query select product_id, product_json(d, i)::text from product d join inventory i using (product_id)
    where product_id = any (ids);
end $$;

-- Keyset pages by (sort key, id), stable while rows are added. The page's ids are found first: from the table that has
-- the key, planned for the filters given, without the tables that no filter needs. Each key has an index but stock,
-- where one would cost every sale: the narrow table is scanned instead.
create function product_list(p jsonb) returns json
language plpgsql stable as $body$
declare
    sort text := coalesce(p ->> 'sort', 'productId');
    descending boolean := left(sort, 1) = '-';
    key text := case ltrim(sort, '-') when 'price' then 's.price' when 'stock' then 'i.stock'
                                      when 'title' then 'd.title collate "und-x-icu"' else 'd.product_id' end;
    -- Titles with a word in common often begin alike: a walk in title order would pass most of the catalogue before the
    -- first match.
    placed text := case when ltrim(sort, '-') = 'title' and p ? 'search' then $$(d.title || '') collate "und-x-icu"$$
                        else key end;
    after jsonb := open_cursor('product.list', p);
    rows json[];
begin
    execute format($query$
        with page as materialized (
            select %5$s.product_id as id, %1$s as key
            from %6$s
            where ($1 ->> 'search' is null or d.search_text like like_pattern($1 ->> 'search'))
              and ($1 ->> 'categoryId' is null or d.category_id = ($1 ->> 'categoryId')::bigint)
              and ($1 ->> 'supplierId' is null or d.supplier_id = ($1 ->> 'supplierId')::bigint)
              and ($1 ->> 'active' is null or (d.active and d.archived_at is null) = ($1 ->> 'active')::boolean)
              and ($1 ->> 'minPrice' is null or s.price >= ($1 ->> 'minPrice')::numeric)
              and ($1 ->> 'maxPrice' is null or s.price <= ($1 ->> 'maxPrice')::numeric)
              and ($1 ->> 'minStock' is null or i.stock >= ($1 ->> 'minStock')::integer)
              and ($1 ->> 'maxStock' is null or i.stock <= ($1 ->> 'maxStock')::integer)
              and ($2 is null or (%1$s, %5$s.product_id) %2$s (($2 ->> 0)::%4$s, ($2 ->> 1)::bigint))
            order by %7$s %3$s, %5$s.product_id %3$s limit $3
        )
        select array(
            select json_build_object('cursor', json_build_array(page.key::text, d.product_id),
                                     'item', product_json(d, i))
            from page join product d on d.product_id = page.id join inventory i on i.product_id = page.id
            order by page.key %3$s, page.id %3$s)
        $query$, key, case when descending then '<' else '>' end, case when descending then 'desc' else 'asc' end,
        case ltrim(sort, '-') when 'price' then 'numeric' when 'stock' then 'integer' when 'title' then 'text'
                              else 'bigint' end,
        left(key, 1),
        case left(key, 1)
            when 's' then 'shelf s left join product d using (product_id) left join inventory i using (product_id)'
            when 'i' then 'inventory i left join product d using (product_id) left join shelf s using (product_id)'
            else 'product d left join inventory i using (product_id) left join shelf s using (product_id)' end,
        placed)
    into rows using p, after, page_size(p) + 1;
    return as_page('product.list', p, rows);
end $body$;

create function product_create(p jsonb) returns json
language plpgsql as $$
declare
    low integer := coalesce((p ->> 'lowStock')::integer, 10);
    d product;
    i inventory;
begin
    perform share_new_products();  -- before the rule is chosen
    insert into product (sku, title, description, category_id, supplier_id, base_price, unit_cost, floor_price,
                         ceiling_price, low_stock, high_stock, rule_id, active, elasticity, ref_rate, unit_value,
                         decay, season_start, season_end, season_profile)
    values (p ->> 'sku', p ->> 'title', coalesce(p ->> 'description', ''), (p ->> 'categoryId')::bigint,
            (p ->> 'supplierId')::bigint, (p ->> 'basePrice')::numeric, (p ->> 'unitCost')::numeric,
            (p ->> 'floor')::numeric, (p ->> 'ceiling')::numeric, low,
            coalesce((p ->> 'highStock')::integer, least(greatest(100, low + 90), 1000000000)),
            find_usable_rule((p ->> 'ruleId')::bigint, (p ->> 'categoryId')::bigint),
            coalesce((p ->> 'active')::boolean, true), coalesce((p ->> 'elasticity')::float8, 2),
            (p ->> 'refRate')::float8, coalesce((p ->> 'unitValue')::numeric, 0), coalesce((p ->> 'decay')::float8, 0),
            coalesce((p ->> 'seasonStart')::timestamptz,
                     case when p ->> 'seasonEnd' is not null then pricing_now() end),
            (p ->> 'seasonEnd')::timestamptz, season_profile(p -> 'seasonProfile'))
    returning * into d;
    if coalesce((p ->> 'stock')::integer, 0) > 0 then
        update inventory set stock = (p ->> 'stock')::integer, cause = row('initial', null, '', null)::movement_cause
        where product_id = d.product_id;
    end if;
    select * into i from inventory where product_id = d.product_id;
    return product_json(d, i);
end $$;

-- Changes a declaration where the call gives a member, and says whether that changed anything. A limit that is given
-- counts as typed, even where it equals the default.
create function change_product(p jsonb, out d product, out changed boolean)
language plpgsql as $$
declare
    now_is product;
begin
    perform from product where product_id = (p ->> 'productId')::bigint for no key update;
    d := find_open_product((p ->> 'productId')::bigint);
    if p ? 'version' and (p ->> 'version')::integer <> d.version then
        perform fail('PR306', 'The product changed since it was read.',
            jsonb_build_object('productId', d.product_id, 'expected', p -> 'version', 'version', d.version));
    end if;
    update product set
        sku = case when p ? 'sku' then p ->> 'sku' else sku end,
        title = coalesce(p ->> 'title', title),
        description = coalesce(p ->> 'description', description),
        category_id = coalesce((p ->> 'categoryId')::bigint, category_id),
        supplier_id = case when p ? 'supplierId' then (p ->> 'supplierId')::bigint else supplier_id end,
        base_price = coalesce((p ->> 'basePrice')::numeric, base_price),
        unit_cost = case when p ? 'unitCost' then (p ->> 'unitCost')::numeric else unit_cost end,
        floor_price = coalesce((p ->> 'floor')::numeric, floor_price),
        ceiling_price = coalesce((p ->> 'ceiling')::numeric, ceiling_price),
        floor_typed = floor_typed or p ->> 'floor' is not null,
        ceiling_typed = ceiling_typed or p ->> 'ceiling' is not null,
        low_stock = coalesce((p ->> 'lowStock')::integer, low_stock),
        high_stock = coalesce((p ->> 'highStock')::integer, high_stock),
        rule_id = case when p ? 'ruleId' then find_usable_rule((p ->> 'ruleId')::bigint, null) else rule_id end,
        active = coalesce((p ->> 'active')::boolean, active),
        elasticity = coalesce((p ->> 'elasticity')::float8, elasticity),
        ref_rate = case when p ? 'refRate' then (p ->> 'refRate')::float8 else ref_rate end,
        unit_value = coalesce((p ->> 'unitValue')::numeric, unit_value),
        decay = coalesce((p ->> 'decay')::float8, decay),
        season_start = case when p ? 'seasonEnd' and p ->> 'seasonEnd' is null then null
                            else coalesce((p ->> 'seasonStart')::timestamptz, season_start,
                                          case when p ? 'seasonEnd' then pricing_now() end) end,
        season_end = case when p ? 'seasonEnd' then (p ->> 'seasonEnd')::timestamptz else season_end end,
        season_profile = case when p ? 'seasonEnd' and p ->> 'seasonEnd' is null then null
                              when p ? 'seasonProfile' then season_profile(p -> 'seasonProfile')
                              else season_profile end
    where product_id = d.product_id returning * into now_is;
    changed := found;
    if changed then d := now_is; end if;
end $$;

create function product_update(p jsonb) returns json
language plpgsql as $$
declare
    d product := (change_product(p)).d;
    i inventory;
begin
    select * into i from inventory where product_id = d.product_id;
    return product_json(d, i);
end $$;

-- An archived product comes back as it was for sale, priced as what is declared anew. A rule that was retired meanwhile
-- gives way to its successor, or else to the default; a pin that still runs stands.
create function product_restore(p jsonb) returns json
language plpgsql as $$
declare
    d product;
    i inventory;
begin
    perform share_new_products();  -- before the rule is chosen
    perform from product where product_id = (p ->> 'productId')::bigint for no key update;
    d := find_product((p ->> 'productId')::bigint);
    if d.archived_at is not null then
        update product set archived_at = null,
            active = coalesce((select coalesce((before ->> 'active')::boolean, active) from declaration_change l
                               where l.product_id = d.product_id and l.after ->> 'archived_at' is not null
                               order by sequence desc limit 1), true),
            rule_id = coalesce((select now_active.rule_id from rule r join rule now_active using (name)
                                where r.rule_id = d.rule_id and now_active.status = 'active'),
                               default_rule_id(d.category_id))
        where product_id = d.product_id returning * into d;
    end if;
    select * into i from inventory where product_id = d.product_id;
    return product_json(d, i);
end $$;

-- Archiving takes a product out of sale; its price history, orders and stock ledger stay.
create function product_archive(p jsonb) returns json
language plpgsql as $$
declare
    d product := find_product((p ->> 'productId')::bigint);
    i inventory;
begin
    update product set archived_at = pricing_now(), active = false
    where product_id = d.product_id and archived_at is null returning * into d;
    if not found then d := find_product((p ->> 'productId')::bigint); end if;
    select * into i from inventory where product_id = d.product_id;
    return product_json(d, i);
end $$;
