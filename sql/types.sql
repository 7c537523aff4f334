--! code first
-- What functions pass to each other. Types of columns stand in 01_create_tables.sql.

-- What a price was computed from and how: the strategy's position, then the guards' steps.
create type price_verdict as (
    stock integer, band smallint, gap integer, elasticity float8, rate float8, season_left float8, days_left float8,
    has_end boolean, age float8, raw numeric, cap numeric, capped numeric, floor_at numeric, ceiling_at numeric,
    limited numeric, dead_band numeric, price numeric, binding text, frozen text
);

-- One product of an order that is being placed: what is asked of it beside what the shop has, and whether it is for
-- sale; null where there is no such product.
create type wanted_line as (
    product_id bigint, quantity bigint, max_price numeric, price numeric(12, 2), available integer, is_open boolean
);

-- What came of one order: a reply, new or given before, or why it was refused.
create type order_outcome as (
    reply text, replayed boolean, state text, message text, detail text, broken text
);

-- A line of a batch: of which call, by whom, what it asks for beside what the shop has, and the units that the calls up
-- to this one ask of the product. The order that it becomes, and its events' numbers.
create type batch_line as (
    call integer, actor text, product_id bigint, quantity bigint, max_price numeric, price numeric(12, 2),
    available integer, is_open boolean, asked bigint, stock_event bigint, price_event bigint, order_event bigint
);

-- One thing that an audit finds.
create type audit_finding as (
    kind text, "table" text, product_id bigint, sequence bigint, order_id bigint, field text, expected text, found text
);
