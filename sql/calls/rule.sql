--! code
-- Rules: versioned, never edited in place. A product names one rule version; activating a newer version of a name moves
-- the name's products to it.

create function rule_json(r rule) returns json
language sql stable as $$
    select json_build_object('ruleId', r.rule_id, 'name', r.name, 'version', r.version, 'strategy', r.strategy,
        'status', r.status,
        'parameters', json_build_object('up', r.up_share, 'down', r.down_share, 'gap', r.gap_share,
            'tickSeconds', r.tick_seconds, 'bandTick', r.band_tick, 'bandStock', r.band_stock,
            'leastRise', r.least_rise, 'leastFall', r.least_fall, 'dailyCap', r.daily_cap,
            'minimumMargin', r.minimum_margin, 'priceStep', r.price_step::text,
            'priceOffset', r.price_offset::text, 'coverDays', r.cover_days, 'cooldownSeconds', r.cooldown_seconds,
            'neverUp', r.never_up, 'fromShop', r.from_shop, 'signal', r.signal, 'approveAbove', r.approve_above),
        'note', r.note, 'actor', r.actor, 'createdAt', rfc3339(r.created_at),
        'activatedAt', rfc3339(r.activated_at))
$$;

-- The rule that a call names, or PR301; null stays null.
create function find_rule(id bigint) returns bigint
language plpgsql stable as $$
begin
    if id is not null and not exists (select from rule where rule_id = id) then
        perform fail('PR301', format('There is no rule %s.', id), jsonb_build_object('ruleId', id));
    end if;
    return id;
end $$;

-- A rule that products may use: the one named, which must be active, or else the category's or catalogue's default.
create function find_usable_rule(id bigint, category bigint) returns bigint
language plpgsql stable as $$
begin
    if (select status from rule where rule_id = find_rule(id)) <> 'active' then
        perform fail('PR302', format('Rule %s is not active.', id), jsonb_build_object('ruleId', id,
            'violations', jsonb_build_array(jsonb_build_object('path', '/ruleId', 'rule', 'active',
                                                               'message', 'must be an active rule'))));
    end if;
    return coalesce(id, default_rule_id(category));
end $$;

create function rule_list(p jsonb) returns json
language sql stable as $$
    select as_page('rule.list', p, array(
        select json_build_object('cursor', json_build_array(r.rule_id), 'item', rule_json(r)) from rule r
        where r.rule_id > coalesce((select (open_cursor('rule.list', p) ->> 0)::bigint), 0)
          and (p ->> 'status' is null or r.status = p ->> 'status')
          and (p ->> 'ruleId' is null
               or r.name = (select name from rule where rule_id = find_rule((p ->> 'ruleId')::bigint)))
        order by r.rule_id limit page_size(p) + 1))
$$;

create function rule_get(p jsonb) returns json
language sql stable as $$
    select rule_json(r) from rule r where rule_id = find_rule((p ->> 'ruleId')::bigint)
$$;

-- What a preset sets: tick, dead bands and daily cap.
create function preset_parameters(preset text) returns jsonb
language sql immutable as $$
    select case preset
        when 'balanced' then '{"tickSeconds": 21600, "bandTick": 0.03, "bandStock": 0.03, "leastRise": 0.16,
                               "leastFall": 0.10, "dailyCap": 0.30}'
        when 'agile' then '{"tickSeconds": 3600, "bandTick": 0.01, "bandStock": 0.01, "leastRise": 0.06,
                            "leastFall": 0.04, "dailyCap": null}'
        else '{"tickSeconds": 21600, "bandTick": 0.06, "bandStock": 0.06, "leastRise": 0.20,
               "leastFall": 0.12, "dailyCap": 0.30}' end::jsonb
$$;

-- Makes the next version under a name, as a draft; refuses what rule.lint finds wrong with it on any product.
create function rule_create(p jsonb) returns json
language plpgsql as $$
declare
    r rule := described_rule(p);
