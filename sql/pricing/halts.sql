--! code
-- Halts of automation: by a person or by the breaker, resumed by a person with a reason. Orders go on at the posted
-- prices, pins and declarations are kept, and no price moves by itself; the next tick or stock movement after the
-- resume evaluates what was suppressed.

create function halt_json(h automation_halt) returns json
language sql stable as $$
    select json_build_object('haltId', h.halt_id,
        'scope', case when h.product_id is not null then 'product' when h.category_id is not null then 'category'
                      else 'all' end,
        'categoryId', h.category_id, 'productId', h.product_id,
        'sku', (select sku from product d where d.product_id = h.product_id), 'reason', h.reason, 'actor', h.actor,
        'at', rfc3339(h.halted_at), 'resumedAt', rfc3339(h.resumed_at))
$$;

-- A product that is created or recategorized while a halt ends or a rule is activated would be missed by both: it is
-- priced under what stood before, and its row is not visible yet. So its transaction and theirs exclude each other. A
-- transaction that also locks rows takes this lock first.
create function lock_new_products() returns void
language sql as $$
    select pg_advisory_xact_lock(hashtext('pricing_new_products'))
$$;

create function share_new_products() returns void
language sql as $$
    select pg_advisory_xact_lock_shared(hashtext('pricing_new_products'))
$$;

-- How automation stands, in figures: what server.status, dashboard.stats and the metrics tell. The breaker is open when
-- it has halted automation and nobody has resumed it.
create function automation_figures(
    out halted boolean, out halts bigint, out breaker_open boolean, out failing bigint, out overdue bigint,
    out campaigns bigint, out proposals bigint, out last_tick timestamptz
)
language sql stable as $$
    select coalesce(bool_or(category_id is null and product_id is null), false), count(*),
           coalesce(bool_or(actor = 'breaker'), false), (select count(*) from failing_product),
           (select count(*) from overdue_deliveries()),
           (select count(*) from campaign where status in ('starting', 'running')),
           (select count(*) from proposal where status = 'open'),
           (select completed_at from tick_state)
    from automation_halt where resumed_at is null
$$;

-- Automation in server.status: whether the whole catalogue is halted, the newest open halts, the breaker, the last
-- complete tick, the failing products, the longest failing first, and the deliveries that are longest overdue.
create function automation_status() returns json
language sql stable as $$
    select json_build_object(
        'halted', f.halted,
        'halts', (select coalesce(json_agg(halt_json(h) order by h.halt_id desc), '[]')
                  from (select * from automation_halt where resumed_at is null order by halt_id desc limit 100) h),
        'breaker', json_build_object(
            'tripped', f.breaker_open,
            'lastTrip', (select halt_json(h) from automation_halt h where actor = 'breaker'
                         order by halt_id desc limit 1),
            'limits', (select value from setting where name = 'breaker')),
        'lastTick', rfc3339(f.last_tick), 'openProposals', f.proposals, 'campaigns', campaign_status(),
        'failing', (select coalesce(json_agg(json_build_object('productId', product_id,
                        'sku', (select sku from product d where d.product_id = f.product_id),
                        'reason', failure_reason(sqlstate, message), 'failures', failures, 'since', rfc3339(first_at),
                        'retryAt', rfc3339(retry_at)) order by first_at, product_id), '[]')
                    from (select * from failing_product order by first_at, product_id limit 100) f),
        'overdue', (select coalesce(json_agg(expectation_json(e) order by e.eta, e.expectation_id), '[]')
                    from (select * from overdue_deliveries() order by eta, expectation_id limit 100) e))
    from automation_figures() f
$$;

-- The scope that a call names, checked: everything, one category, or one product. `scope` may be left out with an id.
create function halt_scope(p jsonb, out category bigint, out product bigint)
language plpgsql stable as $$
declare
    named text;
begin
    category := (p ->> 'categoryId')::bigint;
    product := (p ->> 'productId')::bigint;
    named := case when category is not null then 'categoryId' when product is not null then 'productId' else 'all' end;
    if num_nonnulls(category, product) > 1 or named <> coalesce(p ->> 'scope', nullif(named, 'all'), '') then
        perform fail('PR602', 'Name one scope: all, or a categoryId, or a productId.',
            '{"violations": [{"path": "/scope", "rule": "oneOf", "message": "all, or a categoryId, or a productId"}]}');
    end if;
    if product is not null then perform find_product(product); end if;
    if category is not null and not exists (select from category c where c.category_id = halt_scope.category) then
        perform fail('PR103', format('There is no category %s.', category), jsonb_build_object('categoryId', category));
    end if;
end $$;

