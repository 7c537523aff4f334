--! code
-- What the shop knows of its products before they have sold: where one person typed the rates, all of them err alike.
-- Once a day, in UTC, what every product under `learn` has shown so far is drawn together for the shop, and for each
-- category with ten products that sold; the estimates of that day begin there.
--
-- The two shifts of learn_estimate are chosen so that what all products sold is likeliest (empirical Bayes by type II
-- maximum likelihood; Robbins 1956, Good 1965): each day takes one step of Newton's method from the day before. That a
-- shop does not err weighs as much as the evidence of one product that knows its own rate.
--
-- Not all products err so. The share of those that do is the likeliest one for what the products on sale sold, and each
-- product moves the shifts, and follows them, as surely as its own sales say that it is one of them (a mixture of two
-- priors; McLachlan and Peel 2000). Products of a season that ended say nothing of the share: what one person typed a
-- year ago may be typed otherwise now.

-- The mean and the variance of the logarithm of the multiples on the grid, by weight.
create function grid_moments(w float8[]) returns float8[]
language plpgsql immutable parallel safe as $$
declare
    total float8 := grid_total(w);
    mean float8 := 0.34657359027997264::float8 * (3 * (w[7] - w[1]) + 2 * (w[6] - w[2]) + w[5] - w[3]) / total;
begin
    return array[mean, 0.12011325347955035::float8 * (9 * (w[7] + w[1]) + 4 * (w[6] + w[2]) + w[5] + w[3]) / total
                       - mean ^ 2];
end $$;

-- The same before a sale: what is believed of every product of a shop alike.
create function prior_moments(shift_elasticity float8) returns float8[]
language sql immutable parallel safe as $$
    select grid_moments(grid_weights(learner_empty(), 1, 1, 0, shift_elasticity))
$$;

-- What one product says of its shop: the slopes of its log likelihood in each shift as it stands, and how sharply they
-- bend, both in units of what the prior of one product weighs; and its odds. `believed`: prior_moments of the shift;
-- `alone`: the weights of the grid under none.
create function learner_says(
    state float8[], elasticity float8, ref_rate float8, shift_rate float8, shift_elasticity float8, believed float8[],
    alone float8[]
) returns float8[]
language plpgsql immutable parallel safe as $$
declare
    shape float8 := 8 + greatest(state[1], 0);
    b float8 := prior_exposure(ref_rate, shift_rate);
    w float8[] := grid_weights(state, elasticity, ref_rate, shift_rate, shift_elasticity);
    total float8 := grid_total(w);
    seen float8[] := grid_moments(w);
    -- the prior's part of the days of average demand, and its square
    part float8 := b * grid_paces(w, state, b) / total;
    square float8 := b * b * (w[1] / (b + state[3]) ^ 2 + w[2] / (b + state[4]) ^ 2 + w[3] / (b + state[5]) ^ 2
        + w[4] / (b + state[6]) ^ 2 + w[5] / (b + state[7]) ^ 2 + w[6] / (b + state[8]) ^ 2
        + w[7] / (b + state[9]) ^ 2) / total;
begin
    return array[shape * part / 8 - 1, shape * (part - square) / 8, seen[1] - believed[1],
        greatest(0, believed[2] - seen[2]) / 0.49, shop_odds(w, alone, state[1], shift_rate, shift_elasticity)];
end $$;

-- The share of products that err as their shop does under which their odds are likeliest: where the slope of the log
-- likelihood, which falls all the way, is 0. That it is a half weighs as much as two products.
create function likeliest_share(odds float8[]) returns float8
language plpgsql immutable parallel safe as $$
declare
    low float8 := 0.01;
    high float8 := 0.99;
    share float8;
begin
    for k in 1..12 loop
        share := (low + high) / 2;
        if (select coalesce(sum((o - 1) / (share * o + 1 - share)), 0) from unnest(odds) o)
           + 1 / share - 1 / (1 - share) > 0 then low := share;
        else high := share;
        end if;
    end loop;
    return (low + high) / 2;
end $$;

-- A shift after one step from what it was: by half at most, and never beyond 1.5.
create function shift_step(shift float8, slopes float8, bends float8) returns float8
language sql immutable parallel safe as $$
    select least(greatest(shift + least(greatest((slopes - shift) / (bends + 1), -0.5), 0.5), -1.5), 1.5)
$$;

-- Keeps what was known of products whose season ended since a moment, before it fades.
create function remember_seasons(since timestamptz, moment timestamptz) returns void
language sql as $$
    insert into past_season (product_id, ended_at, state, base_price, elasticity)
    select d.product_id, d.season_end, l.state, d.base_price, d.elasticity
    from learner l join product d using (product_id)
    where d.season_end <= moment and (since is null or d.season_end > since) and l.state <> learner_empty()
    on conflict do nothing
$$;