begin
    perform pg_advisory_xact_lock(hashtext('pricing_rule ' || r.name));
    insert into rule (name, version, strategy, up_share, down_share, gap_share, tick_seconds, band_tick, band_stock,
                      least_rise, least_fall, daily_cap, minimum_margin, price_step, price_offset, cover_days,
                      cooldown_seconds, never_up, from_shop, signal, approve_above, note, actor, created_at)
    values (r.name, (select coalesce(max(version), 0) + 1 from rule where name = r.name), r.strategy, r.up_share,
            r.down_share, r.gap_share, r.tick_seconds, r.band_tick, r.band_stock, r.least_rise, r.least_fall,
            r.daily_cap, r.minimum_margin, r.price_step, r.price_offset, r.cover_days, r.cooldown_seconds,
            r.never_up, r.from_shop, r.signal, r.approve_above, coalesce(p ->> 'note', ''), acting(), pricing_now())
    returning * into r;
    perform refuse_unsound_rule(p);
    return rule_json(r);
end $$;

-- Sets the catalogue's default. Runs as the owner: the daemon's role may not write settings.
create function set_default_rule(rule_name text) returns void
language sql security definer set search_path = pricing, pricing_code, pg_temp as $$
    insert into setting (name, value) values ('default_rule', to_jsonb(rule_name))
    on conflict (name) do update set value = excluded.value
$$;

-- Warnings about a rule in force: price steps too large for its cheap products.
create function rule_warnings(r rule) returns jsonb
language plpgsql stable as $$
declare
    found_one jsonb := lint_steps(r, '{}');
begin
    if found_one is null or not exists (select from product where rule_id = r.rule_id and archived_at is null) then
        return '[]';
    end if;
    return jsonb_build_array(found_one - 'severity');
end $$;

-- Activates a version: it replaces the active version of its name and takes over that name's products, and those that
-- the call names. Every product that it takes over is priced at once; one that cannot be is named and taken over later.
-- A whole category, or the whole catalogue, follows it with its new products too.
create function rule_activate(p jsonb) returns json
language plpgsql as $$
declare
    id bigint := find_rule((p ->> 'ruleId')::bigint);
    r rule;
    taken bigint[];
    failed bigint[];
begin
    perform set_config('pricing.cause', 'rule', true);
    perform lock_new_products();
    select * into r from rule where rule_id = id for no key update;
    if r.status <> 'active' then
        update rule set status = 'retired' where name = r.name and status = 'active';
        update rule set status = 'active', activated_at = pricing_now() where rule_id = id returning * into r;
    end if;
    if (p ->> 'all')::boolean then perform set_default_rule(r.name); end if;
    update category set rule_name = r.name where category_id = (p ->> 'categoryId')::bigint;
    if p ? 'categoryId' and not found then
        perform fail('PR103', format('There is no category %s.', p ->> 'categoryId'),
            jsonb_build_object('categoryId', p -> 'categoryId'));
    end if;
    taken := array(
        select d.product_id from product d join rule o using (rule_id)
        where d.rule_id <> id and d.archived_at is null
          and (o.name = r.name or d.category_id = (p ->> 'categoryId')::bigint
               or p -> 'productIds' @> to_jsonb(d.product_id) or (p ->> 'all')::boolean)
        order by d.product_id for no key update of d);
    -- Checked after the lock: a product that is open now stays open.
    perform find_open_product(named::bigint) from jsonb_array_elements_text(coalesce(p -> 'productIds', '[]')) named;
    failed := evaluate_products(taken, row('rule', null, '', null)::movement_cause, id);
    return (rule_json(r)::jsonb || jsonb_build_object('productsMoved', cardinality(taken) - cardinality(failed),
        'skipped', skipped_json(failed), 'warnings', rule_warnings(r)))::json;
end $$;

-- The next version under a rule's name, with some parameters changed, made and put into force as one deed: its dry run
-- shows what it would do to prices.
create function rule_revise(p jsonb) returns json
language plpgsql as $$
declare
    old rule;
    next json;
