--! code
-- When the learner folds, and what becomes of it: the row's estimates and opening rate are renewed at ticks and
-- declarations, from the ledgers.

-- Folds of the products under `learn` what their ledgers hold beyond the last fold, and keeps states and folds. The
-- rows are as they stand under their locks.
create function fold_products(rows inventory[], moment timestamptz) returns void
language plpgsql as $$
declare
    spans learn_span[] := array(
        select s from due_folds(array(
            select i from unnest(rows) i join product d using (product_id) join rule r using (rule_id)
            where (strategy_facts(r.strategy)).learns), moment) s);
begin
    if spans = '{}' then return; end if;
    with folded as (
        insert into learner as l (product_id, state, since, first_fold, last_fold)
        select s.product_id, f.state, s.since, s.first, s.number
        from unnest(spans) s join fold_ledgers(spans) f using (product_id)
        on conflict (product_id) do update set state = excluded.state, since = excluded.since,
            first_fold = excluded.first_fold, last_fold = excluded.last_fold
    )
    insert into learner_fold (product_id, number, at, movement, change)
    select s.product_id, s.number, s.to_at, s.to_movement, s.to_change from unnest(spans) s;
end $$;

-- The first products of a page, so many that folding anew those among them that need it reads at most `most` days and
-- movements, or the first alone.
create function fold_page(ids bigint[], most bigint) returns bigint[]
language plpgsql stable set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
    return (select ids[:greatest(1, count(*) filter (where so_far <= most))::integer]
    from (
        select sum(case when not (strategy_facts(r.strategy)).learns
                             or (select state from learner l where l.product_id = id) is not null
                        then 0
                        else i.movement_count
                             + least(210, extract(epoch from i.ticked_at - d.created_at) / 86400)::bigint end)
                   over (order by n) as so_far
        from unnest(ids) with ordinality u (id, n)
        join product d on d.product_id = id join rule r using (rule_id) join inventory i on i.product_id = id) p);
end $$;

-- The lock of a product's learner. Products share a thousand of them, since the server has room for a few thousand, and
-- a tick in one transaction takes each product's.
create function learner_lock(id bigint) returns integer
language sql immutable as $$
    select hashint8(id) & 1023
$$;

-- Takes a product's learner for this transaction, so that it is not folded anew twice at once.
create function try_learner(id bigint) returns boolean
language sql as $$
    select pg_try_advisory_xact_lock(hashtext('pricing_learner'), learner_lock(id))
$$;

-- Folds anew those products of a page that need it, before their rows are locked: one snapshot makes rows and ledgers
-- agree, declarations wait, and no order does. What is sold meanwhile is folded under the lock, and so is a product
-- that fails here or that another session changes.
create function fold_anew(ids bigint[], moment timestamptz) returns void
language plpgsql as $$
declare
    mine bigint[];
begin
    if not exists (select from unnest(ids) id where (select l.state from learner l where l.product_id = id) is null)
    then
        return;
    end if;
    mine := array(
        select d.product_id from product d join rule using (rule_id)
        where d.product_id = any (ids) and (strategy_facts(strategy)).learns
          and (select l.state from learner l where l.product_id = d.product_id) is null and try_learner(d.product_id)
        order by d.product_id for share of d skip locked);
    perform fold_products(array(
        select i from inventory i left join learner l using (product_id)
        where i.product_id = any (mine) and l.state is null), moment);
exception when others then
    if not is_row_error(sqlstate) then raise; end if;
end $$;

-- Whether a declaration may fold its product anew at once: a short ledger, since orders wait for it, and no more than
-- ten in a transaction, which an import or a rule that is activated soon exceeds. All others wait for the next tick.
create function may_fold_anew(i inventory) returns boolean
language plpgsql as $$
declare
    folded integer := coalesce(nullif(current_setting('pricing.folded_anew', true), '')::integer, 0);
begin
    if folded >= 10 or i.movement_count > 2000 or not try_learner(i.product_id) then return false; end if;
    perform set_config('pricing.folded_anew', (folded + 1)::text, true);
    return true;
end $$;

-- The units a day at base that a shop believes in which types none: what was received until the latest receipt before
-- the first sale, over the season's days from that receipt on. Orders that were cancelled are no sales. Null where
-- nothing came; is_final: there was a sale.
create function opening_rate(
    declared product, chosen rule, last_movement bigint, out rate float8, out is_final boolean
)
language plpgsql stable as $$
declare
    m record;
    received bigint := 0;
begin
    is_final := false;
    for m in select sequence, kind, quantity, order_id, at from stock_movement
             where product_id = declared.product_id and sequence <= last_movement order by sequence loop
        if m.kind = 'sale' and not exists (
            select from stock_movement c where c.product_id = declared.product_id and c.sequence > m.sequence
              and c.sequence <= last_movement and c.kind = 'cancel' and c.order_id = m.order_id) then
            is_final := true;
            return;
        end if;
        if (m.kind in ('initial', 'restock') or m.sequence = 1) and m.quantity > 0 then
            received := received + m.quantity;
            rate := received / opening_days(declared, chosen, m.at);
        end if;
    end loop;
