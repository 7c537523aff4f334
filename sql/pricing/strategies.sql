--! code
-- The strategies: pure functions from a declaration and a position to a target price, before the guards. None reads the
-- last price. Units: days, units of stock, currency. Throughout, θ = base / elasticity, the scale of exponential
-- willingness to pay, and v = unit_value, what an unsold unit is worth at the horizon.
--
-- PostgreSQL raises where a float overflows or comes too close to 0. No formula here can: each exponential is bounded
-- (bounded_exp), and each quotient has a divisor that cannot be 0.

-- The strategies, a row each. They belong to the code below, so they are written whenever the code is: an older shop
-- gets a new strategy, and changed facts, with the version that has them. Each comes with a rule of its name that
-- products can follow at once, unless the shop has one of that name.
with came (name, basis, learns, awaits_goods, charges_scarcity, may_never_rise, summary) as (values
    ('bands', 'level', false, false, false, false,
     'Low stock raises the price by 10 % of base, high stock lowers it by 10 % of base, between them it is base.'),
    ('manual', 'base', false, false, false, false, 'The price is base unless another is pinned.'),
    ('cover', 'demand', false, false, false, false,
     'The price that sells what is there over the days that it should last.'),
    ('deadline', 'demand', false, false, true, false,
     'The best price for stock that must go by a day, from demand as declared.'),
    ('learn', 'demand', true, false, true, false,
     'The best price for stock that must go by a day, from demand as sales show it.'),
    ('restock', 'demand', false, true, true, false,
     'Cost and its best margin; dearer when stock must last until goods arrive.'),
    ('markdown', 'demand', false, false, true, true,
     'The best price for goods that lose their appeal day by day.')
), kept as (
    insert into strategy (name, basis, learns, awaits_goods, charges_scarcity, may_never_rise, summary)
    table came
    on conflict (name) do update set basis = excluded.basis, learns = excluded.learns,
        awaits_goods = excluded.awaits_goods, charges_scarcity = excluded.charges_scarcity,
        may_never_rise = excluded.may_never_rise, summary = excluded.summary
)
insert into rule (name, version, strategy, status, note, activated_at)
select name, 1, name, 'active', summary, now() from came
where not exists (select from rule where rule.name = came.name);

-- A strategy's row, for the functions that price; null for a name that there is not. Written from the table as one
-- expression that PostgreSQL folds into its caller, so that no order reads a table for it, and a price stays a function
-- of its arguments. The table's trigger refuses the changes that this would not see.
do $$
begin
    execute (
        select format('create function strategy_facts(strategy text) returns pricing.strategy '
                      'language sql immutable parallel safe as %L',
                      format('select case strategy %s end',
                             string_agg(format('when %L then %L::pricing.strategy', name, s::text), ' ' order by name)))
        from strategy s);
end $$;

-- Whether a strategy prices from a model of demand.
create function models_demand(strategy text) returns boolean
language sql immutable parallel safe as $$
    select (strategy_facts(strategy)).basis = 'demand'
$$;

-- e^x where it matters: 0 below e^-60, at most e^60.
create function bounded_exp(x float8) returns float8
language sql immutable parallel safe as $$
    select case when x < -60 then 0 else exp(least(x, 60)) end
$$;

-- How far past a threshold stock must come before the price goes back: a share of the distance, at least 1 unit.
create function band_gap(low integer, high integer, gap_share numeric) returns integer
language sql immutable as $$
    select greatest(1, floor(gap_share * (high - low))::integer)
$$;

-- The band that stock is in: 1 scarce, -1 too much, 0 between. Low from stock <= low until stock > low + gap, high
-- from stock >= high until stock < high - gap; low + gap < high - gap holds for every product and rule by constraint.
create function next_band(previous smallint, stock integer, low integer, high integer, gap integer)
returns smallint
language sql immutable as $$
    select (case when stock <= low then 1
                 when stock >= high then -1
                 when previous = 1 and stock <= low + gap then 1
                 when previous = -1 and stock >= high - gap then -1
                 else 0 end)::smallint
$$;

-- Strategy `bands`: a step above or below base, never a step from the last price, so that nothing compounds.
create function strategy_bands(base numeric, up numeric, down numeric, band smallint) returns numeric
language sql immutable as $$
    select case band when 1 then base * (1 + up) when -1 then base * (1 - down) else base end
$$;

-- The target of a strategy that goes by base or by stock level; null for any other.
create function level_target(strategy text, base numeric, up numeric, down numeric, band smallint) returns numeric
language sql immutable parallel safe as $$
    select case strategy when 'bands' then strategy_bands(base, up, down, band)
                         when 'manual' then base end
$$;

-- f(n, m) = 1 - ErlangB(n, m): the chance that n units outlast Poisson demand of mean m. By the recursion of the
-- reciprocal, whose terms stay small; far from the edge it is 1, and a long recursion begins at its fixed point close
-- to the edge. (Gallego & van Ryzin 1994 for its use here; the recursion is Jagerman's for Erlang's B.)
create function erlang_share(n integer, m float8) returns float8
language plpgsql immutable parallel safe as $$
declare
    w float8 := 10 * sqrt(greatest(m, 0)) + 20;  -- steps after which the beginning no longer matters
    first integer := 1;
    x float8 := 1;
    y float8;
