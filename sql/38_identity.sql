--! once
-- What makes two texts the same: folds for search and uniqueness, a telephone number's comparable form, names without what
-- cannot be seen, and the secret by which passwords and cursors enter a hash. The functions stand here because indexes
-- need them; they pin their search path, so that a restore finds what they name.

-- Letters that differ by case or by compatibility form alone become the same; the dots of i, ß and final sigma too, and
-- what cannot be seen goes. Accents stay: two categories may differ by one. Not the database's own collation, which may
-- know no letter beyond ASCII.
create function fold_case(words text) returns text
language plpgsql immutable strict parallel safe set search_path = public, pg_temp cost 500 as $$
begin
    if octet_length(words) = char_length(words) then return lower(words collate "C"); end if;
    return replace(replace(translate(regexp_replace(lower(normalize(words, NFKC) collate "und-x-icu"),
        '[\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u2060-\u206F\u2800\u3164\uFE00-\uFE0F'
        '\uFEFF\uFFA0\uFFF0-\uFFFB\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A\U000E0000-\U000E0FFF]', '', 'g'),
        U&'\0131\03C2', U&'i\03C3'), U&'\00DF', 'ss'), U&'i\0307', 'i');
end $$;

-- What a search compares: the same with the marks off, and with the letters that root collation takes for one with a mark.
create function fold_text(words text) returns text
language plpgsql immutable strict parallel safe set search_path = public, pg_temp cost 500 as $$
begin
    if octet_length(words) = char_length(words) then return lower(words collate "C"); end if;
    return replace(translate(regexp_replace(normalize(lower(normalize(words, NFKC) collate "und-x-icu"), NFKD),
        '[\u0300-\u036F\u0483-\u0489\u0591-\u05BD\u05BF\u05C1\u05C2\u05C4\u05C5\u05C7\u0610-\u061A\u064B-\u065F\u0670'
        '\u06D6-\u06DC\u06DF-\u06E4\u06E7\u06E8\u06EA-\u06ED\u1AB0-\u1AFF\u1DC0-\u1DFF\u20D0-\u20FF\u3099\u309A\uFE20-\uFE2F'
        '\u00AD\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u2060-\u206F\u2800\u3164\uFE00-\uFE0F\uFEFF'
        '\uFFA0\uFFF0-\uFFFB\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A\U000E0000-\U000E0FFF]', '', 'g'),
        U&'\0131\03C2\0142\00F8\0111\0127', U&'i\03C3lodh'), U&'\00DF', 'ss');
end $$;

-- A name without the blanks and invisible characters around it; nothing is left of one that shows nothing. What belongs to
-- the character before it, a variation selector or a flag's tags, stays at the end.
create function trim_name(words text) returns text
language plpgsql immutable strict parallel safe as $$
declare
    blanks constant text := ' \u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5'
        '\u180E\u200B-\u200F\u2060-\u2065\u206A-\u206F\u2800\u3164\uFEFF\uFFA0\uFFF0-\uFFFB'
        '\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A';
    belongs constant text := '\u180B-\u180D\u180F\uFE00-\uFE0F\U000E0000-\U000E0FFF';
begin
    return regexp_replace(regexp_replace(words, '^[' || blanks || belongs || ']+', ''), '[' || blanks || ']+$', '');
end $$;

-- A telephone number as it is compared: in E.164 where it says its country, with + or 00, else its digits alone. The
-- trunk's (0) of an international number is not dialled.
create function phone_key(typed text) returns text
language plpgsql immutable strict parallel safe set search_path = public, pg_temp as $$
begin
    if typed ~ '^[^0-9]*(\+|0[^0-9]*0)' then typed := regexp_replace(typed, '(.)\( *0 *\)', '\1'); end if;
    return regexp_replace(regexp_replace(typed, '[^0-9+]', '', 'g'), '^00', '+');
end $$;

-- The secret of this database: a hash without it can be tried against a list of passwords. Read by keyed_hash alone.
create table hash_secret (
    only_row boolean not null default true constraint hash_secret_pkey primary key,
    secret bytea not null default gen_random_bytes(32),
    constraint hash_secret_only_row check (only_row)
);
insert into hash_secret default values;

drop function if exists as_page(json[], integer);

-- Names that were kept before they were trimmed; those that showed nothing, and those that are the same now, get a number.
alter table category drop constraint category_name_key;
alter table supplier drop constraint supplier_tax_number_key;
update product set title = coalesce(nullif(trim_name(title), ''), 'product ' || product_id) where title <> trim_name(title);
update app_user set full_name = coalesce(nullif(trim_name(full_name), ''), 'user ' || user_id)
where full_name <> trim_name(full_name);
update supplier set company_name = coalesce(nullif(trim_name(company_name), ''), 'supplier ' || supplier_id),
    tax_number = nullif(trim_name(tax_number), '');
update category set name = coalesce(nullif(trim_name(name), ''), 'category ' || category_id);
update category c set name = left(name, 180) || ' ' || category_id
where exists (select from category o where fold_case(o.name) = fold_case(c.name) and o.category_id < c.category_id);
update supplier s set tax_number = tax_number || ' ' || supplier_id
where exists (select from supplier o where fold_case(o.tax_number) = fold_case(s.tax_number)
              and o.supplier_id < s.supplier_id);
update app_user u set phone_number = left(phone_number, 20) || '/' || user_id
where archived_at is null and exists (
    select from app_user o where phone_key(o.phone_number) = phone_key(u.phone_number) and o.archived_at is null
      and o.user_id < u.user_id);

-- Beside the exact ones, which `on conflict` names.
alter table category add constraint category_name_key unique (name);
alter table supplier add constraint supplier_tax_number_key unique (tax_number);
create unique index category_name_fold_key on category (fold_case(name));
create unique index supplier_tax_number_fold_key on supplier (fold_case(tax_number));
drop index app_user_email_key, app_user_phone_number_key, app_user_text_index, product_text_index, product_title_index;
create unique index app_user_email_key on app_user (fold_case(email)) where archived_at is null;
create unique index app_user_phone_number_key on app_user (phone_key(phone_number)) where archived_at is null;

-- Kept folded, since a search that finds much would fold all of it again.
alter table product add column search_text text
    generated always as (fold_text(title) || chr(10) || fold_text(description)) stored;
alter table app_user add column search_text text
    generated always as (fold_text(full_name) || chr(10) || fold_text(email)) stored;
create index product_text_index on product using gin (search_text gin_trgm_ops);
create index app_user_text_index on app_user using gin (search_text gin_trgm_ops);

-- As people sort, and not by code points: ICU's root collation.
create index product_title_index on product (title collate "und-x-icu", product_id);
