--! once
-- Two people never share an e-mail address (whatever its case) or a telephone number; an archived user frees both.
create unique index app_user_email_key on app_user (fold_case(email)) where archived_at is null;
create unique index app_user_phone_number_key on app_user (phone_key(phone_number)) where archived_at is null;
