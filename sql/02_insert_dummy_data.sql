--! demo
-- A small shop to look at, applied only on request, to an empty database, after every function and trigger: stock moves
-- through the same functions as live stock, so stock ledger, price history and events are complete. Only Chloe Evans
-- has a password: pricingd-demo.

select set_config('pricing.actor', 'demo', true);

insert into category (name, description) values
    ('Electronics', 'Devices and what belongs to them'),
    ('Books', 'Printed, bound, read'),
    ('Kitchen', 'For cooking and eating'),
    ('Garden', 'For beds, pots and lawns'),
    ('Sport', 'For moving about'),
    ('Pets', 'Nothing is sold here yet');

insert into supplier (company_name, contact_email, tax_number, address) values
    ('Northwind Trading', 'orders@northwind.example', 'DE-100200300', '1 Harbour Street, Hamburg'),
    ('Paper and Ink', 'sales@paperandink.example', 'GB-445566778', '22 Mill Lane, Norwich'),
    ('Green Fields', 'hello@greenfields.example', 'NL-909080807', '5 Canal Road, Utrecht'),
    ('Summit Works', null, 'AT-313233343', '77 Station Square, Innsbruck'),
    ('Old Mill', 'office@oldmill.example', null, 'closed since spring; sells nothing here');

insert into app_user (full_name, email, phone_number, role) values
    ('Ada Fischer', 'ada.fischer@shop.example', '+49 30 5550101', 'admin'),
    ('Ben Costa', 'ben.costa@shop.example', '+49 30 5550102', 'seller'),
    ('Chloe Evans', 'chloe.evans@mail.example', '+44 20 5550103', 'customer'),
    ('Dario Rossi', 'dario.rossi@mail.example', '+39 06 5550104', 'customer'),
    ('Elif Kaya', 'elif.kaya@mail.example', '+90 212 5550105', 'customer'),
    ('Farid Haas', 'farid.haas@mail.example', null, 'customer'),
    ('Greta Novak', 'greta.novak@mail.example', '+420 2 5550107', 'customer'),
    ('Hugo Silva', 'hugo.silva@mail.example', null, 'customer');
update app_user set password_hash = hash_password('pricingd-demo') where email = 'chloe.evans@mail.example';

-- SKU, title, category, supplier, base price, unit cost, low, high, opening stock
create temporary table demo_product (
    n integer generated always as identity, sku text, title text, category text, supplier text,
    base numeric(12, 2), cost numeric(12, 2), low integer, high integer, stock integer
) on commit drop;
insert into demo_product (sku, title, category, supplier, base, cost, low, high, stock) values
    ('EL-LAPTOP-14', 'Laptop 14 inch', 'Electronics', 'Northwind Trading', 1199.00, 780.00, 5, 40, 18),
    ('EL-PHONES-NC', 'Noise cancelling headphones', 'Electronics', 'Northwind Trading', 249.00, 120.00, 10, 100, 130),
    ('EL-MOUSE', 'Wireless mouse', 'Electronics', 'Northwind Trading', 24.90, 11.00, 20, 200, 90),
    ('EL-CABLE-C', 'USB-C cable', 'Electronics', 'Northwind Trading', 7.50, 2.10, 50, 500, 45),
    ('EL-PROJECTOR', 'Projector', 'Electronics', 'Summit Works', 3480.00, 2300.00, 2, 12, 6),
    ('BK-ATLAS', 'World atlas', 'Books', 'Paper and Ink', 59.00, 31.00, 5, 50, 22),
    ('BK-SOUPS', 'Cookbook of soups', 'Books', 'Paper and Ink', 28.00, 12.50, 10, 100, 8),
    ('BK-DICT', 'Pocket dictionary', 'Books', 'Paper and Ink', 9.90, 4.00, 10, 100, 140),
    ('BK-MARK', 'Bookmark', 'Books', 'Paper and Ink', 0.80, 0.30, 50, 1000, 400),
    ('KI-PAN-IRON', 'Cast iron pan', 'Kitchen', 'Summit Works', 64.00, 35.00, 10, 100, 35),
    ('KI-KNIFE', 'Chef knife', 'Kitchen', 'Summit Works', 89.00, 48.00, 10, 80, 60),
    ('KI-ESPRESSO', 'Espresso machine', 'Kitchen', 'Northwind Trading', 649.00, 390.00, 4, 30, 4),
    ('KI-TOWEL', 'Tea towel', 'Kitchen', null, 4.20, 1.60, 30, 300, 310),
    ('GA-SPADE', 'Spade', 'Garden', 'Green Fields', 34.50, 18.00, 10, 100, 55),
    ('GA-HOSE-25', 'Garden hose 25 m', 'Garden', 'Green Fields', 42.00, 21.00, 10, 60, 66),
    ('GA-TULIP-20', 'Tulip bulbs, 20', 'Garden', 'Green Fields', 11.00, 5.20, 20, 400, 150),
    ('GA-MOWER', 'Lawn mower', 'Garden', 'Green Fields', 899.00, 560.00, 3, 20, 9),
    ('SP-MAT', 'Yoga mat', 'Sport', 'Summit Works', 32.00, 14.00, 10, 100, 70),
    ('SP-BIKE-CF', 'Carbon road bicycle', 'Sport', 'Summit Works', 4200.00, 2800.00, 2, 10, 5),
    ('SP-BALLS-3', 'Tennis balls, 3', 'Sport', null, 6.90, 2.80, 25, 250, 28);

