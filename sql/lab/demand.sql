--! code
-- The laboratory's customers: simulated seasons of demand that are the same in any language. Random numbers are a
-- SplitMix64 by counter: the k-th number of a season is found without the ones before it. Time is in days from the
-- season's start, a season's weight is a factor on the arrival rate. Nothing here reads or writes a table.

-- Refuses a scenario as an invalid parameter.
create function refuse_scenario(field text, message text) returns void
language plpgsql as $$
begin
    perform fail('PR602', format('%s %s.', field, message), jsonb_build_object('violations', jsonb_build_array(
        jsonb_build_object('path', '/scenarios', 'rule', field, 'message', message))));
end $$;

-- Unsigned 64-bit arithmetic, which wraps, on bigint, which overflows: a number is three limbs of 22, 22 and 20 bits.
create function limb64(a bigint, place integer) returns bigint
language sql immutable parallel safe as $$
    select (a >> (22 * place)) & 4194303
$$;

create function sum64(a bigint, b bigint) returns bigint
language sql immutable parallel safe as $$
    select ((a >> 32) + (b >> 32) + (((a & 4294967295) + (b & 4294967295)) >> 32) << 32)
        | (((a & 4294967295) + (b & 4294967295)) & 4294967295)
$$;

-- The limbs of the middle of a product, whose weight is 2^22.
create function middle64(a bigint, b bigint) returns bigint
language sql immutable parallel safe as $$
    select limb64(a, 0) * limb64(b, 1) + limb64(a, 1) * limb64(b, 0)
$$;

-- The low 44 bits of a product, with their carry.
create function low64(a bigint, b bigint) returns bigint
language sql immutable parallel safe as $$
    select limb64(a, 0) * limb64(b, 0) + ((middle64(a, b) & 4194303) << 22)
$$;

create function product64(a bigint, b bigint) returns bigint
language sql immutable parallel safe as $$
    select (limb64(a, 0) * limb64(b, 2) + limb64(a, 1) * limb64(b, 1) + limb64(a, 2) * limb64(b, 0)
            + (middle64(a, b) >> 22) + (low64(a, b) >> 44) << 44) | (low64(a, b) & 17592186044415)
$$;

-- SplitMix64's output function (Steele, Lea & Flood 2014). The multipliers are BF58476D1CE4E5B9 and 94D049BB133111EB.
create function mix64(z bigint) returns bigint
language plpgsql immutable parallel safe as $$
begin
    z := z # ((z >> 30) & 17179869183);
    z := product64(z, -4658895280553007687);
    z := z # ((z >> 27) & 137438953471);
    z := product64(z, -7723592293110705685);
    return z # ((z >> 31) & 8589934591);
end $$;

-- Where a season's stream begins; -7046029254386353131 is the generator's step, 9E3779B97F4A7C15.
create function stream_start(seed bigint, season bigint) returns bigint
language sql immutable parallel safe as $$
    select mix64(sum64(mix64(sum64(product64(seed, -7046029254386353131), -7046029254386353131)),
                       product64(season + 1, -7046029254386353131)))
$$;

-- The number at a place of a stream, above 0 and below 1. The k-th place, k from 0, is k + 1 steps after the start.
create function stream_unit(place bigint) returns float8
language sql immutable parallel safe as $$
    select (((mix64(place) >> 11) & 9007199254740991)::float8 + 0.5) * 1.1102230246251565e-16
$$;

-- Parses a season into factors of three numbers each: ramp 1, weight at day 0, rise a day; weekly 2, amplitude, days of
-- shift; steps 3, 0, 0, followed by 4, day, weight for each step in order of days. No factor: always 1.
create function parse_season(field text, season text, horizon float8) returns float8[]
language plpgsql immutable as $$
declare
    number constant text := '(-?[0-9.]+(?:e[+-]?[0-9]+)?)';
    factors float8[] := '{}';
    word text;
    f text[];
