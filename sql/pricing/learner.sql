--! code
-- What a product's own sales teach: exact Bayesian estimates of elasticity and rate on a grid of five elasticities,
-- from a state of seven numbers that each event updates in its own transaction. Estimates are renewed at ticks alone,
-- so that between ticks a price depends on stock alone. Nothing is learned while there is nothing to sell, and what is
-- known ages all the same.
--
-- State: learner[1] = n, the discounted units sold; [2] = sp, the discounted sum over them of price less base; [3..7] =
-- e, the discounted exposure under each elasticity of the grid: the days of average demand that base would have needed
-- to sell as much. Half of all evidence is forgotten in 14 days, and what is left below 1e-30 is 0.

create function learner_empty() returns float8[]
language sql immutable parallel safe as $$
    select array[0, 0, 0, 0, 0, 0, 0]::float8[]
$$;

-- A price as the learner reads it: not so far from base that a weight e^(-2 ε (p - base)/base) would leave e^-60 …
-- e^60.
create function learnable_price(p float8, base float8, elasticity float8) returns float8
language sql immutable parallel safe as $$
    select base * (1 + least(greatest(p / base - 1, -least(30 / elasticity, 1)), 30 / elasticity))
$$;

-- Time passes: dt days, of which ds days of average demand in stock, at the price p.
create function learn_exposure(
    state float8[], dt float8, ds float8, p float8, base float8, elasticity float8
) returns float8[]
language plpgsql immutable parallel safe as $$
declare
    g float8 := bounded_exp(-ln(2::float8) * dt / 14);
    x float8 := (base - learnable_price(p, base, elasticity)) * elasticity / base;
begin
    for k in 1..7 loop
        state[k] := case when abs(state[k]) < 1e-30 then 0 else g * state[k] end;
    end loop;
    return array[state[1], state[2], state[3] + ds * exp(0.5 * x), state[4] + ds * exp(0.7 * x),
                 state[5] + ds * exp(x), state[6] + ds * exp(1.4 * x), state[7] + ds * exp(2 * x)];
end $$;

-- Units were sold at the price p; a sale that is undone comes with a negative quantity, as much as is left of it.
create function learn_sale(
    state float8[], quantity float8, p float8, base float8, elasticity float8
) returns float8[]
language plpgsql immutable parallel safe as $$
begin
    state[1] := greatest(0, state[1] + quantity);
    state[2] := case when state[1] = 0 then 0
                     else state[2] + quantity * (learnable_price(p, base, elasticity) - base) end;
    return state;
end $$;

-- Elasticity and units a day at base, from the state and the prior: elasticity as declared times a log-normal of
-- deviation 0.7, rate a gamma of shape 8 around ref_rate. Weights by the marginal likelihood of each elasticity.
create function learn_estimate(
    state float8[], base float8, elasticity float8, ref_rate float8, out elasticity_now float8, out rate_now float8
)
language plpgsql immutable parallel safe as $$
declare
    mult constant float8[] := array[0.5, 0.7, 1, 1.4, 2];
    tilt float8 := state[2] * elasticity / base;
    shape float8 := 8 + state[1];
    ref float8 := least(greatest(ref_rate, 1e-9), 1e9);
    likelihood float8[] := '{}';
    best float8 := '-infinity';
    weight float8;
    total float8 := 0;
begin
    for k in 1..5 loop
        weight := -0.5 * (ln(mult[k]) / 0.7) ^ 2 - tilt * mult[k] - shape * ln(1 + state[k + 2] * ref / 8);
        likelihood[k] := weight;
        best := greatest(best, weight);
    end loop;
    elasticity_now := 0;
    rate_now := 0;
    for k in 1..5 loop
        weight := bounded_exp(likelihood[k] - best);
        total := total + weight;
        elasticity_now := elasticity_now + weight * mult[k];
        rate_now := rate_now + weight / (8 / ref + state[k + 2]);
    end loop;
    elasticity_now := elasticity * elasticity_now / total;
    rate_now := shape * rate_now / total;
