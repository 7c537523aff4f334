--! bench
-- What pgbench runs beside order.place: the function that the daemon calls, with one order of one unit under a key of
-- its own, in a transaction of its own. A refusal is an error, which ends the run. The caller defines the ranges first
-- … last of products and first_customer … last_customer of customers. Keys begin with the time, as the daemon's do.
\set product random(:first, :last)
\set customer random(:first_customer, :last_customer)
select reply, case when state is not null then fail(state, message) end
from place_orders(jsonb_build_array(jsonb_build_object(
    'key', 'pgbench-' || extract(epoch from clock_timestamp()) || '-' || :client_id,
    'actor', 'pgbench',
    'params', jsonb_build_object('customerId', :customer::bigint, 'lines',
        jsonb_build_array(jsonb_build_object('productId', :product::bigint, 'quantity', 1))))));
