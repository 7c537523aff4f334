--! code
-- Names and addresses as they are kept, for every table that has one.

-- A name as it is kept: trimmed, then of 1 to `most` characters, none of them a control or bidirectional override.
-- PR602 names the member.
create function clean_name(name text, member text, most integer default 200) returns text
language plpgsql immutable as $$
declare
    kept text := trim_name(name);
    violation jsonb;
begin
    if name ~ '[\u0001-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]' then
        violation := '{"rule": "characters", '
            '"message": "control and bidirectional override characters are not allowed"}';
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

-- An e-mail address as it is kept: a name of that form.
create function clean_email(email text, member text) returns text
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
