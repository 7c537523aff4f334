--! repeatable
-- What every call over the socket shares: exact text for money and time, keyed replies, dry runs, pages.

-- RFC 3339 in UTC with milliseconds.
create or replace function rfc3339(moment timestamptz) returns text
language sql stable as $$
    select case when moment = 'infinity' then null
                else to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') end
$$;

-- A search text, folded as what it is compared with is, as a LIKE pattern that finds it anywhere, its own wildcards escaped.
create or replace function like_pattern(search text) returns text
language sql immutable as $$
    select '%' || replace(replace(replace(fold_text(search), '\', '\\'), '%', '\%'), '_', '\_') || '%'
$$;

-- A hash that cannot be tried out without this database's secret, which nobody reads but this function.
create or replace function keyed_hash(words text) returns bytea
language sql stable strict security definer set search_path = public, pg_temp as $$
    select hmac(convert_to(words, 'UTF8'), secret, 'sha256') from hash_secret
$$;

-- The cursor that stands for a place in one list under one request: the place and a keyed hash of list, request and place.
-- Filters and order are the request; how many rows a page has may change from page to page, and so may what the daemon
-- carries along.
create or replace function seal_cursor(list text, p jsonb, place json) returns text
language sql stable strict as $$
    select translate(encode(substr(keyed_hash(
        jsonb_build_array('cursor', list, p - array['cursor', 'limit', 'state'], place)::text), 1, 12)
        || convert_to(place::text, 'UTF8'), 'base64'), E'+/=\n', '-_')
$$;

-- The place that the cursor of a request stands for; null without one, and PR602 when this list never gave it for this
-- request.
create or replace function open_cursor(list text, p jsonb) returns jsonb
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
        null;  -- nothing that was ever sealed
    end;
    if not is_ours then
        perform fail('PR602', 'The cursor is not one that this list gave for these filters and this order.',
            '{"violations": [{"path": "/cursor", "rule": "cursor",
                              "message": "must be the nextCursor of the same list with the same filters and sort"}]}');
    end if;
    return place::jsonb;
end $$;

-- How many rows a list asks for; 50 unless it says.
create or replace function page_size(p jsonb) returns integer
language sql immutable as $$
    select coalesce((p ->> 'limit')::integer, 50)
$$;

-- The page that a list gives for a request: at most its `limit` of the rows, which hold one row more than the page when
-- there is another page. Each row is {"cursor": [place], "item": …}; the next cursor is the last shown row's.
create or replace function as_page(list text, p jsonb, rows json[]) returns json
language sql stable as $$
    select json_build_object(
        'items', coalesce((select json_agg(r -> 'item' order by n) from unnest(rows) with ordinality u (r, n)
                           where n <= page_size(p)), '[]'),
        'nextCursor', case when cardinality(rows) > page_size(p)
                           then seal_cursor(list, p, rows[page_size(p)] -> 'cursor') end)
$$;

-- What tells two requests under one key apart. This hash is a fast one, so a password enters it only keyed.
create or replace function request_hash(method text, params jsonb) returns bytea
language sql stable as $$
    select sha256(convert_to(method || ' ' || case when params ? 'password'
        then params || jsonb_build_object('password', keyed_hash('password ' || normalize(params ->> 'password', NFC)))
        else params end::text, 'UTF8'))
$$;

-- The reply that this very request was given before, or null; refuses the key of another request. Waits while another
-- transaction works under the same key, which a lock says and not a row, so that a key costs one write.
create or replace function find_reply(request_key text, hash bytea) returns text
language plpgsql as $$
declare
    stored request_key;
    o order_outcome;
begin
    perform pg_advisory_xact_lock(hashtextextended(request_key, 0));
    select r.* into stored from request_key r where r.key = find_reply.request_key;
    if not found then return null; end if;
    o := replay(stored, hash);
    if o.state is not null then perform fail(o.state, o.message); end if;
    return o.reply;
end $$;

-- The reply that stands under a key, given again, or the refusal of another request's key (PR009).
-- The first transaction may have been seen before its standby had it, when its wait was cut short: a reply is given again
-- only by a commit that waits for the standby itself, and such a commit must write something.
create or replace function replay(stored request_key, hash bytea) returns order_outcome
language plpgsql as $$
begin
    if stored.request_hash <> hash then
        return row(null, false, 'PR009', 'This idempotency key was used for another request.', '{}', null)::order_outcome;
    end if;
    perform pg_logical_emit_message(true, 'pricing', '');
    return row(stored.reply, true, null, null, null, null)::order_outcome;
end $$;

-- Runs one writing call: `function` is a function of this schema that takes the parameters and returns the reply.
-- Key, effect and reply commit together or not at all.
create or replace function run_write(
    function text, method text, params jsonb, request_key text, actor text,
    out reply text, out replayed boolean
)
language plpgsql as $$
begin
    replayed := false;
    perform set_config('pricing.actor', coalesce(actor, ''), true);
    if request_key is not null then
        reply := find_reply(request_key, request_hash(method, params));
        replayed := reply is not null;
        if replayed then return; end if;
    end if;
    execute format('select %I($1)::text', function) into reply using params;
    if request_key is not null then
        insert into request_key (key, request_hash, reply) values (request_key, request_hash(method, params), reply);
    end if;
end $$;

-- Whether a row that this transaction made within its own time was made by it, in a subtransaction maybe: nobody else's
-- row is seen while its transaction still runs.
create or replace function is_own_row(made xid) returns boolean
language plpgsql stable as $$
declare
    own bigint := pg_current_xact_id()::text::bigint;
    made_at bigint := own / 4294967296 * 4294967296 + made::text::bigint;
begin
    return made_at >= own and pg_xact_status(made_at::text::xid8) = 'in progress';
end $$;

-- What this transaction has done so far, for a dry run: the stock and prices that it moved, its events, and the guards
-- that bound. Read before the rollback.
create or replace function would_change() returns json
language sql stable as $$
    with mine as (
        select * from event_outbox where transaction_id = pg_current_xact_id()
    )
    select json_build_object(
        'stock', coalesce((select json_agg(json_build_object('productId', product_id, 'old', before -> 'stock',
            'new', after -> 'stock') order by event_id) from mine where topic = 'stock'), '[]'),
        'prices', coalesce((select json_agg(json_build_object('productId', product_id, 'old', before -> 'price',
            'new', after -> 'price') order by event_id) from mine where topic = 'price'), '[]'),
        'events', coalesce((select json_agg(json_build_object('topic', topic, 'op', op, 'key', key,
            'before', before, 'after', after, 'cause', cause) order by event_id) from mine), '[]'),
        'guards', coalesce((select json_agg(json_build_object('productId', c.product_id, 'guard', c.binding_guard)
            order by c.price_change_id) from price_change c
            where c.binding_guard is not null and (c.xmin = pg_current_xact_id()::xid
                or case when c.at = pricing_now() then is_own_row(c.xmin) end)), '[]'))
$$;

-- Forgets request keys older than 24 hours, a bounded number at a time.
create or replace function expire_request_keys() returns bigint
language sql as $$
    with old as materialized (
        select key from request_key where created_at < now() - interval '24 hours' order by created_at limit 10000
    ), gone as (
        delete from request_key r using old where r.key = old.key returning 1
    )
    select count(*) from gone
$$;

-- ---------------------------------------------------------------------------------------------- names
-- A name as it is kept: trimmed, then of 1 to `most` characters, none of them a control or bidirectional override. PR602
-- names the member.
create or replace function clean_name(name text, member text, most integer default 200) returns text
language plpgsql immutable as $$
declare
    kept text := trim_name(name);
    violation jsonb;
begin
    if name ~ '[\u0001-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]' then
        violation := '{"rule": "characters", "message": "control and bidirectional override characters are not allowed"}';
    elsif char_length(kept) not between 1 and most then
        violation := jsonb_build_object('rule', 'length', 'got', char_length(kept),
                                        'message', format('must have 1 to %s characters', most));
    else
        return kept;
    end if;
    perform fail('PR602', format('/%s: %s.', member, violation ->> 'message'),
        jsonb_build_object('violations', jsonb_build_array(jsonb_build_object('path', '/' || member) || violation)));
    return null;
end $$;

-- An address as it is kept: a name that looks like one.
create or replace function clean_email(email text, member text) returns text
language plpgsql immutable as $$
declare
    kept text := clean_name(email, member, 254);
begin
    if kept !~ '^[^@[:space:]]+@[^@[:space:]]+$' then
        perform fail('PR602', format('/%s: must look like name@host.', member), jsonb_build_object('violations',
            jsonb_build_array(jsonb_build_object('path', '/' || member, 'rule', 'format',
                                                 'message', 'must look like name@host'))));
    end if;
    return kept;
end $$;

-- Names are trimmed and checked however they come, and what is made is made at the shop's time. What stands unchanged is
-- left as it is.
create or replace function tg_name_clean() returns trigger
language plpgsql set search_path = public, pg_temp as $$
begin
    case tg_table_name
    when 'product' then
        if tg_op = 'INSERT' or new.title is distinct from old.title then
            new.title := clean_name(new.title, 'title');
        end if;
    when 'category' then
        if tg_op = 'INSERT' or new.name is distinct from old.name then
            new.name := clean_name(new.name, 'name');
        end if;
    when 'rule' then
        new.name := clean_name(new.name, 'name');
    when 'automation_halt' then
        if tg_op = 'INSERT' then
            new.reason := clean_name(new.reason, 'reason', 2000);
        else
            new.resume_reason := clean_name(new.resume_reason, 'reason', 2000);
        end if;
    when 'supplier' then
        if tg_op = 'INSERT' or new.company_name is distinct from old.company_name then
            new.company_name := clean_name(new.company_name, 'companyName');
        end if;
        if tg_op = 'INSERT' or new.contact_email is distinct from old.contact_email then
            new.contact_email := clean_email(new.contact_email, 'contactEmail');
        end if;
        if tg_op = 'INSERT' or new.tax_number is distinct from old.tax_number then
            new.tax_number := clean_name(new.tax_number, 'taxNumber', 64);
        end if;
    when 'app_user' then
        if tg_op = 'INSERT' or new.full_name is distinct from old.full_name then
            new.full_name := clean_name(new.full_name, 'fullName');
        end if;
        if tg_op = 'INSERT' or new.email is distinct from old.email then
            new.email := clean_email(new.email, 'email');
        end if;
        if tg_op = 'INSERT' or new.phone_number is distinct from old.phone_number then
            new.phone_number := clean_name(new.phone_number, 'phoneNumber', 32);
            if phone_key(new.phone_number) !~ '[0-9]{3}' then new.phone_number := '-'; end if;  -- its check refuses that
        end if;
    end case;
    return new;
end $$;

-- A row's time of making where nobody gave one: the column's default is the wall clock, which a sandbox does not follow.
create or replace function tg_row_born() returns trigger
language plpgsql set search_path = public, pg_temp as $$
begin
    if new.created_at = now() then new.created_at := pricing_now(); end if;
    return new;
end $$;

create or replace trigger product_name_clean before insert or update of title on product
    for each row execute function tg_name_clean();
create or replace trigger category_name_clean before insert or update of name on category
    for each row execute function tg_name_clean();
create or replace trigger rule_name_clean before insert on rule
    for each row execute function tg_name_clean();
create or replace trigger automation_halt_name_clean before insert or update of resume_reason on automation_halt
    for each row execute function tg_name_clean();
create or replace trigger supplier_name_clean before insert or update of company_name, contact_email, tax_number on supplier
    for each row execute function tg_name_clean();
create or replace trigger app_user_name_clean before insert or update of full_name, email, phone_number on app_user
    for each row execute function tg_name_clean();

create or replace trigger product_born before insert on product for each row execute function tg_row_born();
create or replace trigger rule_born before insert on rule for each row execute function tg_row_born();
create or replace trigger supplier_born before insert on supplier for each row execute function tg_row_born();
create or replace trigger app_user_born before insert on app_user for each row execute function tg_row_born();

revoke execute on function keyed_hash(text) from public;
