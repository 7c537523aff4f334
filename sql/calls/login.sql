--! code
-- Logins: who is signed in, for how long, and how often one may try.

-- How long a login lasts unused, and at most.
create function login_limits(role text, out idle interval, out most interval)
language sql immutable as $$
    select case when role = 'customer' then interval '12 hours' else interval '1 hour' end,
           case when role = 'customer' then interval '30 days' else interval '12 hours' end
$$;

-- When a login ends unless it is used before.
create function login_ends(l login, role text) returns timestamptz
language sql immutable as $$
    select least(l.expires_at, l.used_at + (login_limits(role)).idle)
$$;

create function login_json(l login, role text) returns jsonb
language sql stable as $$
    select jsonb_build_object('loginId', l.login_id, 'userId', l.user_id, 'role', role,
        'createdAt', rfc3339(l.created_at), 'expiresAt', rfc3339(l.expires_at),
        'idleExpiresAt', rfc3339(login_ends(l, role)))
$$;

-- The person of a token; none where its login has ended, or never was. Its use is written at most once a minute, and
-- not at all where another call writes it at this moment.
create function find_login(token text) returns table (login_id bigint, user_id bigint, email text, role text)
language plpgsql as $$
declare
    l login;
    u app_user;
begin
    select * into l from login where token_hash = token_hash(token);
    if not found then return; end if;
    select * into u from app_user where app_user.user_id = l.user_id and archived_at is null;
    if not found or pricing_now() >= login_ends(l, u.role) then return; end if;
    if l.used_at <= pricing_now() - interval '1 minute' then
        update login set used_at = pricing_now() where login.login_id = (
            select k.login_id from login k where k.login_id = l.login_id for no key update skip locked);
    end if;
    return query select l.login_id, u.user_id, u.email, u.role;
end $$;

-- Those of some logins that have not ended, and in how many seconds each will unless it is used; never, where the clock
-- stands still.
create function living_logins(ids bigint[]) returns table (login_id bigint, seconds float8)
language sql stable as $$
    select l.login_id, case when not exists (select from virtual_clock)
                            then extract(epoch from login_ends(l, u.role) - pricing_now())::float8 end
    from login l join app_user u using (user_id)
    where l.login_id = any (ids) and pricing_now() < login_ends(l, u.role)
$$;

-- Deletes logins that have ended, and attempts that no longer count.
create function expire_logins() returns bigint
language sql as $$
    with stale as (
        delete from login_attempt where subject in (
            select subject from login_attempt
            where at[cardinality(at)] is null or at[cardinality(at)] < pricing_now() - interval '1 hour'
            for update skip locked)
    ), gone as (
        delete from login l using app_user u
        where u.user_id = l.user_id and pricing_now() >= login_ends(l, u.role) returning 1
    )
    select count(*) from gone
$$;

-- The rows of table login_attempt that an attempt counts in: the account's, and the account's from this address.
create function attempt_subjects(email text, address text, out account bytea, out place bytea)
language sql stable as $$
    select keyed_hash('account ' || fold_case(email)), keyed_hash('place ' || fold_case(email) || E'\n' || address)
$$;

-- Counts an attempt to sign in and returns 0; or, where as many as may be were made within a minute, counts nothing and
-- returns the milliseconds until the next one may. All daemons of a database count here together.
create function begin_login_attempt(email text, address text, most bigint, most_of_account bigint) returns bigint
language plpgsql as $$
declare
    s record := attempt_subjects(email, address);
    moment timestamptz;
    opens timestamptz;
begin
    insert into login_attempt (subject, at)
    select subject, '{}' from unnest(array[s.account, s.place]) subject order by subject on conflict do nothing;
    perform from login_attempt where subject in (s.account, s.place) order by subject for no key update;
    moment := pricing_now();
    select max(a.at[cardinality(a.at) - case when subject = s.account then most_of_account else most end + 1])
        + interval '1 minute' into opens
    from login_attempt a where subject in (s.account, s.place);
    if opens > moment then return ceil(1000 * extract(epoch from opens - moment)); end if;
    update login_attempt a
    set at = array(select t from unnest(a.at) t where t > moment - interval '1 minute' order by t) || moment
    where subject in (s.account, s.place);
    return 0;
end $$;

