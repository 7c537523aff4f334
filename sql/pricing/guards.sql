--! code
-- What every target passes before it is posted: daily cap, floor and ceiling, dead band, rounding to the price step,
-- and where its rule wants one, a person's yes.

-- The least move worth making, in money: a share of θ = base / elasticity, larger towards the season's end, when a
-- better price has little time left to earn more. A price that stands x from the best one loses about x^2 / (2 θ^2) of
-- what it earns: the second order of exponential demand around its best price. `left_of_season` is a share, 1 where
-- nothing ends.
create function least_move(theta float8, share float8, left_of_season float8) returns float8
language sql immutable parallel safe as $$
    select theta * share * greatest(left_of_season, 0.02) ^ -0.25
$$;

-- The nearest price k * step - offset, half up, k at least 1; to the cent what lies more than half a step below the
-- first.
create function round_to_step(amount numeric, step numeric, shift numeric) returns numeric
language sql immutable as $$
    select case when round((amount + shift) / step) >= 1 then round((amount + shift) / step) * step - shift
                else greatest(round(amount, 2), 0.01) end
$$;

-- The lowest price that may be posted: the declared floor or cost with its minimum margin, rounded up to a cent.
create function price_floor(floor_price numeric, unit_cost numeric, minimum_margin numeric) returns numeric
language sql immutable as $$
    select greatest(floor_price, least(ceil(coalesce(unit_cost, 0) * (1 + minimum_margin) * 100) / 100, 9999999999.99))
$$;

-- The limits in force for a declaration under a rule; floor beats ceiling.
create function price_limits(declared product, chosen rule, out floor_at numeric, out ceiling_at numeric)
language plpgsql immutable as $$
begin
    floor_at := price_floor(declared.floor_price, declared.unit_cost, chosen.minimum_margin);
    ceiling_at := greatest(floor_at, declared.ceiling_price);
end $$;

-- Guards 1 to 4 in their fixed order. Of the result, `binding` names the first that binds, null when none does.
--   anchor, cap:  the day's first price and the share of it that a day may move; either null: no cap
--   posted, band: the price that stands and the dead band around it as a share; band null: no dead band
create function apply_guards(
    raw numeric, posted numeric, anchor numeric, cap numeric, floor_at numeric, ceiling_at numeric,
    band numeric, step numeric, shift numeric,
    out capped numeric, out limited numeric, out price numeric, out binding text
)
language plpgsql immutable as $$
begin
    capped := raw;
    if cap is not null and anchor is not null then
        capped := least(greatest(raw, anchor * (1 - cap)), anchor * (1 + cap));
        if capped <> raw then binding := 'daily_cap'; end if;
    end if;
    limited := greatest(least(capped, ceiling_at), floor_at);
    if binding is null and limited <> capped then
        binding := case when limited = floor_at then 'floor' else 'ceiling' end;
    end if;
    if band is not null and posted between floor_at and greatest(floor_at, ceiling_at)
        and abs(limited - posted) <= greatest(band * posted, 0.75 * step) then
        price := posted;
        if binding is null and greatest(least(round_to_step(limited, step, shift), ceiling_at), floor_at) <> posted then
            binding := 'dead_band';
        end if;
        return;
    end if;
    price := greatest(least(round_to_step(limited, step, shift), greatest(floor_at, ceiling_at)), floor_at)
        ::numeric(12, 2);
end $$;

-- A move by more than a share of the posted price waits for a person's yes: the posted price stays, and the other is
-- proposed. Limits do not wait: a price outside them comes to the nearer one at once, and the move counts from there.
-- No share: nothing waits.
create function hold_move(
    asked numeric, posted numeric, share numeric, floor_at numeric, ceiling_at numeric, step numeric, shift numeric,
    out price numeric, out proposed numeric
)
language plpgsql immutable as $$
begin
    price := asked;
    if share is null then return; end if;
    if posted not between floor_at and greatest(floor_at, ceiling_at) then
        posted := greatest(least(round_to_step(greatest(least(posted, ceiling_at), floor_at), step, shift),
                                 greatest(floor_at, ceiling_at)), floor_at)::numeric(12, 2);
    end if;
    if abs(asked - posted) <= share * posted then return; end if;
    price := posted;
    proposed := asked;
end $$;

-- The posted price if the guard that binds did not; null when none binds.
create function price_without_guard(r rule, posted numeric, anchor numeric, v price_verdict) returns numeric
language plpgsql immutable as $$
begin
    if v.binding = 'approval' then return v.asked; end if;
    return (hold_move(case v.binding
        when 'daily_cap' then (apply_guards(v.raw, posted, anchor, null, v.floor_at, v.ceiling_at, v.dead_band,
                                            r.price_step, r.price_offset)).price
        when 'dead_band' then (apply_guards(v.raw, posted, anchor, v.cap, v.floor_at, v.ceiling_at, null,
                                            r.price_step, r.price_offset)).price
        when 'floor' then (apply_guards(v.raw, posted, anchor, v.cap, 0.01, v.ceiling_at, v.dead_band,
                                        r.price_step, r.price_offset)).price
        when 'ceiling' then (apply_guards(v.raw, posted, anchor, v.cap, v.floor_at, 9999999999.99, v.dead_band,
                                          r.price_step, r.price_offset)).price
        end, posted, v.approve_above, v.floor_at, v.ceiling_at, r.price_step, r.price_offset)).price;
end $$;

-- The strategy's target at another stock, all else as it stands.
create function target_at(d product, r rule, stock integer, v price_verdict) returns numeric
language plpgsql immutable as $$
begin
    return strategy_target(r.strategy, stock, d.base_price, d.unit_cost, d.unit_value, v.elasticity, v.rate,
                           v.season_left, v.days_left, v.has_end, d.decay, v.age)::numeric;
end $$;
