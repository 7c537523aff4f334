--! bench
-- What psql runs to give the shop of bench/shop.sql a history of `rows` rows. A history row is one stock movement, a
-- sale of one unit, with its order of one line, and so two events; after every 20th the merchant declares the product's
-- other base price, which is a price change and a third event. The rows go round-robin over the products, as under
-- uniform demand, so that indexes grow everywhere; their times run from the newest order, or a year ago, to now.
-- Written set by set without the triggers, and consistent with what those would have written, as the audit confirms.
-- May be run again: the history continues. Fails on a primary key if orders are placed meanwhile.
begin;
set local session_replication_role = replica;
set local synchronous_commit = off;
set local work_mem = '512MB';

select nextval('customer_order_order_id_seq') as first_order,
       coalesce((select max(placed_at) from customer_order), now() - interval '1 year') as since,
       number_events() as told, nextval('change_number') as first_change,
       current_transaction() as transaction,
       (select count(*) from inventory) as products, min(user_id) as first_customer, count(*) as customers
from app_user where email like '%@bench.example' \gset
select setval('customer_order_order_id_seq', :first_order - 1 + :rows) as last_order \gset

-- The two declarations that a product alternates between, and its price under the other.
create temporary table declared on commit drop as
select (d).base_price, v.price, v.binding,
       price_inputs(d, r, jsonb_populate_record(i, jsonb_build_object('anchor_price', v.price)), 0, (i).band,
                    'declaration', v) as inputs
from (select i, r, jsonb_populate_record(d, jsonb_build_object('base_price', base)) as d
      from product d join inventory i using (product_id) join rule r using (rule_id), (values (10), (11)) b (base)
      order by product_id limit 2) shop,
     lateral evaluate_price(d, r, i, 'declaration') v;

-- Where each product stands; after its k-th sale of this past it has changed its price (k + behind) / 20 times.
create temporary table standing on commit drop as
select row_number() over (order by product_id) - 1 as place, product_id, d.title, d.rule_id, i.stock, i.movement_count,
       i.change_count, (product_id + i.movement_count) % 20 as behind, d.base_price, i.price,
       other.base_price as other_base, other.price as other_price,
       :rows / :products + (row_number() over (order by product_id) <= :rows % :products)::integer as sold
from inventory i join product d using (product_id) join declared other on other.base_price <> d.base_price;
analyze standing;

create temporary view past as
select n, :first_order + n as order_id, :first_customer + n * 7919 % :customers as customer_id, s.*,
       k, s.stock - k as stock_after, (k - 1 + behind) / 20 as changes, (k + behind) % 20 = 0 as is_change,
       case when (k - 1 + behind) / 20 % 2 = 0 then s.price else other_price end as charged,
       timestamptz :'since' + (now() - timestamptz :'since') * (n::float8 / :rows) as at
from generate_series(0, :rows::bigint - 1) n, lateral (select (n / :products)::integer + 1 as k) sale, standing s
where s.place = n % :products;

insert into customer_order (order_id, customer_id, total, placed_at, changed_at, actor) overriding system value
select order_id, customer_id, charged, at, at, 'bench' from past;
insert into order_line (order_id, product_id, quantity, unit_price)
select order_id, product_id, 1, charged from past;
insert into stock_movement (product_id, sequence, kind, quantity, stock_after, order_id, ends_order, actor, at,
                            transaction_id, change_id)
select product_id, movement_count + k, 'sale', -1, stock_after, order_id, true, 'bench', at, :transaction,
       :first_change + 2 * n from past;
insert into price_change (product_id, sequence, old_price, new_price, stock, rule_id, cause, binding_guard, inputs,
                          actor, at, transaction_id, change_id)
select p.product_id, p.change_count + p.changes + 1, p.charged, d.price, p.stock_after, p.rule_id, 'declaration',
       d.binding, d.inputs || jsonb_build_object('stock', p.stock_after, 'posted', p.charged), 'bench', p.at,
       :transaction, :first_change + 2 * n + 1
from past p join declared d on d.price <> p.charged where p.is_change;
select setval('change_number', :first_change + 2 * :rows) as last_change \gset
-- Numbered here, in ranges as the sequencer makes them, since it would sort all at once.
create temporary table numbered on commit drop as
select n / 400 as part, 2 * count(*) + count(*) filter (where is_change) as events, max(at) as at
from past group by 1;
select make_event_partitions(:told + sum(events)::bigint) as made from numbered \gset
insert into event_range (first_number, event_count, transaction_id, first_change, last_change, at)
select :told + 1 + sum(events) over (order by part) - events, events, :transaction, :first_change + 800 * part,
       :first_change + 800 * part + 799, at
from numbered;

update product p set base_price = other_base, version = version + 1
from standing s where s.product_id = p.product_id and (sold + behind) / 20 % 2 = 1;
update shelf p set price = other_price
from standing s where s.product_id = p.product_id and (sold + behind) / 20 % 2 = 1;
update inventory i set stock = i.stock - sold, movement_count = i.movement_count + sold,
    change_count = i.change_count + (sold + behind) / 20, stands_from = null, stands_to = null,
    changed_at = case when sold + behind >= 20 then now() else i.changed_at end,
    price = case when (sold + behind) / 20 % 2 = 1 then other_price else i.price end,
    regular_price = case when (sold + behind) / 20 % 2 = 1 then other_price else i.price end,
    anchor_price = case when (sold + behind) / 20 % 2 = 1 then other_price else i.anchor_price end
from standing s where s.product_id = i.product_id;
update event_sequence set last_number = (select :told + sum(events) from numbered), looked_to = :transaction + 1;
-- The breaker has read these events.
update breaker_state set last_sequence = (select last_number from event_sequence);
drop view past;
commit;
vacuum analyze;
