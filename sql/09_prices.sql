--! repeatable
-- Prices as peers see them: read, explained, previewed, pinned; rules; the tick and the clock.

create or replace function get_prices(p jsonb) returns json
language sql stable as $$
    select json_build_object(
        'items', coalesce(json_agg(json_build_object('productId', d.product_id, 'price', i.price::text,
                     'version', i.change_count) order by wanted.n) filter (where d.product_id is not null), '[]'),
        'missing', coalesce(json_agg(wanted.id order by wanted.n) filter (where d.product_id is null), '[]'))
    from (select id::bigint, min(n) as n from jsonb_array_elements_text(p -> 'productIds') with ordinality u (id, n)
          group by 1) wanted
    left join product d on d.product_id = wanted.id
    left join inventory i on i.product_id = wanted.id
$$;

create or replace function list_price_changes(p jsonb) returns json
language plpgsql stable as $$
declare
    d product := find_product((p ->> 'productId')::bigint);
begin
    return as_page(array(
        select json_build_object('cursor', c.sequence::text, 'item', json_build_object(
            'priceChangeId', c.price_change_id, 'sequence', c.sequence, 'old', c.old_price::text,
            'new', c.new_price::text, 'stock', c.stock,
            'rule', json_build_object('ruleId', r.rule_id, 'name', r.name, 'version', r.version,
                                      'strategy', r.strategy),
            'bindingGuard', c.binding_guard, 'cause', c.cause, 'orderId', c.order_id, 'reason', c.reason,
            'inputs', c.inputs, 'actor', c.actor, 'at', rfc3339(c.at)))
        from price_change c join rule r using (rule_id)
        where c.product_id = d.product_id
          and c.sequence < coalesce((p ->> 'cursor')::bigint, 9223372036854775807)
          and (p ->> 'from' is null or c.at >= (p ->> 'from')::timestamptz)
          and (p ->> 'to' is null or c.at < (p ->> 'to')::timestamptz)
        order by c.sequence desc limit page_size(p) + 1), page_size(p));
end $$;

-- Each step from base to the posted price, and the text that people read.
create or replace function explain_price(d product, r rule, i inventory, verdict record) returns json
language plpgsql stable as $$
declare
    steps json;
    facts jsonb := verdict.inputs;
    lines text[];
begin
    if verdict.frozen is not null then
        steps := json_build_array(json_build_object('step', 'frozen', 'before', i.price::text,
            'after', i.price::text, 'note', case verdict.frozen
                when 'pinned' then format('pinned by hand at %s%s', i.pin_price,
                    coalesce(' until ' || rfc3339(i.pinned_until), ''))
                when 'archived' then 'archived: no longer priced'
                else 'out of stock: the last price stands' end));
    else
        steps := json_build_array(
            json_build_object('step', 'strategy', 'before', d.base_price::text,
                'after', (facts ->> 'raw')::numeric(12, 4)::text,
                'note', case when r.strategy = 'manual' then 'manual: base price'
                    else format('bands: %s in stock, low to %s, high from %s, gap %s: %s', i.stock, d.low_stock,
                        d.high_stock, facts ->> 'gap', case verdict.band
                            when 1 then 'low, base + ' || trim_scale(r.up_share * 100) || ' %'
                            when -1 then 'high, base - ' || trim_scale(r.down_share * 100) || ' %' else 'normal, base' end) end),
            json_build_object('step', 'daily_cap', 'before', (facts ->> 'raw')::numeric(12, 4)::text,
                'after', (facts ->> 'capped')::numeric(12, 4)::text,
                'note', case when r.daily_cap is null then 'none'
                    else format('at most %s %% from %s in a day', trim_scale(r.daily_cap * 100), i.anchor_price) end),
            json_build_object('step', 'limits', 'before', (facts ->> 'capped')::numeric(12, 4)::text,
                'after', (facts ->> 'limited')::numeric(12, 4)::text,
                'note', format('floor %s, ceiling %s', (facts ->> 'floor')::numeric(12, 2), d.ceiling_price)),
            json_build_object('step', 'dead_band', 'before', (facts ->> 'limited')::numeric(12, 4)::text,
                'after', case when verdict.binding = 'dead_band' then i.price::text
                              else (facts ->> 'limited')::numeric(12, 4)::text end,
                'note', coalesce('moves below ' || trim_scale((facts ->> 'deadBand')::numeric * 100) || ' % are left out',
                                 'none: the gap serves')),
            json_build_object('step', 'rounding', 'before', (facts ->> 'limited')::numeric(12, 4)::text,
                'after', verdict.price::text, 'note', format('to steps of %s', r.price_step)));
    end if;
    lines := array[format('price %s   rule %s version %s, strategy %s', i.price, r.name, r.version, r.strategy),
                   format('  base %s, %s in stock (%s)', d.base_price, i.stock,
                          stock_level(i.stock, d.low_stock, d.high_stock))]
        || array(select format('  %s: %s -> %s (%s)', s ->> 'step', s ->> 'before', s ->> 'after', s ->> 'note')
                 from json_array_elements(steps) with ordinality u (s, n) order by n)
        || case when facts is not null and (facts ->> 'floor')::numeric > d.ceiling_price
                then array['  warning: unit cost lifts the floor above the ceiling; the floor wins'] else '{}' end
        || case when verdict.binding is null then array[]::text[]
                else array[format('  binding guard: %s', verdict.binding)] end;
    return json_build_object('productId', d.product_id, 'price', verdict.price::text,
        'posted', i.price::text, 'basePrice', d.base_price::text, 'stock', i.stock,
        'strategy', r.strategy, 'ruleId', r.rule_id, 'frozen', verdict.frozen,
        'bindingGuard', verdict.binding, 'steps', steps, 'text', array_to_string(lines, E'\n'));
