--! bench
-- What pgbench runs on the thin shop: one order of one unit under a key of its own, in a transaction of its own. The
-- caller defines the ranges first … last of products and first_customer … last_customer of customers.
\set product random(:first, :last)
\set customer random(:first_customer, :last_customer)
select thin.place_order(:customer, gen_random_uuid()::text, :product, 1);
