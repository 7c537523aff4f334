--! code
-- What moved and who did it: the declarations of a product, the price changes of all products, the trail of deeds.

create function product_history(p jsonb) returns json
language plpgsql stable as $$
declare
    d product := find_product((p ->> 'productId')::bigint);
    place bigint := coalesce((open_cursor('product.history', p) ->> 0)::bigint, 9223372036854775807);
begin
    return as_page('product.history', p, array(
        select json_build_object('cursor', json_build_array(l.sequence), 'item', json_build_object(
            'sequence', l.sequence, 'kind', declaration_kind(l.before, l.after), 'before', wire_members(l.before),
            'after', wire_members(l.after), 'cause', l.cause, 'reason', l.reason, 'actor', l.actor,
            'at', rfc3339(l.at)))
        from declaration_change l
        where l.product_id = d.product_id and l.sequence < place
        order by l.sequence desc limit page_size(p) + 1));
end $$;

-- A line of the price history as calls give it.
create function price_change_json(c price_change) returns json
language sql stable as $$
    select json_build_object(
        'priceChangeId', c.price_change_id, 'productId', c.product_id, 'sku', d.sku, 'title', d.title,
        'sequence', c.sequence, 'old', c.old_price::text, 'new', c.new_price::text,
        'oldRegular', coalesce(c.old_regular, c.old_price)::text,
        'newRegular', coalesce(c.new_regular, c.new_price)::text, 'stock', c.stock,
        'rule', json_build_object('ruleId', r.rule_id, 'name', r.name, 'version', r.version, 'strategy', r.strategy),
        'bindingGuard', c.binding_guard, 'cause', c.cause, 'orderId', c.order_id, 'reason', c.reason,
        'inputs', c.inputs, 'actor', c.actor, 'at', rfc3339(c.at))
    from product d, rule r where d.product_id = c.product_id and r.rule_id = c.rule_id
$$;

-- The products that a call names, each of which there is: by id, by ids, or a category's.
create function named_products(p jsonb) returns bigint[]
language plpgsql stable as $$
declare
    ids bigint[] := array(select distinct id::bigint from jsonb_array_elements_text(
        coalesce(p -> 'productIds', case when p ? 'productId' then jsonb_build_array(p -> 'productId') end, '[]')) id);
begin
    perform find_product(id) from unnest(ids) id;
    if not p ? 'categoryId' then return ids; end if;
    perform from category where category_id = (p ->> 'categoryId')::bigint;
    if not found then
        perform fail('PR103', format('There is no category %s.', p ->> 'categoryId'),
            jsonb_build_object('categoryId', p -> 'categoryId'));
    end if;
    return array(select product_id from product where category_id = (p ->> 'categoryId')::bigint
                   and (not p ?| '{productId,productIds}' or product_id = any (ids)));
end $$;

-- The changes of a page are found first, by the primary key's columns alone and planned for the filters given. A
-- filter's value stands in a select of its own, so that it is read once and not for each row.
create function price_changes(p jsonb) returns json
language plpgsql stable as $body$
declare
    place bigint := coalesce((open_cursor('price.changes', p) ->> 0)::bigint, 9223372036854775807);
    rows json[];
begin
    perform find_rule((p ->> 'ruleId')::bigint);
    execute format($query$
        with page as materialized (
            select price_change_id from price_change where price_change_id < $3 %s %s %s %s %s %s %s %s
            order by price_change_id desc limit $4
        )
        select array(
            select json_build_object('cursor', json_build_array(c.price_change_id), 'item', price_change_json(c))
            from page join price_change c using (price_change_id)
            order by c.price_change_id desc)
        $query$,
        case when p ?| '{productIds,categoryId}' then 'and product_id = any ($2)' end,
        case when p ? 'from' then $$and at >= (select ($1 ->> 'from')::timestamptz)$$ end,
        case when p ? 'to' then $$and at < (select ($1 ->> 'to')::timestamptz)$$ end,
        case when p ? 'cause' then $$and cause = (select $1 ->> 'cause')$$ end,
        case when p ? 'actor' then $$and actor = (select $1 ->> 'actor')$$ end,
        case when p ? 'ruleId' then $$and rule_id = (select ($1 ->> 'ruleId')::bigint)$$ end,
        case when p ? 'bindingGuard' then $$and binding_guard = (select $1 ->> 'bindingGuard')$$ end,
        case p ->> 'direction' when 'up' then 'and new_price > old_price' when 'down' then 'and new_price < old_price'
        end)
    into rows using p, named_products(p), place, page_size(p) + 1;
    return as_page('price.changes', p, rows);
end $body$;

-- The trail: the history of declarations and the notices of what else people do, newest first by their numbers.
create function audit_trail(p jsonb) returns json
language plpgsql stable as $body$
declare
    place bigint := coalesce((open_cursor('audit.trail', p) ->> 0)::bigint, 9223372036854775807);
    rows json[];
begin
    perform find_rule((p ->> 'ruleId')::bigint);
    execute format($query$
        with line as materialized (
            (select change_id, at, declaration_kind(before, after) as kind, product_id, null::bigint as rule_id,
                    wire_members(before) as before, wire_members(after) as after, cause, reason, actor
             from declaration_change where change_id < $3 %1$s %2$s %3$s %4$s %5$s order by change_id desc limit $4)
            union all
            (select change_id, at, case when op = 'proposal_approved' then 'approve'
                                        when op = 'proposal_rejected' then 'reject'
                                        when topic <> 'catalogue' then op when after ? 'ruleId' then 'rule'
                                        when after ? 'campaignId' then 'campaign' else 'category' end, product_id,
                    (after ->> 'ruleId')::bigint, before, after - '{productId,ruleId,title}'::text[],
                    cause ->> 'kind', coalesce(cause ->> 'reason', ''), actor
             from notice where change_id < $3
                 and (topic = 'catalogue'
                      or op in ('halt', 'resume', 'repair', 'proposal_approved', 'proposal_rejected'))
                 %1$s %2$s %3$s %4$s %6$s order by change_id desc limit $4)
        )
        select array(
            select json_build_object('cursor', json_build_array(change_id), 'item', json_build_object(
                'kind', kind, 'productId', product_id, 'sku', d.sku, 'title', d.title, 'ruleId', l.rule_id,
                'before', before, 'after', after, 'cause', cause, 'reason', reason, 'actor', actor, 'at', rfc3339(at)))
            from (select * from line order by change_id desc limit $4) l left join product d using (product_id)
            order by change_id desc)
        $query$,
        case when p ? 'productId' then 'and product_id = any ($2)' end,
        case when p ? 'from' then $$and at >= (select ($1 ->> 'from')::timestamptz)$$ end,
        case when p ? 'to' then $$and at < (select ($1 ->> 'to')::timestamptz)$$ end,
        case when p ? 'actor' then $$and actor = (select $1 ->> 'actor')$$ end,
        case when p ? 'ruleId' then $$and $1 -> 'ruleId' in (before -> 'rule_id', after -> 'rule_id')$$ end,
        case when p ? 'ruleId' then $$and after -> 'ruleId' = $1 -> 'ruleId'$$ end)
    into rows using p, named_products(p), place, page_size(p) + 1;
    return as_page('audit.trail', p, rows);
end $body$;
