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

-- ---------------------------------------------------------------------------------------------- new products
-- A product that is being made, or moved to another category, while a halt ends or a rule comes into force would be seen
-- by neither: it prices itself under what stood before, and its row cannot be read yet. So its transaction and those
-- exclude each other. Whoever takes this lock and rows besides takes it first.
create or replace function lock_new_products() returns void
language sql as $$
    select pg_advisory_xact_lock(hashtext('pricing_new_products'))
$$;

create or replace function share_new_products() returns void
language sql as $$
    select pg_advisory_xact_lock_shared(hashtext('pricing_new_products'))
$$;

-- The statement that makes a product chose the rule before it had the lock: where that version was retired meanwhile,
-- the product follows the one that replaced it.
create or replace function tg_product_make() returns trigger
language plpgsql set search_path = public, pg_temp as $$
begin
    perform share_new_products();
    if tg_op = 'INSERT' then
        new.rule_id := coalesce((select now_active.rule_id from rule r join rule now_active using (name)
                                 where r.rule_id = new.rule_id and r.status = 'retired'
                                   and now_active.status = 'active'), new.rule_id);
    end if;
    return new;
end $$;

create or replace trigger product_make before insert on product
    for each row execute function tg_product_make();
create or replace trigger product_recategorize before update of category_id on product
    for each row when (old.category_id is distinct from new.category_id) execute function tg_product_make();

-- ---------------------------------------------------------------------------------------------- failing products
-- Whether an error is of the one row that met it. Not so: a connection, a transaction that cannot go on, locks and
-- deadlocks, resources, somebody's cancel, the server: they would meet every other row too.
create or replace function is_own_fault(state text) returns boolean
language sql immutable as $$
    select left(state, 2) not in ('08', '25', '40', '53', '55', '57', '58', 'F0', 'XX')
$$;

-- Evaluates products whose inventory rows are locked, or with `rule` moves those to it whose product rows are; the ones
-- that failed are set aside and given back. As one update first; where that raises, in halves, so that others pay little for one that fails.
-- What a rule would do against a pin is the caller's to decide, and is raised.
create or replace function evaluate_products(ids bigint[], why movement_cause, rule bigint default null)
returns bigint[]
language plpgsql as $$
declare
    half integer := cardinality(ids) / 2;
    state text;
    reason text;
begin
    if coalesce(ids, '{}') = '{}' then return '{}'; end if;
    if cardinality(ids) <= (case when rule is null then 1000 else 100 end) then
        begin
            if rule is not null then
                -- No sooner than they are moved, since orders wait for them.
                perform from inventory where product_id = any (ids) order by product_id for no key update;
                update product set rule_id = rule, version = version + 1 where product_id = any (ids);
            elsif why.kind = 'unpin' then
                update inventory set pin_price = null, pinned_until = null, cause = why where product_id = any (ids);
            else
                update inventory set cause = why where product_id = any (ids);
            end if;
            perform tell_recovered(ids, rule is not null);
            return '{}';
        exception when others then
            get stacked diagnostics state = returned_sqlstate, reason = message_text;
            if not is_own_fault(state) or (rule is not null and state like 'PR%') then raise; end if;
        end;
    end if;
    if half = 0 then
        perform set_aside(ids[1], why.kind, rule, state, reason);
        return ids;
    end if;
    return evaluate_products(ids[:half], why, rule) || evaluate_products(ids[half + 1:], why, rule);
end $$;

-- Remembers that a product failed and when it is tried again: after a second, then twice as long each time, at last each
-- hour. The first time it is told. A rule that it is still to be moved to stays remembered.
create or replace function set_aside(id bigint, kind text, rule bigint, state text, reason text) returns void
language plpgsql as $$
declare
    moment timestamptz := pricing_now();
    tries integer := coalesce((select least(failures, 1000000) from failing_product f where f.product_id = id), 0) + 1;
    pause interval := make_interval(secs => least(3600, 2 ^ least(tries - 1, 12)));
    was bigint := (select rule_id from product p where p.product_id = id);
