--! code
-- `price.rollback`: what people declared is put back as it stood, and a move that automation made is taken back by a
-- pin. All of it is planned first and each product locked last, in product order, so that it waits for the plan of
-- none; what changed after the caller saw it is found under the lock and left alone.

-- How far a caller has seen: to the number that the call names, or to the last one given. Read before anything else:
-- what commits later is not seen.
create function seen_stream(given bigint) returns stream_position
language plpgsql stable as $$
declare
    s event_sequence;
    seen bigint;
begin
    select * into s from event_sequence;
    seen := coalesce(given, s.last_number);
    if seen not between s.first_number - 1 and s.last_number then
        perform fail('PR602', format('The stream has no number %s, or no longer.', seen), jsonb_build_object(
            'violations', jsonb_build_array(jsonb_build_object('path', '/seen', 'rule', 'kept', 'got', seen,
                'message', format('must lie from %s to %s', s.first_number - 1, s.last_number)))));
    end if;
    return row(seen, s.looked_to, s.running, array(
        select distinct transaction_id from event_range
        where first_number >= coalesce((select max(first_number) from event_range where first_number <= seen), 0)
          and first_number + event_count - 1 > seen))::stream_position;
end $$;

create function is_seen(transaction_id bigint, seen stream_position) returns boolean
language sql immutable as $$
    select transaction_id < seen.looked_to and transaction_id <> all (seen.running)
        and transaction_id <> all (seen.beyond)
$$;

-- Checks what a rollback names: where to, and of what.
create function check_rollback(p jsonb, hold timestamptz) returns void
language plpgsql stable as $$
declare
    scopes integer := (p ? 'categoryId')::integer + (p ?| '{productId,productIds}')::integer
        + coalesce((p ->> 'all')::boolean, false)::integer;
    missing text;
    violation jsonb := case
        when (p ? 'to') = (p ? 'priceChangeIds') then
            '{"path": "/to", "rule": "oneOf", "message": "a time, or priceChangeIds"}'::jsonb
        when scopes > 1 or scopes = 0 and p ? 'to' then
            '{"path": "/all", "rule": "oneOf", "message": "all, or a categoryId, or products"}'
        when (p ->> 'to')::timestamptz > pricing_now() then
            '{"path": "/to", "rule": "past", "message": "must not lie in the future"}'
        when hold <= pricing_now() then
            '{"path": "/hold", "rule": "future", "message": "must lie in the future"}' end;
begin
    if violation is not null then
        perform fail('PR602', format('%s: %s.', violation ->> 'path', violation ->> 'message'),
            jsonb_build_object('violations', jsonb_build_array(violation)));
    end if;
    select id into missing from jsonb_array_elements_text(coalesce(p -> 'priceChangeIds', '[]')) id
    where not exists (select from price_change where price_change_id = id::bigint) limit 1;
    if missing is not null then
        perform fail('PR308', format('There is no price change %s.', missing),
            jsonb_build_object('priceChangeId', missing::bigint));
    end if;
end $$;

