--! code
-- The data generator: a year of a shop's trade. Orders, cancellations, deliveries and ticks pass through the
-- same functions and the same trigger as live ones, under a back-dated clock that only the generating transaction sees.
-- Same seed on the same day, same data, row for row (but for password salts).
--
-- Contract of `data.generate {users, suppliers, products, orders, seed, clear}`; each call its own transaction:
--   1. generate_begin(p)   p = the request's parameters, every one optional: users 200, suppliers 20, products 200,
--                          orders 1000, seed 1, clear false. Clears if asked, makes categories, suppliers, users
--                          and products. Gives {users, suppliers, categories, products, plan}; `plan` is opaque.
--                          PR602 when orders are asked of a shop that has no customer or nothing for sale.
--   2. generate_orders(plan || {"from": n, "count": m})   for from = 0, m, 2m … below `orders`, in order and once
--                          each. m of 100 serves best: a call moves the clock at most so often, so that its row's
--                          versions stay on one page; of a longer call several orders share a moment. Gives
--                          {orders, restocks, cancelled, returned, day}: what this call did, to be summed, and the
--                          virtual day that it came to (YYYY-MM-DD).
--   3. generate_finish(p)  Refreshes the planner's statistics. Gives the shop's whole {users, suppliers, categories,
--                          products, orders, movements, priceChanges}.
-- Users have no password, but for one of each role, made when `users` is at least 3: admin@example.com,
-- seller@example.com and customer@example.com, password `pricingd-demo`. Never generate into a shop that is open.
--
-- `clear` empties every table but rule, setting and the event counter: numbers of the event stream never go back.

-- The n-th number in [0, 1) of one of the seed's streams, 0 to 63.
create function random_unit(seed bigint, stream integer, n bigint) returns float8
language sql immutable as $$
    select ((hashint8extended(n * 64 + stream, seed) >> 11) & 9007199254740991)::float8 / 9007199254740992::float8
$$;

-- One of the words, by the n-th number of a stream.
create function random_word(words text[], seed bigint, stream integer, n bigint) returns text
language sql immutable as $$
    select words[1 + floor(cardinality(words) * random_unit(seed, stream, n))::integer]
$$;

-- Deletes all data. The append-only triggers are disabled inside this transaction, under an exclusive lock.
create function generate_clear() returns void
language plpgsql as $$
begin
    alter table stock_movement disable trigger stock_movement_append_only;
    alter table price_change disable trigger price_change_append_only;
    alter table order_change disable trigger order_change_append_only;
    alter table order_return disable trigger order_return_append_only;
    alter table notice disable trigger notice_append_only;
    alter table declaration_change disable trigger declaration_change_append_only;
    alter table campaign disable trigger campaign_kept;
    alter table campaign_product disable trigger campaign_product_kept;
    alter table proposal disable trigger proposal_kept;
    alter table quote disable trigger quote_kept;
    alter table quote_line disable trigger quote_line_kept;
    update event_sequence set first_number = last_number + 1;  -- first, in the sequencer's order of locks
    truncate app_user, category, supplier, product, inventory, shelf, customer_order, order_line, stock_movement,
        price_change, order_return, order_change, declaration_change, notice, event_range, expectation, automation_halt,
        proposal, breaker_move, failing_product, learner, learner_fold, past_season, shop_prior, campaign,
        campaign_product, quote, quote_line
        restart identity cascade;
    alter table stock_movement enable trigger stock_movement_append_only;
    alter table price_change enable trigger price_change_append_only;
    alter table order_change enable trigger order_change_append_only;
    alter table order_return enable trigger order_return_append_only;
    alter table notice enable trigger notice_append_only;
    alter table campaign enable trigger campaign_kept;
    alter table campaign_product enable trigger campaign_product_kept;
    alter table proposal enable trigger proposal_kept;
    alter table quote enable trigger quote_kept;
    alter table quote_line enable trigger quote_line_kept;
    alter table declaration_change enable trigger declaration_change_append_only;
    delete from request_key where xmin <> pg_current_xact_id()::xid;
end $$;