begin
    insert into failing_product as f (product_id, kind, rule_was, rule_id, sqlstate, message, failures, first_at,
                                      retry_at, real_retry_at)
    values (id, set_aside.kind, case when rule is not null then was end, rule, state, left(reason, 500), tries, moment,
            moment + pause, clock_timestamp() + pause)
    on conflict (product_id) do update set
        kind = excluded.kind, sqlstate = excluded.sqlstate, message = excluded.message, failures = excluded.failures,
        retry_at = excluded.retry_at, real_retry_at = excluded.real_retry_at,
        rule_was = coalesce(excluded.rule_was, f.rule_was), rule_id = coalesce(excluded.rule_id, f.rule_id);
    if tries = 1 then
        insert into event_outbox (at, topic, op, product_id, key, after, cause, actor)
        select moment, 'automation', 'failing', id, id,
               jsonb_build_object('productId', id, 'title', d.title, 'reason', failure_reason(state, reason)),
               jsonb_build_object('kind', set_aside.kind), acting()
        from product d where d.product_id = id;
        perform wake_sequencer();
    end if;
end $$;

create or replace function failure_reason(state text, reason text) returns text
language sql immutable as $$
    select format('%s: %s', state, left(reason, 500))
$$;

-- Forgets that products failed, and says that they go on; those that a rule is still to take over only once it `has`.
create or replace function tell_recovered(ids bigint[], has_rule boolean) returns void
language plpgsql as $$
begin
    if not exists (select from failing_product) then return; end if;
    with gone as (
        delete from failing_product where product_id = any (ids) and (rule_id is null or has_rule) returning *
    )
    insert into event_outbox (at, topic, op, product_id, key, before, after, cause, actor)
    select pricing_now(), 'automation', 'recovered', g.product_id, g.product_id,
           jsonb_build_object('reason', failure_reason(g.sqlstate, g.message), 'failures', g.failures,
                              'since', rfc3339(g.first_at)),
           jsonb_build_object('productId', g.product_id, 'title', d.title), jsonb_build_object('kind', g.kind), acting()
    from gone g left join product d using (product_id) order by g.product_id;
    if found then perform wake_sequencer(); end if;
end $$;

-- Tries again what failed and is due, a bounded number of products: what each still lacks. Rows that somebody holds wait.
create or replace function retry_failing(
    out evaluated bigint, out failed bigint, out skipped bigint
)
language plpgsql as $$
declare
    moment timestamptz := pricing_now();
    f failing_product;
    d product;
    i inventory;
    bad bigint[];
begin
    evaluated := 0;
    failed := 0;
    skipped := 0;
    for f in
        select * from failing_product
        where retry_at <= moment or retry_at > moment + interval '1 hour' or real_retry_at <= clock_timestamp()
        order by product_id limit 50
    loop
        select * into d from product where product_id = f.product_id for no key update skip locked;
        if found then select * into i from inventory where product_id = f.product_id for no key update skip locked; end if;
        if not found then
            skipped := skipped + 1;
            continue;
        end if;
        if f.rule_id is not null and (d.rule_id <> f.rule_was or not exists (
            select from rule where rule_id = f.rule_id and status = 'active')) then  -- somebody chose another
            update failing_product set rule_id = null, rule_was = null where product_id = f.product_id;
            f.rule_id := null;
        end if;
        if d.archived_at is not null then
            perform tell_recovered(array[f.product_id], true);
            continue;
        elsif f.rule_id is not null then
            begin
                bad := evaluate_products(array[f.product_id], row('rule', null, '', null)::movement_cause, f.rule_id);
            exception when others then
                if sqlstate not like 'PR%' then raise; end if;
                perform set_aside(f.product_id, 'rule', null, sqlstate, sqlerrm);
                bad := array[f.product_id];
            end;
        elsif i.pin_price is not null and i.pinned_until <= moment then
            bad := evaluate_products(array[f.product_id], row('unpin', null, 'the pin ended', null)::movement_cause);
        else
            bad := evaluate_products(array[f.product_id], row(
                case when f.kind in ('rule', 'unpin') then 'resume' else f.kind end, null, 'tried again', null)::movement_cause);
        end if;
        failed := failed + cardinality(bad);
        evaluated := evaluated + 1 - cardinality(bad);
    end loop;
