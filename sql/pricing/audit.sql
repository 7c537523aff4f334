--! code
-- What should hold of every product and order, recomputed from stock ledger, price history and declaration.

-- The audit: every figure derived from the stock ledger and every price, computed again; each row that disagrees is
-- named. It compares what one statement sees, so that concurrent work is never a difference.
--
-- Each finding has a kind, `noun.what`:
--   stock.missing                                a product has no inventory row
--   stock.sum, stock.held, stock.count           what inventory keeps is not what the ledger gives
--   quote.held                                   what the ledger holds is not what open quotes do
--   stock.unshipped                              what was sold and has not left is not what open orders say
--   stock.sequence, stock.chain                  the ledger has a gap; a row does not continue the one before
--   price.posted, price.count                    the price charged is not where the history ends
--   price.limits, price.evaluation               it is outside its limits; the regular price is not what its rule gives
--   price.interval                               that does not stand at all the stocks between which it is said to
--   price.regular, price.campaign                without a campaign it is not the price charged; that is not what the
--                                                campaigns make of it
--   campaign.percent, campaign.price             a row's campaigns are not those that run for its product
--   price.sequence, price.chain                  the history has a gap; a row does not begin where the one before ended
--   price.recomputed                             a row's own inputs give another price, or another binding guard
--   price.inputs, price.stock                    a row's inputs are not its own; its stock is not the ledger's then
--   proposal.recomputed, proposal.open           a proposal's inputs give another price, or another binding guard; one
--                                                that is open is of a price that waits for nobody
--   learner.state                                what `learn` knows is not what its folds give, made again
--   learner.estimate                             elasticity or rate are not what that state gives
--   price.failed                                 its evaluation, or that of its history, raises the error named
--   order.total, order.lines                     a total is not the sum of its lines; a line is not what left the shelf
create function difference_message(
    "table" text, product_id bigint, place bigint, order_id bigint, field text, expected text, found text
) returns text
language sql immutable as $$
    select format('%s%s%s%s: %s is %s, should be %s', "table",
        case when order_id is not null then format(' of order %s', order_id) end,
        case when product_id is not null then format(' of product %s', product_id) end,
        case when place is not null then format(', number %s', place) end,
        field, coalesce(found, 'missing'), coalesce(expected, 'none'))
$$;

-- Holds are counted apart from stock: they sum to `held`, every other kind to `stock`.
create function is_hold(kind text) returns boolean
language sql immutable as $$
    select kind in ('hold', 'release', 'expire')
$$;

-- Stock figures and stock ledger of some products. A row is at fault that neither continues the one before nor equals
-- the running sum: after a wrong row the next fails the first test alone, and all later ones the second alone.
create function audit_ledger(ids bigint[])
returns table (kind text, "table" text, product_id bigint, sequence bigint, order_id bigint, field text,
               expected text, found text)
