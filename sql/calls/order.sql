--! code
-- Orders: all lines or none, no unit twice, each price the one that stood under the lock.

-- A product's title at a moment: its history says what it was before it changed.
create function title_when(d product, moment timestamptz) returns text
language sql stable as $$
    select coalesce((select before ->> 'title' from declaration_change
                     where product_id = d.product_id and at > moment and before ? 'title'
                     order by sequence limit 1), d.title)
$$;

-- Of each line of an order, how many units have not come back.
create function units_out(number bigint) returns table (order_id bigint, product_id bigint, units integer)
language sql stable as $$
    select l.order_id, l.product_id, l.quantity - coalesce((
        select sum(r.quantity) from order_return r
        where r.order_id = l.order_id and r.product_id = l.product_id), 0)::integer
    from order_line l where l.order_id = number
$$;

create function order_json(o customer_order) returns json
language sql stable as $$
    select json_build_object('orderId', o.order_id, 'customerId', o.customer_id,
        'customerName', (select shown_name(u) from app_user u where u.user_id = o.customer_id), 'status', o.status,
        'total', o.total::text,
        'lines', (select coalesce(json_agg(json_build_object('productId', l.product_id, 'sku', d.sku,
                      'title', title_when(d, o.placed_at), 'quantity', l.quantity, 'unitPrice', l.unit_price::text,
                      'returned', l.quantity - u.units) order by l.product_id), '[]')
                  from order_line l join product d using (product_id)
                  join units_out(o.order_id) u using (order_id, product_id) where l.order_id = o.order_id),
        'shippingAddress', o.shipping_address, 'placedAt', rfc3339(o.placed_at), 'actor', o.actor)
$$;

-- The reply to an order that was just placed.
create function placed_reply(
    number bigint, buyer bigint, total numeric, bought jsonb, moves jsonb, moment timestamptz
) returns json
language sql stable as $$
    select json_build_object('orderId', number, 'customerId', buyer, 'status', 'pending', 'total', total::text,
        'lines', bought, 'priceChanges', moves, 'placedAt', rfc3339(moment))
$$;

-- The same reply made again: what it says of an order never changes.
create function placed_again(number bigint) returns text
language sql stable as $$
    select placed_reply(o.order_id, o.customer_id, o.total, (
            select jsonb_agg(jsonb_build_object('productId', l.product_id, 'sku', d.sku, 'quantity', l.quantity,
                                                'unitPrice', l.unit_price::text) order by l.product_id)
            from order_line l join product d using (product_id) where l.order_id = o.order_id), (
            select coalesce(jsonb_agg(jsonb_build_object('productId', c.product_id, 'sku', d.sku,
                                                         'old', c.old_price::text, 'new', c.new_price::text)
                                      order by c.product_id), '[]')
            from price_change c join product d using (product_id)
            where c.order_id = o.order_id and c.cause = 'sale'), o.placed_at)::text
    from customer_order o where o.order_id = number
$$;

-- The order that a call names, locked when it is to change, or PR202.
create function find_order(id bigint, lock boolean default false) returns customer_order
language plpgsql as $$
declare
    o customer_order;
begin
    if lock then
        select * into o from customer_order where order_id = id for no key update;
    else
        select * into o from customer_order where order_id = id;
    end if;
    if not found then
        perform fail('PR202', format('There is no order %s.', id), jsonb_build_object('orderId', id));
    end if;
    return o;
end $$;

create function order_get(p jsonb) returns json
language sql as $$
    select order_json(find_order((p ->> 'orderId')::bigint))
$$;

-- Planned for the filters given, so that each uses its own index. Orders are numbered as they are placed.
create function order_list(p jsonb) returns json
language plpgsql stable as $body$
declare
    sort text := coalesce(p ->> 'sort', '-placedAt');
    descending boolean := left(sort, 1) = '-';
    key text := case ltrim(sort, '-') when 'total' then 'o.total::numeric' else 'o.order_id' end;
    after jsonb := open_cursor('order.list', p);
    rows json[];