-- What is known of a product at a moment: its state, and what it knew when its last season ended, of which half is
-- forgotten in a year until the next begins, and in 21 days of that. Between seasons that is all.
create function known_state(declared product, state float8[], moment timestamptz) returns float8[]
language plpgsql stable as $$
declare
    last past_season;
    begins timestamptz := coalesce(declared.season_start, declared.created_at);
begin
    select p.* into last from past_season p
    where p.product_id = declared.product_id and p.ended_at <= moment and p.base_price = declared.base_price
      and p.elasticity = declared.elasticity
    order by p.ended_at desc limit 1;
    if not found or last.ended_at > begins and last.ended_at <> declared.season_end then return state; end if;
    if last.ended_at > begins or begins > moment then
        return learn_fold(last.state, learner_empty(), days_between(last.ended_at, moment) * 21 / 365);
    end if;
    return learn_fold(last.state, state, days_between(last.ended_at, begins) * 21 / 365 + days_between(begins, moment));
end $$;

-- What a product's estimates begin with at a moment: its category's line where that has one, else the shop's; null
-- before the first, and under a rule that does not learn from the shop.
create function shop_prior_at(declared product, chosen rule, moment timestamptz) returns shop_prior
language plpgsql stable as $$
declare
    prior shop_prior;
begin
    if (strategy_facts(chosen.strategy)).learns and chosen.from_shop then
        select p.* into prior from shop_prior p
        where p.at = (select max(s.at) from shop_prior s where s.category_id = 0 and s.at <= moment)
          and p.category_id in (0, declared.category_id)
        order by p.category_id desc limit 1;
    end if;
    return prior;
end $$;

-- What the shop's products have shown until a moment becomes what they begin with, unless that was done this day.
create function renew_shop_prior(moment timestamptz) returns void
language plpgsql as $$
declare
    former timestamptz := (select max(at) from shop_prior where category_id = 0);
begin
    if former >= date_trunc('day', moment at time zone 'UTC') at time zone 'UTC' then return; end if;
    perform remember_seasons(former, moment);
    insert into shop_prior (at, category_id, products, evidence, shift_rate, shift_elasticity, share)
    with learned as materialized (
        select d.category_id, d.elasticity, coalesce(d.ref_rate, i.opening_rate) as ref_rate,
               known_state(d, l.state, moment) as state,
               d.season_start <= moment is not false and d.season_end > moment is not false as is_on_sale
        from learner l join product d using (product_id) join inventory i using (product_id)
        where l.state is not null and coalesce(d.ref_rate, i.opening_rate) is not null
    ), known as materialized (
        select *, grid_weights(state, elasticity, ref_rate, 0, 0) as alone from learned where state <> learner_empty()
    ), scope as materialized (
        select s.category_id, coalesce(p.shift_rate, 0) as rate, coalesce(p.shift_elasticity, 0) as elasticity,
               prior_moments(coalesce(p.shift_elasticity, 0)) as believed, coalesce(p.share, 0.5) as share
        from (select 0::bigint union select category_id from category) s (category_id)
        left join shop_prior p on p.at = former and p.category_id = s.category_id
    )
    select moment, s.category_id, count(*), sum(belief * x[2]),
           shift_step(s.rate, sum(belief * x[1]), sum(belief * x[2])),
           shift_step(s.elasticity, sum(belief * x[3]), sum(belief * x[4])),
           likeliest_share(array_agg(x[5]) filter (where k.is_on_sale))
    from known k cross join lateral (values (0::bigint), (k.category_id)) belongs (scope)
    join scope s on s.category_id = belongs.scope
    cross join learner_says(k.state, k.elasticity, k.ref_rate, s.rate, s.elasticity, s.believed,
                            k.alone) x
    cross join shop_belief(s.share, x[5]) belief
    group by s.category_id, s.rate, s.elasticity
    having s.category_id = 0 or count(*) filter (where k.state[1] > 0) >= 10;
end $$;

-- The same for people: "94 % of the shop's products sell 0.70 of what was declared".
create function shop_prior_note(declared product, chosen rule, moment timestamptz) returns text
language sql stable as $$
    select format('%s %% of %s products sell %s of what was declared, to buyers %s times as sensitive to price; so '
                  'this one began (%s products, %s)',
                  round(100 * p.share), case when p.category_id = 0 then 'the shop''s' else 'its category''s' end,
                  round(exp(p.shift_rate)::numeric, 2), round(exp(p.shift_elasticity)::numeric, 2), p.products,
                  rfc3339(p.at))
    from shop_prior_at(declared, chosen, moment) p where p.at is not null
$$;

-- What the history keeps of it.
create function shop_prior_inputs(declared product, chosen rule, moment timestamptz) returns jsonb
language sql stable as $$
    select coalesce((
        select jsonb_build_object('shopRate', p.shift_rate, 'shopElasticity', p.shift_elasticity, 'shopShare', p.share)
        from shop_prior_at(declared, chosen, moment) p where p.at is not null), '{}')
$$;
