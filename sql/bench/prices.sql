--! bench
-- What pgbench runs beside price.get: the posted price of one product, of first … last.
\set product random(:first, :last)
select product_id, price, change_count from inventory where product_id = :product;
