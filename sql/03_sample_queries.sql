--! queries
-- Named queries about the shop, one SELECT each, read by `report.list` and run by `report.run`. None shows a password
-- hash. Revenue counts orders that were neither cancelled nor returned.

-- name: products
-- Every product on offer with its stock, price and base price.
select d.product_id, d.title, i.price, d.base_price, i.stock, d.active
from product d join inventory i using (product_id)
where d.archived_at is null
order by d.product_id;

-- name: users
-- Every user that is not archived.
select user_id, full_name, email, phone_number, role, created_at
from app_user
where archived_at is null
order by user_id;

-- name: suppliers
-- Every supplier and how many products it supplies.
select s.supplier_id, s.company_name, s.contact_email, count(d.product_id) as products
from supplier s left join product d using (supplier_id)
group by s.supplier_id
order by s.company_name collate "und-x-icu", s.supplier_id;

-- name: product_sources
-- Each product beside its supplier and category.
select d.product_id, d.title, c.name as category, s.company_name as supplier, d.unit_cost, i.price
from product d
join inventory i using (product_id)
join category c using (category_id)
left join supplier s using (supplier_id)
where d.archived_at is null
order by c.name collate "und-x-icu", d.title collate "und-x-icu", d.product_id;

-- name: below_threshold
-- Products at or below their low threshold, the emptiest shelf first.
select d.product_id, d.title, i.stock, d.low_stock, i.price, i.last_restock_at
from product d join inventory i using (product_id)
where i.stock <= d.low_stock and d.archived_at is null
order by i.stock, d.product_id;

-- name: stock_levels
-- Each product's stock as LOW, NORMAL or HIGH.
select d.product_id, d.title, i.stock, d.low_stock, d.high_stock,
       stock_level(i.stock, d.low_stock, d.high_stock) as level
from product d join inventory i using (product_id)
where d.archived_at is null
order by d.product_id;

-- name: price_history
-- Every price change with its difference, the newest first.
select c.at, d.title, c.old_price, c.new_price, c.new_price - c.old_price as difference,
       round(100 * (c.new_price - c.old_price) / c.old_price, 1) as percent, c.stock, c.cause, c.binding_guard, c.actor
from price_change c join product d using (product_id)
order by c.at desc, c.price_change_id desc;

-- name: low_stock_raises
-- Prices that rose because stock had become low, the newest first.
select c.at, d.title, c.old_price, c.new_price, c.stock, c.order_id
from price_change c join product d using (product_id)
where c.new_price > c.old_price and (c.inputs ->> 'band')::integer = 1
order by c.at desc, c.price_change_id desc;

-- name: most_changed
-- How often each product's price moved, and how far: the liveliest first.
select d.product_id, d.title, count(*) as changes, min(c.new_price) as lowest, max(c.new_price) as highest, i.price
from price_change c join product d using (product_id) join inventory i using (product_id)
group by d.product_id, i.price
order by changes desc, d.product_id;

-- name: away_from_base
-- Products whose price stands away from their base price, the farthest first.
select d.product_id, d.title, d.base_price, i.price, round(100 * (i.price / d.base_price - 1), 1) as percent, i.stock,
       i.pin_price is not null as pinned
from product d join inventory i using (product_id)
where i.price <> d.base_price and d.archived_at is null
order by abs(i.price / d.base_price - 1) desc, d.product_id;

-- name: orders
-- Every order with its customer and status, the newest first.
select o.order_id, o.placed_at, shown_name(u) as customer, o.status, o.total
from customer_order o join app_user u on u.user_id = o.customer_id
order by o.order_id desc;

-- name: order_lines
-- Every line of every order with its subtotal, the newest order first.
select l.order_id, d.title, l.quantity, l.unit_price, l.quantity * l.unit_price as subtotal
from order_line l join product d using (product_id)
order by l.order_id desc, l.product_id;

-- name: order_totals
-- Each order's total beside the sum of its lines; the two must agree.
select o.order_id, o.total, sum(l.quantity * l.unit_price) as sum_of_lines,
       o.total = sum(l.quantity * l.unit_price) as agree
from customer_order o left join order_line l using (order_id)
group by o.order_id
order by o.order_id desc;