create function generate_users(seed bigint, amount integer, born timestamptz) returns void
language plpgsql as $$
declare
    base bigint := (select coalesce(max(user_id), 0) from app_user);
    first_names text[] := string_to_array('Ada Ben Chloe Dario Elif Farid Greta Hugo Ines Jonas Kira Leo Mina Nils '
        'Olga Pavel Rosa Sami Tara Uma Viktor Wanda Yusuf Zoe Anna Bruno Carla David Emma Felix Hanna Ivan', ' ');
    last_names text[] := string_to_array('Abel Becker Costa Dogan Evans Fischer Garcia Haas Ito Jansen Kaya Lopez '
        'Meyer Novak Olsen Petrov Quist Rossi Silva Tanaka Ueda Vogel Weber Yilmaz Zimmer Arslan Brandt Conti', ' ');
begin
    insert into app_user (full_name, email, role, password_hash, created_at)
    select initcap(role) || ' Demo', role || '@example.com', role, hash_password('pricingd-demo'), born
    from unnest(array['admin', 'seller', 'customer']) with ordinality u (role, n) where amount >= 3 order by n
    on conflict do nothing;
    insert into app_user (full_name, email, phone_number, role, created_at)
    select first || ' ' || last, lower(first || '.' || last || '.' || base + n) || '@example.com',
           '+1555' || lpad((base + n)::text, 7, '0'), case when n % 100 = 0 then 'seller' else 'customer' end,
           born - random_unit(seed, 2, n) * interval '200 days'
    from generate_series(1, case when amount >= 3 then amount - 3 else amount end) n,
         random_word(first_names, seed, 0, n) first, random_word(last_names, seed, 1, n) last
    order by n;
end $$;

create function generate_suppliers(seed bigint, amount integer, born timestamptz) returns void
language plpgsql as $$
declare
    base bigint := (select coalesce(max(supplier_id), 0) from supplier);
    names text[] := string_to_array('Northwind Harbour Meadow Summit Anchor Copper Willow Granite Lantern Falcon '
        'Juniper Atlas Beacon Cobalt Drift Ember', ' ');
    kinds text[] := array['Trading', 'Supply', 'Wholesale', 'Imports', 'Works', 'Goods', 'Partners', 'Mills'];
    streets text[] := array['Dock Road', 'Mill Lane', 'Station Street', 'Park Avenue', 'Canal Street', 'High Street'];
begin
    insert into supplier (company_name, contact_email, tax_number, address, created_at)
    select format('%s %s %s', name, kind, base + n), lower(name || '.' || base + n) || '@supplier.example',
           'TAX-' || lpad((base + n)::text, 8, '0'),
           1 + floor(random_unit(seed, 5, n) * 200) || ' ' || random_word(streets, seed, 6, n), born
    from generate_series(1, amount) n, random_word(names, seed, 3, n) name, random_word(kinds, seed, 4, n) kind
    order by n;
end $$;

-- What the generated shop sells: a category and its nouns a row.
create function generated_categories() returns table (place bigint, name text, nouns text[])
language sql immutable as $$
    select n, split_part(line, ':', 1), string_to_array(split_part(line, ':', 2), ',')
    from unnest(array[
        'Audio:Headphones,Speaker,Microphone,Earbuds,Turntable,Amplifier',
        'Books:Atlas,Cookbook,Novel,Field Guide,Dictionary,Notebook',
        'Computers:Laptop,Monitor,Keyboard,Mouse,Dock,Router',
        'Garden:Spade,Hose,Planter,Lantern,Pruner,Parasol',
        'Home:Desk Lamp,Blanket,Mirror,Clock,Vase,Armchair',
        'Kitchen:Kettle,Skillet,Knife,Mixer,Teapot,Grinder',
        'Office:Stapler,Desk,Chair,Planner,Pen Set,Shelf',
        'Outdoor:Tent,Backpack,Stove,Compass,Sleeping Bag,Headlamp',
        'Photo:Camera,Tripod,Lens,Flash,Film,Bag',
        'Sport:Racket,Dumbbell,Yoga Mat,Helmet,Football,Bicycle',
        'Tools:Drill,Hammer,Wrench,Saw,Level,Toolbox',
        'Toys:Puzzle,Train,Blocks,Kite,Board Game,Robot']) with ordinality u (line, n)
$$;

