--! code first
-- What functions pass to each other. Types of columns stand in 01_create_tables.sql.

-- What a price was computed from and how: the strategy's position, then the guards' steps; the price `asked` by them,
-- which is `proposed` where it wants a person's yes.
create type price_verdict as (
    stock integer, band smallint, gap integer, elasticity float8, rate float8, season_left float8, days_left float8,
    has_end boolean, age float8, raw numeric, cap numeric, capped numeric, floor_at numeric, ceiling_at numeric,
    limited numeric, dead_band numeric, price numeric, binding text, frozen text, approve_above numeric, asked numeric,
    proposed numeric
);

-- One product of an order or a quote that is being made: what is asked of it beside what the shop has, whether it is
-- for sale, whether no price moves when it is sold, and what a unit is charged; null where there is no such product.
create type wanted_line as (
    product_id bigint, quantity bigint, max_price numeric, price numeric(12, 2), available integer, is_open boolean,
    sku text, is_calm boolean, unit_price numeric(12, 2)
);

-- The outcome of one order: its reply, new or repeated, or why it was refused.
create type order_outcome as (
    reply text, replayed boolean, state text, message text, detail text, broken text
);

-- A line of a batch: its call, what it asks for, the price that stands, and whether any number of its product's lines
-- in this batch can be sold in any order: none is refused, and no price moves. `is_new`: the call's buyer is known, and
-- its key is not.
create type batch_line as (
    call integer, product_id bigint, quantity bigint, price numeric(12, 2), is_calm boolean, sku text, is_new boolean
);

-- One event of the stream; `order_id`: the order that it is of, or comes from.
create type stream_event as (
    sequence bigint, at timestamptz, topic text, op text, product_id bigint, order_id bigint, key bigint, before json,
    after json, cause json, actor text
);

-- How far a caller has seen the stream: up to a number. Of the transactions then, those that the sequencer had not
-- looked at (from `looked_to` on, and what was `running`), and those numbered `beyond`.
create type stream_position as (sequence bigint, looked_to bigint, running bigint[], beyond bigint[]);

-- What a rollback is to do with a product: the columns that people declared as they stood, those declared `again` by
-- changes that are not to be taken back, the price that stood, whether automation moved it, and whether a declaration
-- came after that move. `is_new`: the product was made by what is taken back.
create type rollback_step as (
    product_id bigint, is_new boolean, members jsonb, again text, price numeric, was_moved boolean,
    declared_since boolean
);

-- One finding of an audit.
create type audit_finding as (
    kind text, "table" text, product_id bigint, sequence bigint, order_id bigint, field text, expected text, found text
);

-- A fold of the learner that is to be made or made again: of which product, with what its declaration says of demand;
-- the state before it, and the last folds from the ledgers (`first`, sales before `since` are not in it); from which
-- moment, movement and price change to which. `is_first`: it begins with an empty state, and goes day by day.
create type learn_span as (
    product_id bigint, base float8, elasticity float8, decay float8, born timestamptz, season_start timestamptz,
    season_end timestamptz, season_profile float8[], number bigint, state float8[], is_first boolean, first bigint,
    since timestamptz, from_at timestamptz, from_movement bigint, from_change bigint, to_at timestamptz,
    to_movement bigint, to_change bigint
);

-- A fold while its time passes: the state at the last fold and its moment, what was learned since, and of the segment
-- that is open its price and begin, the days of average demand and the units sold so far, and the moment that they have
-- come to.
create type learn_run as (
    state float8[], folded_at timestamptz, fresh float8[], price float8, opened_at timestamptz, ds float8, units float8,
    counted_to timestamptz
);

-- What a replay of the ledger under `learn` keeps: its run, and so that a cancellation takes back what was learned, of
-- each sale the order, the units and the segment, of each segment its distance from base and its fold, and the folds'
-- moments.
create type replay_learner as (
    span learn_span, run learn_run, orders bigint[], units integer[], segments integer[], distances float8[],
    folds integer[], moments timestamptz[]
);

-- When a halt or a campaign began or ended, by the number of its event.
create type replay_mark as (change_id bigint, at timestamptz, kind text, id bigint);

-- A product in a replay: its declaration and row as they are by now, what it has learned, the halts and campaigns that
-- last, the price that was told last, and the path of its price.
create type replay as (
    declared product, i inventory, l replay_learner, halts bigint[], running bigint[], told numeric,
    at timestamptz[], prices numeric[], stocks integer[], guards text[]
);

-- A scenario of the laboratory, checked and made ready. Of what the merchant believes: base, ref_rate, elasticity,
-- salvage, decay, the season believed; of the truth: the rest, true_rate and true_elasticity as shares of the belief.
create type lab_scenario as (
    name text, stock integer, horizon float8, arrivals float8, demand float8[], season float8[], believed float8[],
    season_max float8, base float8, ref_rate float8, elasticity float8, salvage float8, decay float8, seed bigint,
    floor_at numeric, ceiling_at numeric, price_step numeric, best_fixed float8,
    true_rate float8, true_elasticity float8
);

-- A policy of the laboratory: what sets its target, what it `knows` beside what is believed, how often a day it ticks,
-- and its guards.
create type lab_policy as (
    strategy text, knows text, ticks integer, band_tick numeric, band_stock numeric, least_rise float8,
    least_fall float8, daily_cap numeric, move float8, low_share float8, high_share float8
);

-- A season that is being sold under a policy that ticks: what is left and earned, the prices so far; what was learned
-- until the last tick and since; the moment of that tick and how many there were; the season's weight to come; what is
-- believed and what is estimated; the price, since when it stands and how many it sold; the customer who is next.
create type lab_run as (
    stock integer, value float8, prices float8[], path jsonb, state float8[], fresh float8[], tick float8,
    ticks integer, season_left float8, elasticity float8, rate float8, elasticity_now float8, rate_now float8,
    price float8, posted numeric, anchor numeric, opened float8, units integer, customer integer
);

-- The customers of one season of one product.
create type lab_customers as (times float8[], willing float8[]);
