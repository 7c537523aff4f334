--! code
-- Checks and defaults of a declaration, by call or direct SQL: pins, rules, seasons.

-- The actor of this transaction: the one that a call named, else the session's own role.
create function acting() returns text
language sql stable as $$
    select coalesce(nullif(current_setting('pricing.actor', true), ''), session_user)
$$;

-- Raises a domain error: SQLSTATE PR + the wire code's digits, the facts as JSON in DETAIL.
create function fail(code text, message text, facts jsonb default '{}') returns void
language plpgsql as $$
begin
    raise exception using errcode = code, message = message, detail = facts::text;
end $$;

-- The kind of a change by direct SQL, which names no cause; null where nothing that concerns the price changed.
create function manual_change_kind(row_was inventory, row_now inventory) returns text
language sql immutable as $$
    select case when row_was.stock <> row_now.stock then 'adjust'
                when (row_was.price, row_was.pin_price, row_was.pinned_until)
                     is distinct from (row_now.price, row_now.pin_price, row_now.pinned_until) then 'pin'
                when (row_was.learning_since, row_was.opening_rate, row_was.next_eta)
                     is distinct from (row_now.learning_since, row_now.opening_rate, row_now.next_eta)
                     then 'declaration' end
$$;

-- The rule that a new product of a category follows: the category's, else the catalogue's default.
create function default_rule_id(category bigint) returns bigint
language sql stable as $$
    select coalesce(
        (select r.rule_id from category c join rule r on r.name = c.rule_name and r.status = 'active'
         where c.category_id = category),
        (select rule_id from rule
         where status = 'active' and name = (select value #>> '{}' from setting where setting.name = 'default_rule')))
$$;

-- Typed weights as a season's profile: scaled to mean 1, so that ref_rate keeps its meaning; the tiniest become 0.
-- PR602 where all weights are 0.
create function season_profile(weights jsonb) returns float8[]
language plpgsql immutable as $$
declare
    mean numeric := (select avg(w::numeric) from jsonb_array_elements_text(nullif(weights, 'null')) w);
begin
    if mean is null then return null; end if;
    if mean = 0 then
        perform fail('PR602', 'A season in which no part weighs anything is none.',
            '{"violations": [{"path": "/seasonProfile", "rule": "weight", "message": "one weight must be above 0"}]}');
    end if;
    return array(select case when w::numeric / mean < 1e-9 then 0 else (w::numeric / mean)::float8 end
                 from jsonb_array_elements_text(weights) with ordinality u (w, n) order by n);
end $$;

-- A price that was typed by hand is a pin without expiry.
create function pin_by_hand(row_was inventory, row_now inventory) returns inventory
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
create function check_pin(pin numeric, declared product, chosen rule) returns void
language plpgsql as $$
declare
    limits record := price_limits(declared, chosen);
begin
    if pin < limits.floor_at or pin > limits.ceiling_at then
        perform fail('PR303',
            format('The price must stay within %s and %s.', limits.floor_at::numeric(12, 2),
                   limits.ceiling_at::numeric(12, 2)),
            jsonb_build_object('productId', declared.product_id, 'floor', limits.floor_at::numeric(12, 2)::text,
                               'ceiling', limits.ceiling_at::numeric(12, 2)::text));
    end if;
end $$;

-- Refuses a pin whose end has already passed.
create function check_pin_end(until timestamptz, moment timestamptz) returns void
language plpgsql as $$
begin
    if until <= moment then
        perform fail('PR602', 'A pin must end in the future.', jsonb_build_object('violations', jsonb_build_array(
            jsonb_build_object('path', '/until', 'rule', 'future', 'message', 'must lie in the future',
                               'got', rfc3339(until)))));
    end if;
end $$;
