--! code
-- What the admin dashboard shows. Revenue is the total of orders that were neither cancelled nor returned, without what
-- came back of them; days and months are the shop's (setting `time_zone`, UTC unless set); every figure is defined in
-- an empty shop. No function here reads a password hash.

-- The shop's own time zone.
create function shop_zone() returns text
language sql stable as $$
    select coalesce((select value #>> '{}' from setting where name = 'time_zone'), 'UTC')
$$;

-- The first moment of the shop's day.
create function shop_today() returns timestamptz
language sql stable as $$
    select date_trunc('day', pricing_now(), shop_zone())
$$;

-- Whether an order's total counts as revenue.
create function counts_as_revenue(status text) returns boolean
language sql immutable as $$
    select status not in ('cancelled', 'returned')
$$;

-- What came back of orders that still count as revenue.
create view refund as
select r.order_id, o.customer_id, o.placed_at, r.product_id, r.quantity as units, r.quantity * l.unit_price as amount
from order_return r join order_line l using (order_id, product_id) join customer_order o using (order_id)
where counts_as_revenue(o.status);

-- Counts and sums of the whole shop.
create function dashboard_stats(p jsonb) returns json
language sql stable as $$
    select json_build_object(
        'products', offered,
        'activeProducts', offered - (select count(*) from product where not active and archived_at is null),
        'orders', (select count(*) from customer_order),
        'lowStock', (select count(*) from shelf where level = 'LOW'),
        'revenue', (select round(coalesce(sum(total), 0) - (select coalesce(sum(amount), 0) from refund), 2)::text
                    from customer_order where counts_as_revenue(status)),
        'revenueToday', (select round(coalesce(sum(total), 0) - (select coalesce(sum(amount), 0) from refund
                                                                 where placed_at >= shop_today()), 2)::text
                         from customer_order
                         where counts_as_revenue(status) and placed_at >= (select shop_today())),
        'halted', f.halted, 'halts', f.halts, 'breakerTripped', f.breaker_open, 'failingProducts', f.failing,
        'overdueDeliveries', f.overdue, 'campaigns', f.campaigns, 'openProposals', f.proposals)
    from (select count(*) as offered from shelf where level is not null) o, automation_figures() f
$$;

-- How many rows of a table are not archived: exact up to about 200,000 rows, beyond that the planner's estimate.
create function estimate_count(relation text, has_archive boolean default false) returns bigint
language plpgsql stable as $$
declare
    found bigint := (select reltuples from pg_class where oid = relation::regclass);
begin
    if found <= 200000 then
        execute format('select count(*) from %I', relation)
            || case when has_archive then ' where archived_at is null' else '' end
        into found;
    end if;
    return found;
end $$;

-- What server.status counts.
create function status_counts() returns json
language sql stable as $$
    select json_build_object('products', estimate_count('product', true),
        'orders', estimate_count('customer_order'), 'users', estimate_count('app_user', true),
        'openQuotes', (select count(*) from quote where status = 'open'),
        'priceChanges', estimate_count('price_change'), 'events', (select last_number from event_sequence))
$$;

-- Per category: products on offer, their units, and what those are worth at today's prices.
create function dashboard_category_distribution(p jsonb) returns json
language sql stable as $$
    select json_build_object('items', coalesce(json_agg(json_build_object('categoryId', category_id,
        'category', name, 'products', products, 'stock', stock, 'value', value::text)
        order by value desc, name collate "und-x-icu", category_id), '[]'))
    from (select c.category_id, c.name, count(d.product_id) as products, coalesce(sum(i.stock), 0) as stock,
                 round(coalesce(sum(i.stock * i.price), 0), 2) as value
          from category c
          left join product d on d.category_id = c.category_id and d.archived_at is null
          left join inventory i on i.product_id = d.product_id
          group by c.category_id) per
$$;

-- Per day of the last `days` (default 30, today included), oldest first: the mean of all prices at the day's end, and
-- how often prices were raised and cut that day; of one product when `productId` is given. Computed backwards: the sum
-- of prices now, less what each later day moved and the opening prices of later products. No product yet: a null mean.
create function dashboard_price_trends(p jsonb) returns json
language sql stable as $$
    with watched as materialized (
        select d.product_id, d.created_at, i.price, i.opening_price
        from product d join inventory i using (product_id)
        where case when p ->> 'productId' is null then d.archived_at is null
                   else d.product_id = (p ->> 'productId')::bigint end
    ), span as materialized (
        select day at time zone zone as day, (day + interval '1 day') at time zone zone as ends
        from (select shop_zone() as zone, shop_today() at time zone shop_zone() as today,
                     greatest(coalesce((p ->> 'days')::integer, 30), 1) - 1 as back) s,
             generate_series(today - back * interval '1 day', today, interval '1 day') day
    ), moved as (
        select s.day, count(*) as changes, count(*) filter (where c.new_price > c.old_price) as raises,
               sum(c.new_price - c.old_price) as net
        from price_change c join watched using (product_id)
        join span s on c.at >= s.day and c.at < s.ends
        where c.at >= (select min(day) from span)
        group by 1
    ), opened as (
        select s.day, count(*) as products, sum(w.opening_price) as net
        from watched w join span s on w.created_at >= s.day and w.created_at < s.ends
        group by 1
    ), later as (
        select s.day, coalesce(m.changes, 0) as changes, coalesce(m.raises, 0) as raises,
               coalesce(sum(coalesce(m.net, 0) + coalesce(o.net, 0)) over after, 0) as net,
               coalesce(sum(coalesce(o.products, 0)) over after, 0) as products
        from span s left join moved m using (day) left join opened o using (day)
        window after as (order by s.day desc rows between unbounded preceding and 1 preceding)
    ), present as (
        select count(*) as products, coalesce(sum(price), 0) as total from watched
        where created_at < (select max(ends) from span)
    )
    select json_build_object('items', coalesce(json_agg(json_build_object('at', rfc3339(l.day),
        'averagePrice', round((present.total - l.net) / nullif(present.products - l.products, 0), 2)::text,
        'changes', l.changes, 'raises', l.raises, 'cuts', l.changes - l.raises) order by l.day), '[]'))
    from later l cross join present
$$;

-- Per supplier: its products, units sold and revenue; the highest revenue first.
create function dashboard_supplier_revenue(p jsonb) returns json
language sql stable as $$
    select json_build_object('items', coalesce(json_agg(json_build_object('supplierId', s.supplier_id,
        'supplier', s.company_name, 'products', (select count(*) from product d where d.supplier_id = s.supplier_id),
        'units', coalesce(sold.units, 0), 'revenue', round(coalesce(sold.revenue, 0), 2)::text)
        order by coalesce(sold.revenue, 0) desc, s.supplier_id), '[]'))
    from supplier s
    left join (select d.supplier_id, sum(per.units) as units, sum(per.revenue) as revenue
               from (select l.product_id, sum(l.quantity) as units, sum(l.quantity * l.unit_price) as revenue
                     from order_line l join customer_order o using (order_id)
                     where counts_as_revenue(o.status) group by 1
                     union all
                     select product_id, -sum(units), -sum(amount) from refund group by 1) per
               join product d using (product_id) group by 1) sold using (supplier_id)
$$;

-- The last twelve months, this one included, oldest first.
create function dashboard_monthly_revenue(p jsonb) returns json
language sql stable as $$
    with month as (
        select m as starts, m + interval '1 month' as ends
        from (select date_trunc('month', pricing_now() at time zone shop_zone()) as this) now,
             generate_series(this - interval '11 months', this, interval '1 month') m
    ), sold as (
        select date_trunc('month', placed_at at time zone (select shop_zone())) as starts, sum(orders) as orders,
               sum(revenue) as revenue
        from (select placed_at, 1 as orders, total as revenue from customer_order where counts_as_revenue(status)
              union all
              select placed_at, 0, -amount from refund) o
        where placed_at >= (select min(starts) from month) at time zone (select shop_zone())
        group by 1
    )
    select json_build_object('items', json_agg(json_build_object('month', to_char(starts, 'YYYY-MM'),
        'orders', coalesce(orders, 0), 'revenue', round(coalesce(revenue, 0), 2)::text) order by starts))
    from month left join sold using (starts)
$$;

-- The customers who spent most, at most `limit` (default 10).
create function dashboard_vip_users(p jsonb) returns json
language sql stable as $$
    select json_build_object('items', coalesce(json_agg(json_build_object('userId', u.user_id,
        'fullName', shown_name(u), 'email', case when u.archived_at is null then u.email end,
        'orders', best.orders, 'spent', round(best.spent, 2)::text)
        order by best.spent desc, u.user_id), '[]'))
    from (select customer_id, sum(orders) as orders, sum(spent) as spent
          from (select customer_id, 1 as orders, total as spent from customer_order where counts_as_revenue(status)
                union all
                select customer_id, 0, -amount from refund) o
          group by 1 order by spent desc, customer_id limit coalesce((p ->> 'limit')::integer, 10)) best
    join app_user u on u.user_id = best.customer_id
$$;

-- Products at or below their low threshold, the emptiest shelf first, at most `limit` (default 50).
create function dashboard_low_stock(p jsonb) returns json
language sql stable as $$
    select json_build_object('items', coalesce(json_agg(json_build_object('productId', product_id, 'sku', sku,
        'title', title, 'stock', stock, 'lowStock', low_stock, 'price', price::text) order by stock, product_id), '[]'))
    from (select d.product_id, d.sku, d.title, i.stock, d.low_stock, i.price
          from shelf s join product d using (product_id) join inventory i using (product_id)
          where s.level = 'LOW'
          order by i.stock, d.product_id limit page_size(p)) low
$$;
