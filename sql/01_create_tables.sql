--! once
-- The whole schema: every table, column, constraint and index, and what they need to be made. Functions and triggers
-- stand in 04_create_triggers.sql and beside it. Money is numeric(12,2), time is timestamptz, a share is a fraction of
-- one; every constraint is named, since the daemon matches errors by constraint.

create extension if not exists pgcrypto;  -- slow password hashes
create extension if not exists pg_trgm;  -- finds a text inside another; trusted, so no superuser is needed

-- ------------------------------------------------------------------------------------------------------ values
-- What a column may hold, by whatever way it is written. NaN passes every `> 0` and infinity every comparison of
-- times, so both are refused by type. Domains, since PostgreSQL keeps a domain's check ready and parses a table's
-- again in every statement.
create domain amount as numeric(12, 2)
    constraint amount_is_number check (value < 'NaN');
create domain percentage as numeric
    constraint percentage_is_number check (value < 'NaN');
create domain finite_number as float8
    constraint finite_number_is_number check (value between -1e300 and 1e300);
create domain finite_numbers as float8[]
    constraint finite_numbers_are_numbers
    check (-1e300 <= all (value) and 1e300 >= all (value) and array_position(value, null) is null);
-- What a slice of a season weighs: nothing, or enough for any product with a time to be a number.
create domain demand_weight as float8
    constraint demand_weight_range check (value = 0 or value between 1e-9 and 1000);
-- Within the years that RFC 3339 can write, so that the time between any two is an interval.
create domain finite_time as timestamptz
    constraint finite_time_has_four_digits check (value >= '0001-01-01T00:00:00Z' and value < '10000-01-01T00:00:00Z');
create domain movement_kind as text
    constraint stock_movement_kind_known
    check (value in ('initial', 'sale', 'cancel', 'return', 'restock', 'adjust', 'hold', 'release', 'expire'));
create domain moved_quantity as integer
    constraint stock_movement_quantity_not_zero check (value <> 0);
create domain price_amount as amount
    constraint price_positive check (value > 0);
create domain stock_band as smallint
    constraint stock_band_known check (value in (-1, 0, 1));
create domain order_status as text
    constraint order_status_known check (value in ('pending', 'processing', 'completed', 'cancelled', 'returned'));
create domain order_total as numeric(24, 2)
    constraint order_total_positive check (value > 0 and value < 'NaN');
create domain sold_quantity as integer
    constraint sold_quantity_positive check (value > 0);
create domain quote_status as text
    constraint quote_status_known check (value in ('open', 'ordered', 'released', 'expired'));
create domain campaign_status as text
    constraint campaign_status_known check (value in ('scheduled', 'starting', 'running', 'ending', 'ended'));
create domain proposal_status as text
    constraint proposal_status_known check (value in ('open', 'approved', 'rejected', 'expired', 'withdrawn'));
create domain event_topic as text
    constraint notice_topic_known check (value in ('price', 'stock', 'order', 'automation', 'catalogue'));

-- ------------------------------------------------------------------------------------------------------ texts
-- What makes two texts the same. Indexes need these functions, so they belong to the tables and not to the code; they
-- pin their search path, so that a restore finds what they name.

-- Letters that differ by case or by compatibility form alone become the same; the dots of i, ß and final sigma too, and
-- what cannot be seen goes. Accents stay: two categories may differ by one. Not the database's own collation, which may
-- know no letter beyond ASCII.
create function fold_case(words text) returns text
language plpgsql immutable strict parallel safe set search_path = pricing, pg_temp cost 500 as $$
begin
    if octet_length(words) = char_length(words) then return lower(words collate "C"); end if;
    return replace(replace(translate(regexp_replace(lower(normalize(words, NFKC) collate "und-x-icu"),
        '[\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u2060-\u206F\u2800\u3164\uFE00-\uFE0F'
        '\uFEFF\uFFA0\uFFF0-\uFFFB\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A\U000E0000-\U000E0FFF]', '', 'g'),
        U&'\0131\03C2', U&'i\03C3'), U&'\00DF', 'ss'), U&'i\0307', 'i');
end $$;

-- What a search compares: the same with the marks off, and with the letters that root collation takes for one with a
-- mark.
create function fold_text(words text) returns text
language plpgsql immutable strict parallel safe set search_path = pricing, pg_temp cost 500 as $$
begin
    if octet_length(words) = char_length(words) then return lower(words collate "C"); end if;
    return replace(translate(regexp_replace(normalize(lower(normalize(words, NFKC) collate "und-x-icu"), NFKD),
        '[\u0300-\u036F\u0483-\u0489\u0591-\u05BD\u05BF\u05C1\u05C2\u05C4\u05C5\u05C7\u0610-\u061A\u064B-\u065F\u0670'
        '\u06D6-\u06DC\u06DF-\u06E4\u06E7\u06E8\u06EA-\u06ED\u1AB0-\u1AFF\u1DC0-\u1DFF\u20D0-\u20FF'
        '\u3099\u309A\uFE20-\uFE2F'
        '\u00AD\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u2060-\u206F\u2800\u3164\uFE00-\uFE0F\uFEFF'
        '\uFFA0\uFFF0-\uFFFB\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A\U000E0000-\U000E0FFF]', '', 'g'),
        U&'\0131\03C2\0142\00F8\0111\0127', U&'i\03C3lodh'), U&'\00DF', 'ss');