begin
    if m <= 1e-12 or n > m + w then return 1; end if;
    if n < 0.999999 * m then w := least(w, 40 / ln(m / n) + 1); end if;
    if n > w then
        first := floor(n - w)::integer;
        if first < m then x := 1 / greatest(1 - first / m, 1e-12); end if;
        first := first + 1;
    end if;
    for k in first..n - 1 loop
        x := 1 + x * k / m;
    end loop;
    y := x * n / m;
    return y / (1 + y);
end $$;

-- m = D exp((base - v)/θ - 1): of the D units that would sell at base until the horizon, those that would sell at the
-- best price v + θ.
create function demand_at_best(d float8, base float8, elasticity float8, v float8) returns float8
language sql immutable parallel safe as $$
    select d * bounded_exp((base - v) * elasticity / base - 1)
$$;

-- Strategy `deadline`: v + θ (1 - ln f(stock, m)), with m as above. Optimal for exponential demand (Gallego & van Ryzin
-- 1994). Stock is at least 1.
create function strategy_deadline(stock integer, d float8, base float8, elasticity float8, v float8)
returns float8
language plpgsql immutable parallel safe as $$
begin
    return v + base / elasticity * (1 - ln(erlang_share(stock, demand_at_best(d, base, elasticity, v))));
end $$;

-- Strategy `cover`: what sells `stock` of the D units that base would sell, never below the best price v + θ of
-- plentiful stock; where nothing ends, never below base either.
create function strategy_cover(
    stock integer, d float8, base float8, elasticity float8, v float8, has_end boolean
) returns float8
language sql immutable parallel safe as $$
    select greatest(v + base / elasticity, base + base / elasticity * ln(greatest(d, 1e-12) / stock),
                    case when not has_end then base end)
$$;

-- Strategy `markdown`: willingness to pay falls by the share `decay` a day and has done so for `age` days:
-- v + e^(-δt) θ (1 - k ln f(stock, m)), k = (1 - e^(-δτ)) / (δτ) for the τ days left.
create function strategy_markdown(
    stock integer, d float8, base float8, elasticity float8, v float8, decay float8, age float8, days_left float8
) returns float8
language plpgsql immutable parallel safe as $$
declare
    z float8 := decay * days_left;
    k float8 := case when z < 1e-9 then 1 else (1 - bounded_exp(-z)) / z end;
begin
    return v + bounded_exp(-decay * age) * base / elasticity
        * (1 - k * ln(erlang_share(stock, demand_at_best(d, base, elasticity, v))));
end $$;

-- The target of a strategy that models demand. `rate` is units a day at base, `season_left` the demand weight until
-- the horizon in days of average demand, `age` the days since the season began; has_end: whether there is a horizon at
-- all, an arrival for `restock`. `learn` is deadline or markdown on estimates instead of declarations.
create function strategy_target(
    strategy text, stock integer, base float8, cost float8, unit_value float8, elasticity float8, rate float8,
    season_left float8, days_left float8, has_end boolean, decay float8, age float8
) returns float8
language plpgsql immutable parallel safe as $$
begin
    case strategy
        when 'cover' then
            return strategy_cover(stock, rate * season_left, base, elasticity, unit_value, has_end);
        when 'deadline' then
            return strategy_deadline(stock, rate * season_left, base, elasticity, unit_value);
        when 'restock' then
            if not has_end then return coalesce(cost + base / elasticity, base); end if;
            return strategy_deadline(stock, rate * season_left, base, elasticity, coalesce(cost, unit_value));
        when 'markdown' then
            return strategy_markdown(stock, rate * season_left, base, elasticity, unit_value, decay, age, days_left);
        when 'learn' then
            if decay = 0 then
                return strategy_deadline(stock, rate * season_left, base, elasticity, unit_value);
            end if;
            return strategy_markdown(stock, rate * season_left, base, elasticity, unit_value, decay, age, days_left);
    end case;
end $$;

-- The demand weight between two times, in days of average demand: the integral of the profile, whose weights stand for
-- equal slices of the season. Outside the season nothing weighs; without a profile or a season a day weighs 1.
create function season_weight(
    profile float8[], starts timestamptz, ends timestamptz, earlier timestamptz, later timestamptz
) returns float8
language plpgsql immutable parallel safe as $$
declare
    slices integer := cardinality(profile);
    slice float8;   -- days a slice
    a float8;       -- slices from the start to each end of the interval
    b float8;
begin
    if ends is not null then
        earlier := greatest(earlier, starts);
        later := least(later, ends);
    end if;
    if later <= earlier then return 0; end if;
    if profile is null then return days_between(earlier, later); end if;
    slice := days_between(starts, ends) / slices;
    a := days_between(starts, earlier) / slice;
    b := days_between(starts, later) / slice;
    if floor(a) >= floor(b) then return slice * (b - a) * profile[1 + least(floor(a), slices - 1)::integer]; end if;
    return slice * ((floor(a) + 1 - a) * profile[1 + floor(a)::integer]
        + coalesce((select sum(w) from unnest(profile[2 + floor(a)::integer:floor(b)::integer]) w), 0)
        + (b - floor(b)) * coalesce(profile[1 + floor(b)::integer], 0));
end $$;
