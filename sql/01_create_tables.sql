--! once
-- Tables, columns, constraints and indexes. Money is numeric(12,2), time is timestamptz, every constraint is named:
-- the daemon matches errors by constraint name.

create extension if not exists pgcrypto;  -- slow password hashes

-- Facts about this database itself, such as whether it is a sandbox.
create table setting (
    name text constraint setting_pkey primary key,
    value jsonb not null
);

-- At most one row: the virtual clock. Only a sandbox keeps one; generating back-dated data sets one inside its own
-- transaction, where nobody else can see it.
create table virtual_clock (
    only_row boolean not null default true constraint virtual_clock_pkey primary key,
    at timestamptz not null,
    constraint virtual_clock_only_row check (only_row)
);

create table app_user (
    user_id bigint generated always as identity constraint app_user_pkey primary key,
    full_name text not null,
    email text not null,
    phone_number text,
    role text not null default 'customer',
    password_hash text,
    created_at timestamptz not null default now(),
    archived_at timestamptz,
    constraint app_user_full_name_length check (char_length(full_name) between 1 and 200),
    constraint app_user_email_shape check (email ~ '^[^@[:space:]]+@[^@[:space:]]+$' and char_length(email) <= 254),
    constraint app_user_phone_shape check (phone_number ~ '^[+0-9][0-9 ()./-]{2,31}$'),
    constraint app_user_role_known check (role in ('customer', 'seller', 'admin'))
);

create table category (
    category_id bigint generated always as identity constraint category_pkey primary key,
    name text not null constraint category_name_key unique,
    description text not null default '',
    constraint category_name_length check (char_length(name) between 1 and 200)
);

create table supplier (
    supplier_id bigint generated always as identity constraint supplier_pkey primary key,
    company_name text not null,
    contact_email text,
    tax_number text constraint supplier_tax_number_key unique,
    address text not null default '',
    created_at timestamptz not null default now(),
    constraint supplier_company_name_length check (char_length(company_name) between 1 and 200)
);

-- A rule is never edited: a change is the next version under the same name. All shares are fractions of one.
create table rule (
    rule_id bigint generated always as identity constraint rule_pkey primary key,
    name text not null,
    version integer not null,
    strategy text not null,
    status text not null default 'draft',
    up_share numeric(6, 4) not null default 0.10,
    down_share numeric(6, 4) not null default 0.10,
    gap_share numeric(6, 4) not null default 0.05,
    tick_seconds integer not null default 86400,
    band_tick numeric(6, 4) not null default 0.08,
    band_stock numeric(6, 4) not null default 0.15,
    daily_cap numeric(6, 4) default 0.20,
    minimum_margin numeric(6, 4) not null default 0,
    price_step numeric(12, 2) not null default 0.01,
    price_offset numeric(12, 2) not null default 0,
    note text not null default '',
    actor text not null default session_user,
    created_at timestamptz not null default now(),
    activated_at timestamptz,
    constraint rule_name_version_key unique (name, version),
    constraint rule_name_length check (char_length(name) between 1 and 200),
    constraint rule_version_positive check (version >= 1),
    constraint rule_strategy_known check (strategy in ('bands', 'manual')),
    constraint rule_status_known check (status in ('draft', 'active', 'retired')),
    constraint rule_up_share_range check (up_share between 0 and 1),
    constraint rule_down_share_range check (down_share between 0 and 0.95),
    constraint rule_gap_share_range check (gap_share between 0 and 0.45),
    constraint rule_tick_seconds_range check (tick_seconds in (3600, 21600, 86400)),
    constraint rule_band_tick_range check (band_tick between 0 and 1),
    constraint rule_band_stock_range check (band_stock >= band_tick and band_stock <= 1),
    constraint rule_daily_cap_range check (daily_cap > 0 and daily_cap <= 10),
    constraint rule_minimum_margin_range check (minimum_margin between 0 and 10),
    constraint rule_price_step_positive check (price_step > 0),
    constraint rule_price_offset_range check (price_offset >= 0 and price_offset < price_step)
);
create unique index rule_one_active_version on rule (name) where status = 'active';

-- What the merchant declared. Nothing here follows stock.
create table product (
    product_id bigint generated always as identity constraint product_pkey primary key,
    title text not null,
    description text not null default '',
    category_id bigint not null constraint product_category_fkey references category,
    supplier_id bigint constraint product_supplier_fkey references supplier,
    base_price numeric(12, 2) not null,
    unit_cost numeric(12, 2),
    floor_price numeric(12, 2) not null,
    ceiling_price numeric(12, 2) not null,
    low_stock integer not null default 10,
    high_stock integer not null default 100,
    rule_id bigint not null constraint product_rule_fkey references rule,
    active boolean not null default true,
    archived_at timestamptz,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    constraint product_title_length check (char_length(title) between 1 and 200),
    constraint product_base_price_positive check (base_price > 0),
    constraint product_unit_cost_range check (unit_cost >= 0),
    constraint product_floor_positive check (floor_price > 0),
    constraint product_ceiling_positive check (ceiling_price > 0),
    constraint product_limits_ordered check (floor_price <= ceiling_price),
    constraint product_low_stock_range check (low_stock >= 0),
    constraint product_levels_ordered check (high_stock >= low_stock + 3)
);
create index product_category_index on product (category_id);
create index product_supplier_index on product (supplier_id);
create index product_rule_index on product (rule_id);

-- Why a stock row changes. It travels in the update itself and is consumed by the trigger, so that no ambient state
-- can name a wrong cause; an update that carries none is somebody's direct SQL.
create type movement_cause as (kind text, actor text, reason text, order_id bigint);