language sql stable as $$
    with ledger as materialized (
        select m.*, lag(m.sequence, 1, 0::bigint) over w as sequence_before, lag(stock_after, 1, 0) over w as before,
               case when is_hold(m.kind) then 0 else quantity end as change,
               sum(quantity) filter (where not is_hold(m.kind)) over w as running
        from stock_movement m where m.product_id = any (ids)
        window w as (partition by m.product_id order by m.sequence)
    ), sums as (
        select i.product_id, i.stock, i.held, i.movement_count,
               coalesce(sum(m.quantity) filter (where not is_hold(m.kind)), 0) as stock_sum,
               coalesce(sum(m.quantity) filter (where is_hold(m.kind)), 0) as held_sum, count(m.sequence) as rows
        from inventory i left join ledger m using (product_id) where i.product_id = any (ids)
        group by i.product_id
    )
    select 'stock.missing', 'inventory', id, null::bigint, null::bigint, 'product_id', id::text, null::text
    from unnest(ids) id where not exists (select from inventory i where i.product_id = id)
    union all
    select 'stock.sum', 'inventory', product_id, null::bigint, null::bigint, 'stock', stock_sum::text, stock::text
    from sums where stock <> stock_sum
    union all
    select 'stock.held', 'inventory', product_id, null, null, 'held', held_sum::text, held::text
    from sums where held <> held_sum
    union all
    select 'quote.held', 'quote_line', product_id, null, null, 'quantity', held_sum::text, quoted::text
    from sums s, lateral (select coalesce(sum(l.quantity), 0) as quoted from quote_line l join quote q using (quote_id)
                          where l.product_id = s.product_id and q.status = 'open') q
    where held_sum <> quoted
    union all
    select 'stock.unshipped', 'inventory', product_id, null, null, 'unshipped', units::text, unshipped::text
    from (select i.product_id, i.unshipped, case when rule_signal(i.product_id) = 'on_hand' then (
              select coalesce(sum(l.quantity), 0) from order_line l join customer_order o using (order_id)
              where l.product_id = i.product_id and o.status in ('pending', 'processing')) else 0 end as units
          from inventory i where i.product_id = any (ids)) u
    where unshipped <> units
    union all
    select 'stock.count', 'inventory', product_id, null, null, 'movement_count', rows::text, movement_count::text
    from sums where movement_count <> rows
    union all
    select 'stock.sequence', 'stock_movement', product_id, sequence, order_id, 'sequence', (sequence_before + 1)::text,
           sequence::text
    from ledger where sequence <> sequence_before + 1
    union all
    select 'stock.chain', 'stock_movement', product_id, sequence, order_id, 'stock_after', (before + change)::text,
           stock_after::text
    from ledger where stock_after <> before + change and stock_after is distinct from running
    union all
    select 'order.lines', 'order_line', product_id, null, order_id, 'quantity', moved.units::text, l.quantity::text
    from (select * from order_line join customer_order using (order_id) where product_id = any (ids)) l
    full join (select order_id, product_id, -sum(quantity) filter (where kind = 'sale') as units,
                      count(*) filter (where kind = 'sale') as sales,
                      coalesce(sum(quantity) filter (where kind <> 'sale'), 0) as back
               from ledger where order_id is not null and kind in ('sale', 'cancel', 'return') group by 1, 2) moved
        using (order_id, product_id)
    where (moved.units, moved.sales, moved.back) is distinct from
          (l.quantity::bigint, 1::bigint,
           case when l.status = 'cancelled' then l.quantity else coalesce((
               select sum(r.quantity) from order_return r
               where r.order_id = l.order_id and r.product_id = l.product_id), 0) end::bigint)
$$;

-- Where in the stock ledger each price change stands: the least and the greatest number of movements before it. A
-- change that a movement caused comes right after it; any other lies between its neighbours that do.
create function place_price_changes(ids bigint[])
returns table (product_id bigint, sequence bigint, at_least bigint, at_most bigint)
language sql stable as $$
    with ledger as materialized (
        select m.* from stock_movement m where m.product_id = any (ids)
    ), placed as (
        select c.product_id, c.sequence, min(m.sequence) as lowest, max(m.sequence) as highest
        from price_change c
        left join ledger m on m.product_id = c.product_id and m.at = c.at and m.kind = c.cause
            and m.order_id is not distinct from c.order_id and m.stock_after = c.stock
        where c.product_id = any (ids)
        group by c.product_id, c.sequence
    )
    select product_id, sequence, coalesce(max(lowest) over upto, 0),
           coalesce(min(highest) over onwards, 9223372036854775807)
    from placed
    window upto as (partition by product_id order by sequence),
           onwards as (partition by product_id order by sequence rows between current row and unbounded following)
$$;

-- The price charged that a price change's own inputs give, and the regular one; a pin is its own.
create function recompute_change(inputs jsonb, out price numeric, out binding text, out regular numeric)
language plpgsql immutable as $$
declare
    reduced record;
begin
    if inputs ->> 'mode' = 'pin' then
        regular := (inputs ->> 'pin')::numeric;
        price := regular;
        return;
    elsif inputs ->> 'mode' = 'campaign' then
        regular := (inputs ->> 'posted')::numeric;
    else
        select v.price, v.binding into regular, binding from recompute_price(inputs) v;
    end if;
    reduced := reduce_again(inputs, regular);
    price := reduced.price;
    if inputs ->> 'mode' = 'campaign' then binding := reduced.binding; end if;
end $$;

-- The price history of some products. Where a row begins at the price that the inputs of the row before give, only that
-- row before is at fault.
create function audit_history(ids bigint[])
returns table (kind text, "table" text, product_id bigint, sequence bigint, order_id bigint, field text,
               expected text, found text)