begin
    foreach word in array regexp_split_to_array(replace(lower(season), ' ', ''), '\*') loop
        if word ~ ('^ramp\(' || number || ',' || number || '\)$') then
            f := regexp_match(word, '\((.*),(.*)\)');
            factors := factors || array[1, f[1]::float8, (f[2]::float8 - f[1]::float8) / horizon];
        elsif word ~ ('^weekly\(' || number || ',' || number || '\)$') then
            f := regexp_match(word, '\((.*),(.*)\)');
            factors := factors || array[2, f[1]::float8, f[2]::float8];
        elsif word ~ ('^steps\(' || number || ':' || number || '(,' || number || ':' || number || ')*\)$') then
            factors := factors || array[3, 0, 0]::float8[];
            for f in select m from regexp_matches(word, '([^(,:]+):([^,:)]+)', 'g') m order by m[1]::float8 loop
                factors := factors || array[4, f[1]::float8, f[2]::float8];
            end loop;
        elsif word !~ '^1(\.0*)?$' then
            perform refuse_scenario(field, format('is no product of ramp, weekly and steps: %s', season));
        end if;
    end loop;
    return factors;
end $$;

-- The weight of a moment.
create function season_at(factors float8[], t float8) returns float8
language plpgsql immutable parallel safe as $$
declare
    weight float8 := 1;
    step float8 := 1;
begin
    if factors = '{}' then return 1; end if;
    for i in 1..cardinality(factors) by 3 loop
        case factors[i]
            when 1 then weight := weight * (factors[i + 1] + factors[i + 2] * t);
            when 2 then weight := weight * (1 + factors[i + 1] * sin(2 * pi() * (t + factors[i + 2]) / 7));
            when 3 then weight := weight * step; step := 1;
            else if t >= factors[i + 1] then step := factors[i + 2]; end if;
        end case;
    end loop;
    return weight * step;
end $$;

-- The integral of the weight between two times: Gauss-Legendre with five nodes over at most a day at once, cut at
-- steps. Exact for ramps, and for weeks to the last digits of a float8.
create function season_integral(factors float8[], earlier float8, later float8) returns float8
language plpgsql immutable parallel safe as $$
declare
    at_node constant float8[] := array[0.5384693101056831, 0.9061798459386640];
    of_node constant float8[] := array[0.4786286704993665, 0.2369268850561891];
    total float8 := 0;
    ends float8;
    middle float8;
    half float8;
begin
    if factors = '{}' then return later - earlier; end if;
    while earlier < later loop
        ends := least(later, earlier + 1);
        for i in 1..cardinality(factors) by 3 loop
            if factors[i] = 4 and factors[i + 1] > earlier and factors[i + 1] < ends then
                ends := factors[i + 1];
            end if;
        end loop;
        middle := (earlier + ends) / 2;
        half := (ends - earlier) / 2;
        total := total + half * (0.5688888888888889 * season_at(factors, middle)
            + of_node[1] * (season_at(factors, middle - half * at_node[1])
                            + season_at(factors, middle + half * at_node[1]))
            + of_node[2] * (season_at(factors, middle - half * at_node[2])
                            + season_at(factors, middle + half * at_node[2])));
        earlier := ends;
    end loop;
    return total;
end $$;

-- Parses customers' willingness to pay into a family and its two numbers: 1 exponential(θ) and exponential_decay(θ, δ a
-- day); 2 linear(pm); 3 logit(μ, σ); 4 isoelastic(pl, ε).
create function parse_demand(demand text) returns float8[]
language plpgsql immutable as $$
declare
    f text[] := regexp_match(lower(replace(demand, ' ', '')),
        '^([a-z_]+)\((-?[0-9.]+(?:e[+-]?[0-9]+)?)(?:,(-?[0-9.]+(?:e[+-]?[0-9]+)?))?\)$');
    x float8[] := array[f[2], f[3]];
begin
    if f[1] = 'exponential' and x[1] > 0 and x[2] is null then return array[1, x[1], 0]; end if;
    if f[1] = 'exponential_decay' and x[1] > 0 and x[2] >= 0 then return array[1, x[1], x[2]]; end if;
    if f[1] = 'linear' and x[1] > 0 and x[2] is null then return array[2, x[1], 0]; end if;
    if f[1] = 'logit' and x[2] > 0 then return array[3, x[1], x[2]]; end if;
    if f[1] = 'isoelastic' and x[1] > 0 and x[2] > 0 then return array[4, x[1], x[2]]; end if;
    perform refuse_scenario('demand', format('is none of exponential(θ), exponential_decay(θ,δ), linear(pm), '
        'logit(μ,σ),'
        ' isoelastic(pl,ε): %s', demand));
end $$;

-- The most that a customer pays who arrives at day t and is the share u down the demand curve.
create function willing_to_pay(demand float8[], u float8, t float8) returns float8
language sql immutable parallel safe as $$
    select case demand[1]
        when 1 then -demand[2] * bounded_exp(-demand[3] * t) * ln(u)
        when 2 then demand[2] * u
        when 3 then demand[2] + demand[3] * ln(u / (1 - u))
        else demand[2] * bounded_exp(-ln(u) / demand[3]) end