-- Thresholds follow what each product will sell: the n-th of N sells about as sqrt(n/N) - sqrt((n-1)/N) of all lines.
create function generate_products(seed bigint, amount integer, orders bigint) returns void
language plpgsql as $$
declare
    base bigint := (select coalesce(max(product_id), 0) from product);
    looks text[] := string_to_array('Compact Classic Deluxe Slim Rugged Silent Bright Modern Vintage Travel Solid '
        'Smart Light Premium Everyday Studio', ' ');
    suppliers bigint[] := array(select supplier_id from supplier order by supplier_id);
begin
    insert into category (name, description)
    select name, 'Generated: ' || array_to_string(nouns, ', ')
    from generated_categories() where amount > 0 order by place
    on conflict do nothing;
    insert into product (sku, title, description, category_id, supplier_id, base_price, unit_cost, low_stock,
                         high_stock, rule_id, created_at)
    select format('%s-%s', upper(left(noun, 3)), lpad((base + n)::text, 6, '0')), 
           format('%s %s %s-%s', look, noun, chr(65 + (n % 26)::integer), base + n),
           format('%s %s.', look, lower(noun)), c.category_id,
           suppliers[1 + floor(cardinality(suppliers) * random_unit(seed, 11, n))::integer],
           price, round(price * (0.4 + 0.3 * random_unit(seed, 10, n))::numeric, 2),
           low, low + 40 + 8 * low, default_rule_id(null), pricing_now()
    from generate_series(1, amount) n
    join generated_categories() g on g.place = 1 + n % 12
    join category c on fold_case(c.name) = fold_case(g.name),
    random_word(g.nouns, seed, 7, n) noun, random_word(looks, seed, 8, n) look,
    round((0.5 * 10000 ^ random_unit(seed, 9, n))::numeric, 2) price,
    greatest(4, least(400, orders * (sqrt(n::float8 / amount) - sqrt((n - 1)::float8 / amount)) / 40)::integer) low
    order by n;
    update inventory i set cause = row('initial', null, '', null)::movement_cause,
        stock = d.low_stock + 1 + floor((d.high_stock - d.low_stock) * 1.1 * random_unit(seed, 12, d.product_id - base))
    from product d where d.product_id = i.product_id and d.product_id > base;
end $$;

-- Step 1.
create function generate_begin(p jsonb) returns json
language plpgsql security definer set search_path = pricing, pricing_code, pg_temp as $$
declare
    seed bigint := coalesce((p ->> 'seed')::bigint, 1);
    orders bigint := coalesce((p ->> 'orders')::bigint, 1000);
    users integer := coalesce((p ->> 'users')::integer, 200);
    suppliers integer := coalesce((p ->> 'suppliers')::integer, 20);
    products integer := coalesce((p ->> 'products')::integer, 200);
    former timestamptz := (select at from virtual_clock);
    today date := (pricing_now() at time zone 'UTC')::date;
begin
    perform set_config('pricing.actor', 'generator', true), set_config('pricing.cause', 'generate', true);
    if coalesce((p ->> 'clear')::boolean, false) then perform generate_clear(); end if;
    perform set_virtual_clock((today - 365)::timestamp at time zone 'UTC');
    perform generate_suppliers(seed, suppliers, pricing_now());
    perform generate_users(seed, users, pricing_now());
    perform generate_products(seed, products, orders);
    perform set_virtual_clock(former);
    if orders > 0 and not (
        exists (select from app_user where role = 'customer' and archived_at is null)
        and exists (select from product where active and archived_at is null)) then
        perform fail('PR602', 'Orders need at least one customer and one product for sale.',
            '{"violations": [{"path": "/orders", "rule": "shop", "message": "no customer or no product for sale"}]}');
    end if;
    analyze app_user, product, inventory;
    return json_build_object('users', users, 'suppliers', suppliers, 'products', products,
        'categories', (select count(*) from category),
        'plan', json_build_object('seed', seed, 'orders', orders, 'today', today));
end $$;

-- When the n-th order is placed. The year ends with yesterday, so the time of day does not matter; the shop grows, so
-- the n-th comes at (n / orders) ^ 0.85 of it.
create function generated_moment(plan jsonb, n bigint) returns timestamptz
language sql immutable as $$
    select ((plan ->> 'today')::date - 365)::timestamp at time zone 'UTC' + days * interval '1 day'
    from (values (365 * ((n + random_unit((plan ->> 'seed')::bigint, 20, n)) / (plan ->> 'orders')::float8) ^ 0.85))
         v (days)