select product_create(jsonb_build_object('sku', sku, 'title', title, 'basePrice', base::text,
    'unitCost', cost::text,
    'categoryId', (select category_id from category where name = d.category),
    'supplierId', (select supplier_id from supplier where company_name = d.supplier),
    'lowStock', low, 'highStock', high, 'stock', stock))
from demo_product d order by n;

-- who buys what: customer, then title and quantity of each line
create temporary table demo_order (n integer, customer text, title text, quantity integer) on commit drop;
insert into demo_order values
    (1, 'chloe.evans@mail.example', 'Laptop 14 inch', 1), (1, 'chloe.evans@mail.example', 'Wireless mouse', 1),
    (2, 'dario.rossi@mail.example', 'Espresso machine', 1), (2, 'dario.rossi@mail.example', 'Tea towel', 15),
    (3, 'elif.kaya@mail.example', 'Noise cancelling headphones', 40),
    (4, 'farid.haas@mail.example', 'Carbon road bicycle', 3),
    (5, 'greta.novak@mail.example', 'Tennis balls, 3', 4), (5, 'greta.novak@mail.example', 'Yoga mat', 2),
    (6, 'hugo.silva@mail.example', 'World atlas', 2), (6, 'hugo.silva@mail.example', 'Bookmark', 10),
    (7, 'chloe.evans@mail.example', 'Lawn mower', 1), (7, 'chloe.evans@mail.example', 'Spade', 1),
    (8, 'elif.kaya@mail.example', 'Chef knife', 2), (8, 'elif.kaya@mail.example', 'Cast iron pan', 1);

select order_place(jsonb_build_object('customerId', buyer, 'shippingAddress', '1 Example Street', 'lines', lines))
from (select o.n, u.user_id as buyer,
             jsonb_agg(jsonb_build_object('productId', d.product_id, 'quantity', o.quantity)) as lines
      from demo_order o join app_user u on u.email = o.customer join product d using (title)
      group by o.n, u.user_id order by o.n) orders;

-- The first two orders are completed, the third is in processing, the fifth is cancelled; two products are restocked.
select order_advance(jsonb_build_object('orderId', order_id, 'status', step))
from customer_order, unnest(array['processing', 'completed']) with ordinality u (step, n)
where order_id <= (select min(order_id) + 1 from customer_order) order by order_id, n;
select order_advance(jsonb_build_object('orderId', min(order_id) + 2, 'status', 'processing')) from customer_order;
select order_cancel(jsonb_build_object('orderId', min(order_id) + 4, 'reason', 'ordered twice')) from customer_order;
select inventory_restock(jsonb_build_object('productId', product_id, 'quantity', 60, 'reason', 'delivery'))
from product where title in ('Cookbook of soups', 'USB-C cable') order by product_id;
select inventory_expect(jsonb_build_object('productId', product_id, 'quantity', 40, 'eta', '2098-12-01T00:00:00Z',
                                           'reason', 'order 7'))
from product where title = 'Tea towel';
select campaign_create(jsonb_build_object('name', 'Spring sale', 'categoryId', min(category_id), 'percentOff', 20,
    'startsAt', '2098-03-20T00:00:00Z', 'endsAt', '2098-03-27T00:00:00Z'))
from category;

-- Two products whose new base prices wait for a person's yes.
select rule_activate(jsonb_build_object('ruleId', rule_create('{"name": "careful", "strategy": "bands",
                                                                "parameters": {"approveAbove": 0.05}}') -> 'ruleId',
                                        'productIds', jsonb_agg(product_id order by product_id)))
from product where title in ('Chef knife', 'Yoga mat');
select product_update(jsonb_build_object('productId', product_id, 'basePrice', (base_price + 10)::text))
from product where title in ('Chef knife', 'Yoga mat') order by product_id;
update proposal set expires_at = '2098-12-31T00:00:00Z';

-- A customer thinks it over.
select quote_create(jsonb_build_object('customerId', min(user_id), 'ttlSeconds', 86400, 'lines', jsonb_build_array(
    jsonb_build_object('productId', product_id, 'quantity', 2))))
from app_user, product where title = 'Bookmark' and role = 'customer' group by product_id;
