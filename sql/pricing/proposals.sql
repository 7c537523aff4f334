--! code
-- Proposals: moves of a regular price that a rule's approveAbove keeps for a person's yes. That a move is held is part
-- of the evaluation (hold_move in guards.sql), and that a row awaits a yes part of its state; here is what is told.
-- Ticks and declarations make and renew proposals, a stock movement none.

-- Days until a proposal that nobody decides expires, counted from when its target last moved.
create function proposal_days() returns integer
language sql immutable as $$
    select 7
$$;

-- Whether an evaluation is one that makes, renews or ends proposals: a tick where the rule has any, a declaration, and
-- a pin, which stands above them. An approval ends its own.
create function may_propose(chosen rule, row_was inventory, row_now inventory, mode text, kind text) returns boolean
language plpgsql immutable as $$
begin
    return kind not in ('approval', 'signal') and not is_hold(kind) and row_now.stock = row_was.stock
        and (mode = 'declaration' or mode = 'tick' and chosen.approve_above is not null
             or row_now.pin_price is distinct from row_was.pin_price);
end $$;

-- Whether a target lies within the dead band around one that was decided against.
create function is_same_target(chosen rule, target numeric, other numeric) returns boolean
language plpgsql stable as $$
begin
    return abs(target - other) <= greatest(
        case when (strategy_facts(chosen.strategy)).basis = 'level' then 0 else chosen.band_tick end * other,
        case when (strategy_facts(chosen.strategy)).basis = 'level' then 0 else 0.75 * chosen.price_step end);
end $$;

-- The proposal that stands of a product after an evaluation: made, renewed, ended, or left as it is. A target that was
-- rejected, or that nobody decided about in time, is proposed again once it has left the dead band around it. Called by
-- the inventory trigger alone, which holds the product's row.
create function settle_proposal(
    declared product, chosen rule, row_was inventory, row_now inventory, v price_verdict, mode text, kind text,
    moment timestamptz
) returns void
language plpgsql as $$
declare
    p proposal;
    f jsonb;
begin
    select * into p from proposal where product_id = declared.product_id and stands for no key update;
    if v.proposed is null then
        if p.status = 'open' then
            update proposal set status = 'withdrawn', reason = case v.frozen
                when 'pinned' then 'the price was pinned' when 'archived' then 'the product was archived'
                when 'out_of_stock' then 'it is sold out'
                else case when v.price = p.new_price then 'the price moved' else 'the target moved back' end end
            where proposal_id = p.proposal_id;
        elsif p.stands then
            update proposal set stands = false where proposal_id = p.proposal_id;
        end if;
        return;
    end if;
    if is_halted(declared) then return; end if;
    if p.status = 'open' and p.expires_at <= moment then
        update proposal set status = 'expired' where proposal_id = p.proposal_id returning * into p;
    end if;
    if p.status in ('rejected', 'expired') then
        if is_same_target(chosen, v.proposed, p.new_price) then return; end if;
        update proposal set stands = false where proposal_id = p.proposal_id;
        p := null;
    end if;
    if (p.old_price, p.new_price, p.rule_id) = (v.price, v.proposed, chosen.rule_id) then return; end if;
    f := price_inputs(declared, chosen, row_now, row_was.regular_price, row_was.band, mode, v)
        - '{approveAbove,campaign}'::text[];
    if p.proposal_id is not null then
        update proposal set rule_id = chosen.rule_id, old_price = v.price, new_price = v.proposed,
            stock = row_now.stock, cause = kind, binding_guard = (recompute_price(f)).binding, inputs = f,
            renewed_at = moment, expires_at = moment + make_interval(days => proposal_days())
        where proposal_id = p.proposal_id;
    else
        insert into proposal (product_id, rule_id, old_price, new_price, stock, cause, binding_guard, inputs, made_at,
                              renewed_at, expires_at)
        values (declared.product_id, chosen.rule_id, v.price, v.proposed, row_now.stock, kind,
                (recompute_price(f)).binding, f, moment, moment,
                moment + make_interval(days => proposal_days()));
    end if;
end $$;

-- Ends the proposals that nobody decided in time; a product that another session holds is left for the next tick.
create function expire_proposals(moment timestamptz) returns void
language plpgsql as $$
declare
    overdue bigint[] := array(select product_id from proposal where status = 'open' and expires_at <= moment);
    free bigint[];
begin
    if overdue = '{}' then return; end if;
    free := array(select product_id from inventory where product_id = any (overdue)
                  order by product_id for no key update skip locked);
    update proposal set status = 'expired'
    where product_id = any (free) and status = 'open' and expires_at <= moment;
end $$;

-- Moves a price as proposed, if its evaluation still asks for that (PR306). The proposal as it is to be kept.
create function carry_out(p proposal) returns proposal
language plpgsql as $$
declare
    declared product;
    chosen rule;
    i inventory;
    v price_verdict;
begin
    select * into declared from product where product_id = p.product_id;
    select * into chosen from rule where rule_id = declared.rule_id;
    select * into i from inventory where product_id = p.product_id for no key update;
    if is_halted(declared) then
        perform fail('PR304', format('Automation is halted for product %s: resume it first.', p.product_id),
            jsonb_build_object('proposalId', p.proposal_id, 'productId', p.product_id, 'sku', declared.sku));
    end if;
    v := evaluate_price(declared, chosen, i, 'stock');
    if p.expires_at <= pricing_now() or v.proposed is distinct from p.new_price then
        select * into p from proposal where proposal_id = p.proposal_id;  -- still open, as it stands
        perform refuse_stale(p, v);
    end if;
    p.rule_id := chosen.rule_id;
    p.old_price := i.regular_price;
    p.stock := i.stock;
    p.inputs := price_inputs(declared, chosen, i, i.regular_price, i.band,
                             case when i.anchor_date is null then 'declaration' else 'tick' end, v)
        - '{approveAbove,campaign}'::text[];
    p.binding_guard := (recompute_price(p.inputs)).binding;
    update inventory set cause = row('approval', null, coalesce(nullif(p.reason, ''), 'approved'), null)::movement_cause
    where product_id = p.product_id;
    return p;
end $$;

-- What was to be decided is no longer what it was: with the price that its evaluation asks for now.
create function refuse_stale(p proposal, v price_verdict) returns void
language plpgsql as $$
begin
    perform fail('PR306', case
        when p.status <> 'open' then format('Proposal %s is %s already.', p.proposal_id, p.status)
        when p.expires_at <= pricing_now() then format('Proposal %s has expired.', p.proposal_id)
        when v.proposed is null then format('Proposal %s is no longer asked for.', p.proposal_id)
        else format('The price asked for is %s now.', v.proposed) end,
        jsonb_build_object('proposalId', p.proposal_id, 'productId', p.product_id,
            'sku', (select sku from product d where d.product_id = p.product_id), 'status', p.status,
            'proposed', p.new_price::text, 'target', v.proposed::text));
end $$;