-- What is to be done with each product of which something is to be taken back. Of a product's changes from the first
-- one at or after `to` on, by their place in its ledgers and not by their time, those that match are taken back.
create function plan_rollback(p jsonb, ids bigint[]) returns setof rollback_step
language sql stable set jit = off as $$
    with named as materialized (
        select product_id, sequence, transaction_id, change_id, price_change_id from price_change
        where price_change_id = any (array(select jsonb_array_elements_text(p -> 'priceChangeIds')::bigint))
          and (ids is null or product_id = any (ids))
    ), declared_from as materialized (
        select product_id, min(sequence) as first from declaration_change
        where at >= (p ->> 'to')::timestamptz and (ids is null or product_id = any (ids)) group by 1
        union all
        select product_id, min(l.sequence) from named n join declaration_change l using (product_id)
        where l.change_id > n.change_id or l.transaction_id = n.transaction_id group by 1
    ), moved_from as materialized (
        select product_id, min(sequence) as first from price_change
        where at >= (p ->> 'to')::timestamptz and (ids is null or product_id = any (ids)) group by 1
        union all
        select product_id, min(sequence) from named group by 1
    ), all_declared as materialized (  -- a pin that ended took nothing back
        select l.* from declared_from f join declaration_change l using (product_id)
        where l.sequence >= f.first and l.cause <> 'tick'
    ), all_moved as materialized (
        select c.product_id, c.sequence, c.transaction_id, c.change_id, c.price_change_id, c.old_price, c.cause, c.actor
        from moved_from f join price_change c using (product_id) where c.sequence >= f.first
    ), declared as materialized (
        select l.*, coalesce((p ->> 'actor' is null or actor = p ->> 'actor')
            and (p ->> 'cause' is null or cause = p ->> 'cause' or exists (
                select from all_moved c where c.product_id = l.product_id and c.transaction_id = l.transaction_id
                  and c.cause = p ->> 'cause'))
            and (not p ? 'priceChangeIds' or exists (
                select from named n where n.product_id = l.product_id and n.transaction_id = l.transaction_id)), false)
            as is_chosen
        from all_declared l
    ), moved as materialized (
        select c.*, coalesce((p ->> 'actor' is null or actor = p ->> 'actor')
            and (p ->> 'cause' is null or cause = p ->> 'cause' or exists (
                select from all_declared l where l.product_id = c.product_id and l.transaction_id = c.transaction_id
                  and l.cause = p ->> 'cause'))
            and (not p ? 'priceChangeIds' or exists (
                select from named n where n.price_change_id = c.price_change_id)), false) as is_chosen
        from all_moved c
    ), member as (
        select product_id, key, (array_agg(value order by sequence) filter (where is_chosen))[1] as value,
               max(sequence) filter (where not is_chosen) > max(sequence) filter (where is_chosen) is true as is_again
        from declared, jsonb_each(before) group by 1, 2 having bool_or(is_chosen)
    ), back as (
        select product_id, jsonb_object_agg(key, value) filter (where not is_again) as members,
               string_agg(wire_name(key), ', ' order by key) filter (where is_again) as again
        from member group by 1
    ), price as (
        select product_id, (array_agg(old_price order by sequence) filter (where is_chosen))[1] as price,
               coalesce(bool_or(is_chosen and is_rule_move), false) as was_moved,
               max(change_id) filter (where is_chosen and is_rule_move) as last_move
        from (select *, is_automatic(cause) or cause = 'approval' as is_rule_move from moved) m group by 1
    )
    select product_id, exists (select from declared l where l.product_id = s.product_id and is_chosen
                               and before is null),
           coalesce(b.members, '{}'), b.again, m.price, coalesce(m.was_moved, false),
           exists (select from declared l where l.product_id = s.product_id and not is_chosen
                   and l.change_id > m.last_move and l.after - '{title,description,supplier_id}'::text[] <> '{}')
    from (select product_id from declared where is_chosen union select product_id from moved where is_chosen) s
    left join back b using (product_id) left join price m using (product_id)
    order by product_id
$$;

-- Writes a whole declaration, as product.update does its members.
create function redeclare(d product) returns void
language plpgsql as $$
begin
    update product set
        sku = d.sku, title = d.title, description = d.description, category_id = d.category_id,
        supplier_id = d.supplier_id,
        base_price = d.base_price, unit_cost = d.unit_cost, floor_price = d.floor_price,
        ceiling_price = d.ceiling_price, low_stock = d.low_stock, high_stock = d.high_stock, rule_id = d.rule_id,
        active = d.active, archived_at = d.archived_at, elasticity = d.elasticity, ref_rate = d.ref_rate,
        unit_value = d.unit_value, decay = d.decay, season_start = d.season_start, season_end = d.season_end,
        season_profile = d.season_profile, floor_typed = d.floor_typed, ceiling_typed = d.ceiling_typed
    where product_id = d.product_id;