$$;

-- The share of customers at day t who pay p or more.
create function share_willing(demand float8[], p float8, t float8) returns float8
language sql immutable parallel safe as $$
    select case demand[1]
        when 1 then bounded_exp(-greatest(p, 0) / demand[2] * bounded_exp(demand[3] * t))
        when 2 then least(1, greatest(0, 1 - p / demand[2]))
        when 3 then 1 / (1 + bounded_exp((p - demand[2]) / demand[3]))
        else case when p <= demand[2] then 1 else bounded_exp(-demand[3] * ln(p / demand[2])) end end
$$;

-- A scenario as the CSV's columns declare it, checked and made ready.
create function parse_scenario(declared jsonb) returns lab_scenario
language plpgsql immutable as $$
declare
    s lab_scenario;
begin
    s.name := declared ->> 'name';
    s.stock := (declared ->> 'stock')::integer;
    s.horizon := (declared ->> 'horizon_days')::float8;
    s.arrivals := (declared ->> 'customers_per_day')::float8;
    s.demand := parse_demand(declared ->> 'demand');
    s.season := parse_season('season_true', coalesce(declared ->> 'season_true', '1'), s.horizon);
    s.believed := parse_season('season_believed', coalesce(declared ->> 'season_believed', '1'), s.horizon);
    s.season_max := coalesce((declared ->> 'season_max')::float8, 1);
    s.base := (declared ->> 'base')::float8;
    s.elasticity := coalesce((declared ->> 'elasticity')::float8, 2);
    s.salvage := coalesce((declared ->> 'salvage')::float8, 0);
    s.decay := coalesce((declared ->> 'believed_decay')::float8, 0);
    s.seed := coalesce((declared ->> 'seed')::bigint, 1);
    s.best_fixed := (declared ->> 'best_fixed_price')::float8;
    s.floor_at := greatest(case when s.decay > 0 then 0.1 else 0.4 end * s.base::numeric, s.salvage::numeric);
    s.ceiling_at := 3 * s.base;
    s.price_step := 0.01 * s.base::numeric;
    s.true_rate := coalesce((declared ->> 'true_rate')::float8, 1);
    s.true_elasticity := coalesce((declared ->> 'true_elasticity')::float8, 1);
    if s.arrivals * s.season_max * s.horizon > 1e6 then
        perform refuse_scenario('customers_per_day', 'would bring more than 1000000 customers a season');
    end if;
    if s.ceiling_at < s.floor_at then perform refuse_scenario('salvage', 'exceeds three times base'); end if;
    if season_integral(s.believed, 0, s.horizon) <= 0 then
        perform refuse_scenario('season_believed', 'leaves no demand');
    end if;
    s.ref_rate := coalesce((declared ->> 'ref_rate')::float8, s.stock / season_integral(s.believed, 0, s.horizon));
    return s;
end $$;

-- The customers of one season in order of time: when each comes, and the most that each pays. Candidates come at the
-- season's highest rate and are thinned to the rate of their moment.
create function draw_customers(scenario lab_scenario, season_number bigint, out times float8[], out willing float8[])
language plpgsql immutable parallel safe as $$
declare
    gap float8 := 1 / (scenario.arrivals * scenario.season_max);
    demand float8[] := scenario.demand;
    thinned boolean := scenario.season <> '{}' or scenario.season_max <> 1;
    place bigint := sum64(stream_start(scenario.seed, season_number), -7046029254386353131);
    next bigint;
    t float8 := 0;
    n integer := 0;
begin
    times := '{}';
    willing := '{}';
    loop
        t := t - ln(stream_unit(place)) * gap;
        exit when t >= scenario.horizon;
        next := sum64(place, 4354685564936845354);  -- two steps on
        if not thinned or stream_unit(next) * scenario.season_max <= season_at(scenario.season, t) then
            place := sum64(place, -7046029254386353131);
            n := n + 1;
            times[n] := t;
            willing[n] := willing_to_pay(demand, stream_unit(place), t);
        end if;
        place := sum64(next, -7046029254386353131);
    end loop;
end $$;

-- The largest of P(willing >= p) (p - d) over all prices p, at day t: what one arrival is worth when a unit that stays
-- is worth d. For isoelastic demand the elasticity must exceed 1.
create function arrival_worth(demand float8[], d float8, t float8) returns float8
language plpgsql immutable parallel safe as $$
declare
    scale float8 := demand[2];
    c float8;
    y float8;
