--! once
-- What a column may hold, whoever writes it: an amount, a number and a time that can be reckoned with. NaN passes every
-- `> 0` and infinity every comparison of times, so both are refused by type. Domains, since PostgreSQL keeps a domain's
-- check ready, while it parses a table's again in every statement.

drop trigger if exists inventory_move on inventory;
drop trigger if exists product_declare on product;
drop function if exists learn_sale(float8[], float8, float8, float8);
drop function if exists undo_order(jsonb, text, text, text[]);

create domain amount as numeric(12, 2)
    constraint amount_is_number check (value < 'NaN');
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

alter table virtual_clock alter column at type finite_time;
alter table app_user
    alter column created_at type finite_time,
    alter column archived_at type finite_time;
alter table supplier alter column created_at type finite_time;
alter table rule
    alter column price_step type amount,
    alter column price_offset type amount,
    alter column created_at type finite_time,
    alter column activated_at type finite_time;

-- floor_typed, ceiling_typed: whether the merchant chose the limit; one that was not chosen follows the base price.
alter table product
    alter column base_price type amount,
    alter column unit_cost type amount,
    alter column floor_price type amount,
    alter column ceiling_price type amount,
    alter column unit_value type amount,
    alter column archived_at type finite_time,
    alter column created_at type finite_time,
    alter column season_start type finite_time,
    alter column season_end type finite_time,
    add column floor_typed boolean not null default true,
    add column ceiling_typed boolean not null default true,
    drop constraint product_season_profile_shape,
    alter column season_profile type demand_weight[],
    add constraint product_season_profile_shape
        check (season_profile is null
               or (season_end is not null and array_ndims(season_profile) = 1 and cardinality(season_profile) <= 1000
                   and array_position(season_profile, null) is null and 0 < any (season_profile)));
update product set
    floor_typed = floor_price <> greatest(0.01, round(base_price * 0.5, 2)),
    ceiling_typed = ceiling_price <> least(base_price * 2, 9999999999.99);

-- learning_since: the moment from which the learner has counted without a break; null: it begins at the next event.
alter table inventory
    alter column price type amount,
    alter column anchor_price type amount,
    alter column pin_price type amount,
    alter column opening_price type amount,
    alter column ticked_at type finite_time,
    alter column last_restock_at type finite_time,
    alter column opening_rate type finite_number,
    alter column learner type finite_numbers,
    alter column learned_at type finite_time,
    alter column elasticity_now type finite_number,
    alter column rate_now type finite_number,
    alter column next_eta type finite_time,
    alter column changed_at type finite_time,
    add column learning_since finite_time,
    drop constraint inventory_pin_complete,
    add constraint inventory_pin_complete
        check ((pin_price is null) = (pinned_until is null) and pinned_until > '-infinity');
update inventory set learning_since = learned_at;

alter table customer_order
    alter column placed_at type finite_time,
    alter column changed_at type finite_time,
    drop constraint customer_order_total_positive,
    add constraint customer_order_total_positive check (total > 0 and total < 'NaN');
alter table order_line alter column unit_price type amount;
alter table stock_movement alter column at type finite_time;
alter table price_change
    alter column old_price type amount,
    alter column new_price type amount,
    alter column at type finite_time;
alter table event_outbox alter column at type finite_time;
alter table event alter column at type finite_time;
alter table request_key alter column created_at type finite_time;
alter table shelf alter column price type amount;
alter table expectation
    alter column eta type finite_time,
    alter column created_at type finite_time,
    alter column closed_at type finite_time;
alter table automation_halt
    alter column halted_at type finite_time,
    alter column resumed_at type finite_time;
alter table breaker_move
    alter column was type amount,
    alter column since type finite_time;
alter table audit_repair alter column at type finite_time;
alter table failing_product
    alter column first_at type finite_time,
    alter column retry_at type finite_time,
    alter column real_retry_at type finite_time;
alter table tick_state alter column completed_at type finite_time;
alter table event_set_aside alter column at type finite_time;