end $$;

-- How old a season is, in days; never below 0.
create function season_age(declared product, moment timestamptz) returns float8
language sql immutable parallel safe as $$
    select greatest(0, days_between(coalesce(declared.season_start, declared.created_at), moment))
$$;

-- A price of a day at which the season was `age` days old, as it would be at the season's begin: willingness to pay
-- falls by the declared share a day.
create function price_at_begin(p float8, decay float8, age float8) returns float8
language sql immutable parallel safe as $$
    select p * bounded_exp(decay * age)
$$;

-- The state after an event at `moment` on a row that stood as row_was until then: time passes at the price that stood,
-- then what the event sold is learned, or what it cancelled unlearned. Without learning_since nothing was counted until
-- now: the time teaches nothing, and evidence only ages. An order from before it was not learned here, or with what was
-- forgotten since.
create function learn_event(
    declared product, row_was inventory, moment timestamptz, kind text, quantity integer, ordered bigint
) returns float8[]
language plpgsql stable as $$
declare
    state float8[] := coalesce(row_was.learner, learner_empty());
    earlier timestamptz := least(coalesce(row_was.learned_at, moment), moment);
    dt float8 := days_between(earlier, moment);
    base float8 := declared.base_price;
    undone record;
begin
    state := learn_exposure(state, dt,
        case when row_was.stock > 0 and row_was.learning_since is not null
             then season_weight(declared.season_profile, declared.season_start, declared.season_end, earlier, moment)
             else 0 end,
        price_at_begin(row_was.price, declared.decay, season_age(declared, moment) - dt / 2), base,
        declared.elasticity);
    if kind = 'sale' then
        state := learn_sale(state, -quantity,
            price_at_begin(row_was.price, declared.decay, season_age(declared, moment)),
                            base, declared.elasticity);
    elsif kind = 'cancel' then
        select l.unit_price, o.placed_at into undone from order_line l join customer_order o using (order_id)
        where l.order_id = ordered and l.product_id = declared.product_id and o.placed_at >= row_was.learning_since;
        if found then
            state := learn_sale(state,
                -quantity * bounded_exp(-ln(2::float8) * days_between(undone.placed_at, moment) / 14),
                price_at_begin(undone.unit_price, declared.decay, season_age(declared, undone.placed_at)), base,
                declared.elasticity);
        end if;
    end if;
    return state;
end $$;

-- The row with everything renewed that an event renews: the opening rate where there is none yet, the state at every
-- event, the estimates at a tick and whenever the price is set afresh.
create function learn_and_estimate(
    declared product, chosen rule, row_was inventory, row_now inventory, mode text, moment timestamptz,
    why movement_cause
) returns inventory
language plpgsql stable as $$
begin
    if row_now.opening_rate is null and row_now.stock > 0 then
        row_now.opening_rate := row_now.stock / case when declared.season_end is null then chosen.cover_days
            else greatest(1, season_weight(declared.season_profile, declared.season_start, declared.season_end, moment,
                                           declared.season_end)) end;
    end if;
    if not (strategy_facts(chosen.strategy)).learns then return row_now; end if;
    row_was.learner := row_now.learner;  -- a new declaration may have emptied it
    row_was.learning_since := row_now.learning_since;
    row_now.learner := learn_event(declared, row_was, moment, why.kind, row_now.stock - row_was.stock, why.order_id);
    row_now.learned_at := moment;
    row_now.learning_since := coalesce(row_now.learning_since, moment);
    if mode <> 'stock' or row_now.rate_now is null then
        select * into row_now.elasticity_now, row_now.rate_now
        from learn_estimate(row_now.learner, declared.base_price, declared.elasticity,
                            coalesce(declared.ref_rate, row_now.opening_rate, 1));
    end if;
    return row_now;
end $$;
