--! code
-- Names in the place of ids: a SKU for a product, an e-mail for a customer. A method's function knows ids alone; where
-- a call gives names, the daemon passes its parameters through resolve_names first. Which parameters are names stands
-- in the protocol's declarations (Naming.swift).

-- The products of a JSON array of SKUs: each SKU that a product has, as it was given.
create function find_skus(skus jsonb) returns table (given text, product_id bigint, n bigint)
language plpgsql stable set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
    return query select u.sku, d.product_id, u.n
    from jsonb_array_elements_text(skus) with ordinality u (sku, n)
    join product d on fold_case(d.sku) = fold_case(trim_name(u.sku));
end $$;

-- The product of a SKU, or null.
create function product_of_sku(given text) returns bigint
language plpgsql stable as $$
begin
    return (select product_id from product where fold_case(sku) = fold_case(trim_name(given)));
end $$;

-- The customer of an e-mail address, or null.
create function customer_of_email(given text) returns bigint
language plpgsql stable as $$
begin
    return (select user_id from app_user where fold_case(email) = fold_case(trim_name(given)) and archived_at is null);
end $$;

-- Why a name cannot be resolved, as fail() takes it: of a product that is not there, or of a customer.
create function unknown_sku(given text, out state text, out message text, out detail jsonb)
language sql immutable as $$
    select 'PR101', format('There is no product with the SKU %s.', given), jsonb_build_object('sku', given)
$$;

create function unknown_email(given text, out state text, out message text, out detail jsonb)
language sql immutable as $$
    select 'PR401', format('There is no customer with the e-mail %s.', given),
           jsonb_build_object('customerEmail', given)
$$;

-- Members of one object by id: of the parameters themselves, or of a row of theirs. Where an id stands, the name beside
-- it is no name but a value.
create function resolve_members(p jsonb) returns jsonb
language plpgsql stable as $$
declare
    id bigint;
    ids jsonb;
    lost text;
begin
    if p ? 'sku' and not p ? 'productId' then
        id := product_of_sku(p ->> 'sku');
        if id is null then perform fail(u.state, u.message, u.detail) from unknown_sku(p ->> 'sku') u; end if;
        p := p - 'sku' || jsonb_build_object('productId', id);
    end if;
    if p ? 'customerEmail' then
        id := customer_of_email(p ->> 'customerEmail');
        if id is null then
            perform fail(u.state, u.message, u.detail) from unknown_email(p ->> 'customerEmail') u;
        end if;
        p := p - 'customerEmail' || jsonb_build_object('customerId', id);
    end if;
    if p ? 'skus' then
        select jsonb_agg(f.product_id order by g.n), min(g.sku) filter (where f.product_id is null) into ids, lost
        from jsonb_array_elements_text(p -> 'skus') with ordinality g (sku, n)
        left join find_skus(p -> 'skus') f using (n);
        if lost is not null then perform fail(u.state, u.message, u.detail) from unknown_sku(lost) u; end if;
        p := p - 'skus' || jsonb_build_object('productIds', ids);
    end if;
    return p;
end $$;

-- The parameters of a call with ids in the place of names, or PR101, PR401 for a name of nothing.
create function resolve_names(p jsonb) returns jsonb
language plpgsql stable as $$
declare
    list text;
begin
    foreach list in array array['lines', 'rows', 'prices'] loop
        if p ? list then
            p := jsonb_set(p, array[list], (
                select jsonb_agg(resolve_members(row) order by n)
                from jsonb_array_elements(p -> list) with ordinality u (row, n)));
        end if;
    end loop;
    return resolve_members(p);
end $$;

-- The same for the calls of a batch of orders, all in one statement. A call whose name is of nothing gets its refusal
-- and no lines: it is answered at its place, after its key was looked up. `sent` keeps what the key's hash is of.
create function resolve_orders(calls jsonb) returns jsonb
language plpgsql stable as $$
begin
    return (
    with call as materialized (
        select n, c, c -> 'params' as p,
               case when c #> '{params,customerEmail}' is null then c #> '{params,customerId}'
                    else to_jsonb(customer_of_email(c #>> '{params,customerEmail}')) end as buyer
        from jsonb_array_elements(calls) with ordinality u (c, n)
    ), ordered as materialized (
        select call.n, jsonb_agg(l - 'sku' || jsonb_build_object('productId', id) order by m) as lines,
               min(l ->> 'sku') filter (where id is null) as lost
        from call, jsonb_array_elements(p -> 'lines') with ordinality u (l, m),
             lateral (select case when l ? 'productId' then l -> 'productId'
                                  else to_jsonb(product_of_sku(l ->> 'sku')) end as id) v
        group by call.n
    )
    select jsonb_agg(case
        when buyer is null then c || jsonb_build_object('sent', p, 'params', p || '{"lines": []}',
            'refused', to_jsonb(unknown_email(p ->> 'customerEmail')))
        when lost is not null then c || jsonb_build_object('sent', p, 'params', p || '{"lines": []}',
            'refused', to_jsonb(unknown_sku(lost)))
        else c || jsonb_build_object('sent', p, 'params',
            p - 'customerEmail' || jsonb_build_object('customerId', buyer)
            || case when lines is null then '{}' else jsonb_build_object('lines', lines) end) end order by n)
    from call left join ordered using (n));
end $$;