begin
    select * into old from rule where rule_id = find_rule((p ->> 'ruleId')::bigint);
    next := rule_create(jsonb_build_object('name', old.name, 'strategy', old.strategy,
        'note', coalesce(p ->> 'note', ''),
        'parameters', (rule_json(old) -> 'parameters')::jsonb || (p -> 'parameters')));
    return rule_activate(jsonb_build_object('ruleId', next -> 'ruleId'));
end $$;

-- Takes a version out of use. Refused (PR302) while products or new products would still follow it.
create function rule_retire(p jsonb) returns json
language plpgsql as $$
declare
    id bigint := find_rule((p ->> 'ruleId')::bigint);
    followers bigint := (select count(*) from product where rule_id = id and archived_at is null);
    r rule;
begin
    select * into r from rule where rule_id = id for no key update;
    if followers > 0 or (r.status = 'active' and (
        exists (select from setting where name = 'default_rule' and value #>> '{}' = r.name)
        or exists (select from category where rule_name = r.name)))
    then
        perform fail('PR302', format('Rule %s is in use.', id), jsonb_build_object('ruleId', id, 'products', followers,
            'violations', jsonb_build_array(jsonb_build_object('path', '/ruleId', 'rule', 'unused', 'message',
                'products, a category or the catalogue follow it: activate another rule for them first'))));
    end if;
    update rule set status = 'retired' where rule_id = id returning * into r;
    return rule_json(r);
end $$;

-- `rule.lint`. A stored rule is tried on at most 200 of the products that follow it, the smallest gap relative to the
-- usual order first (the median line of a product's orders, of 5 or more); `products` says how many. A rule that no
-- product follows, or a described one, is tried on the described product.
create function rule_lint(p jsonb) returns json
language plpgsql stable as $$
declare
    chosen rule := described_rule(p);
    findings jsonb := '[]';
    follower record;
    tried integer := 0;
begin
    if p ? 'ruleId' then
        select * into chosen from rule where rule_id = find_rule((p ->> 'ruleId')::bigint);
    end if;
    for follower in
        select d as declared, coalesce(o.median, 1) as normal_order from product d
        left join (select l.product_id, percentile_disc(0.5) within group (order by l.quantity) as median
                   from order_line l join product using (product_id)
                   where rule_id = chosen.rule_id group by 1 having count(*) >= 5) o using (product_id)
        where d.rule_id = chosen.rule_id and d.archived_at is null and p ? 'ruleId'
        order by band_gap(d.low_stock, d.high_stock, chosen.gap_share) - coalesce(o.median, 1), d.low_stock,
                 d.ceiling_price - d.floor_price, d.product_id limit 200
    loop
        tried := tried + 1;
        findings := findings || lint_on(follower.declared, chosen, p, follower.normal_order);
    end loop;
    if tried = 0 then
        findings := lint_on(described_product(p), chosen, p, coalesce((p ->> 'normalOrder')::integer, 1));
    end if;
    findings := findings || coalesce(lint_steps(chosen, p), '[]');
    -- Of a finding that several products have, the first.
    select coalesce(jsonb_agg(f order by n), '[]') into findings
    from (select distinct on (f ->> 'code') f, n from jsonb_array_elements(findings) with ordinality u (f, n)
          order by f ->> 'code', n) firsts;
    return json_build_object('ok', not findings @> '[{"severity": "error"}]', 'products', tried, 'findings', findings);
end $$;

-- One step of `rule.backtest`: as many products as fit in half a second. `state` is the previous step's; the last step
-- returns the reply, with the paths of the first `limit` products and the sums of all. A product whose replay raises is
-- named and left out.
create function rule_backtest(p jsonb) returns json
language plpgsql stable as $$
declare
    chosen rule;
    s jsonb := coalesce(p -> 'state', jsonb_build_object('after', 0, 'products', 0, 'differing', 0,
        'items', '[]'::jsonb, 'skipped', '[]'::jsonb, 'to', coalesce((p ->> 'to')::timestamptz, pricing_now()),
        'sums', '{"changes": 0, "reversals": 0, "limitHits": 0, "charged": "0.00"}'::jsonb,
        'actual', '{"changes": 0, "reversals": 0, "limitHits": 0, "charged": "0.00"}'::jsonb));
    starts timestamptz := coalesce((p ->> 'from')::timestamptz, '-infinity');
    ends timestamptz := (s ->> 'to')::timestamptz;
    began timestamptz := clock_timestamp();
    declared product;
    ours jsonb;
    theirs jsonb;
    marks replay_mark[] := replay_marks();
begin
    select * into chosen from rule where rule_id = find_rule((p ->> 'ruleId')::bigint);
    if starts >= ends then
        perform fail('PR602', 'A period must end after it begins.', jsonb_build_object('violations', jsonb_build_array(
            jsonb_build_object('path', '/to', 'rule', 'order', 'message', 'must lie after from', 'got', p ->> 'to'))));
    end if;
    if p -> 'state' is null then
        perform find_product(named::bigint) from jsonb_array_elements_text(coalesce(p -> 'productIds', '[]')) named;
        if not exists (select from category where category_id = (p ->> 'categoryId')::bigint) and p ? 'categoryId' then
            perform fail('PR103', format('There is no category %s.', p ->> 'categoryId'),
                jsonb_build_object('categoryId', p -> 'categoryId'));
        end if;
    end if;
    for declared in
        select * from product d
        where product_id > (s ->> 'after')::bigint and created_at <= greatest(ends, now())
          and (p -> 'productIds' is null or p -> 'productIds' @> to_jsonb(product_id))
          and (p ->> 'categoryId' is null or category_id = (p ->> 'categoryId')::bigint)
        order by product_id
    loop
        if clock_timestamp() > began + interval '0.5 seconds' then
            return json_build_object('state', s, 'done', s -> 'products', 'message', 'products', 'total', (
                select count(*) from product
                where (p -> 'productIds' is null or p -> 'productIds' @> to_jsonb(product_id))
                  and (p ->> 'categoryId' is null or category_id = (p ->> 'categoryId')::bigint)));
        end if;
        begin
            ours := replay_product(declared, chosen, starts, ends, 100, marks);
            theirs := actual_path(declared.product_id, starts, ends, 100);
        exception when others then
            if not is_row_error(sqlstate) then raise; end if;
            s := s || jsonb_build_object('after', declared.product_id);
            if jsonb_array_length(s -> 'skipped') < 500 then
                s := jsonb_insert(s, '{skipped,-1}', jsonb_build_object('productId', declared.product_id,
                    'sku', declared.sku, 'reason', failure_reason(sqlstate, sqlerrm)), true);
            end if;
            continue;
        end;
        s := s || jsonb_build_object('after', declared.product_id, 'products', (s ->> 'products')::bigint + 1,
            'differing', (s ->> 'differing')::bigint + ((ours ->> 'differences')::bigint > 0)::integer,
            'sums', add_path(s -> 'sums', ours), 'actual', add_path(s -> 'actual', theirs));
        if jsonb_array_length(s -> 'items') < page_size(p) then
            s := jsonb_insert(s, '{items,-1}', jsonb_build_object('productId', declared.product_id,
                'sku', declared.sku, 'title', declared.title) || ours || jsonb_build_object('actual', theirs), true);
        end if;
    end loop;
    return json_build_object('reply', json_build_object('ruleId', chosen.rule_id, 'name', chosen.name,
        'version', chosen.version, 'from', rfc3339(nullif(starts, '-infinity')), 'to', rfc3339(ends),
        'products', s -> 'products', 'differing', s -> 'differing',
        'totals', (s -> 'sums') || jsonb_build_object('actual', s -> 'actual'),
        'items', s -> 'items', 'skipped', s -> 'skipped',
        'note', 'What would have been charged for the units that were sold; what would have been sold is not known.'));
end $$;
