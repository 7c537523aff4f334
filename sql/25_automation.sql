--! repeatable
-- Where automation stands still: halted by a person or by the breaker, resumed by a person with a reason. Orders go on
-- at the prices that stand, pins and declarations are kept, and no price moves by itself; the next tick or stock
-- movement after the resume sees what was suppressed.

create or replace function halt_json(h automation_halt) returns json
language sql stable as $$
    select json_build_object('haltId', h.halt_id,
        'scope', case when h.product_id is not null then 'product' when h.category_id is not null then 'category'
                      else 'all' end,
        'categoryId', h.category_id, 'productId', h.product_id, 'reason', h.reason, 'actor', h.actor,
        'at', rfc3339(h.halted_at), 'resumedAt', rfc3339(h.resumed_at))
$$;

-- What a halt or a resume tells the subscribers of `automation`.
create or replace function tell_automation(op text, h automation_halt, facts jsonb default null) returns void
language plpgsql as $$
begin
    insert into event_outbox (at, topic, op, product_id, key, before, after, cause, actor)
    values (pricing_now(), 'automation', op, h.product_id, h.halt_id, null,
            halt_json(h)::jsonb - 'haltId' || case when facts is null then '{}' else jsonb_build_object('facts', facts) end,
            jsonb_build_object('kind', op, 'reason', case op when 'halt' then h.reason else h.resume_reason end), acting());
    perform wake_sequencer();
end $$;

-- The scope that a call names, checked: everything, one category, or one product. `scope` may be left out with an id.
create or replace function halt_scope(p jsonb, out category bigint, out product bigint)
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

-- Halts a scope; one that is halted stays as it is.
create or replace function halt_automation(category bigint, product bigint, reason text, facts jsonb default null)
returns automation_halt
language plpgsql as $$
declare
    h automation_halt;
begin
    insert into automation_halt (category_id, product_id, reason, actor, halted_at)
    values (category, product, reason, acting(), pricing_now())
    on conflict do nothing returning * into h;
    if found then
        perform tell_automation('halt', h, facts);
    else
        select * into h from automation_halt where resumed_at is null
            and category_id is not distinct from category and product_id is not distinct from product;
    end if;
    return h;
end $$;

create or replace function halt_pricing(p jsonb) returns json
language plpgsql as $$
declare
    scope record := halt_scope(p);
begin
    return halt_json(halt_automation(scope.category, scope.product, p ->> 'reason'));
end $$;

-- Lets automation go on: what was suppressed is seen at once, product by product, as at a tick. A scope that was not
-- halted stays as it is. Prices do not move where a wider or narrower halt still stands.
create or replace function resume_pricing(p jsonb) returns json
language plpgsql as $$
declare
    scope record := halt_scope(p);
    h automation_halt;
    resumed integer := 0;
    seen bigint := 0;
begin
    update automation_halt set resumed_at = pricing_now(), resumed_by = acting(), resume_reason = p ->> 'reason'
    where resumed_at is null and category_id is not distinct from scope.category
      and product_id is not distinct from scope.product
    returning * into h;
    get diagnostics resumed = row_count;
    if resumed > 0 then
        perform tell_automation('resume', h);
        delete from breaker_move;
        with held as materialized (
            select i.product_id from inventory i join product d using (product_id)
            where d.archived_at is null and (scope.category is null or d.category_id = scope.category)
              and (scope.product is null or d.product_id = scope.product)
            order by 1 for no key update of i
        )
        update inventory i set cause = row('resume', null, p ->> 'reason', null)::movement_cause
        from held where i.product_id = held.product_id;
        get diagnostics seen = row_count;
    end if;
    return json_build_object('resumed', resumed, 'evaluated', seen);
end $$;

