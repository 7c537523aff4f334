--! code
-- What a product's own sales teach: exact Bayesian estimates of elasticity and rate on a grid of seven elasticities.
-- The state is nine numbers and a function of the ledgers: at a tick the time since the last fold is cut into segments
-- (a time in stock at a posted price, and the units sold in it) and folded in. pricing/folds.sql reads the ledgers;
-- here is the arithmetic, which cannot raise and never gives NaN or infinity. The laboratory folds by the same
-- functions.
--
-- State: [1] = n, the discounted units sold; [2] = s, the discounted sum over them of how far the price stood from
-- base, in units of base; [3..9] = e, the discounted exposure under each elasticity of the grid: the days of average
-- demand that base would have needed to sell as much. Half of all evidence is forgotten in 21 days. The grid is
-- elasticity as declared times 2^(k/2), k from -3 to 3.

create function learner_empty() returns float8[]
language sql immutable parallel safe as $$
    select array[0, 0, 0, 0, 0, 0, 0, 0, 0]::float8[]
$$;

-- How much of a state is left after so many days.
create function learner_memory(days float8) returns float8
language sql immutable parallel safe as $$
    select bounded_exp(-0.6931471805599453::float8 * greatest(days, 0) / 21)
$$;

-- y: how far a price of a day at which the season was `age` days old stood from base, as a share of base. Willingness
-- to pay falls by `decay` a day, so that the price of a later day counts as a higher one. Bounded so that no weight
-- e^(-elasticity mult y) leaves e^-60 ... e^60.
create function price_distance(p float8, base float8, elasticity float8, decay float8, age float8) returns float8
language sql immutable parallel safe as $$
    select least(greatest(bounded_exp(ln(p / base) + decay * age) - 1,
                          -least(60 / (elasticity * 2.8284271247461903::float8), 1)),
                 60 / (elasticity * 2.8284271247461903::float8))
$$;

-- Adds a segment to a state: ds days of average demand in stock and `units` sold, at the distance y from base.
create function learn_segment(state float8[], ds float8, units float8, y float8, elasticity float8) returns float8[]
language plpgsql immutable parallel safe as $$
declare
    x float8 := -elasticity * y;
begin
    return array[state[1] + units, state[2] + units * y, state[3] + ds * exp(x * 0.3535533905932738::float8),
        state[4] + ds * exp(x * 0.5), state[5] + ds * exp(x * 0.7071067811865476::float8), state[6] + ds * exp(x),
        state[7] + ds * exp(x * 1.4142135623730951::float8), state[8] + ds * exp(x * 2),
        state[9] + ds * exp(x * 2.8284271247461903::float8)];
end $$;

-- What is left of one number of a state. PostgreSQL raises on a product that underflows.
create function faded(x float8, memory float8) returns float8
language sql immutable parallel safe as $$
    select case when abs(x) < 1e-30 then 0 else x * memory end
$$;

-- A fold: the state fades by the days since the last one, then what those days taught (segments added to an empty
-- state) is added whole. Cancelled units may leave less than nothing of n.
create function learn_fold(state float8[], fresh float8[], days float8) returns float8[]
language plpgsql immutable parallel safe as $$
declare
    g float8 := learner_memory(days);
    n float8 := greatest(faded(state[1], g) + fresh[1], 0);
begin
    return array[n, case when n = 0 then 0 else faded(state[2], g) + fresh[2] end,
        faded(state[3], g) + fresh[3], faded(state[4], g) + fresh[4], faded(state[5], g) + fresh[5],
        faded(state[6], g) + fresh[6], faded(state[7], g) + fresh[7], faded(state[8], g) + fresh[8],
        faded(state[9], g) + fresh[9]];
end $$;

-- ln(1 + x), exact for small x too.
create function log_one_plus(x float8) returns float8
language sql immutable parallel safe as $$
    select case when 1 + x = 1 then x else ln(1 + x) * x / (1 + x - 1) end
$$;

-- The log weight of the elasticity 2^(k/2) times the declared one, from its exposure e.
create function grid_weight(
    k float8, e float8, tilt float8, shape float8, b float8, shift_elasticity float8
) returns float8
language sql immutable parallel safe as $$
    select -0.5 * ((k * 0.34657359027997264::float8 - shift_elasticity) / 0.7) ^ 2 - tilt * 2::float8 ^ (k / 2)
        - shape * log_one_plus(e / b)
$$;

-- The weights of the grid, up to a factor, the largest 1: by the marginal likelihood of each elasticity under one prior
-- of learn_estimate. [8] is the logarithm of that factor. Written out, since a loop takes twice as long and a tick asks
-- for each product.
create function grid_weights(
    state float8[], elasticity float8, ref_rate float8, shift_rate float8, shift_elasticity float8
) returns float8[]
language plpgsql immutable parallel safe as $$
declare
    tilt float8 := elasticity * state[2];
    shape float8 := 8 + greatest(state[1], 0);
    b float8 := prior_exposure(ref_rate, shift_rate);
    w float8[] := array[grid_weight(-3, state[3], tilt, shape, b, shift_elasticity),
        grid_weight(-2, state[4], tilt, shape, b, shift_elasticity),
        grid_weight(-1, state[5], tilt, shape, b, shift_elasticity),
        grid_weight(0, state[6], tilt, shape, b, shift_elasticity),
        grid_weight(1, state[7], tilt, shape, b, shift_elasticity),
        grid_weight(2, state[8], tilt, shape, b, shift_elasticity),
        grid_weight(3, state[9], tilt, shape, b, shift_elasticity)];
    best float8 := greatest(w[1], w[2], w[3], w[4], w[5], w[6], w[7]);