$$;

-- Who buys what in the orders from `first` on: the first users and the first products most often.
create function generated_visits(plan jsonb, first bigint, amount bigint)
returns table (at timestamptz, day date, goods bigint[], units bigint, wish jsonb)
language plpgsql as $$
declare
    seed bigint := (plan ->> 'seed')::bigint;
    buyers bigint[] := array(
        select user_id from app_user where role = 'customer' and archived_at is null order by user_id);
    shelf bigint[] := array(
        select product_id from product where active and archived_at is null order by product_id);
begin
    return query
    select moment, (moment at time zone 'UTC')::date, basket.goods, basket.units, jsonb_build_object(
        'customerId', buyers[1 + floor(cardinality(buyers) * random_unit(seed, 21, n) ^ 1.5)::integer],
        'lines', basket.lines)
    from generate_series(first, least(first + amount, (plan ->> 'orders')::bigint) - 1) n,
         generated_moment(plan, n) moment,
         lateral (select array_agg(id) as goods, sum(quantity) as units,
                         jsonb_agg(jsonb_build_object('productId', id, 'quantity', quantity)) as lines
                  from generate_series(1, 1 + floor(3 * random_unit(seed, 22, n) ^ 2)::integer) l,
                       lateral (select
                           shelf[1 + floor(cardinality(shelf) * random_unit(seed, 23, n * 4 + l) ^ 2)::integer],
                           1 + floor(3 * random_unit(seed, 24, n * 4 + l) ^ 2)::integer) v (id, quantity)
                 ) basket
    order by n;
end $$;

-- What the merchant does on a day: a list price changes about twice a year, and now and then a category is on sale for
-- a week. A sale ends with the call that generates it, since the daemon would end one that it finds.
create function generate_declarations(seed bigint, day date, leaves date) returns void
language plpgsql as $$
declare
    n bigint := day - date '2000-01-01';
    categories bigint[] := array(select category_id from category order by category_id);
begin
    perform product_update(jsonb_build_object('productId', product_id, 'basePrice', greatest(0.01, price)::text))
    from product, lateral (
        select round(base_price * (0.95 + 0.1 * random_unit(seed, 29, product_id * 1000 + n % 1000))::numeric, 2)
        ) v (price)
    where archived_at is null and random_unit(seed, 28, product_id * 1000 + n % 1000) < 2 / 365.0
    order by product_id;
    if random_unit(seed, 30, n) < 0.03 and leaves > day then
        perform campaign_create(jsonb_build_object('name', format('Sale of %s', day),
            'categoryId', categories[1 + floor(cardinality(categories) * random_unit(seed, 31, n))::integer],
            'percentOff', 5 * (1 + floor(5 * random_unit(seed, 32, n))),
            'endsAt', least(day + 7, leaves)::timestamp at time zone 'UTC'));
    end if;
end $$;

-- Midnight of one day: prices that moved yesterday are ticked (a tick changes nothing for the others: their anchor is
-- their price), deliveries arrive for some products that ran low, and earlier orders move on.
create function generate_midnight(
    seed bigint, day date, leaves date, inout restocks bigint, inout cancelled bigint, inout returned bigint
)
language plpgsql as $$
declare
    midnight timestamptz := day::timestamp at time zone 'UTC';
    moved bigint;
    id bigint;
