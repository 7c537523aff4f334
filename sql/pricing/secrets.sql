--! code
-- Hashes of secrets. What calls pgcrypto has an SQL-standard body, which is bound when it is made: the extension may be
-- in any schema of the database, and no search path leads to another function of the same name.

-- A hash that cannot be guessed without this database's secret, which no other function reads.
create function keyed_hash(words text) returns bytea
language sql stable strict security definer set search_path = pricing, pricing_code, pg_temp
begin atomic
    select hmac(convert_to(words, 'UTF8'), secret, 'sha256') from hash_secret;
end;

create function bcrypt(password text, salt text) returns text
language sql immutable strict parallel safe
return crypt(password, salt);

create function bcrypt_salt() returns text
language sql volatile parallel safe
return gen_salt('bf', 10);

-- 256 random bits as text that may stand in a cookie.
create function fresh_token() returns text
language sql volatile parallel safe
return translate(encode(gen_random_bytes(32), 'base64'), '+/=', '-_');

-- What is kept of a token.
create function token_hash(token text) returns bytea
language sql immutable strict parallel safe
return sha256(convert_to(token, 'UTF8'));

-- bcrypt at cost 10: about 60 ms a guess on one core. It reads 72 bytes and no more, so a password has 8 to 72, in the
-- composed form: one keyboard sends a letter with its accent, another the two. Null stays null: a user who cannot sign
-- in.
create function hash_password(password text, path text default '/password') returns text
language plpgsql as $$
declare
    composed text := normalize(password, NFC);
begin
    if octet_length(composed) not between 8 and 72 then
        perform fail('PR602', 'A password has 8 to 72 bytes.', jsonb_build_object('violations', jsonb_build_array(
            jsonb_build_object('path', path, 'rule', 'length', 'message', 'must have 8 to 72 bytes of UTF-8'))));
    end if;
    return bcrypt(composed, bcrypt_salt());
end $$;