-- Halts a scope; one that is halted stays as it is. The event, which a trigger records, has the facts.
create function halt_automation(category bigint, product bigint, reason text, facts jsonb default null)
returns automation_halt
language plpgsql as $$
declare
    h automation_halt;
begin
    perform set_config('pricing.facts', coalesce(facts::text, ''), true);
    insert into automation_halt (category_id, product_id, reason, actor, halted_at)
    values (category, product, reason, acting(), pricing_now())
    on conflict do nothing returning * into h;
    if not found then
        select * into h from automation_halt where resumed_at is null
            and category_id is not distinct from category and product_id is not distinct from product;
    end if;
    return h;
end $$;

-- The circuit breaker: halts everything when what automation did to the whole catalogue lately cannot be intended.
-- Called after commits that moved prices, never inside an order. Its limits are in the setting `breaker`:
--   windowSeconds   how far back it reads
--   leastCatalogue  products for sale below which it does not judge; leastProducts: moved products below which neither
--   move, movedShare        trips when this share of the catalogue moved by more than `move` of its price, net
--   valueShare              trips when prices moved, up and down, by this share of the value of all stock
--   distance, distantShare  trips when this share of the catalogue was moved to further than `distance` from its base
-- It looks at regular prices. First prices, pins, declarations, activated rules, rollbacks and campaigns do not count:
-- a person set them. A resume clears what moved before it. With everything sold out nothing can be sold at a wrong
-- price, and it does not judge. Returns the halt, or null.
create function check_breaker() returns automation_halt
language plpgsql as $$
declare
    limits jsonb := (select value from setting where name = 'breaker');
    read_to bigint;
    seen record;
    whole record;
    why text;
begin
    if not pg_try_advisory_xact_lock(hashtext('pricing_breaker')) then return null; end if;
    -- A bounded part of a long backlog, such as a large import's: the next call goes on there.
    select least(last_number, (select last_sequence from breaker_state) + 50000) into read_to from event_sequence;
    insert into breaker_move (product_id, was, since)
    select distinct on (product_id) product_id, coalesce(c.old_regular, c.old_price), c.at
    from event_range r join price_change c
        on c.transaction_id = r.transaction_id and c.change_id between r.first_change and r.last_change
    where r.first_number > (select last_sequence from breaker_state) and r.first_number <= read_to
      and c.old_price < 'NaN' and is_automatic(c.cause)
    order by product_id, c.sequence
    on conflict do nothing;
    update breaker_state set last_sequence = read_to where last_sequence <> read_to;
    delete from breaker_move where since < pricing_now() - make_interval(secs => (limits ->> 'windowSeconds')::float8);

    select count(*) as products,
           count(*) filter (where abs(i.regular_price - m.was) > (limits ->> 'move')::numeric * m.was) as moved,
           sum(abs(i.regular_price - m.was) * i.stock) as value,
           count(*) filter (where abs(i.regular_price - d.base_price) > (limits ->> 'distance')::numeric * d.base_price)
               as distant
    into seen
    from breaker_move m join inventory i using (product_id) join product d using (product_id)
    where d.archived_at is null and i.pin_price is null and i.regular_price < 'NaN' and d.base_price < 'NaN';
    if seen.products < (limits ->> 'leastProducts')::integer
        or exists (select from automation_halt where resumed_at is null and category_id is null and product_id is null)
    then
        return null;
    end if;
    select count(*) as products, sum(i.regular_price * i.stock) as value into whole
    from inventory i join product d using (product_id) where d.archived_at is null and i.regular_price < 'NaN';
    if whole.products < (limits ->> 'leastCatalogue')::integer or coalesce(whole.value, 0) <= 0 then
        return null;
    end if;
    why := case
        when seen.moved > 0 and seen.moved >= (limits ->> 'movedShare')::numeric * whole.products then
            format('%s of %s products moved by more than %s %%', seen.moved, whole.products,
                   trim_scale((limits ->> 'move')::numeric * 100))
        when seen.distant > 0 and seen.distant >= (limits ->> 'distantShare')::numeric * whole.products then
            format('%s of %s products were moved further than %s %% from base', seen.distant, whole.products,
                   trim_scale((limits ->> 'distance')::numeric * 100))
        when seen.value > 0 and seen.value >= (limits ->> 'valueShare')::numeric * whole.value then
            format('%s products moved, together by %s %% of the value of all stock', seen.products,
                   round(100 * seen.value / whole.value))
        end;
    if why is null then return null; end if;
    perform set_config('pricing.actor', 'breaker', true);
    return halt_automation(null, null, 'the breaker tripped: ' || why,
        to_jsonb(seen) || jsonb_build_object('catalogue', whole.products, 'limits', limits));
end $$;