begin
    perform set_virtual_clock(midnight);
    perform play_due(midnight);
    perform generate_declarations(seed, day, leaves);
    update inventory set cause = row('tick', 'tick', '', null)::movement_cause
    where product_id in (select product_id from inventory where regular_price <> anchor_price order by product_id);

    perform inventory_restock(jsonb_build_object('productId', product_id, 'reason', 'delivery', 'quantity',
        ceil((high_stock - low_stock) * (0.4 + 0.9 * chance))))
    from (select d.product_id, d.low_stock, d.high_stock,
                 random_unit(seed, 26, d.product_id * 1000 + (day - date '2000-01-01') % 1000) as chance
          from product d join inventory i using (product_id)
          where i.stock <= d.low_stock and d.archived_at is null
            and random_unit(seed, 25, d.product_id * 1000 + (day - date '2000-01-01') % 1000) < 0.35
          order by d.product_id) low;
    get diagnostics moved = row_count;
    restocks := restocks + moved;

    for id in select order_id from customer_order
              where placed_at >= midnight - interval '1 day' and placed_at < midnight and actor = 'generator'
                and status = 'pending' and random_unit(seed, 27, order_id) < 0.04 order by order_id loop
        perform order_cancel(jsonb_build_object('orderId', id, 'reason', 'changed my mind'));
        cancelled := cancelled + 1;
    end loop;
    for id in select order_id from customer_order
              where placed_at >= midnight - interval '10 days' and placed_at < midnight - interval '9 days'
                and actor = 'generator' and status = 'completed' and random_unit(seed, 27, order_id) > 0.98
              order by order_id loop
        perform order_return(jsonb_build_object('orderId', id, 'reason', 'not as expected'));
        returned := returned + 1;
    end loop;
    perform set_order_status(array(
        select order_id from customer_order where actor = 'generator' and status = 'processing'
          and placed_at >= midnight - interval '3 days' and placed_at < midnight - interval '2 days'),
        'completed', null);
    perform set_order_status(array(
        select order_id from customer_order where actor = 'generator' and status = 'pending'
          and placed_at >= midnight - interval '1 day' and placed_at < midnight), 'processing', null);
end $$;

-- Step 2. What an order lacks is delivered just before it, so that exactly the orders asked for are placed. The planner
-- expects a hundred lines an order, and would read whole tables for each or plan each anew: hence the settings.
create function generate_orders(p jsonb) returns json
language plpgsql security definer set search_path = pricing, pricing_code, pg_temp
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set jit = off
set plan_cache_mode = force_generic_plan as $$
declare
    seed bigint := (p ->> 'seed')::bigint;
    first bigint := (p ->> 'from')::bigint;
    former timestamptz := (select at from virtual_clock);
    day date := case when first = 0 then (p ->> 'today')::date - 365
                     else (generated_moment(p, first - 1) at time zone 'UTC')::date end;
    orders bigint := 0;
    restocks bigint := 0;
    cancelled bigint := 0;
    returned bigint := 0;
    leaves date := (generated_moment(
        p, least(first + (p ->> 'count')::bigint, (p ->> 'orders')::bigint) - 1) at time zone 'UTC')::date;
    moved bigint;
    visit record;
begin
    perform set_config('pricing.actor', 'generator', true), set_config('pricing.cause', 'generate', true);
    perform set_config('synchronous_commit', 'off', true);  -- the commit of step 3 makes all of it durable
    for visit in select * from generated_visits(p, first, (p ->> 'count')::bigint) loop
        while day < visit.day loop
            day := day + 1;
            select * into restocks, cancelled, returned
            from generate_midnight(seed, day, leaves, restocks, cancelled, returned);
        end loop;
        perform set_virtual_clock(visit.at);
        perform inventory_restock(jsonb_build_object('productId', product_id, 'reason', 'express delivery',
                                                     'quantity', high_stock / 2 + 10))
        from inventory join product using (product_id)
        where product_id = any (visit.goods) and stock - held < visit.units;
        get diagnostics moved = row_count;
        restocks := restocks + moved;
        perform order_place(visit.wish);
        orders := orders + 1;
    end loop;
    perform set_virtual_clock(former);
    return json_build_object('orders', orders, 'restocks', restocks, 'cancelled', cancelled, 'returned', returned,
                             'day', day);
end $$;

-- Step 3.
create function generate_finish(p jsonb) returns json
language plpgsql security definer set search_path = pricing, pricing_code, pg_temp as $$
begin
    analyze app_user, category, supplier, product, inventory, customer_order, order_line, stock_movement, price_change;
    return json_build_object(
        'users', (select count(*) from app_user), 'suppliers', (select count(*) from supplier),
        'categories', (select count(*) from category), 'products', (select count(*) from product),
        'orders', (select count(*) from customer_order), 'movements', (select count(*) from stock_movement),
        'priceChanges', (select count(*) from price_change));
end $$;
