--! repeatable
-- Rules: versioned, never edited in place. A product names one rule version; activating a newer version of a name moves
-- the name's products to it.

create or replace function rule_json(r rule) returns json
language sql stable as $$
    select json_build_object('ruleId', r.rule_id, 'name', r.name, 'version', r.version, 'strategy', r.strategy,
        'status', r.status,
        'parameters', json_build_object('up', r.up_share, 'down', r.down_share, 'gap', r.gap_share,
            'tickSeconds', r.tick_seconds, 'bandTick', r.band_tick, 'bandStock', r.band_stock,
            'dailyCap', r.daily_cap, 'minimumMargin', r.minimum_margin, 'priceStep', r.price_step::text,
            'priceOffset', r.price_offset::text, 'coverDays', r.cover_days, 'cooldownSeconds', r.cooldown_seconds,
            'neverUp', r.never_up),
        'note', r.note, 'actor', r.actor, 'createdAt', rfc3339(r.created_at),
        'activatedAt', rfc3339(r.activated_at))
$$;

-- A version is what prices were computed from: only its status moves.
create or replace function tg_rule_keep() returns trigger
language plpgsql set search_path = public, pg_temp as $$
declare
    kept rule := new;
begin
    kept.status := old.status;
    kept.activated_at := old.activated_at;
    if kept is distinct from old then
        perform fail('PR903', format('Version %s of rule %s is never edited: a change is the next version.', old.version,
                                     old.name), jsonb_build_object('ruleId', old.rule_id));
    end if;
    return new;
end $$;

create or replace trigger rule_keep before update on rule for each row execute function tg_rule_keep();

-- The rule that a call names, or PR301; null stays null.
create or replace function find_rule(id bigint) returns bigint
language plpgsql stable as $$
begin
    if id is not null and not exists (select from rule where rule_id = id) then
        perform fail('PR301', format('There is no rule %s.', id), jsonb_build_object('ruleId', id));
    end if;
    return id;
end $$;

-- A rule that products may use: the one named, which must be active, or else the category's or catalogue's default.
create or replace function find_usable_rule(id bigint, category bigint) returns bigint
language plpgsql stable as $$
begin
    if (select status from rule where rule_id = find_rule(id)) <> 'active' then
        perform fail('PR302', format('Rule %s is not active.', id), jsonb_build_object('ruleId', id,
            'violations', jsonb_build_array(jsonb_build_object('path', '/ruleId', 'rule', 'active',
                                                               'message', 'must be an active rule'))));
    end if;
    return coalesce(id, default_rule_id(category));
end $$;

create or replace function list_rules(p jsonb) returns json
language sql stable as $$
    select as_page('rule.list', p, array(
        select json_build_object('cursor', json_build_array(r.rule_id), 'item', rule_json(r)) from rule r
        where r.rule_id > coalesce((select (open_cursor('rule.list', p) ->> 0)::bigint), 0)
          and (p ->> 'status' is null or r.status = p ->> 'status')
        order by r.rule_id limit page_size(p) + 1))
$$;

create or replace function get_rule(p jsonb) returns json
language sql stable as $$
    select rule_json(r) from rule r where rule_id = find_rule((p ->> 'ruleId')::bigint)
$$;

-- What a preset sets: tick, dead bands and daily cap.
create or replace function preset_parameters(preset text) returns jsonb
language sql immutable as $$
    select case preset
        when 'balanced' then '{"tickSeconds": 21600, "bandTick": 0.05, "bandStock": 0.05, "dailyCap": 0.20}'
        when 'agile' then '{"tickSeconds": 3600, "bandTick": 0.02, "bandStock": 0.02, "dailyCap": null}'
        else '{"tickSeconds": 86400, "bandTick": 0.08, "bandStock": 0.15, "dailyCap": 0.20}' end::jsonb
$$;

-- Makes the next version under a name, as a draft; refuses what rule.lint finds wrong with it on any product.
create or replace function create_rule(p jsonb) returns json
language plpgsql as $$
declare
    r rule := described_rule(p);
begin
    perform pg_advisory_xact_lock(hashtext('pricing_rule ' || r.name));
    insert into rule (name, version, strategy, up_share, down_share, gap_share, tick_seconds, band_tick, band_stock,
                      daily_cap, minimum_margin, price_step, price_offset, cover_days, cooldown_seconds, never_up,
                      note, actor, created_at)
    values (r.name, (select coalesce(max(version), 0) + 1 from rule where name = r.name), r.strategy, r.up_share,
            r.down_share, r.gap_share, r.tick_seconds, r.band_tick, r.band_stock, r.daily_cap, r.minimum_margin,
            r.price_step, r.price_offset, r.cover_days, r.cooldown_seconds, r.never_up, coalesce(p ->> 'note', ''),
            acting(), pricing_now())
    returning * into r;
    perform refuse_unsound_rule(p);
    return rule_json(r);
end $$;

-- The catalogue's default from now on. The owner's function: the daemon's role may not write settings.
create or replace function set_default_rule(rule_name text) returns void
language sql security definer set search_path = public, pg_temp as $$
    insert into setting (name, value) values ('default_rule', to_jsonb(rule_name))
    on conflict (name) do update set value = excluded.value
$$;

-- What a rule in force makes of the products that follow it and that may surprise: too large steps for cheap ones.
create or replace function rule_warnings(r rule) returns jsonb
language plpgsql stable as $$
declare
    found_one jsonb := lint_steps(r, '{}');
begin
    if found_one is null or not exists (select from product where rule_id = r.rule_id and archived_at is null) then
        return '[]';
    end if;
    return jsonb_build_array(found_one - 'severity');
end $$;

-- Puts a version into force: it replaces the active version of its name, takes over that name's products, and those
-- that the call names besides. Every product that it takes over is priced at once; one that cannot be is named and taken
-- over later. A whole category, or the whole catalogue, follows it with its new products too.
create or replace function activate_rule(p jsonb) returns json
language plpgsql as $$
declare
    id bigint := find_rule((p ->> 'ruleId')::bigint);
    r rule;
    taken bigint[];
    failed bigint[];
begin
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
    -- Only now: what is open here is locked and stays so.
    perform find_open_product(named::bigint) from jsonb_array_elements_text(coalesce(p -> 'productIds', '[]')) named;
    failed := evaluate_products(taken, row('rule', null, '', null)::movement_cause, id);
    return (rule_json(r)::jsonb || jsonb_build_object('productsMoved', cardinality(taken) - cardinality(failed),
        'skipped', skipped_json(failed), 'warnings', rule_warnings(r)))::json;
end $$;

-- Takes a version out of use. Refused (PR302) while products or new products would still follow it.
create or replace function retire_rule(p jsonb) returns json
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