language sql stable as $$
    with history as materialized (
        select c.*, lag(c.sequence, 1, 0::bigint) over w as sequence_before,
            lag(new_price, 1, opening_price) over w as before
        from price_change c join inventory i using (product_id) where c.product_id = any (ids)
        window w as (partition by c.product_id order by c.sequence)
    ), again as materialized (
        select c.*, v.price, v.binding, v.regular,
            lag(v.price) over (partition by c.product_id order by c.sequence) as price_before
        from history c, recompute_change(c.inputs) v
    )
    select 'price.sequence', 'price_change', product_id, sequence, order_id, 'sequence', (sequence_before + 1)::text,
           sequence::text
    from history where sequence <> sequence_before + 1
    union all
    select 'price.chain', 'price_change', product_id, sequence, order_id, 'old_price', before::text, old_price::text
    from again where old_price <> before and old_price is distinct from price_before
    union all
    select 'price.recomputed', 'price_change', product_id, sequence, order_id, 'new_price', price::text, new_price::text
    from again where price is distinct from new_price
    union all
    select 'price.recomputed', 'price_change', product_id, sequence, order_id, 'binding_guard', binding, binding_guard
    from again where binding is distinct from binding_guard
    union all
    select 'price.recomputed', 'price_change', product_id, sequence, order_id, 'new_regular', regular::text,
           coalesce(new_regular, new_price)::text
    from again where price is not distinct from new_price and regular is distinct from coalesce(new_regular, new_price)
    union all
    select 'price.inputs', 'price_change', product_id, sequence, order_id, f.field, f.own, f.given
    from history c join rule r using (rule_id), lateral (values
        ('stock', c.stock::text, inputs ->> 'stock'),
        ('old_price', coalesce(old_regular, old_price)::text, inputs ->> 'posted'),
        ('rule_id', c.rule_id::text, inputs ->> 'ruleId'), ('strategy', r.strategy, inputs ->> 'strategy'),
        ('price_step', r.price_step::text, inputs ->> 'step'),
        ('price_offset', r.price_offset::text, inputs ->> 'offset'),
        ('daily_cap', case when inputs ->> 'dailyCap' is not null then r.daily_cap::text end, inputs ->> 'dailyCap')
        ) f (field, own, given)
    where inputs ->> 'mode' <> 'pin' and f.own is distinct from f.given
    union all
    select 'price.stock', 'price_change', product_id, sequence, order_id, 'stock',
           (select stock_after from stock_movement m
            where m.product_id = c.product_id and m.sequence = p.at_least)::text,
           stock::text
    from history c join place_price_changes(ids) p using (product_id, sequence)
    where not (c.stock = 0 and p.at_least = 0) and (
        -- a subquery and not `not exists`: it reads the few rows between, and not the product's whole ledger
        select m.sequence from stock_movement m where m.product_id = c.product_id
          and m.sequence between p.at_least and p.at_most and m.stock_after = c.stock limit 1) is null
$$;

-- The posted price of some products: where the history ends (or what its last row's inputs give: then that row is at
-- fault), within its limits, and what its rule gives for the ledger's stock. Archived or halted products keep their
-- price.
create function audit_prices(ids bigint[])
returns table (kind text, "table" text, product_id bigint, sequence bigint, order_id bigint, field text,
               expected text, found text)
