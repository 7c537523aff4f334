--! code
-- Users. A password is kept as a bcrypt hash and no function returns it.

create function user_json(u app_user) returns json
language sql stable as $$
    select json_build_object('userId', u.user_id, 'fullName', u.full_name, 'email', u.email,
        'phoneNumber', u.phone_number, 'role', u.role, 'createdAt', rfc3339(u.created_at))
$$;

-- A user's name as others see it; a placeholder for a deleted user.
create function shown_name(u app_user) returns text
language sql immutable as $$
    select case when u.archived_at is null then u.full_name else 'deleted user ' || u.user_id end
$$;

-- The user that a call names, or PR401.
create function find_user(id bigint) returns app_user
language plpgsql stable as $$
declare
    u app_user;
begin
    select * into u from app_user where user_id = id and archived_at is null;
    if not found then
        perform fail('PR401', format('There is no user %s.', id), jsonb_build_object('userId', id));
    end if;
    return u;
end $$;

-- Planned for the filters given, so that a search uses its own index.
create function user_list(p jsonb) returns json
language plpgsql stable as $$
declare
    after bigint := (open_cursor('user.list', p) ->> 0)::bigint;
    rows json[];
begin
    execute $query$
        select array(
            select json_build_object('cursor', json_build_array(u.user_id), 'item', user_json(u)) from app_user u
            where u.user_id > coalesce($2, 0) and u.archived_at is null
              and ($1 ->> 'role' is null or u.role = $1 ->> 'role')
              and ($1 ->> 'search' is null or u.search_text like like_pattern($1 ->> 'search'))
            order by u.user_id limit page_size($1) + 1)
        $query$ into rows using p, after;
    return as_page('user.list', p, rows);
end $$;

create function user_get(p jsonb) returns json
language sql stable as $$
    select user_json(find_user((p ->> 'userId')::bigint))
$$;

create function user_create(p jsonb) returns json
language sql as $$
    insert into app_user (full_name, email, phone_number, role, password_hash)
    values (p ->> 'fullName', p ->> 'email', p ->> 'phoneNumber', coalesce(p ->> 'role', 'customer'),
            hash_password(p ->> 'password'))
    returning user_json(app_user)
$$;

create function user_update(p jsonb) returns json
language plpgsql as $$
declare
    u app_user := find_user((p ->> 'userId')::bigint);
begin
    update app_user set
        full_name = coalesce(p ->> 'fullName', full_name),
        email = coalesce(p ->> 'email', email),
        phone_number = case when p ? 'phoneNumber' then p ->> 'phoneNumber' else phone_number end,
        role = coalesce(p ->> 'role', role),
        password_hash = case when p ? 'password' then hash_password(p ->> 'password') else password_hash end
    where user_id = u.user_id returning * into u;
    return user_json(u);
end $$;

-- Deleting is archiving: the user's orders stay, the e-mail address and telephone number become free.
create function user_delete(p jsonb) returns json
language plpgsql as $$
declare
    u app_user := find_user((p ->> 'userId')::bigint);
begin
    update app_user set archived_at = pricing_now(), password_hash = null where user_id = u.user_id;
    return json_build_object('userId', u.user_id, 'deleted', true);
end $$;

-- Changes a password for one who knows the old one.
create function user_change_password(p jsonb) returns json
language plpgsql as $$
declare
    u app_user := find_user((p ->> 'userId')::bigint);
begin
    perform user_authenticate(jsonb_build_object('email', u.email, 'password', p -> 'old'));
    update app_user set password_hash = hash_password(p ->> 'new', '/new') where user_id = u.user_id;
    return json_build_object('userId', u.user_id, 'changed', true);
end $$;

-- One answer for an unknown address, a user without password and a wrong password, after the same work.
create function user_authenticate(p jsonb) returns json
language plpgsql as $$
declare
    u app_user;
    stored text;
    given text := normalize(p ->> 'password', NFC);
begin
    select * into u from app_user where fold_case(email) = fold_case(p ->> 'email') and archived_at is null;
    stored := coalesce(u.password_hash, '$2a$10$abcdefghijklmnopqrstuuJ8vWQ0nWw1d1qYz9Zc4m3rT5eX6yK7a');
    if bcrypt(given, stored) <> stored or u.password_hash is null or octet_length(given) > 72 then
        perform fail('PR404', 'The e-mail address or the password is wrong.');
    end if;
    return json_build_object('userId', u.user_id, 'role', u.role);
end $$;
