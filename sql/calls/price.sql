--! code
-- Prices: read, explained, previewed, pinned.

create function price_get(p jsonb) returns json
language sql stable as $$
    select json_build_object(
        'items', coalesce(json_agg(json_build_object('productId', d.product_id, 'sku', d.sku, 'price', i.price::text,
                     'regularPrice', i.regular_price::text, 'version', i.change_count) order by wanted.n)
                 filter (where d.product_id is not null), '[]'),
        'missing', coalesce(json_agg(wanted.name order by wanted.n) filter (where d.product_id is null), '[]'))
    from (select name, min(n) as n
          from jsonb_array_elements(coalesce(p -> 'productIds', p -> 'skus')) with ordinality u (name, n)
          group by 1) wanted
    left join product d on d.product_id = case when p ? 'skus' then product_of_sku(wanted.name #>> '{}')
                                               else (wanted.name #>> '{}')::bigint end
    left join inventory i using (product_id)
$$;

create function price_history(p jsonb) returns json
language plpgsql stable as $$
declare
    d product := find_product((p ->> 'productId')::bigint);
    before bigint := (open_cursor('price.history', p) ->> 0)::bigint;
begin
    return as_page('price.history', p, array(
        select json_build_object('cursor', json_build_array(c.sequence), 'item', price_change_json(c))
        from price_change c
        where c.product_id = d.product_id
          and c.sequence < coalesce(before, 9223372036854775807)
          and (p ->> 'from' is null or c.at >= (p ->> 'from')::timestamptz)
          and (p ->> 'to' is null or c.at < (p ->> 'to')::timestamptz)
        order by c.sequence desc limit page_size(p) + 1));
end $$;

-- Evaluates the product as it stands. A second evaluation changes nothing, so this explains the posted price, or says
-- which other price is due.
create function price_why(p jsonb) returns json
language plpgsql stable as $$
declare
    d product := find_product((p ->> 'productId')::bigint);
    r rule;
    i inventory;
begin
    select * into r from rule where rule_id = d.rule_id;
    select * into i from inventory where product_id = d.product_id;
    return explain_price(d, r, i, evaluate_price(d, r, i, 'stock'), false);
end $$;

-- The price that the database would set for another stock, another rule, or at the tick of another time if nothing were
-- sold until then. Nothing is written.
create function price_preview(p jsonb) returns json
language plpgsql stable as $$
declare
    d product := find_product((p ->> 'productId')::bigint);
    r rule;
    i inventory;
    v price_verdict;
    mode text;
    declares boolean;
begin
    select * into r from rule
    where rule_id = coalesce(find_rule(coalesce(p ->> 'ruleId', p ->> 'rule')::bigint), d.rule_id);
    select * into i from inventory where product_id = d.product_id;
    declares := r.rule_id <> d.rule_id or (p ->> 'basePrice')::numeric <> d.base_price;
    if declares then
        d.base_price := coalesce((p ->> 'basePrice')::numeric, d.base_price);
        d := follow_base(d, true);
    end if;
    if declares and models_demand(r.strategy) then
        i := foreseen_estimates(d, r, i, 'declaration', pricing_now());
    end if;
    i.stock := coalesce((p ->> 'stock')::integer, i.stock);
    if p ->> 'at' is not null then
        mode := evaluation_mode(i, i, 'tick');
        i := row_at_tick(d, r, i, (p ->> 'at')::timestamptz);
        v := evaluate_price(d, r, i, mode);
    else
        v := evaluate_price(d, r, i, case when declares then 'declaration' else 'stock' end);
    end if;
    return explain_price(d, r, i, v, true);
end $$;

create function pin_json(d product, i inventory) returns json
language sql stable as $$
    select json_build_object('productId', i.product_id, 'sku', d.sku, 'price', i.price::text,
        'pinned', i.pin_price is not null, 'until', rfc3339(i.pinned_until))
$$;

-- Pins a product, or takes its pin away.
create function place_pin(id bigint, pin numeric, ends timestamptz, kind text, reason text) returns inventory
language plpgsql as $$
declare
    i inventory;
begin
    update inventory set pin_price = pin, pinned_until = ends, cause = row(kind, null, reason, null)::movement_cause
    where product_id = id returning * into i;
    return i;
end $$;

-- A manual price, which automation leaves alone for good or until a time.
create function price_pin(p jsonb) returns json
language plpgsql as $$
declare
    d product := find_open_product((p ->> 'productId')::bigint);
    until timestamptz := coalesce((p ->> 'until')::timestamptz, 'infinity');
begin
    return pin_json(d, place_pin(d.product_id, (p ->> 'price')::numeric, until, 'pin', p ->> 'reason'));
end $$;

create function price_unpin(p jsonb) returns json
language plpgsql as $$
declare
    d product := find_open_product((p ->> 'productId')::bigint);
    i inventory;
begin
    select * into i from inventory where product_id = d.product_id for no key update;
    if i.pin_price is not null then i := place_pin(d.product_id, null, null, 'unpin', p ->> 'reason'); end if;
    return pin_json(d, i);
end $$;