end $$;

-- A name without the blanks and invisible characters around it; nothing is left of one that shows nothing. What belongs
-- to the character before it, a variation selector or a flag's tags, stays at the end.
create function trim_name(words text) returns text
language plpgsql immutable strict parallel safe as $$
declare
    blanks constant text := ' \u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000\u00AD\u034F\u061C'
        '\u115F\u1160\u17B4\u17B5'
        '\u180E\u200B-\u200F\u2060-\u2065\u206A-\u206F\u2800\u3164\uFEFF\uFFA0\uFFF0-\uFFFB'
        '\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A';
    belongs constant text := '\u180B-\u180D\u180F\uFE00-\uFE0F\U000E0000-\U000E0FFF';
begin
    return regexp_replace(regexp_replace(words, '^[' || blanks || belongs || ']+', ''), '[' || blanks || ']+$', '');
end $$;

-- A telephone number as it is compared: in E.164 where it says its country, with + or 00, else its digits alone. The
-- trunk's (0) of an international number is not dialled.
create function phone_key(typed text) returns text
language plpgsql immutable strict parallel safe set search_path = pricing, pg_temp as $$
begin
    if typed ~ '^[^0-9]*(\+|0[^0-9]*0)' then typed := regexp_replace(typed, '(.)\( *0 *\)', '\1'); end if;
    return regexp_replace(regexp_replace(typed, '[^0-9+]', '', 'g'), '^00', '+');
end $$;

-- ------------------------------------------------------------------------------------------------------ settings
-- Facts about this database itself, such as whether it is a sandbox.
create table setting (
    name text constraint setting_pkey primary key,
    value jsonb not null,
    -- How many days the shop keeps events; without this row 90.
    constraint setting_event_days_whole check (name <> 'event_days' or
        coalesce(jsonb_typeof(value) = 'number' and value::numeric between 1 and 36500 and value::numeric % 1 = 0,
                 false))
);

-- The key of every keyed hash: a hash without it could be tried against a list of passwords. Read by keyed_hash alone.
create table hash_secret (
    only_row boolean not null default true constraint hash_secret_pkey primary key,
    secret bytea not null default gen_random_bytes(32),
    constraint hash_secret_only_row check (only_row)
);

-- At most one row: the virtual clock. Only a sandbox keeps one; generating back-dated data sets one inside its own
-- transaction, where no other session sees it.
create table virtual_clock (
    only_row boolean not null default true constraint virtual_clock_pkey primary key,
    at finite_time not null,
    constraint virtual_clock_only_row check (only_row)
);

-- Replies of writing calls, kept 24 hours under the caller's key, so that a repeat gets the same reply: of an order
-- that was placed its number, from which the reply is made again.
create table request_key (
    key text constraint request_key_pkey primary key,
    request_hash bytea not null,
    reply text,
    order_id bigint,
    created_at finite_time not null default now(),
    constraint request_key_one_reply check ((reply is null) <> (order_id is null))
);
create index request_key_created_index on request_key (created_at);

-- ------------------------------------------------------------------------------------------------------ people
-- Customers and staff. An archived user frees e-mail address and telephone number: 05_user_unique_constraints.sql.
create table app_user (
    user_id bigint generated always as identity constraint app_user_pkey primary key,
    full_name text not null,
    email text not null,
    phone_number text,
    role text not null default 'customer',
    password_hash text,
    created_at finite_time not null default now(),
    archived_at finite_time,
    -- Kept folded, since a search that finds much would fold all of it again; so is a product's.
    search_text text generated always as (fold_text(full_name) || chr(10) || fold_text(email)) stored,
    constraint app_user_full_name_length check (char_length(full_name) between 1 and 200),
    constraint app_user_email_shape check (email ~ '^[^@[:space:]]+@[^@[:space:]]+$' and char_length(email) <= 254),
    constraint app_user_phone_shape check (phone_number ~ '^[+0-9][0-9 ()./-]{2,31}$'),
    constraint app_user_role_known check (role in ('customer', 'seller', 'admin'))
);
create index app_user_text_index on app_user using gin (search_text gin_trgm_ops);
create index app_user_role_index on app_user (role, user_id) where archived_at is null;

-- Who is signed in. A token is kept as its hash alone: it is random, so the hash tells nothing. A login that ends is
-- deleted; what was done under it names its person.
create table login (
    login_id bigint generated always as identity constraint login_pkey primary key,
    user_id bigint not null constraint login_user_fkey references app_user,
    token_hash bytea not null constraint login_token_hash_key unique,
    address text,                                     -- where it was opened from, as the daemon was told
    created_at finite_time not null,
    used_at finite_time not null,                     -- within a minute
    expires_at finite_time not null                   -- at the latest
);
create index login_user_index on login (user_id, login_id);

-- The attempts to sign in of the last minute that count, oldest first: a row an account, and one an account and
-- address, each by a keyed hash, so that no address that was typed stands here.
create table login_attempt (
    subject bytea constraint login_attempt_pkey primary key,
    at timestamptz[] not null
);