end $$;

-- The price that a product would get by its declaration with other members, without a pin; a halt keeps it. A rollback
-- waits for nobody's yes.
create function due_price(d product, i inventory) returns numeric
language plpgsql stable as $$
declare
    r rule;
begin
    if is_halted(d) then return i.price; end if;
    select * into r from rule where rule_id = d.rule_id;
    r.approve_above := null;
    i.pin_price := null;
    if models_demand(r.strategy) then i := foreseen_estimates(d, r, i, 'declaration', pricing_now()); end if;
    return charged_at(d, r, with_campaigns(d, i), (evaluate_price(d, r, i, 'declaration')).price);
end $$;

-- Which change of a product the caller has not seen; null where there is none. The last of each ledger tells.
create function unseen_change(id bigint, seen stream_position) returns text
language sql stable as $$
    select format('STALE: changed at %s by %s', rfc3339(at), actor)
    from ((select transaction_id, at, actor from declaration_change where product_id = id
           order by sequence desc limit 1)
          union all
          (select transaction_id, at, actor from price_change where product_id = id
           order by sequence desc limit 1)) last
    where not is_seen(transaction_id, seen) order by at desc limit 1
$$;

-- Of what was declared as it stood, the columns that differ now, without a rule that no product may follow any more.
create function members_to_restore(step rollback_step, d product, out members jsonb, out whys text[])
language plpgsql stable as $$
declare
    now_is jsonb := declared_members(d);
    r rule;
begin
    whys := case when step.again is null then '{}' else array['declared again since: ' || step.again] end;
    members := coalesce((select jsonb_object_agg(key, value) from jsonb_each(step.members)
                         where key not in ('pin_price', 'pinned_until') and value is distinct from now_is -> key),
                        '{}');
    select * into r from rule where rule_id = (members ->> 'rule_id')::bigint;
    if r.status <> 'active' then
        whys := whys || format('its rule %s, version %s, is %s: activate rule %s first', r.name, r.version, r.status,
                               r.rule_id);
        members := members - 'rule_id';
    end if;
end $$;

-- Puts members of a declaration back, and another pin where it `moves_pin`; returns why it cannot.
create function write_back(
    d product, members jsonb, i inventory, moves_pin boolean, pin numeric, ends timestamptz, reason text
) returns text
language plpgsql as $$
declare
    target product := jsonb_populate_record(d, members);
begin
    -- A limit that nobody typed follows the base price by itself.
    target := jsonb_populate_record(d, members
        - case when target.floor_typed then '' else 'floor_price' end
        - case when target.ceiling_typed then '' else 'ceiling_price' end);
    begin
        -- In the order that moves the price once: under a pin no declaration moves it.
        if moves_pin and i.pin_price is null then
            perform place_pin(d.product_id, pin, ends, 'rollback', reason);
            if members <> '{}' then perform redeclare(target); end if;
        else
            if members <> '{}' then perform redeclare(target); end if;
            if moves_pin then perform place_pin(d.product_id, pin, ends, 'rollback', reason); end if;
        end if;
    exception when sqlstate 'PR303' then  -- a pin outside the limits of now, or of before
        if i.pin_price is not null then perform place_pin(d.product_id, null, null, 'rollback', reason); end if;
        if members <> '{}' then perform redeclare(target); end if;
        if pin is not null then perform place_pin(d.product_id, pin, ends, 'rollback', reason); end if;
    end;
    return null;
exception when others then
    if not is_row_error(sqlstate) then raise; end if;
    return sqlerrm;
end $$;

