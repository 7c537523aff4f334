--! code
-- Goods that are on their way, as strategies and calls see them.

-- An expectation, which may come in parts: `open` is what has not come; more than expected is accepted and reported.
create function expectation_json(e expectation) returns jsonb
language sql stable as $$
    select jsonb_build_object('expectationId', e.expectation_id, 'productId', e.product_id,
        'sku', (select sku from product d where d.product_id = e.product_id), 'quantity', e.quantity,
        'received', e.received,
        'open', case when e.closed_at is null then greatest(0, e.quantity - e.received) else 0 end,
        'overReceived', greatest(0, e.received - e.quantity), 'eta', rfc3339(e.eta), 'closed', e.closed_at is not null,
        'closedReason', e.closed_reason, 'reason', e.reason, 'actor', e.actor)
$$;

-- What should have come and has not, or not all of it.
create function overdue_deliveries() returns setof expectation
language sql stable as $$
    select * from expectation where closed_at is null and eta < pricing_now()
$$;

-- An event for each delivery that became overdue between two ticks.
create function record_overdue(last_tick timestamptz, this_tick timestamptz) returns void
language plpgsql as $$
begin
    perform record_notice('automation', 'overdue', product_id, expectation_id, null,
        expectation_json(e) || jsonb_build_object('title', title), '{"kind": "tick"}')
    from (select e, e.product_id, e.expectation_id, d.title
          from overdue_deliveries() e join product d on d.product_id = e.product_id
          where e.eta >= coalesce(last_tick, '-infinity') and e.eta < this_tick
          order by e.eta, e.expectation_id) o;
end $$;

-- Refuses one member of a call.
create function refuse_delivery(path text, rule text, message text, got jsonb default null) returns void
language plpgsql as $$
begin
    perform fail('PR602', format('%s %s.', path, message), jsonb_build_object('violations', jsonb_build_array(
        jsonb_strip_nulls(jsonb_build_object('path', path, 'rule', rule, 'message', message, 'got', got)))));
end $$;

-- The earliest open arrival of a product.
create function earliest_eta(id bigint, without_expectation bigint default null) returns timestamptz
language sql stable as $$
    select min(eta) from expectation
    where product_id = id and closed_at is null and expectation_id is distinct from without_expectation
$$;

-- Stores the earliest open arrival in the product's row and has its price evaluated. The row is locked before it is
-- read, so that of two sessions that change a product's deliveries the second sees what the first did.
create function refresh_eta(id bigint, why movement_cause) returns void
language plpgsql as $$
begin
    perform from inventory where product_id = id for no key update;
    update inventory set next_eta = earliest_eta(id), cause = why
    where product_id = id and next_eta is distinct from earliest_eta(id);
end $$;

-- The open expectation that a call names, locked after its product's row; of another product, or closed: PR602.
create function find_expectation(p jsonb) returns expectation
language plpgsql as $$
declare
    e expectation;
begin
    select * into e from expectation where expectation_id = (p ->> 'expectationId')::bigint;
    if found then
        perform from inventory where product_id = e.product_id for no key update;
        select * into e from expectation where expectation_id = e.expectation_id for update;
    end if;
    if e.expectation_id is null or e.closed_at is not null or e.product_id <> (p ->> 'productId')::bigint then
        perform refuse_delivery('/expectationId', 'open', case when p ? 'productId'
            then 'must be an open expectation of this product' else 'must be an open expectation' end,
            p -> 'expectationId');
    end if;
    return e;
end $$;