begin
    if p ? 'productId' then perform find_product((p ->> 'productId')::bigint); end if;
    execute format($query$
        with page as materialized (
            select o.order_id as id, %1$s as key from customer_order o
            where ($2 is null or (%1$s, o.order_id) %2$s (($2 ->> 0)::numeric, ($2 ->> 1)::bigint)) %4$s
            order by %1$s %3$s, o.order_id %3$s limit $3
        )
        select array(
            select json_build_object('cursor', json_build_array(page.key::text, page.id), 'item', order_json(o))
            from page join customer_order o on o.order_id = page.id
            order by page.key %3$s, page.id %3$s)
        $query$, key, case when descending then '<' else '>' end, case when descending then 'desc' else 'asc' end,
        concat_ws(' ',
            case when p ? 'customerId' then $$and o.customer_id = ($1 ->> 'customerId')::bigint$$ end,
            case when p ? 'status' then $$and o.status = $1 ->> 'status'$$ end,
            case when p ? 'from' then $$and o.placed_at >= ($1 ->> 'from')::timestamptz$$ end,
            case when p ? 'to' then $$and o.placed_at < ($1 ->> 'to')::timestamptz$$ end,
            case when p ? 'productId' then $$and o.order_id in (
                select order_id from order_line where product_id = ($1 ->> 'productId')::bigint)$$ end,
            case when p ? 'search' then $$and (o.order_id::text = $1 ->> 'search' or o.customer_id in (
                    select user_id from app_user where search_text like like_pattern($1 ->> 'search'))
                or fold_text(o.shipping_address) like like_pattern($1 ->> 'search'))$$ end))
    into rows using p, after, page_size(p) + 1;
    return as_page('order.list', p, rows);
end $body$;

-- Who took an order from which status to which, and when; a part that came back leaves the status.
create function order_history(p jsonb) returns json
language plpgsql stable as $$
declare
    o customer_order := find_order((p ->> 'orderId')::bigint);
begin
    return json_build_object('orderId', o.order_id, 'items', (
        select json_agg(json_build_object('from', from_status, 'to', to_status, 'reason', reason, 'actor', actor,
                                          'at', rfc3339(at)) order by change_id)
        from (select 0 as change_id, null as from_status, 'pending' as to_status, '' as reason, o.actor,
                     o.placed_at as at
              union all
              select change_id, old_status, new_status, reason, actor, at from order_change
              where order_id = o.order_id) moved));
end $$;

-- Moves orders to another status, in their own order. The caller has locked them.
create function set_order_status(ids bigint[], target text, reason text, restock boolean default true)
returns setof customer_order
language plpgsql as $$
declare
    id bigint;
begin
    perform set_config('pricing.reason', coalesce(reason, ''), true),
            set_config('pricing.restock', coalesce(restock, true)::text, true);
    for id in select u from unnest(ids) u order by 1 loop
        return query update customer_order o set status = target where o.order_id = id returning o.*;
    end loop;
    perform set_config('pricing.reason', '', true), set_config('pricing.restock', '', true);
end $$;

-- Moves the order that a call names; asking for the status that it has gives the same reply and changes nothing.
create function move_order(p jsonb, target text) returns json
language plpgsql as $$
declare
    o customer_order := find_order((p ->> 'orderId')::bigint, true);
begin
    if o.status <> target then
        select * into o from set_order_status(array[o.order_id], target, p ->> 'reason', (p ->> 'restock')::boolean);
    end if;
    return order_json(o);
end $$;

create function order_advance(p jsonb) returns json
language sql as $$
    select move_order(p, p ->> 'status')
$$;

create function order_cancel(p jsonb) returns json
language sql as $$
    select move_order(p, 'cancelled')
$$;

-- The whole order, or as much as the lines say. What came back last ends it.
create function order_return(p jsonb) returns json
language plpgsql as $$
declare
    o customer_order := find_order((p ->> 'orderId')::bigint, true);
begin
    if not p ? 'lines' then return move_order(p, 'returned'); end if;
    if o.status not in ('completed', 'returned') then
        perform fail('PR203', format('Of an order that is %s nothing can be returned.', o.status),
            jsonb_build_object('orderId', o.order_id, 'from', o.status, 'to', 'returned'));
    end if;
    insert into order_return (order_id, product_id, change_id, quantity, restocked, reason, actor, at)
    select o.order_id, product_id, nextval('change_number'), quantity, coalesce((p ->> 'restock')::boolean, true),
           coalesce(p ->> 'reason', ''), acting(), pricing_now()
    from (select product_id, quantity from unnest(read_order(p)) order by product_id) l;
    if exists (select from units_out(o.order_id) where units > 0) then
        perform record_order_change(o.order_id, o.status, o.status, p ->> 'reason');
    else
        select * into o from set_order_status(array[o.order_id], 'returned', p ->> 'reason');
    end if;
    return order_json(o);
end $$;

-- Places one order; a refusal is raised.
create function order_place(p jsonb) returns json
language plpgsql as $$
declare
    calls jsonb := read_quotes(jsonb_build_array(jsonb_build_object('params', p, 'actor', acting())), true);
    o order_outcome;
begin
    perform lock_stock(calls, true);
    select * into o from place_in_turn(calls);
    if o.state is not null then perform fail(o.state, o.message, o.detail::jsonb); end if;
    return o.reply;
end $$;
