--! bench
-- What psql runs to open a shop for measuring: `customers` customers and `products` products alike, each with a stock
-- that no run sells out, priced by `strategy`; those that learn have a season. The first product passes the triggers as
-- any other; the rest are copies of its rows, so that a million take seconds. Prints the first and last product, then
-- the first and last customer. May be run again with another strategy and no more customers.
begin;
insert into app_user (full_name, email)
select 'Measured ' || n, 'measured' || n || '@bench.example' from generate_series(1, :customers) n;
with place as (insert into category (name) values ('Measured ' || :'strategy') returning category_id)
insert into product (title, category_id, base_price, floor_price, ceiling_price, rule_id, season_start, season_end)
select 'Measured 1', category_id, 10, 5, 20, rule_id, season, season + interval '100 days'
from place, rule, (values (case :'strategy' when 'learn' then now() end)) s (season)
where rule.name = :'strategy' and rule.status = 'active'
returning product_id as first \gset
update inventory set stock = 1000000000, cause = row('initial', null, '', null)::movement_cause
where product_id = :first;

set local session_replication_role = replica;
-- All columns but those that PostgreSQL fills in itself.
select format($copy$
    insert into product (%1$s) overriding system value
    select %2$s from product d, generate_series(2, %3$s) n, lateral jsonb_populate_record(d, jsonb_build_object(
        'product_id', %4$s - 1 + n, 'title', 'Measured ' || n)) c
    where d.product_id = %4$s
    $copy$, string_agg(attname, ', '), string_agg('c.' || attname, ', '), :products, :first)
from pg_attribute where attrelid = 'product'::regclass and attnum > 0 and not attisdropped and attgenerated = '' \gexec
insert into inventory
select c.* from inventory i, generate_series(2, :products) n,
    lateral jsonb_populate_record(i, jsonb_build_object('product_id', :first - 1 + n)) c
where i.product_id = :first;
insert into shelf
select c.* from shelf s, generate_series(2, :products) n,
    lateral jsonb_populate_record(s, jsonb_build_object('product_id', :first - 1 + n)) c
where s.product_id = :first;
insert into stock_movement
select c.* from stock_movement m, generate_series(2, :products) n, lateral jsonb_populate_record(m, jsonb_build_object(
    'change_id', nextval('change_number'), 'product_id', :first - 1 + n)) c
where m.product_id = :first;
insert into price_change overriding system value
select c.* from price_change h, generate_series(2, :products) n, lateral jsonb_populate_record(h, jsonb_build_object(
    'price_change_id', nextval('price_change_price_change_id_seq'), 'change_id', nextval('change_number'),
    'product_id', :first - 1 + n)) c
where h.product_id = :first;
-- A made-up history must not expire.
insert into setting values ('event_days', '36500') on conflict (name) do nothing;
select setval('product_product_id_seq', :first - 1 + :products) as last \gset
commit;
-- The breaker need not read a million first prices.
update breaker_state set last_sequence = number_events();
vacuum analyze;
select :first, :last, min(user_id), max(user_id) from app_user where email like '%@bench.example';