-- name: orders_by_status
-- How many orders stand in each status, and what they are worth.
select status, count(*) as orders, sum(total) as total
from customer_order
group by status
order by orders desc, status;

-- name: average_price_by_category
-- The average, lowest and highest price of each category.
select c.name as category, count(i.product_id) as products, round(avg(i.price), 2) as average_price,
       min(i.price) as lowest, max(i.price) as highest
from category c
left join product d on d.category_id = c.category_id and d.archived_at is null
left join inventory i on i.product_id = d.product_id
group by c.category_id
order by c.name collate "und-x-icu";

-- name: revenue_by_product
-- Units sold and revenue of each product, the highest revenue first.
select d.product_id, d.title, sum(l.quantity) as units, sum(l.quantity * l.unit_price) as revenue
from order_line l join customer_order o using (order_id) join product d using (product_id)
where counts_as_revenue(o.status)
group by d.product_id
order by revenue desc, d.product_id;

-- name: revenue_by_category
-- Units sold and revenue of each category, the highest revenue first.
select c.name as category, sum(l.quantity) as units, sum(l.quantity * l.unit_price) as revenue
from order_line l
join customer_order o using (order_id) join product d using (product_id) join category c using (category_id)
where counts_as_revenue(o.status)
group by c.category_id
order by revenue desc, c.name collate "und-x-icu";

-- name: revenue_by_supplier
-- Units sold and revenue of each supplier, the highest revenue first.
select s.company_name as supplier, sum(l.quantity) as units, sum(l.quantity * l.unit_price) as revenue
from order_line l
join customer_order o using (order_id) join product d using (product_id) join supplier s using (supplier_id)
where counts_as_revenue(o.status)
group by s.supplier_id
order by revenue desc, s.supplier_id;

-- name: revenue_by_month
-- Orders and revenue of each month (UTC).
select to_char(placed_at at time zone 'UTC', 'YYYY-MM') as month, count(*) as orders, sum(total) as revenue
from customer_order
where counts_as_revenue(status)
group by month
order by month;

-- name: margins
-- What each product earned over its unit cost, the highest margin first; products without a cost are left out.
select d.product_id, d.title, sum(l.quantity) as units, sum(l.quantity * (l.unit_price - d.unit_cost)) as margin
from order_line l join customer_order o using (order_id) join product d using (product_id)
where counts_as_revenue(o.status) and d.unit_cost is not null
group by d.product_id
order by margin desc, d.product_id;

-- name: top_sellers
-- The products that sold the most units.
select d.product_id, d.title, sum(l.quantity) as units
from order_line l join customer_order o using (order_id) join product d using (product_id)
where counts_as_revenue(o.status)
group by d.product_id
order by units desc, d.product_id;

-- name: lowest_sellers
-- The products that sold the fewest units, those never sold first.
select d.product_id, d.title, coalesce(sum(l.quantity) filter (where counts_as_revenue(o.status)), 0) as units, i.stock
from product d
join inventory i using (product_id)
left join order_line l using (product_id)
left join customer_order o using (order_id)
where d.archived_at is null
group by d.product_id, i.stock
order by units, d.product_id;

-- name: top_customers
-- The customers who spent most.
select u.user_id, shown_name(u) as full_name, count(*) as orders, sum(o.total) as spent
from customer_order o join app_user u on u.user_id = o.customer_id
where counts_as_revenue(o.status)
group by u.user_id
order by spent desc, u.user_id;

-- name: movements_by_kind
-- Stock movements of each kind and the units that they moved.
select kind, count(*) as movements, sum(quantity) as units, min(at) as first_at, max(at) as last_at
from stock_movement
group by kind
order by kind;

-- name: oversold
-- Products whose stock is negative, promised twice or not the sum of their ledger; this must be empty.
select i.product_id, i.stock, i.held, coalesce(ledger.units, 0) as ledger
from inventory i
left join (select product_id, sum(quantity) as units from stock_movement
           where kind not in ('hold', 'release', 'expire') group by 1) ledger using (product_id)
where i.stock < 0 or i.held > i.stock or i.stock <> coalesce(ledger.units, 0)
order by i.product_id;