-- ------------------------------------------------------------------------------------------------------ catalogue
-- What the merchant declares: nothing here follows stock. A name is unique as typed, which `on conflict` names, and
-- folded.
create table category (
    category_id bigint generated always as identity constraint category_pkey primary key,
    name text not null constraint category_name_key unique,
    description text not null default '',
    rule_name text,                                   -- the rule that its new products follow
    constraint category_name_length check (char_length(name) between 1 and 200)
);
create unique index category_name_fold_key on category (fold_case(name));

create table supplier (
    supplier_id bigint generated always as identity constraint supplier_pkey primary key,
    company_name text not null,
    contact_email text,
    tax_number text constraint supplier_tax_number_key unique,
    address text not null default '',
    created_at finite_time not null default now(),
    constraint supplier_company_name_length check (char_length(company_name) between 1 and 200)
);
create unique index supplier_tax_number_fold_key on supplier (fold_case(tax_number));
create index supplier_company_name_index on supplier (fold_case(company_name));

-- How a price may follow stock, and the facts by which the engine treats each way. The rows belong to the code and come
-- with it: pricing/strategies.sql.
create table strategy (
    name text constraint strategy_pkey primary key,
    summary text not null,                            -- in a sentence, for people
    -- What its target follows: base alone, the level that stock is at, or a model of demand with a rate, an elasticity
    -- and a horizon
    basis text not null,
    learns boolean not null,                          -- whether its estimates come from the product's own sales
    -- The horizon is the next arrival and a unit left then worth its cost; else the season's end, and unit_value
    awaits_goods boolean not null,
    charges_scarcity boolean not null,                -- the best price of plenty, and a mark-up for running out
    may_never_rise boolean not null,                  -- whether rules with never_up may follow it
    constraint strategy_basis_known check (basis in ('base', 'level', 'demand')),
    constraint strategy_facts_of_demand check (basis = 'demand' or not (learns or awaits_goods or charges_scarcity))
);

-- A rule is never edited: a change is the next version under the same name.
create table rule (
    rule_id bigint generated always as identity constraint rule_pkey primary key,
    name text not null,
    version integer not null,
    strategy text not null constraint rule_strategy_fkey references strategy,
    status text not null default 'draft',
    up_share numeric(6, 4) not null default 0.10,     -- bands: share of base added when stock is low
    down_share numeric(6, 4) not null default 0.10,   -- bands: share of base taken off when it is high
    -- Bands: hysteresis, as a share of the distance between the levels
    gap_share numeric(6, 4) not null default 0.05,
    tick_seconds integer not null default 21600,
    band_tick numeric(6, 4) not null default 0.06,    -- dead band at a tick: smaller moves are not made
    band_stock numeric(6, 4) not null default 0.06,   -- dead band at a movement
    least_rise numeric(6, 4) not null default 0.20,   -- the least rise worth making, as a share of base / elasticity;
    least_fall numeric(6, 4) not null default 0.12,   -- the least fall; both of strategies that model demand
    daily_cap numeric(6, 4) default 0.30,             -- the furthest from the day's anchor; null: no cap
    minimum_margin numeric(6, 4) not null default 0,  -- above unit cost; may lift the floor
    price_step amount not null default 0.01,          -- prices are price_offset + n * price_step
    price_offset amount not null default 0,
    note text not null default '',
    actor text not null default session_user,
    created_at finite_time not null default now(),
    activated_at finite_time,
    cover_days float8 not null default 30,            -- days that stock should last where no season ends
    cooldown_seconds integer not null default 0,      -- least time between two moves; 0 for none
    never_up boolean not null default false,          -- no automatic rise before the declaration changes
    from_shop boolean not null default true,          -- learn: estimates begin with what the shop's sales have shown
    -- A larger move, as a share of the posted price, is a person's to approve; 0: every move; null: none
    approve_above numeric(6, 4),
    -- What counts as stock: what was not sold (committed), that less what quotes hold (available), or what is in the
    -- house, with what was sold and has not left (on_hand)
    signal text not null default 'committed',
    constraint rule_name_version_key unique (name, version),
    constraint rule_name_length check (char_length(name) between 1 and 200),
    constraint rule_version_positive check (version >= 1),
    constraint rule_status_known check (status in ('draft', 'active', 'retired')),
    constraint rule_up_share_range check (up_share between 0 and 1),
    constraint rule_down_share_range check (down_share between 0 and 0.95),
    constraint rule_gap_share_range check (gap_share between 0 and 0.45),
    constraint rule_tick_seconds_range check (tick_seconds in (3600, 21600, 86400)),
    constraint rule_band_tick_range check (band_tick between 0 and 1),
    constraint rule_band_stock_range check (band_stock >= band_tick and band_stock <= 1),
    constraint rule_least_rise_range check (least_rise between 0 and 10),
    constraint rule_least_fall_range check (least_fall between 0 and 10),
    constraint rule_daily_cap_range check (daily_cap > 0 and daily_cap <= 10),
    constraint rule_minimum_margin_range check (minimum_margin between 0 and 10),
    constraint rule_price_step_positive check (price_step > 0),
    constraint rule_price_offset_range check (price_offset >= 0 and price_offset < price_step),
    constraint rule_cover_days_range check (cover_days between 1 and 3650),
    constraint rule_cooldown_seconds_range check (cooldown_seconds between 0 and 2592000),
    constraint rule_approve_above_range check (approve_above between 0 and 10),
    constraint rule_signal_known check (signal in ('committed', 'available', 'on_hand'))
);
create unique index rule_one_active_version on rule (name) where status = 'active';