end $$;

-- Products that a call could not price, each with the reason; at most 500 of them.
create or replace function skipped_json(ids bigint[]) returns json
language sql stable as $$
    select coalesce(json_agg(json_build_object('productId', product_id, 'reason', reason) order by product_id), '[]')
    from (select product_id, failure_reason(sqlstate, message) as reason from failing_product
          where product_id = any (ids) order by product_id limit 500) f
$$;

-- What server.status says of automation: whether the whole catalogue stands still, the newest open halts, the breaker,
-- the last whole tick, and the products that cannot be priced, those first that failed first.
create or replace function automation_status() returns json
language sql stable as $$
    select json_build_object(
        'halted', exists (select from automation_halt
                          where resumed_at is null and category_id is null and product_id is null),
        'halts', (select coalesce(json_agg(halt_json(h) order by h.halt_id desc), '[]')
                  from (select * from automation_halt where resumed_at is null order by halt_id desc limit 100) h),
        'breaker', json_build_object(
            'tripped', exists (select from automation_halt where resumed_at is null and actor = 'breaker'),
            'lastTrip', (select halt_json(h) from automation_halt h where actor = 'breaker' order by halt_id desc limit 1),
            'limits', (select value from setting where name = 'breaker')),
        'lastTick', (select rfc3339(completed_at) from tick_state),
        'failing', (select coalesce(json_agg(json_build_object('productId', product_id,
                        'reason', failure_reason(sqlstate, message), 'failures', failures, 'since', rfc3339(first_at),
                        'retryAt', rfc3339(retry_at)) order by first_at, product_id), '[]')
                    from (select * from failing_product order by first_at, product_id limit 100) f))
$$;

-- ---------------------------------------------------------------------------------------------- halts
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
    held bigint[] := '{}';
    failed bigint[] := '{}';
begin
    perform lock_new_products();
    update automation_halt set resumed_at = pricing_now(), resumed_by = acting(), resume_reason = p ->> 'reason'
    where resumed_at is null and category_id is not distinct from scope.category
      and product_id is not distinct from scope.product
    returning * into h;
    get diagnostics resumed = row_count;
    if resumed > 0 then
        perform tell_automation('resume', h);
        delete from breaker_move;
        held := array(
            select i.product_id from inventory i join product d using (product_id)
            where d.archived_at is null and (scope.category is null or d.category_id = scope.category)
              and (scope.product is null or d.product_id = scope.product)
            order by 1 for no key update of i);
        failed := evaluate_products(held, row('resume', null, p ->> 'reason', null)::movement_cause);
    end if;
    return json_build_object('resumed', resumed, 'evaluated', cardinality(held) - cardinality(failed),
        'skipped', skipped_json(failed));
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
-- forgiven. Where everything is sold out nothing can be sold at a wrong price, and it judges nothing. Gives the halt, or
-- null.
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
      -- An event without a price that could have stood would stop every look to come.
      and product_id is not null and before ->> 'price' ~ '^[0-9]{1,10}(\.[0-9]{1,2})?$'
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
    where d.archived_at is null and i.pin_price is null and i.price < 'NaN' and d.base_price < 'NaN';
    if seen.products < (limits ->> 'leastProducts')::integer
        or exists (select from automation_halt where resumed_at is null and category_id is null and product_id is null)
    then
        return null;
    end if;
    select count(*) as products, sum(i.price * i.stock) as value into whole
    from inventory i join product d using (product_id) where d.archived_at is null and i.price < 'NaN';
    if whole.products < (limits ->> 'leastCatalogue')::integer or coalesce(whole.value, 0) <= 0 then return null; end if;
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
