--! repeatable
-- What a declaration does: limits that were not typed follow base, the product's row is priced anew, what was learned in
-- other units is left behind.

-- A limit that was not typed is half of base, or twice; it gives way to one that was typed.
create or replace function tg_product_limits() returns trigger
language plpgsql set search_path = public, pg_temp as $$
begin
    if tg_op = 'INSERT' then
        new.floor_typed := new.floor_typed and new.floor_price is not null;
        new.ceiling_typed := new.ceiling_typed and new.ceiling_price is not null;
    else
        if new.product_id <> old.product_id or new.created_at <> old.created_at then
            perform fail('PR903', 'A product keeps its number and the moment that it was made.');
        end if;
        new.floor_typed := new.floor_typed or new.floor_price is distinct from old.floor_price;
        new.ceiling_typed := new.ceiling_typed or new.ceiling_price is distinct from old.ceiling_price;
    end if;
    if not new.floor_typed then
        new.floor_price := greatest(0.01, round(new.base_price * 0.5, 2));
        if tg_op = 'UPDATE' and new.ceiling_typed then
            new.floor_price := least(new.floor_price, new.ceiling_price);
        end if;
    end if;
    if not new.ceiling_typed then
        new.ceiling_price := least(new.base_price * 2, 9999999999.99);
        if tg_op = 'UPDATE' and new.floor_typed then
            new.ceiling_price := greatest(new.ceiling_price, new.floor_price);
        end if;
    end if;
    return new;
end $$;

-- A price that was typed by hand is a pin without expiry.
create or replace function pin_by_hand(row_was inventory, row_now inventory) returns inventory
language plpgsql as $$
begin
    if row_now.price is null then
        raise not_null_violation using message = 'a price cannot be null', table = 'inventory', column = 'price';
    end if;
    perform find_open_product(row_now.product_id);
    row_now.pin_price := row_now.price;
    row_now.pinned_until := 'infinity';
    row_now.price := row_was.price;
    return row_now;
end $$;

-- Refuses a manual price outside the limits that automation itself must keep.
create or replace function check_pin(pin numeric, declared product, chosen rule) returns void
language plpgsql as $$
declare
    limits record := price_limits(declared, chosen);
begin
    if pin < limits.floor_at or pin > limits.ceiling_at then
        perform fail('PR303',
            format('The price must stay within %s and %s.', limits.floor_at::numeric(12, 2), limits.ceiling_at::numeric(12, 2)),
            jsonb_build_object('productId', declared.product_id, 'floor', limits.floor_at::numeric(12, 2)::text,
                               'ceiling', limits.ceiling_at::numeric(12, 2)::text));
    end if;
end $$;

-- Refuses a pin that would have ended when it begins.
create or replace function check_pin_end(until timestamptz, moment timestamptz) returns void
language plpgsql as $$
begin
    if until <= moment then
        perform fail('PR602', 'A pin must end in the future.', jsonb_build_object('violations', jsonb_build_array(
            jsonb_build_object('path', '/until', 'rule', 'future', 'message', 'must lie in the future',
                               'got', rfc3339(until)))));
    end if;
end $$;

-- A product brings its inventory row with it; a changed declaration is evaluated at once.
create or replace function tg_product_declare() returns trigger
language plpgsql set search_path = public, pg_temp as $$
declare
    follows_anew boolean := tg_op = 'INSERT' or new.rule_id is distinct from old.rule_id;
    chosen rule;
    begins_to_learn boolean;
begin
    if follows_anew then
        select * into chosen from rule where rule_id = new.rule_id;
        if chosen.status <> 'active' then
            perform fail('PR302', format('Rule %s is not active.', new.rule_id), jsonb_build_object('ruleId', new.rule_id,
                'violations', jsonb_build_array(jsonb_build_object('path', '/ruleId', 'rule', 'active',
                                                                   'message', 'must be an active rule'))));
        end if;
    end if;
    if tg_op = 'INSERT' then
        insert into inventory (product_id) values (new.product_id);
        return null;
    end if;
    perform check_pin(i.pin_price, new, r) from inventory i join rule r on r.rule_id = new.rule_id
    where i.product_id = new.product_id and i.pin_price is not null;
    -- What was learned is in units of base and elasticity; an opening rate is one of the season's days. The time under a
    -- rule that did not learn teaches nothing.
    begins_to_learn := follows_anew and chosen.strategy = 'learn'
        and (select strategy from rule where rule_id = old.rule_id) <> 'learn';
    update inventory set
        learner = case when (old.base_price, old.elasticity) = (new.base_price, new.elasticity) then learner end,
        learning_since = case when (old.base_price, old.elasticity) = (new.base_price, new.elasticity)
                                   and not begins_to_learn then learning_since end,
        opening_rate = case when old.season_end is not distinct from new.season_end then opening_rate end,
        cause = row(case when old.rule_id = new.rule_id then 'declaration' else 'rule' end, acting(), '', null)::movement_cause
    where product_id = new.product_id;
    return null;
end $$;

create or replace trigger product_limits before insert or update on product
    for each row execute function tg_product_limits();

create or replace trigger product_open after insert on product
    for each row execute function tg_product_declare();

create or replace trigger product_declare after update on product
    for each row when (
        (old.base_price, old.unit_cost, old.floor_price, old.ceiling_price, old.low_stock, old.high_stock,
         old.rule_id, old.category_id, old.archived_at, old.elasticity, old.ref_rate, old.unit_value, old.decay, old.season_start,
         old.season_end, old.season_profile)
        is distinct from
        (new.base_price, new.unit_cost, new.floor_price, new.ceiling_price, new.low_stock, new.high_stock,
         new.rule_id, new.category_id, new.archived_at, new.elasticity, new.ref_rate, new.unit_value, new.decay, new.season_start,
         new.season_end, new.season_profile))
    execute function tg_product_declare();