-- Demand quantities are float8, as the formulas are. base / elasticity is the mean by which willingness to pay exceeds
-- the price.
create table product (
    product_id bigint generated always as identity constraint product_pkey primary key,
    title text not null,
    description text not null default '',
    category_id bigint not null constraint product_category_fkey references category,
    supplier_id bigint constraint product_supplier_fkey references supplier,
    base_price amount not null,
    unit_cost amount,
    floor_price amount not null,
    ceiling_price amount not null,
    low_stock integer not null default 10,
    high_stock integer not null default 100,
    rule_id bigint not null constraint product_rule_fkey references rule,
    active boolean not null default true,
    archived_at finite_time,
    version integer not null default 1,
    created_at finite_time not null default now(),
    elasticity float8 not null default 2,             -- percent of demand lost for a percent of price, at base
    -- Units that sell a day at base; null: opening stock over days left
    ref_rate float8,
    unit_value amount not null default 0,             -- what one unit left at the season's end is worth
    decay float8 not null default 0,                  -- share of willingness to pay lost a day
    season_start finite_time,
    season_end finite_time,
    season_profile demand_weight[],                   -- weights of equal slices of the season, mean 1; null: flat
    search_text text generated always as (fold_text(title) || chr(10) || fold_text(description)
                                          || coalesce(chr(10) || fold_text(sku), '')) stored,
    floor_typed boolean not null default true,        -- whether the merchant chose the limit; one that was not chosen
    ceiling_typed boolean not null default true,      -- follows the base price
    sku text,                                         -- the merchant's own number, kept as typed
    constraint product_title_length check (char_length(title) between 1 and 200),
    constraint product_sku_length check (char_length(sku) between 1 and 64),
    constraint product_base_price_positive check (base_price > 0),
    constraint product_unit_cost_range check (unit_cost >= 0),
    constraint product_floor_positive check (floor_price > 0),
    constraint product_ceiling_positive check (ceiling_price > 0),
    constraint product_limits_ordered check (floor_price <= ceiling_price),
    constraint product_low_stock_range check (low_stock >= 0),
    constraint product_levels_ordered check (high_stock >= low_stock + 3),
    constraint product_elasticity_range check (elasticity between 0.1 and 20),
    constraint product_ref_rate_range check (ref_rate > 0 and ref_rate <= 1e9),
    constraint product_unit_value_range check (unit_value >= 0),
    constraint product_decay_range check (decay between 0 and 1),
    constraint product_season_ordered
        check ((season_start is null) = (season_end is null) and season_end > season_start),
    constraint product_season_profile_shape
        check (season_profile is null
               or (season_end is not null and array_ndims(season_profile) = 1 and cardinality(season_profile) <= 1000
                   and array_position(season_profile, null) is null and 0 < any (season_profile)))
);
-- Archived products keep theirs, since history names them by it.
create unique index product_sku_key on product (fold_case(sku));
create index product_category_index on product (category_id, product_id);
create index product_supplier_index on product (supplier_id);
create index product_rule_index on product (rule_id);
create index product_text_index on product using gin (search_text gin_trgm_ops);
create index product_title_index on product (title collate "und-x-icu", product_id);  -- as people sort
create index product_unlisted_index on product (product_id) where not active or archived_at is not null;

-- What was declared of a product, a line a change, numbered 1..n a product: the columns that changed, before and
-- after, the pin's among them. Append-only and written by triggers, so that direct SQL is in it too. The line of its
-- making has no `before`. Cause: call, import, rule (taken over by an activated rule), rollback, tick (a pin that
-- ended), generate, or sql for a session that named none.
create table declaration_change (
    product_id bigint not null,
    sequence bigint not null,
    transaction_id bigint not null,
    change_id bigint not null,
    before jsonb,
    after jsonb not null,
    cause text not null,
    reason text not null default '',
    actor text not null,
    at finite_time not null,
    constraint declaration_change_pkey primary key (product_id, sequence)
);
create index declaration_change_at_index on declaration_change using brin (at) with (autosummarize = on);
create index declaration_change_transaction_index on declaration_change (transaction_id, change_id);
create index declaration_change_change_index on declaration_change (change_id);

-- ------------------------------------------------------------------------------------------------------ stock
-- Why a stock row changes. It travels in the update itself and is consumed by the trigger, so that no ambient state
-- can name a wrong cause; an update that carries none is direct SQL.
create type movement_cause as (kind text, actor text, reason text, order_id bigint);

-- Every change has a number from this one sequence, drawn while its row is locked: of two changes of one row the later
-- one has the higher number, and so have the events of one transaction in their order.
create sequence change_number;

