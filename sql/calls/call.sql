--! code
-- What every call over the socket shares: exact text for money and time, keyed replies, dry runs, pages.

-- RFC 3339 in UTC with milliseconds.
create function rfc3339(moment timestamptz) returns text
language sql stable as $$
    select case when moment = 'infinity' then null
                else to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') end
$$;

-- A search text as a LIKE pattern that matches it anywhere: folded like the column, its own wildcards escaped.
create function like_pattern(search text) returns text
language sql immutable as $$
    select '%' || replace(replace(replace(fold_text(search), '\', '\\'), '%', '\%'), '_', '\_') || '%'
$$;

-- The cursor for a place in one list under one request: the place and a keyed hash of list, request and place, so that
-- it cannot be forged. Filters and order are the request; page size and the daemon's own state may change from page to
-- page.
create function seal_cursor(list text, p jsonb, place json) returns text
language sql stable strict as $$
    select translate(encode(substr(keyed_hash(
        jsonb_build_array('cursor', list, p - array['cursor', 'limit', 'state'], place)::text), 1, 12)
        || convert_to(place::text, 'UTF8'), 'base64'), E'+/=\n', '-_')
$$;

-- The place that a request's cursor stands for; null without one, and PR602 when this list did not issue it for this
-- request.
create function open_cursor(list text, p jsonb) returns jsonb
language plpgsql stable as $$
declare
    given text := p ->> 'cursor';
    place json;
    is_ours boolean := false;
begin
    if given is null then return null; end if;
    begin
        place := convert_from(substr(decode(rpad(translate(given, '-_', '+/'), (length(given) + 3) / 4 * 4, '='),
                                            'base64'), 13), 'UTF8')::json;
        is_ours := coalesce(seal_cursor(list, p, place) = given, false);
    exception when data_exception then
        null;  -- no cursor of ours
    end;
    if not is_ours then
        perform fail('PR602', 'The cursor is not one that this list gave for these filters and this order.',
            '{"violations": [{"path": "/cursor", "rule": "cursor",
                              "message": "must be the nextCursor of the same list with the same filters and sort"}]}');
    end if;
    return place::jsonb;
end $$;

-- Rows a page; 50 by default.
create function page_size(p jsonb) returns integer
language sql immutable as $$
    select coalesce((p ->> 'limit')::integer, 50)
$$;

-- One page of a list: at most `limit` of the rows, which hold one more when there is another page. Each row is
-- {"cursor": [place], "item": …}; the next cursor is that of the last row shown.
create function as_page(list text, p jsonb, rows json[]) returns json
language plpgsql stable as $$
begin
    -- A query that met no row has not looked at its cursor either.
    if cardinality(rows) = 0 then perform open_cursor(list, p); end if;
    return json_build_object(
        'items', coalesce((select json_agg(r -> 'item' order by n) from unnest(rows) with ordinality u (r, n)
                           where n <= page_size(p)), '[]'),
        'nextCursor', case when cardinality(rows) > page_size(p)
                           then seal_cursor(list, p, rows[page_size(p)] -> 'cursor') end);
end $$;

-- What tells two requests under one key apart. This hash is a fast one, so a password enters it only keyed.
create function request_hash(method text, params jsonb) returns bytea
language sql stable as $$
    select sha256(convert_to(method || ' ' || case when params ? 'password'
        then params || jsonb_build_object('password', keyed_hash('password ' || normalize(params ->> 'password', NFC)))
        else params end::text, 'UTF8'))
$$;

-- The reply stored for this very request, or null; refuses the key of another request. Waits while another transaction
-- works under the same key: an advisory lock and not a row, so that a key costs one write.
create function find_reply(request_key text, hash bytea) returns text
language plpgsql as $$
declare
    stored request_key;
    o order_outcome;
begin
    perform pg_advisory_xact_lock(hashtextextended(request_key, 0));
    select r.* into stored from request_key r where r.key = find_reply.request_key;
    if not found then return null; end if;
    o := repeat_reply(stored, hash);
    if o.state is not null then perform fail(o.state, o.message); end if;
    return o.reply;
end $$;

-- The stored reply of a key, repeated, or PR009 for another request. The first transaction may have become visible
-- before its standby had it, when its wait was cancelled: so the repeat commits a write of its own, which waits for the
-- standby.
create function repeat_reply(stored request_key, hash bytea) returns order_outcome
language plpgsql as $$
begin
    if stored.request_hash <> hash then
        return row(null, false, 'PR009', 'This idempotency key was used for another request.', '{}', null)
            ::order_outcome;
    end if;
    perform pg_logical_emit_message(true, 'pricing', '');
    return row(coalesce(stored.reply, placed_again(stored.order_id)), true, null, null, null, null)::order_outcome;
end $$;

-- Runs one writing call: `function` is a function of this schema that takes the parameters and returns the reply;
-- `named` when names stand where it takes ids. The key is of the request as it was sent. Key,
-- effect and reply commit together or not at all.
create function run_write(
    function text, method text, params jsonb, request_key text, actor text, named boolean default false,
    out reply text, out replayed boolean
)
language plpgsql as $$
declare
    hash bytea := case when request_key is not null then request_hash(method, params) end;
begin
    replayed := false;
    -- A repeat of the one must know the password that was right before, and no token is told twice.
    if method in ('user.changePassword', 'login.open') then request_key := null; end if;
    perform set_config('pricing.actor', coalesce(actor, ''), true), set_config('pricing.cause', 'call', true);
    if request_key is not null then
        reply := find_reply(request_key, hash);
        replayed := reply is not null;
        if replayed then return; end if;
    end if;
    if named then params := resolve_names(params); end if;
    execute format('select %I($1)::text', function) into reply using params;
    if request_key is not null then
        insert into request_key (key, request_hash, reply) values (request_key, hash, reply);
    end if;
end $$;

-- What this transaction has done so far, for a dry run: stock and prices moved, events, and the guards that bound. Read
-- before the rollback.
create function would_change() returns json
language sql stable as $$
    with mine as (
        select *, (select sku from product d where d.product_id = e.product_id) as sku
        from recorded_event e where transaction_id = current_transaction()
    )
    select json_build_object(
        'stock', coalesce((select json_agg(json_build_object('productId', product_id, 'sku', sku,
            'old', before -> 'stock', 'new', after -> 'stock') order by change_id, part)
            from mine where topic = 'stock' and before ->> 'stock' <> after ->> 'stock'), '[]'),
        'prices', coalesce((select json_agg(json_build_object('productId', product_id, 'sku', sku,
            'old', before -> 'price', 'new', after -> 'price') order by change_id, part)
            from mine where topic = 'price'), '[]'),
        'events', coalesce((select json_agg(json_build_object('topic', topic, 'op', op, 'key', key,
            'before', before, 'after', after, 'cause', cause) order by change_id, part) from mine), '[]'),
        'guards', coalesce((select json_agg(json_build_object('productId', c.product_id, 'sku', d.sku,
            'guard', c.binding_guard) order by c.change_id)
            from price_change c join product d using (product_id)
            where c.binding_guard is not null and c.transaction_id = current_transaction()), '[]'))
$$;

-- What tells whether a call would change the same again: a digest of its events and guards, in which the numbers of
-- what it makes, and the time, do not count.
create function change_digest(changes json) returns text
language sql stable as $$
    with event as materialized (
        select e, n, e ->> 'op' in ('insert', 'halt', 'proposal_made') as makes,
               -- Ids of several kinds are the same numbers.
               case when e ->> 'topic' in ('stock', 'price') then 'productId'
                    else (select name from unnest('{productId,ruleId,campaignId,categoryId}'::text[])
                                           with ordinality k (name, n)
                          where coalesce(nullif(e -> 'after', 'null'), e -> 'before') ? name order by k.n limit 1)
               end as kind
        from jsonb_array_elements(changes::jsonb -> 'events') with ordinality u (e, n)
    ), made as (
        select kind, e -> 'key' as key, e ->> 'topic' as topic from event where makes
    ), same as (
        select n, case
            when makes or e ->> 'topic' in ('stock', 'price', 'catalogue') and exists (
                    select from made where topic = 'catalogue' and kind = event.kind and key = event.e -> 'key')
                then e #- '{key}' #- '{after,productId}' #- '{after,ruleId}' #- '{after,campaignId}'
                     #- '{after,proposalId}'
            else e end
            #- case when exists (select from made where topic = 'catalogue' and kind = 'categoryId'
                                 and key = event.e #> '{after,categoryId}')
                    then '{after,categoryId}'::text[] else '{}' end
            #- case when exists (select from made where topic = 'catalogue' and kind = 'ruleId'
                                 and key = event.e #> '{after,ruleId}')
                    then '{after,ruleId}'::text[] else '{}' end
            #- case when exists (select from made where topic = 'order' and key = event.e #> '{cause,orderId}')
                    then '{cause,orderId}'::text[] else '{}' end as e
        from event
    )
    select encode(sha256(convert_to(replace(
        coalesce((select jsonb_agg(e order by n) from same), '[]')::text
            || coalesce((select string_agg(g ->> 'guard', ' ' order by n)
                         from json_array_elements(changes -> 'guards') with ordinality u (g, n)), ''),
        rfc3339(pricing_now()), 'now'), 'UTF8')), 'hex')
$$;

-- A writing call that changes what its caller saw a dry run change, or nothing (PR306). A repeated reply stands.
create function run_expected(
    function text, method text, params jsonb, request_key text, actor text, named boolean, expected text,
    out reply text, out replayed boolean
)
language plpgsql as $$
declare
    changes json;
begin
    select * into reply, replayed from run_write(function, method, params, request_key, actor, named);
    if replayed then return; end if;
    changes := would_change();
    if change_digest(changes) <> expected then
        perform fail('PR306', 'What this would change is not what was expected.', jsonb_build_object(
            'expected', expected, 'digest', change_digest(changes), 'wouldChange', changes));
    end if;
end $$;

-- Deletes request keys older than 24 hours, a bounded batch at a time.
create function expire_request_keys() returns bigint
language sql as $$
    with old as materialized (
        select key from request_key where created_at < now() - interval '24 hours' order by created_at limit 10000
    ), gone as (
        delete from request_key r using old where r.key = old.key returning 1
    )
    select count(*) from gone
$$;
