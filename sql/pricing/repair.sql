--! code
-- Repairs what an audit found, where stock ledger and price history say how.

-- The findings for some products, each with its remedy, or null. What inventory stores follows from stock ledger and
-- price history and is set to what they give, where those are sound themselves. A row of either is evidence: it is
-- never rewritten, and no row is appended that would claim a price or a movement that never was.
create function audit_remedies(ids bigint[])
returns table (kind text, "table" text, product_id bigint, sequence bigint, order_id bigint, field text,
               expected text, found text, remedy text)
language sql stable as $$
    with wrong as materialized (select * from audit_products(ids))
    select w.*, case
        when w.kind like 'learner.%' then 'fold it anew at the next tick'
        when w."table" <> 'inventory' or w.kind in ('stock.missing', 'price.failed') then null
        when w.kind like 'stock.%' and (
            exists (select from wrong o where o.product_id = w.product_id and o."table" = 'stock_movement')
            or w.kind = 'stock.sum' and w.expected::bigint not between i.held and 2147483647) then null
        when w.kind = 'price.posted' and exists (
            select from wrong o where o.product_id = w.product_id and o."table" = 'price_change'
              and o.sequence = (select max(c.sequence) from price_change c where c.product_id = w.product_id)) then null
        when w.kind in ('stock.unshipped', 'price.limits', 'price.evaluation', 'price.interval', 'price.campaign',
                        'campaign.percent', 'campaign.price') then 'price it again'
        else 'set it to ' || w.expected end
    from wrong w left join inventory i using (product_id)
$$;

-- Writes the corrections of some products, each with an event and a row of audit_repair, and returns the products
-- corrected. One whose row cannot be written is recorded as failing.
create function correct_products(ids bigint[], why text) returns bigint[]
language plpgsql as $$
declare
    moment timestamptz := pricing_now();
    half integer := cardinality(ids) / 2;
    touched bigint[];
begin
    begin
        with done as (
            insert into audit_repair (product_id, kind, field, found, corrected, reason, actor, at)
            select product_id, kind, field, a.found, case when remedy like 'set %' then expected end, why, acting(),
                moment
            from audit_remedies(ids) a where remedy is not null order by product_id, kind
            returning *
        ), told as (
            insert into notice (transaction_id, change_id, at, topic, op, product_id, key, before, after, cause, actor)
            select current_transaction(), nextval('change_number'), d.*
            from (select at, 'automation', 'repair', product_id, product_id, jsonb_object_agg(field, done.found),
                         jsonb_object_agg(field, corrected), jsonb_build_object('kind', 'audit', 'reason', why), actor
                  from done group by product_id, at, actor order by product_id) d
            returning product_id
        ), moved as (
            update inventory i set stock = coalesce(f.stock, i.stock), held = coalesce(f.held, i.held),
                price = coalesce(f.price, i.price), regular_price = coalesce(f.regular, i.regular_price),
                movement_count = coalesce(f.movements, i.movement_count),
                change_count = coalesce(f.changes, i.change_count), stands_from = null, stands_to = null
            from (select product_id, max(corrected) filter (where field = 'stock')::integer as stock,
                         max(corrected) filter (where field = 'held')::integer as held,
                         max(corrected) filter (where field = 'price')::numeric as price,
                         max(corrected) filter (where field = 'regular_price')::numeric as regular,
                         max(corrected) filter (where field = 'movement_count')::bigint as movements,
                         max(corrected) filter (where field = 'change_count')::bigint as changes
                  from done group by 1) f
            where i.product_id = f.product_id
        ), emptied as (
            update learner set state = null
            where product_id in (select product_id from done where kind like 'learner.%')
        )
        select array_agg(product_id order by product_id) into touched from told;
        return coalesce(touched, '{}');
    exception when others then
        if not is_row_error(sqlstate) then raise; end if;
        if half = 0 then
            perform record_failure(ids[1], 'audit', null, sqlstate, sqlerrm);
            return '{}';
        end if;
    end;
    return correct_products(ids[:half], why) || correct_products(ids[half + 1:], why);
end $$;

-- Applies every remedy for some products while stock stands still: the trigger that would take the correction for a
-- movement is disabled inside this transaction, under a lock that lets no other session move stock. Then each corrected
-- product is evaluated as usual. The correction is no movement.
create function repair_products(ids bigint[], why text) returns void
language plpgsql security definer set search_path = pricing, pricing_code, pg_temp as $$
declare
    touched bigint[];
begin
    alter table inventory disable trigger inventory_move, disable trigger inventory_guard;
    touched := correct_products(ids, why);
    alter table inventory enable trigger inventory_move, enable trigger inventory_guard;
    perform evaluate_products(touched, row('audit', acting(), why, null)::movement_cause);
end $$;
