--! code
-- Quotes: price and stock of an offer, held together for a while.

create function quote_json(q quote) returns json
language sql stable as $$
    select json_build_object('quoteId', q.quote_id, 'customerId', q.customer_id,
        'customerName', (select shown_name(u) from app_user u where u.user_id = q.customer_id), 'status', q.status,
        'expiresAt', rfc3339(q.expires_at),
        'lines', (select json_agg(json_build_object('productId', l.product_id, 'sku', d.sku,
                      'title', title_when(d, q.created_at), 'quantity', l.quantity, 'unitPrice', l.unit_price::text)
                      order by l.product_id) from quote_line l join product d using (product_id)
                  where l.quote_id = q.quote_id),
        'total', (select sum(quantity * unit_price)::numeric(24, 2)::text from quote_line l
                  where l.quote_id = q.quote_id),
        'orderId', q.order_id, 'createdAt', rfc3339(q.created_at), 'closedAt', rfc3339(q.closed_at),
        'reason', q.reason, 'actor', q.actor)
$$;

-- The quote that a call names, locked when it is to change, or PR206.
create function find_quote(id bigint, lock boolean default false) returns quote
language plpgsql as $$
declare
    q quote;
begin
    if lock then
        select * into q from quote where quote_id = id for no key update;
    else
        select * into q from quote where quote_id = id;
    end if;
    if not found then
        perform fail('PR206', format('There is no quote %s.', id), jsonb_build_object('quoteId', id));
    end if;
    return q;
end $$;

create function quote_get(p jsonb) returns json
language sql as $$
    select quote_json(find_quote((p ->> 'quoteId')::bigint))
$$;

-- Planned for the filters given, so that each uses its own index.
create function quote_list(p jsonb) returns json
language plpgsql stable as $body$
declare
    before bigint := (open_cursor('quote.list', p) ->> 0)::bigint;
    rows json[];
begin
    if p ? 'productId' then perform find_product((p ->> 'productId')::bigint); end if;
    execute format($query$
        select array(select json_build_object('cursor', json_build_array(q.quote_id), 'item', quote_json(q))
                     from quote q where q.quote_id < coalesce($2, 9223372036854775807) %s
                     order by q.quote_id desc limit $3)
        $query$, concat_ws(' ',
            case when p ? 'customerId' then $$and q.customer_id = ($1 ->> 'customerId')::bigint$$ end,
            case when p ? 'status' then format('and q.status = %L', p ->> 'status') end,
            case when p ? 'productId' then $$and q.quote_id in (
                select quote_id from quote_line where product_id = ($1 ->> 'productId')::bigint)$$ end))
    into rows using p, before, page_size(p) + 1;
    return as_page('quote.list', p, rows);
end $body$;

-- Holds what is asked for at the prices that stand, all of it or nothing.
create function quote_create(p jsonb) returns json
language plpgsql as $$
declare
    buyer bigint := (p ->> 'customerId')::bigint;
    moment timestamptz := pricing_now();
    lines wanted_line[];
    q quote;
begin
    if not exists (select from app_user where user_id = buyer and archived_at is null) then
        perform fail('PR401', format('There is no user %s.', buyer), jsonb_build_object('userId', buyer));
    end if;
    perform lock_stock(jsonb_build_array(jsonb_build_object('params', p)), true);
    lines := reclaim_lines(read_order(p), buyer);
    perform fail(o.state, o.message, o.detail::jsonb) from refuse_lines(lines) o where o.state is not null;
    insert into quote (customer_id, created_at, expires_at, actor)
    values (buyer, moment, moment + make_interval(secs => coalesce((p ->> 'ttlSeconds')::integer, 900)), acting())
    returning * into q;
    insert into quote_line (quote_id, product_id, quantity, unit_price)
    select q.quote_id, l.product_id, l.quantity, l.price from unnest(lines) l order by l.product_id;
    return quote_json(q);
end $$;

-- An open quote's time begins anew; what it holds and at which prices stays, and no quote lasts for more than a day.
create function quote_extend(p jsonb) returns json
language plpgsql as $$
declare
    q quote := find_quote((p ->> 'quoteId')::bigint, true);
begin
    perform fail(c.state, c.message, c.detail) from closed_quote(q) c where c.state is not null;
    update quote set expires_at = least(
        pricing_now() + make_interval(secs => coalesce((p ->> 'ttlSeconds')::integer, 900)),
        created_at + interval '24:00:00')
    where quote_id = q.quote_id returning * into q;
    return quote_json(q);
end $$;

-- Lets go of what a quote holds; one that is closed stays as it is.
create function quote_release(p jsonb) returns json
language plpgsql as $$
declare
    q quote := find_quote((p ->> 'quoteId')::bigint, true);
begin
    if q.status = 'open' then
        perform from inventory
        where product_id in (select product_id from quote_line where quote_id = q.quote_id)
        order by product_id for no key update;
        update quote set status = 'released', reason = coalesce(p ->> 'reason', '')
        where quote_id = q.quote_id returning * into q;
    end if;
    return quote_json(q);
end $$;