end $$;

-- Evaluates the product as it stands; a second evaluation changes nothing, so this is why the price is what it is.
create or replace function explain_product_price(p jsonb) returns json
language plpgsql stable as $$
declare
    d product := find_product((p ->> 'productId')::bigint);
    r rule;
    i inventory;
begin
    select * into r from rule where rule_id = d.rule_id;
    select * into i from inventory where product_id = d.product_id;
    return explain_price(d, r, i, evaluate_price(d, r, i, 'stock'));
end $$;

-- The price that the database would set for another stock or another rule. Nothing is written.
create or replace function preview_price(p jsonb) returns json
language plpgsql stable as $$
declare
    d product := find_product((p ->> 'productId')::bigint);
    r rule;
    i inventory;
begin
    select * into r from rule where rule_id = coalesce(find_rule((p ->> 'ruleId')::bigint), d.rule_id);
    select * into i from inventory where product_id = d.product_id;
    i.stock := coalesce((p ->> 'stock')::integer, i.stock);
    return explain_price(d, r, i, evaluate_price(d, r, i, 'stock'));
end $$;

create or replace function pin_json(i inventory) returns json
language sql stable as $$
    select json_build_object('productId', i.product_id, 'price', i.price::text, 'pinned', i.pin_price is not null,
        'until', rfc3339(i.pinned_until))
$$;

-- A manual price that automation leaves alone, for ever or until a time.
create or replace function pin_price(p jsonb) returns json
language plpgsql as $$
declare
    d product := find_open_product((p ->> 'productId')::bigint);
    until timestamptz := coalesce((p ->> 'until')::timestamptz, 'infinity');
    i inventory;
begin
    if until <= pricing_now() then
        perform fail('PR602', 'A pin must end in the future.', jsonb_build_object('violations', jsonb_build_array(
            jsonb_build_object('path', '/until', 'rule', 'future', 'message', 'must lie in the future',
                               'got', p ->> 'until'))));
    end if;
    update inventory set pin_price = (p ->> 'price')::numeric, pinned_until = until,
        cause = row('pin', null, p ->> 'reason', null)::movement_cause
    where product_id = d.product_id returning * into i;
    return pin_json(i);
end $$;

create or replace function unpin_price(p jsonb) returns json
language plpgsql as $$
declare
    d product := find_open_product((p ->> 'productId')::bigint);
    i inventory;
begin
    update inventory set pin_price = null, pinned_until = null,
        cause = row('unpin', null, p ->> 'reason', null)::movement_cause
    where product_id = d.product_id and pin_price is not null returning * into i;
    if not found then select * into i from inventory where product_id = d.product_id; end if;
    return pin_json(i);
end $$;