end $$;

-- The days of average demand that an opening rate spreads stock over.
create function opening_days(declared product, chosen rule, moment timestamptz) returns float8
language sql stable as $$
    select case when declared.season_end is null then chosen.cover_days
                else greatest(1, season_weight(declared.season_profile, declared.season_start, declared.season_end,
                                               moment, declared.season_end)) end
$$;

-- The row with the opening rate that its ledger gives; where stock never came by a receipt, its stock over the days.
create function with_opening_rate(
    declared product, chosen rule, row_now inventory, mode text, moment timestamptz
) returns inventory
language plpgsql stable as $$
declare
    opening record;
begin
    if mode not in ('stock', 'first') and (row_now.opening_rate is null or not row_now.opening_is_final)
        and declared.ref_rate is null then
        opening := opening_rate(declared, chosen, row_now.movement_count);
        row_now.opening_rate := coalesce(opening.rate, row_now.opening_rate);
        row_now.opening_is_final := opening.is_final;
    end if;
    if row_now.opening_rate is null and row_now.stock > 0 then
        row_now.opening_rate := row_now.stock / opening_days(declared, chosen, moment);
    end if;
    return row_now;
end $$;

-- The row with the estimates that a state gives, beginning with what the shop knew at the row's last tick and with what
-- its own last season left.
create function with_estimates(declared product, chosen rule, row_now inventory, state float8[]) returns inventory
language plpgsql stable as $$
declare
    prior shop_prior := shop_prior_at(declared, chosen, row_now.ticked_at);
begin
    state := coalesce(state, learner_empty());
    if chosen.from_shop then state := known_state(declared, state, row_now.ticked_at); end if;
    select * into row_now.elasticity_now, row_now.rate_now
    from learn_estimate(state, declared.elasticity,
                        coalesce(declared.ref_rate, row_now.opening_rate, 1), coalesce(prior.shift_rate, 0),
                        coalesce(prior.shift_elasticity, 0), coalesce(prior.share, 1));
    return row_now;
end $$;

-- What is known of a row's product, and whether that is all that its ledgers hold at a moment.
create function learner_state(i inventory, moment timestamptz, out state float8[], out is_whole boolean)
language plpgsql stable set enable_seqscan = off as $$
begin
    select l.state, (f.at, f.movement, f.change) is not distinct from
                    (greatest(moment, f.at), i.movement_count, i.change_count)
    into state, is_whole
    from learner l join learner_fold f on f.product_id = l.product_id and f.number = l.last_fold
    where l.product_id = i.product_id;
end $$;

-- The row with what a tick or a declaration renews: the opening rate, and under `learn` the estimates, from everything
-- in the ledgers. A page of a tick has folded its products already. A movement renews nothing.
create function renew_estimates(
    declared product, chosen rule, row_was inventory, row_now inventory, mode text, moment timestamptz
) returns inventory
language plpgsql as $$
declare
    known record;
begin
    if not models_demand(chosen.strategy)
        or mode = 'stock' and (row_now.opening_rate is not null or (strategy_facts(chosen.strategy)).learns) then
        return row_now;
    end if;
    if row_now.opening_rate is distinct from row_was.opening_rate and row_now.opening_rate is not null then
        row_now.opening_is_final := true;  -- given by hand
    end if;
    row_now := with_opening_rate(declared, chosen, row_now, mode, moment);
    if not (strategy_facts(chosen.strategy)).learns then return row_now; end if;
    if row_was.learning_since is distinct from row_now.learning_since then
        perform pg_advisory_xact_lock(hashtext('pricing_learner'), learner_lock(row_now.product_id));
        update learner set state = null where product_id = row_now.product_id;
    end if;
    if mode = 'first' then return with_estimates(declared, chosen, row_now, learner_empty()); end if;
    known := learner_state(row_now, moment);
    if known.state is null and mode <> 'tick' and not may_fold_anew(row_now) then return row_now; end if;
    if known.state is null or not known.is_whole then
        perform fold_products(array[row_now], moment);
        known := learner_state(row_now, moment);
    end if;
    return with_estimates(declared, chosen, row_now, known.state);
end $$;

-- The same without writing anything, for a rule that the product may not follow yet.
create function foreseen_estimates(
    declared product, chosen rule, row_now inventory, mode text, moment timestamptz
) returns inventory
language plpgsql stable as $$
declare
    begins_to_learn boolean := (select not (strategy_facts(strategy)).learns from rule
                                where rule_id = declared.rule_id);
begin
    row_now := with_opening_rate(declared, chosen, row_now, mode, moment);
    if not (strategy_facts(chosen.strategy)).learns then return row_now; end if;
    return with_estimates(declared, chosen, row_now, coalesce(
        (select state from fold_ledgers(array(select s from due_folds(array[row_now], moment, begins_to_learn) s))),
        (select l.state::float8[] from learner l where l.product_id = row_now.product_id)));
end $$;
