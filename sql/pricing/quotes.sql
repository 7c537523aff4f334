--! code
-- Quotes hold stock: lines of the stock ledger that sum to `held`. They move no price, unless a rule counts them.

-- Holds stock for a line of a quote, or lets go of it; with an order, what it becomes is sold right after.
create function hold_stock(line quote_line, kind text, order_id bigint default null, why text default '') returns void
language sql as $$
    update inventory set held = held + case kind when 'hold' then line.quantity else -line.quantity end,
        cause = row(kind, null, concat_ws(': ', 'quote ' || line.quote_id, nullif(why, '')), order_id)::movement_cause
    where product_id = line.product_id
$$;

create function rule_signal(id bigint) returns text
language sql stable as $$
    select signal from rule where rule_id = (select rule_id from product where product_id = id)
$$;

-- Prices products again whose rule counts something beside stock, once that has moved.
create function count_signal(ids bigint[], signal text, order_id bigint) returns void
language plpgsql as $$
declare
    id bigint;
begin
    for id in select u from unnest(ids) u where rule_signal(u) = count_signal.signal order by 1 loop
        update inventory set cause = row('signal', null, '', order_id)::movement_cause where product_id = id;
    end loop;
end $$;

-- The units that are sold and have not left, for a rule that counts them. An order's lines are written after its sale.
create function count_unshipped(chosen rule, row_was inventory, row_now inventory, why movement_cause) returns integer
language plpgsql stable as $$
begin
    if chosen.signal <> 'on_hand' then return 0; end if;
    if why.kind in ('declaration', 'rule', 'rollback', 'audit') then
        return (select coalesce(sum(l.quantity), 0) from order_line l join customer_order o using (order_id)
                where l.product_id = row_now.product_id and o.status in ('pending', 'processing'));
    end if;
    return row_was.unshipped + case
        when why.order_id is null then 0
        when why.kind in ('sale', 'cancel') then row_was.stock - row_now.stock
        when why.kind = 'signal' then -(select quantity from order_line l
                                        where l.order_id = why.order_id and l.product_id = row_now.product_id)
        else 0 end;
end $$;

-- ------------------------------------------------------------------------------------------------------ orders

-- Calls of a batch that are placed under a quote, each with what it holds: its lines, unless the call says which of
-- them. Quotes are locked before stock, wherever both are. Unless it `waits`, a call whose quote another session has
-- locked is marked contended.
create function read_quotes(calls jsonb, waits boolean) returns jsonb
language plpgsql as $$
declare
    wanted bigint[] := array(
        select distinct id::bigint from jsonb_path_query(calls,
            '$[*].params.quoteId ? (@ >= 1 && @ <= 9223372036854775807)') id);
    locked bigint[];
