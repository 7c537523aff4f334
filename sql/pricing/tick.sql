--! code
-- The tick: it begins pricing days and ends pins.

-- One page of a tick: of the products after number `after`, in order of their numbers, evaluates at most `most` whose
-- rule's period has begun anew; next_after is null at the end. A page reads at most fifty times as many, so that it is
-- short too where nothing is due. Before the first page, failing products that are due are retried, pins that ended are
-- removed, and once a day what the shop's sales have shown is drawn together. Rows that another session has locked are
-- skipped and counted, and so are failures: those products wait for their retry. The last page tells which deliveries
-- became overdue. Single-flight: while another session ticks, it does nothing. Rows are read in the order of their keys
-- until the page is full, and not first gathered and sorted.
create function tick_page(
    most integer, after bigint, out evaluated bigint, out skipped bigint, out failed bigint, out next_after bigint
)
language plpgsql set enable_bitmapscan = off as $$
declare
    moment timestamptz := pricing_now();
    looked bigint[] := array(select product_id from inventory where product_id > after
                             order by product_id limit 50 * most);
    last bigint := looked[cardinality(looked)];
    failing bigint[];
    page bigint[];
    free bigint[];
    bad bigint[];
    due integer;
begin
    evaluated := 0;
    skipped := 0;
    failed := 0;
    if not pg_try_advisory_xact_lock(hashtext('pricing_tick')) then return; end if;
    perform set_config('pricing.actor', 'tick', true), set_config('pricing.cause', 'tick', true);
    if after = 0 then
        if exists (select from failing_product) then
            select r.evaluated, r.failed, r.skipped into evaluated, failed, skipped from retry_failing() r;
        end if;
        perform expire_proposals(moment), renew_shop_prior(moment);
        failing := array(select product_id from failing_product);
        free := array(select product_id from inventory where pin_price is not null and pinned_until <= moment
                        and product_id <> all (failing)
                      order by product_id for no key update skip locked);
        bad := evaluate_products(free, row('unpin', null, 'the pin ended', null)::movement_cause);
        evaluated := evaluated + cardinality(free) - cardinality(bad);
        failed := failed + cardinality(bad);
    end if;
    failing := array(select product_id from failing_product);
    page := array(
        select i.product_id from inventory i
        where i.product_id > after and i.product_id <= last and i.product_id <> all (failing)
          -- A sub-select and not a join, which a plan for any range may gather and sort in millions of rows.
          and (select d.archived_at is null
                      and (i.ticked_at is null or floor(extract(epoch from i.ticked_at) / r.tick_seconds)
                                                  <> floor(extract(epoch from moment) / r.tick_seconds))
               from product d join rule r using (rule_id) where d.product_id = i.product_id)
        order by i.product_id limit most);
    due := cardinality(page);
    page := fold_page(page, 5000);
    perform fold_anew(page, moment);
    free := array(select product_id from inventory where product_id = any (page)
                  order by product_id for no key update skip locked);
    bad := evaluate_products(free, row('tick', null, '', null)::movement_cause);
    evaluated := evaluated + cardinality(free) - cardinality(bad);
    failed := failed + cardinality(bad);
    skipped := skipped + cardinality(page) - cardinality(free);
    next_after := case when due = most or cardinality(page) < due then page[cardinality(page)]
                       when cardinality(looked) = 50 * most then last end;
    if next_after is null then
        perform record_overdue((select completed_at from tick_state), moment);
        update tick_state set completed_at = moment where completed_at is distinct from moment;
    end if;
end $$;

-- A whole tick in one transaction: how many products it evaluated.
create function tick_prices() returns bigint
language plpgsql as $$
declare
    page record;
    total bigint := 0;
    after bigint := 0;
begin
    while after is not null loop
        page := tick_page(1000, after);
        total := total + page.evaluated;
        after := page.next_after;
    end loop;
    return total;
end $$;

-- Seconds until a tick has something to do: the next hour, or before it the end of a pin or a retry of a failing
-- product. Under a virtual clock only setting it makes anything due, retries excepted; null without one.
create function seconds_to_tick() returns float8
language sql stable as $$
    select greatest(0.05, extract(epoch from
        least(case when not exists (select from virtual_clock) then
                  least(date_trunc('hour', now()) + interval '1 hour',
                        (select min(pinned_until) from inventory i where pin_price is not null
                            and not exists (select from failing_product f where f.product_id = i.product_id))) end,
              (select min(real_retry_at) from failing_product)) - now()))::float8
    where exists (select from failing_product) or not exists (select from virtual_clock)
$$;