-- The narrow hot row: stock, price and what the trigger keeps beside them. No index on stock or price, so that an
-- update stays on its page (HOT). The least share of updates that did, under uniform, hot and Zipf load, 20 s each:
-- 98.1 % at a fillfactor of 50, 99.1 % at 70, 94.0 % at 85.
create table inventory (
    product_id bigint constraint inventory_pkey primary key
        constraint inventory_product_fkey references product,
    stock integer not null default 0,
    held integer not null default 0,                  -- of it what open quotes hold
    -- What is charged: the regular price, or what the running campaigns make of it.
    price price_amount not null,
    -- What strategy and guards post, or the pin; anchor, band, interval and changed_at are its own.
    regular_price price_amount not null,
    -- What the running campaigns ask of this product: the largest percentage off, and the fixed price. Written as they
    -- start and end, and as the product joins or leaves them; null for none.
    campaign_percent percentage,
    campaign_price amount,
    band stock_band not null default 0,                 -- bands: the level that the price stands at
    anchor_price amount not null,                     -- the price at the day's beginning: the daily cap counts from it
    -- That day; null: what a declaration makes of the price waits, for a halt to end or for a person's yes
    anchor_date date,
    ticked_at finite_time,
    pin_price amount,
    pinned_until timestamptz,
    opening_price amount not null,                    -- the price before the first change
    movement_count bigint not null default 0,         -- the last sequence in stock_movement
    change_count bigint not null default 0,           -- the last sequence in price_change
    last_restock_at finite_time,
    -- What an update says of itself, consumed by the trigger and null in a stored row: why it comes, whether it is the
    -- sale of an order's last line, and how many movements the caller writes, of sales or of goods that come and go.
    cause movement_cause,
    ends_order boolean,
    sales integer,
    opening_rate finite_number,                       -- stands for a ref_rate that was not typed
    opening_is_final boolean not null default false,  -- a tick has seen a sale: receipts no longer move it
    elasticity_now finite_number,                     -- `learn`: the two estimates, renewed at ticks alone
    rate_now finite_number,
    next_eta finite_time,                             -- the earliest open expectation's
    changed_at finite_time,
    -- The stocks between which both prices and all that the trigger keeps stay as they are: a movement within them
    -- computes nothing. Null: any movement is evaluated.
    stands_from integer,
    stands_to integer,
    learning_since finite_time,                       -- `learn`: sales before it teach nothing; null: all do
    -- A move waits for a person's yes: until a tick or a declaration evaluates again, the price stands at every stock.
    awaits_approval boolean not null default false,
    unshipped integer not null default 0,             -- sold and not left; kept for rules that count it, else 0
    constraint inventory_held_range check (held between 0 and stock),
    constraint inventory_pin_complete
        check ((pin_price is null) = (pinned_until is null) and pinned_until > '-infinity')
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
create index inventory_pinned_index on inventory (product_id) where pin_price is not null;

-- The stock ledger: append-only, numbered 1..n a product. Holds, and their ends, sum to inventory.held; stock is the
-- running sum of all else. Its rows and those of the price history come from the inventory trigger alone, whose own row
-- names the product: a foreign key here would look that up once more for every movement. Like every ledger whose rows
-- are events, its rows say in which transaction they were written and with which number of change_number.
create table stock_movement (
    product_id bigint not null,
    sequence bigint not null,
    transaction_id bigint not null,
    change_id bigint not null,
    kind movement_kind not null,
    quantity moved_quantity not null,
    stock_after integer not null,
    order_id bigint,
    ends_order boolean not null default false,        -- a sale: the last line of its order
    reason text not null default '',
    actor text not null,
    at finite_time not null,
    constraint stock_movement_pkey primary key (product_id, sequence),
    constraint stock_movement_ends_order check (not ends_order or kind = 'sale' and order_id is not null)
);
create index stock_movement_transaction_index on stock_movement (transaction_id, change_id);

-- What strategy `learn` knows of a product, as pricing/learner.sql describes it: a function of stock ledger, price
-- history and folds, kept beside the hot row so that a sale does not carry it. No state, or no row: it is to be folded
-- from the ledgers at the next tick.
create table learner (
    product_id bigint constraint learner_pkey primary key constraint learner_product_fkey references product,
    state finite_numbers,
    since finite_time not null,                       -- what was sold before is not in it
    first_fold bigint not null,                       -- the last fold that began with nothing, day by day from `since`
    last_fold bigint not null,
    constraint learner_folds_ordered check (first_fold <= last_fold)
) with (fillfactor = 80);

-- Each fold of a learner, numbered 1..n a product: its moment, and the last line of stock ledger and price history that
-- it read. By position and not by time: an order may begin before a fold and commit after it.
create table learner_fold (
    product_id bigint not null,
    number bigint not null,
    at finite_time not null,
    movement bigint not null,
    change bigint not null,
    constraint learner_fold_pkey primary key (product_id, number)
);

-- What the shop's sales say of what it declares, a line a day for the shop (category 0) and each category that sells
-- enough: by which powers of e its rates and elasticities err, which share of the products errs so, and how many
-- products of which evidence say so. The estimates of a day begin there; the lines are history, by which prices are
-- explained and audited later.
create table shop_prior (
    at finite_time not null,
    category_id bigint not null,
    products bigint not null,
    evidence finite_number not null,
    shift_rate finite_number not null,
    shift_elasticity finite_number not null,
    share finite_number not null,
    constraint shop_prior_pkey primary key (at, category_id),
    constraint shop_prior_shift_rate_range check (shift_rate between -1.5 and 1.5),
    constraint shop_prior_shift_elasticity_range check (shift_elasticity between -1.5 and 1.5),
    constraint shop_prior_share_range check (share > 0 and share < 1)
);
create index shop_prior_shop_index on shop_prior (at) where category_id = 0;

-- What `learn` knew of a product when a season of it ended, and the declarations that it is in units of. Later seasons
-- begin with it, as far as it is remembered.
create table past_season (
    product_id bigint not null constraint past_season_product_fkey references product,
    ended_at finite_time not null,
    state finite_numbers not null,
    base_price amount not null,
    elasticity finite_number not null,
    constraint past_season_pkey primary key (product_id, ended_at)
);

-- Goods that are on their way: how many, when they should arrive, how many have come, and why no more are expected.
create table expectation (
    expectation_id bigint generated always as identity constraint expectation_pkey primary key,
    product_id bigint not null constraint expectation_product_fkey references product,
    quantity integer not null,
    eta finite_time not null,
    reason text not null default '',
    actor text not null,
    created_at finite_time not null,
    closed_at finite_time,
    received bigint not null default 0,
    closed_reason text,
    constraint expectation_quantity_positive check (quantity > 0),
    constraint expectation_received_not_negative check (received >= 0),
    constraint expectation_eta_is_finite check (isfinite(eta)),
    constraint expectation_closed_with_reason check (closed_reason is null or closed_at is not null)
);
create index expectation_open_index on expectation (product_id, eta) where closed_at is null;

-- A product's posted price and stock level beside the hot row, which must have no index on either. The inventory
-- trigger moves it, and only when one of them changes: most sales change neither. No level: archived.
create table shelf (
    product_id bigint constraint shelf_pkey primary key constraint shelf_product_fkey references product,
    price amount not null,
    level text,
    constraint shelf_level_known check (level in ('LOW', 'NORMAL', 'HIGH'))
) with (fillfactor = 90);
create index shelf_price_index on shelf (price, product_id);
create index shelf_level_index on shelf (level, product_id);

-- ------------------------------------------------------------------------------------------------------ prices
-- The price history: append-only, numbered 1..n a product; the first row's old_price is inventory.opening_price. It is
-- of the price that is charged. inputs holds everything that the price was computed from.
create table price_change (
    price_change_id bigint generated always as identity,
    product_id bigint not null,
    sequence bigint not null,
    old_price amount not null,
    new_price amount not null,
    stock integer not null,
    rule_id bigint not null constraint price_change_rule_fkey references rule,
    cause text not null,
    binding_guard text,
    inputs jsonb not null,
    order_id bigint,
    reason text not null default '',
    actor text not null,
    at finite_time not null,
    transaction_id bigint not null,
    change_id bigint not null,                        -- of a movement that moved the price: the movement's own
    -- The regular price before and after; null where it was the one charged.
    old_regular amount,
    new_regular amount,
    -- With what `price.changes` filters by, so that a rare cause among a million changes is found in the index alone.
    constraint price_change_pkey primary key (price_change_id)
        include (at, product_id, rule_id, cause, binding_guard, actor, old_price, new_price),
    constraint price_change_sequence_key unique (product_id, sequence),
    constraint price_change_moves check (old_price <> new_price)
);
create index price_change_at_index on price_change using brin (at) with (autosummarize = on);
create index price_change_transaction_index on price_change (transaction_id, change_id);
create index price_change_order_index on price_change (order_id) where order_id is not null;

-- Moves of a regular price that want a person's yes, or wanted one. Each is made and renewed as its product is
-- evaluated; who approves one has it evaluated once more. `stands`: it is open, or was rejected or left until it
-- expired, and its target has not moved away since; one a product. inputs give new_price again, as in price_change.
create table proposal (
    proposal_id bigint generated always as identity constraint proposal_pkey primary key,
    product_id bigint not null constraint proposal_product_fkey references product,
    rule_id bigint not null constraint proposal_rule_fkey references rule,
    status proposal_status not null default 'open',
    stands boolean not null default true,
    old_price price_amount not null,
    new_price price_amount not null,
    stock integer not null,
    cause text not null,
    binding_guard text,
    inputs jsonb not null,
    made_at finite_time not null,
    renewed_at finite_time not null,
    expires_at finite_time not null,
    decided_at finite_time,
    decided_by text,
    reason text not null default '',
    constraint proposal_moves check (old_price <> new_price),
    constraint proposal_open_is_undecided check ((status = 'open') = (decided_at is null)),
    constraint proposal_done_is_over
        check (case when status = 'open' then stands when status in ('approved', 'withdrawn') then not stands
                    else true end)
);
create unique index proposal_standing_key on proposal (product_id) where stands;
create index proposal_open_index on proposal (proposal_id) where status = 'open';
create index proposal_product_index on proposal (product_id, proposal_id);

-- Where automation stands still: for everything (both ids null), a category or a product, until it is resumed.
create table automation_halt (
    halt_id bigint generated always as identity constraint automation_halt_pkey primary key,
    category_id bigint constraint automation_halt_category_fkey references category,
    product_id bigint constraint automation_halt_product_fkey references product,
    reason text not null,
    actor text not null,
    halted_at finite_time not null,
    resume_reason text,
    resumed_by text,
    resumed_at finite_time,
    constraint automation_halt_one_scope check (category_id is null or product_id is null)
);
create unique index automation_halt_open_index
    on automation_halt (coalesce(category_id, 0), coalesce(product_id, 0)) where resumed_at is null;

-- A campaign lowers the price that is charged of a category's products, of single ones, or of all: by a percentage, or
-- to fixed prices. Once made it only moves from status to status: scheduled, starting, running, ending, ended. Its
-- products join and leave it in pages: `reached` is the last product that was visited as it starts or ends, null when
-- all were, and `waiting` those visited in vain, since another session held them.
create table campaign (
    campaign_id bigint generated always as identity constraint campaign_pkey primary key,
    name text not null,
    category_id bigint constraint campaign_category_fkey references category,
    is_for_all boolean not null default false,
    percent_off percentage,
    starts_at finite_time not null,
    ends_at finite_time not null,
    actor text not null default session_user,
    created_at finite_time not null default now(),
    status campaign_status not null default 'scheduled',
    reached bigint,
    waiting bigint[] not null default '{}',
    started_at finite_time,                           -- null: it has not started, and if it ended it never did
    ended_at finite_time,
    ended_by text,
    end_reason text not null default '',
    constraint campaign_name_length check (char_length(name) between 1 and 200),
    constraint campaign_one_scope check (category_id is null or not is_for_all),
    constraint campaign_percent_range check (percent_off > 0 and percent_off <= 95),
    constraint campaign_fixed_by_product
        check (percent_off is not null or category_id is null and not is_for_all),
    constraint campaign_times_ordered check (ends_at > starts_at)
);
create index campaign_open_index on campaign (campaign_id) where status <> 'ended';

-- The products of a campaign for single ones; a fixed price where it has no percentage.
create table campaign_product (
    campaign_id bigint not null constraint campaign_product_campaign_fkey references campaign,
    product_id bigint not null constraint campaign_product_product_fkey references product,
    price amount,
    constraint campaign_product_pkey primary key (campaign_id, product_id),
    constraint campaign_product_price_positive check (price > 0)
);
create index campaign_product_product_index on campaign_product (product_id);

-- What the circuit breaker keeps: the regular price that each product stood at before its first move in the window, and
-- how far in the event stream it has read.
create table breaker_move (
    product_id bigint constraint breaker_move_pkey primary key,
    was amount not null,
    since finite_time not null
);
create table breaker_state (
    only_row boolean not null default true constraint breaker_state_pkey primary key,
    last_sequence bigint not null default 0,
    constraint breaker_state_only_row check (only_row)
) with (fillfactor = 10);

-- Products that automation could not price. Each is tried again, later each time, until it succeeds; then its row goes.
create table failing_product (
    product_id bigint constraint failing_product_pkey primary key,
    -- What could not be done: tick, unpin, resume, rule, campaign, audit
    kind text not null,
    rule_was bigint,                                  -- the rule that it is on,
    rule_id bigint,                                   -- and the one that an activation is to take it to; null for none
    sqlstate text not null,
    message text not null,
    failures integer not null,
    first_at finite_time not null,
    retry_at finite_time not null,                    -- when it is tried again by the shop's clock,
    real_retry_at finite_time not null                -- or by the real one, whichever comes first
);

-- When the last whole tick was.
create table tick_state (
    only_row boolean not null default true constraint tick_state_pkey primary key,
    completed_at finite_time,
    constraint tick_state_only_row check (only_row)
) with (fillfactor = 10);

-- ------------------------------------------------------------------------------------------------------ orders
-- No foreign keys here and on lines: an order is written by place_orders alone, which has just looked its customer up
-- and holds the rows of its products; no user, order or product is ever deleted, and the audit looks for each. Looking
-- them up again, and locking them against a deletion that cannot be, cost more than writing the line.
create table customer_order (
    order_id bigint generated always as identity constraint customer_order_pkey primary key,
    customer_id bigint not null,
    status order_status not null default 'pending',
    total order_total not null,                    -- holds 100 lines of full shelves at the highest price
    shipping_address text not null default '',
    placed_at finite_time not null,
    changed_at finite_time not null,
    actor text not null
) with (fillfactor = 90);
create index customer_order_customer_index on customer_order (customer_id, order_id);
-- Orders and price changes are stored in the order of their times, so a page's first and last say enough.
create index customer_order_placed_index on customer_order using brin (placed_at) with (autosummarize = on);
create index customer_order_status_index on customer_order (status, order_id);

create table order_line (
    order_id bigint not null,
    product_id bigint not null,
    quantity sold_quantity not null,
    unit_price price_amount not null,
    constraint order_line_pkey primary key (order_id, product_id)
);
create index order_line_product_index on order_line (product_id);

-- What came back of an order, in parts or whole, and whether it went back on the shelf: append-only. Never more of a
-- line than was bought: the trigger that takes it looks, under the lock of the product's stock row.
create table order_return (
    order_id bigint not null,
    product_id bigint not null,
    change_id bigint not null,
    quantity sold_quantity not null,
    restocked boolean not null,
    reason text not null default '',
    actor text not null,
    at finite_time not null,
    constraint order_return_pkey primary key (order_id, product_id, change_id)
);

-- Each move of an order after it was placed, and each return of a part, which leaves its status: append-only.
create table order_change (
    transaction_id bigint not null,
    change_id bigint not null,
    order_id bigint not null,
    old_status text not null,
    new_status text not null,
    reason text not null default '',
    actor text not null,
    at finite_time not null,
    constraint order_change_pkey primary key (transaction_id, change_id)
);

-- Price and stock of an offer, held together for a customer until a moment, and what became of it: an order, or
-- nothing, by somebody's wish (released) or by the clock (expired). Nothing is held for longer than a day. Its lines
-- are what it holds; inventory.held is the sum over the open ones.
create table quote (
    quote_id bigint generated always as identity constraint quote_pkey primary key,
    customer_id bigint not null,
    status quote_status not null default 'open',
    created_at finite_time not null default now(),
    expires_at finite_time not null,
    closed_at finite_time,
    order_id bigint,
    reason text not null default '',                  -- why it was released
    actor text not null default session_user,
    constraint quote_lasts_a_day
        check (expires_at > created_at and expires_at - created_at <= interval '24:00:00'),
    constraint quote_closed_with_time check ((status = 'open') = (closed_at is null)),
    constraint quote_ordered_by check ((status = 'ordered') = (order_id is not null))
) with (fillfactor = 90);
create index quote_open_index on quote (expires_at) where status = 'open';
create index quote_customer_index on quote (customer_id, quote_id);

create table quote_line (
    quote_id bigint not null constraint quote_line_quote_fkey references quote,
    product_id bigint not null constraint quote_line_product_fkey references product,
    quantity sold_quantity not null,
    unit_price price_amount not null,
    constraint quote_line_pkey primary key (quote_id, product_id)
);
create index quote_line_product_index on quote_line (product_id, quote_id);

-- ------------------------------------------------------------------------------------------------------ events
-- The ledgers are the event stream: stock_movement, price_change, the orders and order_change, and notice for what has
-- no ledger. What is kept beside them is which numbers each transaction's events have.

-- Events that no ledger holds: halts, resumes, failures, repairs, rules made and activated.
create table notice (
    transaction_id bigint not null,
    change_id bigint not null,
    at finite_time not null,
    topic event_topic not null,
    op text not null,
    product_id bigint,
    key bigint not null,
    before jsonb,
    after jsonb,
    cause jsonb not null,
    actor text not null,
    constraint notice_pkey primary key (transaction_id, change_id)
);
create index notice_change_index on notice (change_id);
create index notice_product_index on notice (product_id, change_id) where product_id is not null;

-- The numbers of a transaction's events, given after its commit: consecutive ones from the first on, in the order of
-- its changes. A large transaction has several rows. In partitions of 20 million numbers each, so that a shop may let
-- go of old events as whole tables; partition n, table event_range_pn, holds the numbers from n * 20,000,000 on. Large
-- ones, since every reader of the stream locks each. Each has its own key: the key of the whole could not be dropped
-- part by part, which is how pg_restore --clean goes about it. Ledgers are not partitioned: each product's rows are a
-- chain from its first one on, by which stock and price are recomputed.
create table event_range (
    first_number bigint not null,
    event_count integer not null,
    transaction_id bigint not null,
    first_change bigint not null,
    last_change bigint not null,
    at finite_time not null                           -- of its newest event
) partition by range (first_number);
create table event_range_p0 partition of event_range (constraint event_range_p0_pkey primary key (first_number))
    for values from (minvalue) to (20000000);

-- One row: the number given last, the lowest number still kept (kept here, since finding it would look at each
-- partition), which stream the numbers are of (another one after another shop was restored in this one's place, so that
-- a subscriber does not take restored events for new ones), and how far the sequencer has looked: at all transactions
-- below looked_to but those that were running then. A restored shop has no event to number up to settled_change: what
-- ran while it was settled may have the number of a transaction that came with it.
create table event_sequence (
    only_row boolean not null default true constraint event_sequence_pkey primary key,
    last_number bigint not null default 0,
    first_number bigint not null default 1,
    stream_id uuid not null default gen_random_uuid(),
    looked_to bigint not null default 0,
    running bigint[] not null default '{}',
    settled_change bigint not null default 0,
    constraint event_sequence_only_row check (only_row)
) with (fillfactor = 10);

-- What a server's own numbers of transactions count from. A copy restored into another server begins at low numbers
-- again: then this is raised, so that no stored number is ever used twice.
create table transaction_origin (
    only_row boolean not null default true constraint transaction_origin_pkey primary key,
    system_identifier bigint not null default 0,
    offset_by bigint not null default 0,
    constraint transaction_origin_only_row check (only_row)
);

-- ------------------------------------------------------------------------------------------------------ audit
-- What an audit put right in figures that only repeat the ledger: who, why, and what stood there before. Append-only.
create table audit_repair (
    audit_repair_id bigint generated always as identity constraint audit_repair_pkey primary key,
    product_id bigint not null,
    kind text not null,
    field text not null,
    found text,
    corrected text,
    reason text not null,
    actor text not null,
    at finite_time not null
);
create index audit_repair_product_index on audit_repair (product_id);

-- ------------------------------------------------------------------------------------------------------ first rows
insert into hash_secret default values;
insert into breaker_state default values;
insert into tick_state default values;
insert into event_sequence default values;
insert into transaction_origin default values;
insert into setting (name, value) values
    ('default_rule', '"bands"'),
    -- The breaker's limits, explained where they are read: check_breaker.
    ('breaker', '{"windowSeconds": 3600, "leastCatalogue": 20, "leastProducts": 5, "move": 0.25, "movedShare": 0.2,
                  "valueShare": 0.3, "distance": 0.6, "distantShare": 0.2}');
