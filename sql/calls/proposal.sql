--! code
-- Proposals, as calls list and decide them.

-- A proposal beside the price, as price.why gives it.
create function proposal_note(p proposal) returns json
language sql stable as $$
    select json_build_object('proposalId', p.proposal_id, 'price', p.new_price::text, 'madeAt', rfc3339(p.made_at),
        'expiresAt', rfc3339(p.expires_at))
$$;

-- The steps that led to what is proposed, as price.why gives those of a price: from the inputs that it keeps.
create function proposal_steps(p proposal) returns jsonb
language sql stable as $$
    select jsonb_build_array(
        jsonb_build_object('step', 'strategy', 'before', f ->> 'base', 'after', round((f ->> 'raw')::numeric, 4)::text,
            'note', price_reason(p.cause, null, f, '')),
        jsonb_build_object('step', 'daily_cap', 'before', round((f ->> 'raw')::numeric, 4)::text,
            'after', round((f ->> 'capped')::numeric, 4)::text,
            'note', case when f ->> 'dailyCap' is null then 'none' else format('%s..%s in a day',
                round((f ->> 'anchor')::numeric * (1 - (f ->> 'dailyCap')::numeric), 2),
                round((f ->> 'anchor')::numeric * (1 + (f ->> 'dailyCap')::numeric), 2)) end),
        jsonb_build_object('step', 'limits', 'before', round((f ->> 'capped')::numeric, 4)::text,
            'after', round((f ->> 'limited')::numeric, 4)::text,
            'note', format('floor %s, ceiling %s', (f ->> 'floor')::numeric(12, 2), f ->> 'ceiling')),
        jsonb_build_object('step', 'rounding', 'before', round((f ->> 'limited')::numeric, 4)::text,
            'after', p.new_price::text, 'note', 'rounded to ' || (f ->> 'step')))
    from (select p.inputs as f) i
$$;

-- The target that is asked for now of a product whose move waits for a yes; null where none is.
create function asked_now(id bigint) returns numeric
language sql stable as $$
    select (evaluate_price(d, r, i, 'stock')).proposed
    from product d join rule r using (rule_id) join inventory i using (product_id) where d.product_id = id
$$;

-- `target` is what is asked for now of one that is open: another than `proposed` where stock moved since.
create function proposal_json(p proposal) returns jsonb
language plpgsql stable as $$
declare
    d product;
    r rule;
    target numeric := case when p.status = 'open' then asked_now(p.product_id) end;
    why text := price_reason(p.cause, p.binding_guard, p.inputs, '');
begin
    select * into d from product where product_id = p.product_id;
    select * into r from rule where rule_id = p.rule_id;
    return jsonb_build_object('proposalId', p.proposal_id, 'status', p.status, 'productId', p.product_id,
        'sku', d.sku, 'title', d.title, 'categoryId', d.category_id, 'old', p.old_price::text,
        'proposed', p.new_price::text, 'target', target::text, 'stock', p.stock,
        'rule', jsonb_build_object('ruleId', r.rule_id, 'name', r.name, 'version', r.version, 'strategy', r.strategy),
        'cause', p.cause, 'bindingGuard', p.binding_guard, 'why', why, 'steps', proposal_steps(p),
        'text', array_to_string(array[
            format('price %s, proposed %s (%s)   strategy %s, rule %s version %s', p.old_price, p.new_price,
                   percent_text(p.new_price, p.old_price), r.strategy, r.name, r.version),
            format('  %s, with %s in stock; asked for by a %s', why, p.stock, p.cause),
            case when p.binding_guard is not null then format('  binding guard: %s', p.binding_guard) end,
            case when target <> p.new_price then format('  asked for now: %s', target)
                 when p.status = 'open' and target is null then '  asked for now: nothing' end], E'\n'),
        'madeAt', rfc3339(p.made_at), 'renewedAt', rfc3339(p.renewed_at), 'expiresAt', rfc3339(p.expires_at),
        'decidedAt', rfc3339(p.decided_at), 'decidedBy', p.decided_by, 'reason', p.reason);
end $$;

create function proposal_list(p jsonb) returns json
language plpgsql stable as $$
declare
    place bigint := coalesce((open_cursor('proposal.list', p) ->> 0)::bigint, 9223372036854775807);
    ids bigint[] := named_products(p);
    rows proposal[];
begin
    perform find_rule((p ->> 'ruleId')::bigint);
    rows := array(
        select m from proposal m
        where m.proposal_id < place and (p ->> 'status' is null or m.status = p ->> 'status')
          and (p ->> 'ruleId' is null or m.rule_id = (p ->> 'ruleId')::bigint)
          and (not p ?| '{productId,productIds,categoryId}' or m.product_id = any (ids))
        order by m.proposal_id desc limit page_size(p) + 1);
    return as_page('proposal.list', p, array(
        select json_build_object('cursor', json_build_array(m.proposal_id), 'item', proposal_json(m))
        from unnest(rows) m order by m.proposal_id desc));
end $$;

-- The proposal that a call names, with its product's row locked, in the order of every other writer; PR305 for one that
-- there is not, PR306 for one that is decided.
create function lock_proposal(id bigint) returns proposal
language plpgsql as $$
declare
    p proposal;
begin
    perform from inventory
    where product_id = (select product_id from proposal where proposal_id = id) for no key update;
    select * into p from proposal where proposal_id = id;
    if not found then
        perform fail('PR305', format('There is no proposal %s.', id), jsonb_build_object('proposalId', id));
    elsif p.status <> 'open' then
        perform refuse_stale(p, null);
    end if;
    return p;
end $$;

-- Approves a proposal: its product is evaluated once more, and the price moves if that asks for the same.
create function proposal_approve(p jsonb) returns json
language plpgsql as $$
declare
    m proposal := lock_proposal((p ->> 'proposalId')::bigint);
    i inventory;
begin
    update proposal set status = 'approved', new_price = coalesce((p ->> 'price')::numeric, new_price),
        reason = coalesce(p ->> 'reason', '')
    where proposal_id = m.proposal_id returning * into m;
    select * into i from inventory where product_id = m.product_id;
    return proposal_json(m) || jsonb_build_object('price', i.price::text, 'regularPrice', i.regular_price::text);
end $$;

-- Rejects it: the posted price stays, and the target is not proposed again while it stays about there.
create function proposal_reject(p jsonb) returns json
language plpgsql as $$
declare
    m proposal := lock_proposal((p ->> 'proposalId')::bigint);
    i inventory;
begin
    update proposal set status = 'rejected', reason = coalesce(p ->> 'reason', '')
    where proposal_id = m.proposal_id returning * into m;
    select * into i from inventory where product_id = m.product_id;
    return proposal_json(m) || jsonb_build_object('price', i.price::text, 'regularPrice', i.regular_price::text);
end $$;
