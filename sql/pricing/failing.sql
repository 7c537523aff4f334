--! code
-- Products that automation cannot price: recorded, retried with backoff and reported, while all others go on.

-- Whether an error concerns only the row that met it. Connection, transaction state, locks and deadlocks, resources,
-- cancellation and the server concern every other row too.
create function is_row_error(state text) returns boolean
language sql immutable as $$
    select left(state, 2) not in ('08', '25', '40', '53', '55', '57', '58', 'F0', 'XX')
$$;

-- Evaluates products whose inventory rows are locked, or with `rule` moves products whose own rows are locked to it;
-- returns those that failed, which are recorded. As one update first; where that raises, in halves, so that others pay
-- little for one that fails. A rule that a pin contradicts is the caller's to decide, and is raised.
create function evaluate_products(ids bigint[], why movement_cause, rule bigint default null)
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
                -- Locked no sooner than they are moved, since orders wait for them.
                perform from inventory where product_id = any (ids) order by product_id for no key update;
                update product set rule_id = rule where product_id = any (ids);
            elsif why.kind = 'unpin' then
                update inventory set pin_price = null, pinned_until = null, cause = why where product_id = any (ids);
            else
                if why.kind = 'tick' then
                    perform fold_products(array(select i from inventory i where product_id = any (ids)), pricing_now());
                end if;
                update inventory set cause = why where product_id = any (ids);
            end if;
            -- A campaign's start or end computes no strategy, and proves nothing of one that failed.
            if why.kind <> 'campaign' then perform clear_failures(ids, rule is not null); end if;
            return '{}';
        exception when others then
            get stacked diagnostics state = returned_sqlstate, reason = message_text;
            if not is_row_error(state) or (rule is not null and state like 'PR%') then raise; end if;
        end;
    end if;
    if half = 0 then
        perform record_failure(ids[1], why.kind, rule, state, reason);
        return ids;
    end if;
    return evaluate_products(ids[:half], why, rule) || evaluate_products(ids[half + 1:], why, rule);
end $$;

-- Records that a product failed and when to retry: after a second, then with exponential backoff up to an hour. The
-- first failure is an event. A rule that it is still to be moved to stays recorded.
create function record_failure(id bigint, kind text, rule bigint, state text, reason text) returns void
language plpgsql as $$
declare
    moment timestamptz := pricing_now();
    tries integer := coalesce((select least(failures, 1000000) from failing_product f where f.product_id = id), 0) + 1;
    pause interval := make_interval(secs => least(3600, 2 ^ least(tries - 1, 12)));
    was bigint := (select rule_id from product p where p.product_id = id);
begin
    insert into failing_product as f (product_id, kind, rule_was, rule_id, sqlstate, message, failures, first_at,
                                      retry_at, real_retry_at)
    values (id, record_failure.kind, case when rule is not null then was end, rule, state, left(reason, 500), tries,
            moment, moment + pause, clock_timestamp() + pause)
    on conflict (product_id) do update set
        kind = excluded.kind, sqlstate = excluded.sqlstate, message = excluded.message, failures = excluded.failures,
        retry_at = excluded.retry_at, real_retry_at = excluded.real_retry_at,
        rule_was = coalesce(excluded.rule_was, f.rule_was), rule_id = coalesce(excluded.rule_id, f.rule_id);
    if tries = 1 then
        perform record_notice('automation', 'failing', id, id, null,
            jsonb_build_object('productId', id, 'sku', d.sku, 'title', d.title,
                               'reason', failure_reason(state, reason)),
            jsonb_build_object('kind', record_failure.kind))
        from product d where d.product_id = id;
    end if;
end $$;

create function failure_reason(state text, reason text) returns text
language sql immutable as $$
    select format('%s: %s', state, left(reason, 500))
$$;

-- Clears the failures of products, with an event each; one that a rule is still to take over only once it `has_rule`.
create function clear_failures(ids bigint[], has_rule boolean) returns void
language plpgsql as $$
begin
    if not exists (select from failing_product) then return; end if;
    with gone as (
        delete from failing_product where product_id = any (ids) and (rule_id is null or has_rule) returning *
    )
    insert into notice (transaction_id, change_id, at, topic, op, product_id, key, before, after, cause, actor)
    select current_transaction(), nextval('change_number'), pricing_now(), 'automation', 'recovered', g.product_id,
           g.product_id, jsonb_build_object('reason', failure_reason(g.sqlstate, g.message), 'failures', g.failures,
                                            'since', rfc3339(g.first_at)),
           jsonb_build_object('productId', g.product_id, 'sku', d.sku, 'title', d.title),
           jsonb_build_object('kind', g.kind), acting()
    from (select * from gone order by product_id) g left join product d using (product_id);
    if found then perform wake_sequencer(); end if;
end $$;

-- Retries a bounded number of failing products that are due: whatever each still lacks. Rows that another session has
-- locked are skipped.
create function retry_failing(
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
        if found then
            select * into i from inventory where product_id = f.product_id for no key update skip locked;
        end if;
        if not found then
            skipped := skipped + 1;
            continue;
        end if;
        if f.rule_id is not null and (d.rule_id <> f.rule_was or not exists (
            select from rule where rule_id = f.rule_id and status = 'active')) then  -- another was chosen
            update failing_product set rule_id = null, rule_was = null where product_id = f.product_id;
            f.rule_id := null;
        end if;
        if d.archived_at is not null then
            perform clear_failures(array[f.product_id], true);
            continue;
        elsif f.rule_id is not null then
            begin
                bad := evaluate_products(array[f.product_id], row('rule', null, '', null)::movement_cause, f.rule_id);
            exception when others then
                if sqlstate not like 'PR%' then raise; end if;
                perform record_failure(f.product_id, 'rule', null, sqlstate, sqlerrm);
                bad := array[f.product_id];
            end;
        elsif i.pin_price is not null and i.pinned_until <= moment then
            bad := evaluate_products(array[f.product_id], row('unpin', null, 'the pin ended', null)::movement_cause);
        else
            bad := evaluate_products(array[f.product_id], row(
                case when f.kind in ('rule', 'unpin', 'campaign') then 'resume' else f.kind end, null, 'tried again',
                null)::movement_cause);
        end if;
        failed := failed + cardinality(bad);
        evaluated := evaluated + 1 - cardinality(bad);
    end loop;
end $$;

-- Products that a call could not price, each with the reason; at most 500 of them.
create function skipped_json(ids bigint[]) returns json
language sql stable as $$
    select coalesce(json_agg(json_build_object('productId', product_id, 'sku', sku, 'reason', reason)
                             order by product_id), '[]')
    from (select product_id, sku, failure_reason(sqlstate, message) as reason
          from failing_product join product using (product_id)
          where product_id = any (ids) order by product_id limit 500) f
$$;
