--! once
-- What the strategies beyond bands read: demand as the merchant believes it (product), how a rule uses it (rule), and
-- what was learned (inventory). Demand quantities are float8, as the formulas are; money stays numeric(12,2).

drop function if exists evaluate_price(product, rule, inventory, text);
drop function if exists tick_prices(integer);
drop function if exists default_rule_id();
drop function if exists find_usable_rule(bigint);
drop function if exists price_reason(text, smallint, text, text);
drop function if exists record_price_change(inventory, inventory, product, text, jsonb, movement_cause, timestamptz);

-- elasticity: percent of demand lost for each percent that the price rises, at base; base/elasticity is θ, the mean by
-- which willingness to pay exceeds the price. ref_rate: units that sell a day at base; null: opening stock over days left.
-- unit_value: what one unit left at the season's end is worth. decay: share of willingness to pay lost a day.
-- season_profile: demand weights of equal slices from season_start to season_end, mean 1; null: flat.
alter table product
    add column elasticity float8 not null default 2,
    add column ref_rate float8,
    add column unit_value numeric(12, 2) not null default 0,
    add column decay float8 not null default 0,
    add column season_start timestamptz,
    add column season_end timestamptz,
    add column season_profile float8[],
    add constraint product_elasticity_range check (elasticity between 0.1 and 20),
    add constraint product_ref_rate_range check (ref_rate > 0 and ref_rate <= 1e9),
    add constraint product_unit_value_range check (unit_value >= 0),
    add constraint product_decay_range check (decay between 0 and 1),
    add constraint product_season_ordered
        check ((season_start is null) = (season_end is null) and season_end > season_start),
    add constraint product_season_profile_shape
        check (season_profile is null
               or (season_end is not null and array_ndims(season_profile) = 1 and cardinality(season_profile) <= 1000
                   and 0 <= all (season_profile) and 0 < any (season_profile) and 1000 >= all (season_profile)));

-- A category may name the rule that its new products follow.
alter table category
    add column rule_name text;

-- cover_days: the days that stock should last where no season ends. cooldown_seconds: the least time between two moves
-- of a price, 0 for none. never_up: a markdown that never rises before the declaration changes.
alter table rule
    drop constraint rule_strategy_known,
    add column cover_days float8 not null default 30,
    add column cooldown_seconds integer not null default 0,
    add column never_up boolean not null default false,
    add constraint rule_strategy_known
        check (strategy in ('bands', 'cover', 'deadline', 'learn', 'restock', 'markdown', 'manual')),
    add constraint rule_never_up_markdown check (not never_up or strategy = 'markdown'),
    add constraint rule_cover_days_range check (cover_days between 1 and 3650),
    add constraint rule_cooldown_seconds_range check (cooldown_seconds between 0 and 2592000);

-- opening_rate stands for a ref_rate that was not typed. learner is the state of 22_learner.sql, learned_at the moment
-- that it has come to; the two estimates are renewed at ticks alone. next_eta is the earliest open expectation's.
alter table inventory
    add column opening_rate float8,
    add column learner float8[],
    add column learned_at timestamptz,
    add column elasticity_now float8,
    add column rate_now float8,
    add column next_eta timestamptz,
    add column changed_at timestamptz;

-- Goods that are on their way: a replenishment order and when it should arrive.
create table expectation (
    expectation_id bigint generated always as identity constraint expectation_pkey primary key,
    product_id bigint not null constraint expectation_product_fkey references product,
    quantity integer not null,
    eta timestamptz not null,
    reason text not null default '',
    actor text not null,
    created_at timestamptz not null,
    closed_at timestamptz,
    constraint expectation_quantity_positive check (quantity > 0)
);
create index expectation_open_index on expectation (product_id, eta) where closed_at is null;

-- Where automation stands still: for everything (both ids null), a category or a product, until it is resumed.
create table automation_halt (
    halt_id bigint generated always as identity constraint automation_halt_pkey primary key,
    category_id bigint constraint automation_halt_category_fkey references category,
    product_id bigint constraint automation_halt_product_fkey references product,
    reason text not null,
    actor text not null,
    halted_at timestamptz not null,
    resume_reason text,
    resumed_by text,
    resumed_at timestamptz,
    constraint automation_halt_one_scope check (category_id is null or product_id is null)
);
create unique index automation_halt_open_index
    on automation_halt (coalesce(category_id, 0), coalesce(product_id, 0)) where resumed_at is null;

-- What a price was computed from and how: the strategy's position, then the guards' steps.
create type price_verdict as (
    stock integer, band smallint, gap integer, elasticity float8, rate float8, season_left float8, days_left float8, has_end boolean,
    age float8, raw numeric, cap numeric, capped numeric, floor_at numeric, ceiling_at numeric, limited numeric,
    dead_band numeric, price numeric, binding text, frozen text
);

insert into rule (name, version, strategy, status, note, activated_at) values
    ('cover', 1, 'cover', 'active', 'The price that sells what is there over the days that it should last.', now()),
    ('deadline', 1, 'deadline', 'active', 'The best price for stock that must go by a day, from demand as declared.', now()),
    ('learn', 1, 'learn', 'active', 'The best price for stock that must go by a day, from demand as sales show it.', now()),
    ('restock', 1, 'restock', 'active', 'Cost and its best margin; dearer when stock must last until goods arrive.', now()),
    ('markdown', 1, 'markdown', 'active', 'The best price for goods that lose their appeal day by day.', now());

-- What the breaker keeps: the price that each product stood at before its first move in the window, and how far in the
-- event stream it has read.
create table breaker_move (
    product_id bigint constraint breaker_move_pkey primary key,
    was numeric(12, 2) not null,
    since timestamptz not null
);
create table breaker_state (
    only_row boolean not null default true constraint breaker_state_pkey primary key,
    last_sequence bigint not null default 0,
    constraint breaker_state_only_row check (only_row)
) with (fillfactor = 10);
insert into breaker_state default values;

-- The breaker's limits, explained where they are read (25_automation.sql).
insert into setting (name, value) values
    ('breaker', '{"windowSeconds": 3600, "leastCatalogue": 20, "leastProducts": 5, "move": 0.25, "movedShare": 0.2,
                  "valueShare": 0.3, "distance": 0.6, "distantShare": 0.2}');