-- An attempt that succeeded counts no longer from its address: a person may have many devices. It counts in the
-- account, since checking costs as much.
create function login_open(p jsonb) returns json
language plpgsql as $$
declare
    known jsonb := user_authenticate(p);
    l login;
    token text := fresh_token();
begin
    update login_attempt a set at = a.at[:cardinality(a.at) - 1]
    where subject = (attempt_subjects(p ->> 'email', p ->> 'address')).place;
    insert into login (user_id, token_hash, address, created_at, used_at, expires_at)
    values ((known ->> 'userId')::bigint, token_hash(token), p ->> 'address', pricing_now(), pricing_now(),
            pricing_now() + (login_limits(known ->> 'role')).most)
    returning * into l;
    return jsonb_build_object('token', token) || login_json(l, known ->> 'role');
end $$;

-- By its token, or the login of the call itself (`ownLogin`, which the daemon says).
create function login_get(p jsonb) returns json
language plpgsql stable as $$
declare
    l login;
    u app_user;
begin
    if not p ?| '{token,ownLogin}' then
        perform fail('PR602', '/token: is missing.',
            '{"violations": [{"path": "/token", "rule": "required", "message": "is missing"}]}');
    end if;
    if p ? 'token' then
        select * into l from login where token_hash = token_hash(p ->> 'token');
    else
        select * into l from login where login_id = (p ->> 'ownLogin')::bigint;
    end if;
    select * into u from app_user where user_id = l.user_id and archived_at is null;
    if not found or pricing_now() >= login_ends(l, u.role) then
        perform fail('PR405', 'The login has ended, or there never was one with this token.');
    end if;
    return login_json(l, u.role) || jsonb_build_object('fullName', u.full_name, 'email', u.email);
end $$;

-- `owner`, which the daemon says, is whose logins alone may be named by id.
create function login_close(p jsonb) returns json
language plpgsql as $$
declare
    closed bigint;
begin
    if not p ?| '{token,loginId,userId,ownLogin}' then
        perform fail('PR602', '/token: is missing.',
            '{"violations": [{"path": "/token", "rule": "required", "message": "is missing"}]}');
    end if;
    with gone as (
        delete from login l
        where case when p ? 'token' then token_hash = token_hash(p ->> 'token')
                   when p ? 'loginId' then login_id = (p ->> 'loginId')::bigint
                        and (not p ? 'owner' or user_id = (p ->> 'owner')::bigint)
                   when p ? 'userId' then user_id = (p ->> 'userId')::bigint
                   else login_id = (p ->> 'ownLogin')::bigint end
        returning login_ends(l, (select role from app_user u where u.user_id = l.user_id)) > pricing_now() as was_open
    )
    select count(*) filter (where was_open) into closed from gone;
    return json_build_object('closed', closed);
end $$;

create function login_list(p jsonb) returns json
language plpgsql stable as $$
declare
    u app_user := find_user((p ->> 'userId')::bigint);
    after bigint := (open_cursor('login.list', p) ->> 0)::bigint;
begin
    return as_page('login.list', p, array(
        select json_build_object('cursor', json_build_array(l.login_id), 'item', login_json(l, u.role)
            || jsonb_build_object('address', l.address,
                                  'current', l.login_id is not distinct from (p ->> 'ownLogin')::bigint))
        from login l
        where l.user_id = u.user_id and l.login_id < coalesce(after, 9223372036854775807)
          and pricing_now() < login_ends(l, u.role)
        order by l.login_id desc limit page_size(p) + 1));
end $$;

-- Refuses a customer's call that names what belongs to another as if it were not there. Whose a thing is never changes.
-- Its names are Method.owned of the protocol.
create function refuse_others(p jsonb, customer bigint) returns void
language plpgsql stable as $$
begin
    if p ? 'orderId' and (find_order((p ->> 'orderId')::bigint)).customer_id <> customer then
        perform fail('PR202', format('There is no order %s.', p ->> 'orderId'),
                     jsonb_build_object('orderId', p -> 'orderId'));
    elsif p ? 'quoteId' and (find_quote((p ->> 'quoteId')::bigint)).customer_id <> customer then
        perform fail('PR206', format('There is no quote %s.', p ->> 'quoteId'),
                     jsonb_build_object('quoteId', p -> 'quoteId'));
    end if;
end $$;