-- The narrow hot row: stock, price and what the trigger keeps beside them. No index on stock or price, so that an
-- update stays on its page (HOT).
create table inventory (
    product_id bigint constraint inventory_pkey primary key
        constraint inventory_product_fkey references product,
    stock integer not null default 0,
    held integer not null default 0,
    price numeric(12, 2) not null,
    band smallint not null default 0,
    anchor_price numeric(12, 2) not null,
    anchor_date date,
    ticked_at timestamptz,
    pin_price numeric(12, 2),
    pinned_until timestamptz,
    opening_price numeric(12, 2) not null,
    movement_count bigint not null default 0,
    change_count bigint not null default 0,
    last_restock_at timestamptz,
    cause movement_cause,
    constraint inventory_stock_not_negative check (stock >= 0),
    constraint inventory_held_range check (held between 0 and stock),
    constraint inventory_price_positive check (price > 0),
    constraint inventory_band_known check (band in (-1, 0, 1)),
    constraint inventory_pin_complete check ((pin_price is null) = (pinned_until is null))
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
create index inventory_pinned_index on inventory (product_id) where pin_price is not null;

create table customer_order (
    order_id bigint generated always as identity constraint customer_order_pkey primary key,
    customer_id bigint not null constraint customer_order_customer_fkey references app_user,
    status text not null default 'pending',
    total numeric(14, 2) not null,
    shipping_address text not null default '',
    placed_at timestamptz not null,
    changed_at timestamptz not null,
    actor text not null,
    constraint customer_order_status_known
        check (status in ('pending', 'processing', 'completed', 'cancelled', 'returned')),
    constraint customer_order_total_positive check (total > 0)
) with (fillfactor = 90);
create index customer_order_customer_index on customer_order (customer_id, order_id);
create index customer_order_placed_index on customer_order (placed_at);

create table order_line (
    order_id bigint not null constraint order_line_order_fkey references customer_order,
    product_id bigint not null constraint order_line_product_fkey references product,
    quantity integer not null,
    unit_price numeric(12, 2) not null,
    constraint order_line_pkey primary key (order_id, product_id),
    constraint order_line_quantity_positive check (quantity > 0),
    constraint order_line_unit_price_positive check (unit_price > 0)
);
create index order_line_product_index on order_line (product_id);

-- One product of an order that is being placed: what is asked of it, beside what the shop has.
create type wanted_line as (
    product_id bigint, quantity bigint, max_price numeric, price numeric(12, 2), available integer
);

-- The stock ledger: append-only, numbered 1..n a product. inventory.stock is the running sum of quantity. Its rows and
-- those of the price history come from the inventory trigger alone, whose own row names the product: a foreign key here
-- would look that up once more for every movement.
create table stock_movement (
    product_id bigint not null,
    sequence bigint not null,
    kind text not null,
    quantity integer not null,
    stock_after integer not null,
    order_id bigint,
    reason text not null default '',
    actor text not null,
    at timestamptz not null,
    constraint stock_movement_pkey primary key (product_id, sequence),
    constraint stock_movement_kind_known
        check (kind in ('initial', 'sale', 'cancel', 'return', 'restock', 'adjust')),
    constraint stock_movement_quantity_not_zero check (quantity <> 0)
);

-- Price history: append-only, numbered 1..n a product; the first row's old_price is inventory.opening_price.
-- inputs holds everything that the price was computed from.
create table price_change (
    price_change_id bigint generated always as identity constraint price_change_pkey primary key,
    product_id bigint not null,
    sequence bigint not null,
    old_price numeric(12, 2) not null,
    new_price numeric(12, 2) not null,
    stock integer not null,
    rule_id bigint not null constraint price_change_rule_fkey references rule,
    cause text not null,
    binding_guard text,
    inputs jsonb not null,
    order_id bigint,
    reason text not null default '',
    actor text not null,
    at timestamptz not null,
    constraint price_change_sequence_key unique (product_id, sequence),
    constraint price_change_moves check (old_price <> new_price)
);
create index price_change_at_index on price_change (at);

-- Events as transactions write them, without a number, and as the sequencer numbers them after commit. The numbered
-- rows are the stream.
create table event_outbox (
    event_id bigint generated always as identity constraint event_outbox_pkey primary key,
    transaction_id xid8 not null default pg_current_xact_id(),
    at timestamptz not null,
    topic text not null,
    op text not null,
    product_id bigint,
    key bigint not null,
    before jsonb,
    after jsonb,
    cause jsonb not null,
    actor text not null,
    constraint event_outbox_topic_known check (topic in ('price', 'stock', 'order', 'automation'))
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

create table event (
    sequence bigint constraint event_pkey primary key,
    at timestamptz not null,
    topic text not null,
    op text not null,
    product_id bigint,
    key bigint not null,
    before jsonb,
    after jsonb,
    cause jsonb not null,
    actor text not null
);

-- One row: the number that was given last.
create table event_sequence (
    only_row boolean not null default true constraint event_sequence_pkey primary key,
    last_number bigint not null default 0,
    constraint event_sequence_only_row check (only_row)
) with (fillfactor = 10);
insert into event_sequence default values;

-- Replies of writing calls, kept 24 hours under the caller's key, so that a repeat gets the same reply.
create table request_key (
    key text constraint request_key_pkey primary key,
    request_hash bytea not null,
    reply text not null,
    created_at timestamptz not null default now()
);
create index request_key_created_index on request_key (created_at);

insert into rule (name, version, strategy, status, note, activated_at) values
    ('bands', 1, 'bands', 'active',
     'Low stock raises the price by 10 % of base, high stock lowers it by 10 % of base, between them it is base.', now()),
    ('manual', 1, 'manual', 'active', 'The price is base until somebody pins another.', now());
insert into setting (name, value) values ('default_rule', '"bands"');