-- Carries one step out, of a product that nobody changed since it was seen. Its facts: as `restored` if anything moved;
-- and why what stays does.
create function roll_back(
    step rollback_step, seen stream_position, hold timestamptz, reason text, out restored json, out whys text[]
)
language plpgsql as $$
declare
    d product;
    target product;
    i inventory;
    was numeric;
    members jsonb;
    pin numeric;
    ends timestamptz;
    moves_pin boolean := step.members ? 'pin_price';
    holds boolean := false;
    failure text;
begin
    select * into d from product where product_id = step.product_id for no key update;
    select * into i from inventory where product_id = step.product_id for no key update;
    failure := coalesce(unseen_change(d.product_id, seen),
                        case when step.is_new then 'it was made since: archive it if it is not wanted' end);
    if failure is not null then
        whys := array[failure];
        return;
    end if;
    was := i.price;
    pin := case when moves_pin then (step.members ->> 'pin_price')::numeric else i.pin_price end;
    ends := case when moves_pin then (step.members ->> 'pinned_until')::timestamptz else i.pinned_until end;
    if ends <= pricing_now() then
        pin := null;
        ends := null;
    end if;
    select m.members, m.whys into members, whys from members_to_restore(step, d) m;
    target := jsonb_populate_record(d, members);
    if target.archived_at is not null and d.archived_at is not null then
        whys := whys || 'it is archived: restore it first'::text;
        return;
    end if;

    if step.was_moved and pin is not null and not moves_pin and i.price <> step.price then
        whys := whys || format('pinned at %s%s: unpin it first', pin, coalesce(' until ' || rfc3339(ends), ''));
    elsif step.was_moved and pin is null and target.archived_at is null
        and step.price <> (case when members = '{}' and i.pin_price is null then i.price
                                else due_price(target, i) end) then
        holds := not step.declared_since;
        if holds then
            pin := step.price;
            ends := hold;
        else
            whys := whys || 'declared again since automation moved it'::text;
        end if;
    end if;
    moves_pin := (pin, ends) is distinct from (i.pin_price, i.pinned_until);
    if members = '{}' and not moves_pin then return; end if;
    failure := write_back(d, members, i, moves_pin, pin, ends, reason);
    if failure is not null then
        whys := whys || failure;
        return;
    end if;
    select * into i from inventory where product_id = d.product_id;
    restored := json_build_object('productId', d.product_id, 'sku', d.sku, 'title', target.title, 'old', was::text,
        'new', i.price::text, 'how', case when not holds then 'declaration' when members = '{}' then 'pin'
                                          else 'declaration and pin' end,
        'declared', coalesce(wire_members(members), '{}')
            || case when moves_pin then wire_members(pin_members(i)) else '{}' end);
end $$;

create function price_rollback(p jsonb) returns json
language plpgsql as $$
declare
    hold timestamptz := coalesce((p ->> 'hold')::timestamptz, start_of_today() + interval '1 day');
    ids bigint[] := case when p ?| '{categoryId,productId,productIds}' then named_products(p) end;
    seen stream_position;
    steps rollback_step[];
    step rollback_step;
    done record;
    restored json[] := '{}';
    skipped json[] := '{}';
begin
    perform check_rollback(p, hold);
    perform set_config('pricing.cause', 'rollback', true),
            set_config('pricing.reason', coalesce(p ->> 'reason', ''), true);
    perform share_new_products();  -- before any row is locked
    seen := seen_stream((p ->> 'seen')::bigint);
    steps := array(select s from plan_rollback(p, ids) s);
    foreach step in array steps loop
        done := roll_back(step, seen, hold, p ->> 'reason');
        if done.restored is not null then restored := restored || done.restored; end if;
        if done.whys <> '{}' then
            skipped := skipped || (select json_build_object('productId', product_id, 'sku', sku,
                                                            'why', array_to_string(done.whys, '; '))
                                   from product where product_id = step.product_id);
        end if;
    end loop;
    return json_build_object('seen', seen.sequence, 'hold', rfc3339(hold), 'restored', to_json(restored),
                             'skipped', to_json(skipped));
end $$;