begin
    case demand[1]
        when 1 then
            if demand[3] > 0 then scale := scale * exp(-least(demand[3] * t, 60)); end if;
            return scale * bounded_exp(-1 - d / scale);
        when 2 then
            return greatest(0, scale - d) ^ 2 / (4 * scale);
        when 3 then  -- y + ln y = c by Newton's method
            c := (scale - d) / demand[3] - 1;
            y := case when c < 1 then exp(greatest(c, -600)) / (1 + 0.6 * exp(greatest(c, -600))) else c - ln(c) end;
            for i in 1..4 loop
                y := greatest(0.1 * y, y - (y + ln(y) - c) * y / (y + 1));
            end loop;
            return demand[3] * y;
        else
            y := greatest(scale, d * demand[3] / (demand[3] - 1));
            return bounded_exp(-demand[3] * ln(y / scale)) * (y - d);
    end case;
end $$;

-- The expected value of a season to a seller who knows the demand but not the customers: the Hamilton-Jacobi-Bellman
-- equation dV(n)/dt = -rate arrival_worth(V(n) - V(n-1)) backwards from V(n) = n salvage, by the midpoint rule, with a
-- step in which at most one candidate is expected. Null where no price is optimal (isoelastic, elasticity <= 1).
create function lab_optimum(scenario lab_scenario) returns float8
language plpgsql immutable parallel safe as $$
declare
    steps integer := greatest(400, ceil(scenario.arrivals * scenario.season_max * scenario.horizon));
    dt float8 := scenario.horizon / steps;
    demand float8[] := scenario.demand;
    worth float8[];   -- V(0), V(1), ... V(stock)
    halfway float8[];
    rate float8;      -- arrivals in this step
    t float8;
begin
    if demand[1] = 4 and demand[3] <= 1 then return null; end if;
    for n in 0..scenario.stock loop worth[n] := n * scenario.salvage; end loop;
    halfway := worth;
    for i in reverse steps - 1..0 loop
        rate := scenario.arrivals * season_integral(scenario.season, i * dt, (i + 1) * dt);
        t := (i + 1) * dt;
        for n in 1..scenario.stock loop
            halfway[n] := worth[n] + rate / 2 * arrival_worth(demand, worth[n] - worth[n - 1], t);
        end loop;
        t := t - dt / 2;
        for n in 1..scenario.stock loop
            worth[n] := worth[n] + rate * arrival_worth(demand, halfway[n] - halfway[n - 1], t);
        end loop;
    end loop;
    return worth[scenario.stock];
end $$;

-- The expected value of a season at one price from beginning to end: Poisson demand, cut off at the stock.
create function fixed_price_worth(scenario lab_scenario, price float8) returns float8
language plpgsql immutable parallel safe as $$
declare
    cells integer := case when scenario.demand[1] = 1 and scenario.demand[3] > 0 then ceil(4 * scenario.horizon)
                          else 1 end;
    cell float8 := scenario.horizon / cells;
    m float8 := 0;
    chance float8;       -- of exactly k sales, in logarithm
    unsold float8 := 0;
begin
    for i in 0..cells - 1 loop
        m := m + scenario.arrivals * season_integral(scenario.season, i * cell, (i + 1) * cell)
            * share_willing(scenario.demand, price, (i + 0.5) * cell);
    end loop;
    if m < 1e-9 then return scenario.stock * scenario.salvage; end if;
    chance := -m;
    for k in 0..scenario.stock - 1 loop
        if chance > -700 then unsold := unsold + (scenario.stock - k) * exp(chance); end if;
        chance := chance + ln(m / (k + 1));
    end loop;
    return price * (scenario.stock - unsold) + scenario.salvage * unsold;
end $$;

-- The best price that never changes, to a thousandth of base: a benchmark that knows the true demand.
create function best_fixed_price(scenario lab_scenario) returns float8
language plpgsql immutable parallel safe as $$
declare
    best float8 := 3 * scenario.base;
    width float8 := 3 * scenario.base;
begin
    while width > 0.001 * scenario.base loop
        best := (select p from generate_series(-20, 20) i, lateral (select best + width * i / 20.0::float8 as p) at_i
                 where p > 0 order by fixed_price_worth(scenario, p) desc limit 1);
        width := width / 10;
    end loop;
    return best;
end $$;