language sql stable as $$
    with posted as materialized (
        select i as i, d as d, r as r, i.product_id, i.price, i.regular_price, charged_price(d, r, i) as charged,
               case when i.stock = 0 and i.pin_price is null then i.price
                    else coalesce(c.new_price, i.opening_price) end as last_price,
               c.price as last_recomputed,
               d.archived_at is not null or is_halted(d) as stands,
               i.stock = coalesce((select m.stock_after from stock_movement m where m.product_id = i.product_id
                                   order by m.sequence desc limit 1), 0) as is_counted, l.floor_at, l.ceiling_at, h.rows
        from inventory i join product d using (product_id) join rule r using (rule_id)
        cross join lateral price_limits(d, r) l
        left join lateral (select new_price, (recompute_change(inputs)).price as price from price_change c
                           where c.product_id = i.product_id order by sequence desc limit 1) c on true
        cross join lateral (select count(*) as rows from price_change c where c.product_id = i.product_id) h
        where i.product_id = any (ids)
    )
    select 'price.count', 'inventory', product_id, null::bigint, null::bigint, 'change_count', rows::text,
           ((i).change_count)::text
    from posted where (i).change_count <> rows
    union all
    select 'price.posted', 'inventory', product_id, null, null, 'price', last_price::text, price::text
    from posted where price <> last_price and price is distinct from last_recomputed
    union all
    select 'price.limits', 'inventory', product_id, null, null, 'price',
           format('%s..%s', floor_at::numeric(12, 2), ceiling_at::numeric(12, 2)), price::text
    from posted where price = last_price and not stands and price not between floor_at and ceiling_at
    union all
    select case when is_reduced(i) then 'price.campaign' else 'price.regular' end, 'inventory', product_id, null, null,
           case when is_reduced(i) then 'price' else 'regular_price' end,
           (case when is_reduced(i) then (charged).price else price end)::text,
           (case when is_reduced(i) then price else regular_price end)::text
    from posted where price = last_price and price <> (charged).price
    union all
    select f.field, 'inventory', product_id, null, null, replace(f.field, '.', '_'), f.expected::text, f.found::text
    from posted p, running_reduction(d) v, lateral (values
        ('campaign.percent', v.percent, (i).campaign_percent), ('campaign.price', v.price, (i).campaign_price)
        ) f (field, expected, found)
    where f.expected is distinct from f.found
      -- of one that is starting or ending only the products that were visited
      and not exists (select from campaign c where c.status in ('starting', 'ending') and is_for(c, p.d)
                        and (p.product_id > c.reached or p.product_id = any (c.waiting)))
    union all
    select 'price.evaluation', 'inventory', product_id, null, null, 'regular_price', v.price::text,
           p.regular_price::text
    from posted p, evaluate_price(d, r, i, 'stock') v
    where p.price = p.last_price and p.price = (p.charged).price and not stands
      and p.price between p.floor_at and p.ceiling_at and v.price <> p.regular_price and p.is_counted
    union all
    select 'price.interval', 'inventory', product_id, null, null, 'stands_from',
           format('within the stocks at which %s stands', p.regular_price),
           format('%s..%s', (i).stands_from, (i).stands_to)
    from posted p, evaluate_price(d, r, i, 'stock') v
    where p.price = p.last_price and not stands and p.is_counted and v.price = p.regular_price
      and (i).stands_from is not null
      and not ((i).stock = 0 or (i).stock between (i).stands_from and (i).stands_to
               and stands_at(d, r, i, (i).stands_from) and stands_at(d, r, i, (i).stands_to))
$$;

-- The proposals of some products.
create function audit_proposals(ids bigint[])
returns table (kind text, "table" text, product_id bigint, sequence bigint, order_id bigint, field text,
               expected text, found text)
language sql stable as $$
    with made as materialized (
        select p.*, v.price, v.binding, i.awaits_approval
        from proposal p join inventory i using (product_id), recompute_price(p.inputs) v
        where p.product_id = any (ids)
    )
    select 'proposal.recomputed', 'proposal', product_id, proposal_id, null::bigint, f.field, f.expected, f.found
    from made, lateral (values ('new_price', price::text, new_price::text), ('binding_guard', binding, binding_guard))
        f (field, expected, found)
    where f.expected is distinct from f.found
    union all
    select 'proposal.open', 'proposal', product_id, proposal_id, null, 'status', 'withdrawn', status::text
    from made where status = 'open' and not awaits_approval
$$;

-- Whether two computed numbers agree but for how another machine may round.
create function is_near(a float8, b float8) returns boolean
language sql immutable as $$
    select abs(a - b) <= 1e-9 * greatest(1, abs(a), abs(b))
$$;

-- What `learn` knows of some products: each fold is made again from the ledgers.
create function audit_learner(ids bigint[])
returns table (kind text, "table" text, product_id bigint, sequence bigint, order_id bigint, field text,
               expected text, found text)
