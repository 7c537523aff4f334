--! code last
-- Privileges. A role that may write a table may call what its triggers call; functions that run with their owner's
-- rights are for the daemon's role alone.

grant usage on schema pricing_code to public;
revoke execute on function keyed_hash(text), make_event_partitions(bigint), expire_events(), generate_begin(jsonb),
    generate_orders(jsonb), generate_finish(jsonb), repair_products(bigint[], text), clock_set(jsonb),
    set_default_rule(text) from public;

-- The role that the daemon serves as, where there is one: it owns nothing, and appends to stock ledger and price
-- history but never changes or deletes a row of them. A partition made later is reached through its table.
do $$
begin
    if exists (select from pg_roles where rolname = 'pricingd') then
        grant usage on schema pricing to pricingd;
        grant select, insert on all tables in schema pricing to pricingd;
        grant select on all tables in schema pricing_code to pricingd;  -- its views
        revoke insert on schema_script, virtual_clock, setting, strategy, audit_repair from pricingd;
        revoke all on hash_secret from pricingd;
        grant usage on sequence customer_order_order_id_seq, change_number to pricingd;
        grant update on app_user, supplier, category, rule, product, shelf, expectation, automation_halt,
            breaker_state, event_sequence, transaction_origin, failing_product, tick_state, learner, proposal, login,
            login_attempt to pricingd;
        -- The other columns are the trigger's own, and what an order was charged never changes.
        grant update (stock, held, price, pin_price, pinned_until, learning_since, opening_rate, next_eta,
            cause, ends_order, sales) on inventory to pricingd;
        grant update (status, changed_at) on customer_order to pricingd;
        grant update (status, expires_at, closed_at, order_id, reason) on quote to pricingd;
        grant update (status, reached, waiting, started_at, ended_at, ended_by, end_reason) on campaign to pricingd;
        grant delete on category, supplier, request_key, breaker_move, failing_product, login,
            login_attempt to pricingd;
        grant execute on function keyed_hash(text), make_event_partitions(bigint), expire_events(),
            generate_begin(jsonb), generate_orders(jsonb), generate_finish(jsonb), repair_products(bigint[], text),
            clock_set(jsonb), set_default_rule(text) to pricingd;
    end if;
end $$;

-- Who migrates or serves finds the shop in psql without a prefix; a role that has tables of its own here keeps its
-- path.
do $$
declare
    role name;
begin
    for role in
        select rolname from pg_roles
        where rolname = current_user and not exists (
                select from pg_class where relowner = pg_roles.oid and relkind in ('r', 'p', 'v', 'm')
                and relnamespace not in ('pricing'::regnamespace, 'pricing_code'::regnamespace,
                                         'pg_catalog'::regnamespace, 'information_schema'::regnamespace,
                                         'pg_toast'::regnamespace))
           or rolname = 'pricingd' and (select rolsuper or rolcreaterole from pg_roles where rolname = current_user)
    loop
        execute format('alter role %I in database %I set search_path = pricing, pricing_code', role,
                       current_database());
    end loop;
end $$;
