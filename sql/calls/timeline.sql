--! code
-- What the pages draw of one product: its price and stock over time, and its price over stock.

-- Price and stock after each change, the oldest first, with what stood before the first. Of more changes than points
-- may be given, time is cut into equal slices: of each its first and last change, and its highest and lowest price and
-- stock; with few points the highest and lowest of all come first. By aggregates and not by windows, which would sort.
create function product_timeline(p jsonb) returns json
language plpgsql stable as $$
declare
    d product := find_product((p ->> 'productId')::bigint);
    room integer := coalesce((p ->> 'points')::integer, 500);
    slices integer := greatest(room / 6, 1);
    starts timestamptz := coalesce((p ->> 'from')::timestamptz, d.created_at);
    ends timestamptz := coalesce((p ->> 'to')::timestamptz, 'infinity');
    stock_before integer := coalesce((
        select stock_after from stock_movement m where m.product_id = d.product_id and m.at < starts
        order by sequence desc limit 1), 0);
    price_before numeric := coalesce((
        select new_price from price_change c where c.product_id = d.product_id and c.at < starts
        order by sequence desc limit 1), (select opening_price from inventory i where i.product_id = d.product_id));
    items json;
begin
    with moved as (
        select coalesce(m.change_id, c.change_id) as change_id, coalesce(m.at, c.at)::timestamptz as at,
               coalesce(m.stock_after, c.stock) as stock, c.new_price::numeric as price,
               coalesce(c.cause, m.kind) as cause,
               case when c.change_id is null then m.reason
                    else price_reason(c.cause, c.binding_guard, c.inputs, c.reason) end as reason
        from (select * from stock_movement where product_id = d.product_id and at >= starts and at < ends) m
        full join (select * from price_change where product_id = d.product_id and at >= starts and at < ends) c
            using (change_id)
    ), point as (
        select change_id, at, stock, price, cause, reason from moved
        union all
        select 0, starts, stock_before, price_before, 'start', ''
        where starts > d.created_at or not exists (select from moved)
    ), stood as (
        select *, count(price) over (order by change_id) as prices from point
    ), change as materialized (
        select change_id, at, stock, cause, reason,
               coalesce(first_value(price) over (partition by prices order by change_id), price_before) as price
        from stood
    ), span as (
        select count(*) as changes, extract(epoch from min(at)) as first, extract(epoch from max(at)) as last
        from change
    ), sliced as materialized (
        select change.*, case when last > first
            then least(floor((extract(epoch from at) - first) / (last - first) * slices), slices - 1) else 0
            end as slice
        from change, span where changes > room
    ), extreme as (
        select slice, min(change_id) as first, max(change_id) as last, max(price) as high, min(price) as low,
               max(stock) as most, min(stock) as least
        from sliced group by slice
    ), chosen as (
        select u.change_id, min(rank) as rank
        from (select min(change_id) filter (where price = e.high) as high,
                     min(change_id) filter (where price = e.low) as low,
                     min(change_id) filter (where stock = most) as fullest,
                     min(change_id) filter (where stock = least) as emptiest, min(e.last) as last, min(e.first) as first
              from sliced join extreme e using (slice) group by slice) s,
             unnest(array[s.high, s.low, fullest, emptiest, s.last, s.first]) with ordinality u (change_id, rank)
        group by u.change_id order by 2, 1 limit room
    )
    select json_agg(json_build_object('at', rfc3339(at), 'price', price::numeric(12, 2)::text, 'stock', stock,
                                      'cause', cause, 'reason', reason) order by change_id)
    into items
    from change, span where changes <= room or change_id in (select change_id from chosen);
    return json_build_object('productId', d.product_id, 'sku', d.sku, 'title', d.title, 'from', rfc3339(starts),
        'to', rfc3339(least(ends, greatest(pricing_now(), starts))), 'items', coalesce(items, '[]'));
end $$;

-- The posted price at each of some stocks, at this tick: what price_preview gives of each. Where there are more stocks
-- than points, evenly spread ones, both ends among them.
create function price_curve(p jsonb) returns json
language plpgsql stable as $$
declare
    d product := find_product((p ->> 'productId')::bigint);
    r rule;
    i inventory;
    there inventory;
    v price_verdict;
    charged numeric;
    stands boolean := is_halted(d);
    low integer := (p ->> 'fromStock')::integer;
    high integer := (p ->> 'toStock')::integer;
    points bigint;
    items json[] := '{}';
begin
    if high < low then
        perform fail('PR602', '/toStock: must not be below fromStock.',
            '{"violations": [{"path": "/toStock", "rule": "order", "message": "must not be below fromStock"}]}');
    end if;
    points := least(coalesce((p ->> 'points')::bigint, 100), high::bigint - low + 1);
    select * into r from rule where rule_id = d.rule_id;
    select * into i from inventory where product_id = d.product_id;
    there := i;
    for n in 0 .. points - 1 loop
        there.stock := low + case when points > 1 then (high::bigint - low) * n / (points - 1) else 0 end;
        v := evaluate_price(d, r, there, 'stock');
        charged := case when stands then i.price else charged_at(d, r, there, v.price) end;
        items := items || json_build_object('stock', there.stock, 'price', charged::text);
    end loop;
    return json_build_object('productId', d.product_id, 'sku', d.sku, 'stock', i.stock, 'price', i.price::text,
        'items', to_json(items));
end $$;