language sql stable as $$
    with folded as materialized (
        select distinct on (product_id) * from fold_ledgers(array(select s from made_folds(ids) s))
        order by product_id, number desc
    )
    select 'learner.state', 'learner', product_id, last_fold, null::bigint, 'state', f.state::text, l.state::text
    from folded f join learner l using (product_id)
    where (select bool_and(is_near(a, b)) from unnest(f.state, l.state::float8[]) u (a, b)) is not true
    union all
    select 'learner.estimate', 'inventory', i.product_id, null, null, e.field, e.expected::text, e.found::text
    from inventory i join product d using (product_id) join rule r using (rule_id) join learner l using (product_id)
    cross join lateral with_estimates(d, r, i, l.state) v
    cross join lateral (values ('elasticity_now', v.elasticity_now, i.elasticity_now),
                               ('rate_now', v.rate_now, i.rate_now)) e (field, expected, found)
    where i.product_id = any (ids) and l.state is not null and (strategy_facts(r.strategy)).learns
      and is_near(e.expected, e.found) is not true
$$;

-- All findings for some products. Where auditing one raises, that product is named; what can be computed of it still
-- is.
create function audit_products(ids bigint[])
returns table (kind text, "table" text, product_id bigint, sequence bigint, order_id bigint, field text,
               expected text, found text)
language plpgsql stable as $$
#variable_conflict use_column
declare
    half integer := cardinality(ids) / 2;
    findings audit_finding[];
    failure text;
    part text;
begin
    if ids = '{}' then return; end if;
    begin
        -- Kept until complete: rows that were returned could not be taken back.
        findings := array(select row(a.*)::audit_finding from (
            select * from audit_ledger(ids) union all select * from audit_history(ids)
            union all select * from audit_prices(ids) union all select * from audit_proposals(ids)
            union all select * from audit_learner(ids)) a);
        return query select * from unnest(findings);
        return;
    exception when others then
        if not is_row_error(sqlstate) then raise; end if;
    end;
    if half > 0 then
        return query select * from audit_products(ids[:half]) union all select * from audit_products(ids[half + 1:]);
        return;
    end if;
    foreach part in array array['audit_ledger', 'audit_history', 'audit_prices', 'audit_proposals', 'audit_learner']
    loop
        begin
            execute format('select array(select row(a.*)::audit_finding from %I($1) a)', part) into findings using ids;
            return query select * from unnest(findings);
        exception when others then
            if not is_row_error(sqlstate) then raise; end if;
            failure := failure_reason(sqlstate, sqlerrm);
        end;
    end loop;
    if failure is not null then
        return query
            select 'price.failed', 'inventory', ids[1], null::bigint, null::bigint, 'price', null, left(failure, 100);
    end if;
end $$;

create function audit_orders(first bigint, last bigint)
returns table (kind text, "table" text, product_id bigint, sequence bigint, order_id bigint, field text,
               expected text, found text)
language sql stable as $$
    select 'order.total', 'customer_order', null::bigint, null::bigint, o.order_id, 'total',
           sum(l.quantity * l.unit_price)::text, o.total::text
    from customer_order o left join order_line l using (order_id)
    where o.order_id between first and last
    group by o.order_id having o.total is distinct from sum(l.quantity * l.unit_price)
    union all
    select 'order.returned', 'order_return', r.product_id, null, o.order_id, 'quantity',
           case o.status when 'returned' then l.quantity else 0 end::text, sum(r.quantity)::text
    from customer_order o join order_line l using (order_id) left join order_return r using (order_id, product_id)
    where o.order_id between first and last
    group by o.order_id, o.status, r.product_id, l.product_id, l.quantity
    having case o.status when 'returned' then sum(r.quantity) is distinct from l.quantity
                         when 'completed' then sum(r.quantity) > l.quantity else count(r) > 0 end
    union all
    select 'order.customer', 'customer_order', null, null, o.order_id, 'customer_id', null, o.customer_id::text
    from customer_order o
    where o.order_id between first and last and not exists (select from app_user where user_id = o.customer_id)
$$;

create function difference_json(
    kind text, "table" text, product_id bigint, place bigint, order_id bigint, field text, expected text, found text
) returns jsonb
language sql stable as $$
    select jsonb_strip_nulls(jsonb_build_object('kind', kind, 'table', "table", 'productId', product_id,
        'sku', (select sku from product d where d.product_id = difference_json.product_id),
        'sequence', place, 'orderId', order_id, 'field', field, 'expected', expected, 'found', found,
        'message', case when kind = 'price.failed' then format('product %s cannot be priced: %s', product_id, found)
                        else difference_message("table", product_id, place, order_id, field, expected, found) end))
$$;