begin
    return array[bounded_exp(w[1] - best), bounded_exp(w[2] - best), bounded_exp(w[3] - best), bounded_exp(w[4] - best),
                 bounded_exp(w[5] - best), bounded_exp(w[6] - best), bounded_exp(w[7] - best), best];
end $$;

create function grid_total(w float8[]) returns float8
language sql immutable parallel safe as $$
    select w[1] + w[2] + w[3] + w[4] + w[5] + w[6] + w[7]
$$;

-- What the grid weighs before a sale.
create function grid_mass(shift_elasticity float8) returns float8
language sql immutable parallel safe as $$
    select exp(-0.5 * ((-1.0397207708399179::float8 - shift_elasticity) / 0.7) ^ 2)
        + exp(-0.5 * ((-0.6931471805599453::float8 - shift_elasticity) / 0.7) ^ 2)
        + exp(-0.5 * ((-0.34657359027997264::float8 - shift_elasticity) / 0.7) ^ 2)
        + exp(-0.5 * (shift_elasticity / 0.7) ^ 2)
        + exp(-0.5 * ((0.34657359027997264::float8 - shift_elasticity) / 0.7) ^ 2)
        + exp(-0.5 * ((0.6931471805599453::float8 - shift_elasticity) / 0.7) ^ 2)
        + exp(-0.5 * ((1.0397207708399179::float8 - shift_elasticity) / 0.7) ^ 2)
$$;

-- How many times likelier so many units are where a product errs as its shop does than where it was declared right:
-- the ratio of the marginal likelihoods, from the weights of the grid under either.
create function shop_odds(
    shop float8[], alone float8[], units float8, shift_rate float8, shift_elasticity float8
) returns float8
language plpgsql immutable parallel safe as $$
declare
    odds float8 := shop[8] - alone[8] + greatest(units, 0) * shift_rate
        + ln(grid_total(shop) / grid_total(alone) * grid_mass(0) / grid_mass(shift_elasticity));
begin
    return bounded_exp(odds);
end $$;

-- How sure it is that a product errs as its shop does, where `share` of the products do: Bayes' rule.
create function shop_belief(share float8, odds float8) returns float8
language sql immutable parallel safe as $$
    select share * odds / (share * odds + 1 - share)
$$;

-- The days of average demand that the prior of a rate is worth: 8 sales' at the rate that is believed.
create function prior_exposure(ref_rate float8, shift_rate float8) returns float8
language sql immutable parallel safe as $$
    select 8 / (least(greatest(ref_rate, 1e-9), 1e9) * exp(shift_rate))
$$;

-- The sum over the grid of its multiples, by weight.
create function grid_multiples(w float8[]) returns float8
language sql immutable parallel safe as $$
    select w[1] * 0.3535533905932738::float8 + w[2] * 0.5 + w[3] * 0.7071067811865476::float8 + w[4]
        + w[5] * 1.4142135623730951::float8 + w[6] * 2 + w[7] * 2.8284271247461903::float8
$$;

-- The same of one over the days of average demand that were seen, those of the prior among them.
create function grid_paces(w float8[], state float8[], b float8) returns float8
language sql immutable parallel safe as $$
    select w[1] / (b + state[3]) + w[2] / (b + state[4]) + w[3] / (b + state[5]) + w[4] / (b + state[6])
        + w[5] / (b + state[7]) + w[6] / (b + state[8]) + w[7] / (b + state[9])
$$;

-- Elasticity and units a day at base, from the state and the prior: elasticity as declared times a log-normal of
-- deviation 0.7 around e^shift_elasticity, rate a gamma of shape 8 around ref_rate e^shift_rate. The shifts, each from
-- -1.5 to 1.5, are what the products of a shop say of its declarations (shop_prior.sql). Where only a `share` of them
-- says so, from 0.01 to 1, the prior is a mixture: else the product was declared right.
create function learn_estimate(
    state float8[], elasticity float8, ref_rate float8, shift_rate float8 default 0,
    shift_elasticity float8 default 0, share float8 default 1, out elasticity_now float8, out rate_now float8
)
language plpgsql immutable parallel safe as $$
declare
    shape float8 := 8 + greatest(state[1], 0);
    b float8 := prior_exposure(ref_rate, shift_rate);
    w float8[] := grid_weights(state, elasticity, ref_rate, shift_rate, shift_elasticity);
    total float8 := grid_total(w);
    alone float8[];
    belief float8;
begin
    elasticity_now := elasticity * grid_multiples(w) / total;
    rate_now := shape * grid_paces(w, state, b) / total;
    if share < 1 and (shift_rate <> 0 or shift_elasticity <> 0) then
        alone := grid_weights(state, elasticity, ref_rate, 0, 0);
        belief := shop_belief(share, shop_odds(w, alone, state[1], shift_rate, shift_elasticity));
        b := prior_exposure(ref_rate, 0);
        total := grid_total(alone);
        elasticity_now := belief * elasticity_now + (1 - belief) * elasticity * grid_multiples(alone) / total;
        rate_now := belief * rate_now + (1 - belief) * shape * grid_paces(alone, state, b) / total;
    end if;
end $$;

-- How old a season is, in days; never below 0.
create function season_age(declared product, moment timestamptz) returns float8
language sql immutable parallel safe as $$
    select greatest(0, days_between(coalesce(declared.season_start, declared.created_at), moment))
$$;
