--! once
-- What lets one product, or one event, that cannot be worked on stand aside while all others go on.

drop function if exists tick_page(integer, bigint);

-- Products that automation could not price. Each is tried again, later each time, until it succeeds; then its row goes.
--   kind                what could not be done: tick, unpin, resume, rule, audit
--   rule_was, rule_id   the rule that it is on, and the one that an activation is to take it to; null for none
--   retry_at            when it is tried again by the shop's clock; real_retry_at by the real one: whichever comes first
create table failing_product (
    product_id bigint constraint failing_product_pkey primary key,
    kind text not null,
    rule_was bigint,
    rule_id bigint,
    sqlstate text not null,
    message text not null,
    failures integer not null,
    first_at timestamptz not null,
    retry_at timestamptz not null,
    real_retry_at timestamptz not null
);

-- One row: when the last whole tick was.
create table tick_state (
    only_row boolean not null default true constraint tick_state_pkey primary key,
    completed_at timestamptz,
    constraint tick_state_only_row check (only_row)
) with (fillfactor = 10);
insert into tick_state default values;

-- Events that could not be numbered, as they stood in event_outbox, and why.
create table event_set_aside (
    event_id bigint constraint event_set_aside_pkey primary key,
    row jsonb not null,
    sqlstate text not null,
    message text not null,
    at timestamptz not null default now()
);

-- One thing that an audit finds.
create type audit_finding as (
    kind text, "table" text, product_id bigint, sequence bigint, order_id bigint, field text, expected text, found text
);