create or replace function list_halts(p jsonb) returns json
language sql stable as $$
    select as_page('pricing.halts', p, array(
        select json_build_object('cursor', json_build_array(h.halt_id), 'item', halt_json(h)) from automation_halt h
        where h.halt_id < coalesce((select (open_cursor('pricing.halts', p) ->> 0)::bigint), 9223372036854775807)
          and (not coalesce((p ->> 'open')::boolean, false) or h.resumed_at is null)
        order by h.halt_id desc limit page_size(p) + 1))
$$;

-- ---------------------------------------------------------------------------------------------- breaker
-- Looks at what automation did to the whole catalogue lately and halts everything when that cannot be meant. Called
-- after commits that moved prices, never inside an order. Its limits stand in the setting `breaker`:
--   windowSeconds   how far back it looks
--   leastCatalogue  products for sale below which it does not judge; leastProducts: moved products below which neither
--   move, movedShare        trips when this share of the catalogue moved by more than `move` of its price, net
--   valueShare              trips when prices moved, up and down, by this share of the value of all stock
--   distance, distantShare  trips when this share of the catalogue was moved to further than `distance` from its base
-- First prices, pins, declarations and activated rules count nowhere: a person set them. What a person resumed is
-- forgiven. Gives the halt, or null.
create or replace function check_breaker() returns automation_halt
language plpgsql as $$
declare
    limits jsonb := (select value from setting where name = 'breaker');
    read_to bigint;
    seen record;
    whole record;
    why text;
begin
    if not pg_try_advisory_xact_lock(hashtext('pricing_breaker')) then return null; end if;
    -- A bounded part of a long backlog, such as a large import's: the next look goes on there.
    select least(last_number, (select last_sequence from breaker_state) + 50000) into read_to from event_sequence;
    insert into breaker_move (product_id, was, since)
    select distinct on (product_id) product_id, (before ->> 'price')::numeric, at
    from event
    where sequence > (select last_sequence from breaker_state) and sequence <= read_to and topic = 'price'
      and cause ->> 'kind' not in ('initial', 'pin', 'unpin', 'declaration', 'rule')
    order by product_id, sequence
    on conflict do nothing;
    update breaker_state set last_sequence = read_to where last_sequence <> read_to;
    delete from breaker_move where since < pricing_now() - make_interval(secs => (limits ->> 'windowSeconds')::float8);

    select count(*) as products,
           count(*) filter (where abs(i.price - m.was) > (limits ->> 'move')::numeric * m.was) as moved,
           sum(abs(i.price - m.was) * i.stock) as value,
           count(*) filter (where abs(i.price - d.base_price) > (limits ->> 'distance')::numeric * d.base_price) as distant
    into seen
    from breaker_move m join inventory i using (product_id) join product d using (product_id)
    where d.archived_at is null and i.pin_price is null;
    if seen.products < (limits ->> 'leastProducts')::integer
        or exists (select from automation_halt where resumed_at is null and category_id is null and product_id is null)
    then
        return null;
    end if;
    select count(*) as products, sum(i.price * i.stock) as value into whole
    from inventory i join product d using (product_id) where d.archived_at is null;
    if whole.products < (limits ->> 'leastCatalogue')::integer then return null; end if;
    why := case
        when seen.moved >= (limits ->> 'movedShare')::numeric * whole.products then
            format('%s of %s products moved by more than %s %%', seen.moved, whole.products,
                   trim_scale((limits ->> 'move')::numeric * 100))
        when seen.distant >= (limits ->> 'distantShare')::numeric * whole.products then
            format('%s of %s products were moved further than %s %% from base', seen.distant, whole.products,
                   trim_scale((limits ->> 'distance')::numeric * 100))
        when seen.value >= (limits ->> 'valueShare')::numeric * whole.value then
            format('%s products moved, together by %s %% of the value of all stock', seen.products,
                   round(100 * seen.value / whole.value))
        end;
    if why is null then return null; end if;
    perform set_config('pricing.actor', 'breaker', true);
    return halt_automation(null, null, 'the breaker tripped: ' || why,
        to_jsonb(seen) || jsonb_build_object('catalogue', whole.products, 'limits', limits));
end $$;
