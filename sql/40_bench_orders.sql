--! bench
-- What pgbench runs beside order.place: the same function for one order of one unit, in a transaction of its own. The
-- caller defines the ranges first … last of products and first_customer … last_customer of customers.
\set product random(:first, :last)
\set customer random(:first_customer, :last_customer)
select place_order(jsonb_build_object('customerId', :customer::bigint, 'lines',
    jsonb_build_array(jsonb_build_object('productId', :product::bigint, 'quantity', 1))));