begin
    if wanted = '{}' then return calls; end if;
    if waits then
        locked := array(select quote_id from quote where quote_id = any (wanted) order by quote_id for no key update);
    else
        locked := array(select quote_id from quote where quote_id = any (wanted)
                        order by quote_id for no key update skip locked);
    end if;
    return (
    select jsonb_agg(case when q.quote_id is null then c || case when c #> '{params,lines}' is null
                          then jsonb_build_object('sent', coalesce(c -> 'sent', c -> 'params'),
                                                  'params', c -> 'params' || '{"lines": []}') else '{}' end
        else c || jsonb_build_object('quoted', held.lines, 'isContended', q.quote_id <> all (locked))
            || case when c #> '{params,lines}' is null
                    then jsonb_build_object('sent', coalesce(c -> 'sent', c -> 'params'),
                                            'params', c -> 'params' || jsonb_build_object('lines', held.lines))
                    else '{}' end end order by n)
    from jsonb_array_elements(calls) with ordinality u (c, n)
    left join quote q on q.quote_id = (c #>> '{params,quoteId}')::bigint
    left join lateral (
        select jsonb_agg(jsonb_build_object('productId', product_id, 'quantity', quantity,
                                            'unitPrice', unit_price::text) order by product_id) as lines
        from quote_line l where l.quote_id = q.quote_id) held on true);
end $$;

-- Why a quote cannot be used any more.
create function closed_quote(q quote, out state text, out message text, out detail jsonb)
language plpgsql stable as $$
begin
    if q.status = 'open' and q.expires_at > pricing_now() then return; end if;
    state := 'PR205';
    message := case q.status when 'ordered' then format('Quote %s became order %s.', q.quote_id, q.order_id)
                             when 'released' then format('Quote %s was released.', q.quote_id)
                             else format('Quote %s has expired.', q.quote_id) end;
    detail := jsonb_strip_nulls(jsonb_build_object('quoteId', q.quote_id,
        'status', case q.status when 'open' then 'expired' else q.status end, 'orderId', q.order_id,
        'expiresAt', rfc3339(q.expires_at)));
end $$;

-- Why an order cannot be placed under the quote that it names, which is locked; no state: it can.
create function refuse_quoted(
    params jsonb, quoted jsonb, lines wanted_line[], out state text, out message text, out detail jsonb
)
language plpgsql stable as $$
declare
    q quote;
    line wanted_line;
    units bigint;
begin
    select * into q from quote where quote_id = (params ->> 'quoteId')::bigint;
    if q.customer_id is distinct from (params ->> 'customerId')::bigint then
        state := 'PR206';
        message := format('There is no quote %s of customer %s.', params ->> 'quoteId', params ->> 'customerId');
        detail := jsonb_build_object('quoteId', params -> 'quoteId');
        return;
    end if;
    select c.state, c.message, c.detail into state, message, detail from closed_quote(q) c;
    if state is not null then return; end if;
    foreach line in array lines loop
        units := (select (l ->> 'quantity')::bigint from jsonb_array_elements(quoted) l
                  where (l ->> 'productId')::bigint = line.product_id);
        continue when line.quantity <= units;
        state := 'PR602';
        message := format('/lines: quote %s holds %s of product %s.', q.quote_id, coalesce(units, 0), line.product_id);
        detail := jsonb_build_object('productId', line.product_id, 'violations', jsonb_build_array(jsonb_build_object(
            'path', '/lines', 'rule', 'maximum', 'expected', coalesce(units, 0), 'got', line.quantity,
            'message', format('product %s: the quote holds %s; ask for a new one', line.product_id,
                              coalesce(units, 0)))));
        return;
    end loop;
end $$;

-- The lines of an order under its quote: what it holds is theirs, and the lower of both prices counts.
create function quoted_lines(lines wanted_line[], quoted jsonb) returns wanted_line[]
language sql immutable as $$
    select array_agg(row(l.product_id, l.quantity, l.max_price, l.price, l.available + q.quantity, l.is_open, l.sku,
                         l.is_calm, least(l.price, q.unit_price))::wanted_line order by l.product_id)
    from unnest(lines) l
    join (select (q ->> 'productId')::bigint as product_id, (q ->> 'quantity')::integer as quantity,
                 (q ->> 'unitPrice')::numeric as unit_price from jsonb_array_elements(quoted) q) q using (product_id)
$$;

-- The lines of somebody whose own open quotes hold what they lack: a quote never stands in its owner's way. Those
-- quotes are released, where that is enough; never where it would wait for another session.
create function reclaim_lines(lines wanted_line[], buyer bigint) returns wanted_line[]
language plpgsql as $$
declare
    short bigint[] := array(select product_id from unnest(lines) l where l.is_open and l.quantity > l.available);
    own bigint[];
    freed wanted_line[];
    locked bigint[];
begin
    if short = '{}' then return lines; end if;
    own := array(select quote_id from quote q where q.customer_id = buyer and status = 'open' and exists (
                     select from quote_line h where h.quote_id = q.quote_id and h.product_id = any (short))
                 order by quote_id for no key update skip locked);
    if own = '{}' then return lines; end if;
    locked := array(select product_id from inventory
                    where product_id in (select product_id from quote_line where quote_id = any (own))
                    order by product_id for no key update skip locked);
    own := array(select o from unnest(own) o where not exists (
        select from quote_line h where h.quote_id = o and h.product_id <> all (locked)));
    freed := array(
        select row(l.product_id, l.quantity, l.max_price, l.price, l.available + coalesce((
                       select sum(h.quantity) from quote_line h
                       where h.quote_id = any (own) and h.product_id = l.product_id), 0),
                   l.is_open, l.sku, l.is_calm, l.unit_price)::wanted_line
        from unnest(lines) l order by l.product_id);
    if not (select bool_and(is_sellable(l)) from unnest(freed) l) then return lines; end if;
    update quote set status = 'released', reason = 'taken by its owner' where quote_id = any (own);
    return freed;
end $$;

-- ------------------------------------------------------------------------------------------------------ expiry

-- Lets quotes go whose time has come, at most so many, each once however many daemons there are. One whose stock or
-- which itself another session has locked is left for later.
create function quote_step(most integer, out visited integer, out is_idle boolean)
language plpgsql as $$
declare
    due bigint[];
    free bigint[];
begin
    if coalesce(current_setting('pricing.actor', true), '') in ('', 'campaign') then
        perform set_config('pricing.actor', 'quote', true);
    end if;
    due := array(select quote_id from quote where status = 'open' and expires_at <= pricing_now()
                 order by expires_at, quote_id limit most for no key update skip locked);
    free := array(select product_id from inventory
                  where product_id in (select product_id from quote_line where quote_id = any (due))
                  order by product_id for no key update skip locked);
    update quote q set status = 'expired'
    where quote_id = any (due) and not exists (
        select from quote_line l where l.quote_id = q.quote_id and l.product_id <> all (free));
    get diagnostics visited = row_count;
    is_idle := cardinality(due) < most or visited = 0;
end $$;

-- Seconds until a quote expires. Under a virtual clock only setting it makes one expire; what waits for a locked row is
-- tried again soon, since the end of a lock is not announced.
create function seconds_to_quote() returns float8
language sql stable as $$
    select case when expires_at <= pricing_now() then 0.2
                when not exists (select from virtual_clock) then
                    greatest(0.01, extract(epoch from expires_at - pricing_now()))::float8 end
    from quote where status = 'open' order by expires_at limit 1
$$;
