--! code
-- Claims of a reduction, after the price indication rule of the EU (Directive 98/6/EC, article 6a): what is announced
-- as a reduction is measured against the lowest price charged in the 30 days before it began. A price that stood before
-- them is carried in; the price that a product was born with is no reduction.

-- Since when a product's price stands reduced; null where it is not. Under campaigns that lower it, since the one that
-- makes it what it is began for this product, however the price moved with stock meanwhile; else since its last change,
-- if that was a fall.
create function reduced_since(d product, r rule, i inventory) returns timestamptz
language plpgsql stable as $$
declare
    last price_change;
begin
    if is_reduced(i) and i.price < i.regular_price then
        return greatest(
            (select min(started_at) from campaign where campaign_id in (
                select (c ->> 'campaignId')::bigint from jsonb_array_elements(campaigns_of(d, r, i)) c
                where (c ->> 'price')::numeric = i.price)),
            (select c.at from price_change c where c.product_id = d.product_id and c.old_regular is null
               and c.new_regular is not null order by c.sequence desc limit 1));
    end if;
    select * into last from price_change where product_id = d.product_id and cause <> 'initial'
    order by sequence desc limit 1;
    return case when last.new_price < last.old_price then last.at end;
end $$;

-- The prices charged since a moment, each with its times, the first one carried in; the last one stands.
create function prices_since(i inventory, moment timestamptz)
returns table (price numeric, since timestamptz, until timestamptz)
language sql stable as $$
    select p.price, p.since, lead(p.since, 1, 'infinity') over (order by p.n)
    from (select coalesce((select new_price from price_change c
                           where c.product_id = i.product_id and c.at < moment order by sequence desc limit 1),
                          i.opening_price)::numeric as price, moment as since, 0::bigint as n
          union all
          select c.new_price, c.at, c.sequence from price_change c
          where c.product_id = i.product_id and c.at >= moment) p
$$;

-- A day of the shop, UTC.
create function day_text(moment timestamptz) returns text
language sql stable as $$
    select to_char(moment at time zone 'UTC', 'YYYY-MM-DD')
$$;

create function reference_json(price numeric, since timestamptz) returns jsonb
language sql stable as $$
    select jsonb_build_object('price', price::numeric(12, 2)::text, 'on', day_text(since))
$$;

-- The price at which "percent % off" is true of another, to the cent.
create function price_off(price numeric, percent numeric) returns numeric
language sql immutable as $$
    select round(price * (1 - percent / 100), 2)
$$;

-- Whether "percent % off" is true of a product now.
create function check_claim(d product, r rule, i inventory, percent numeric) returns jsonb
language plpgsql stable as $$
declare
    began timestamptz := reduced_since(d, r, i);
    moment timestamptz := coalesce(began, pricing_now());
    is_young boolean := d.created_at > moment - interval '30 days';
    lowest record;
    said text;
    is_true boolean;
begin
    select p.price, p.since into lowest
    from prices_since(i, greatest(moment - interval '30 days', d.created_at)) p
    where p.since < moment or p.since = d.created_at order by p.price, p.since limit 1;
    is_true := began is not null and not is_young and i.price <= price_off(lowest.price, percent);
    said := case
        when is_young then format('too young: there is it since %s, and a reduction is measured against 30 days before '
                                  'it began', day_text(d.created_at))
        when began is null then format('the price of %s is not reduced: the lowest price of the last 30 days is %s',
                                       i.price, lowest.price)
        else format('%s is %s %% below %s, the lowest price of the 30 days before the reduction began on %s%s',
            i.price, trim_scale(round(100 * (1 - i.price / lowest.price), 2)), lowest.price, day_text(began),
            case when is_true then '' else format('; -%s %% would be %s', trim_scale(percent),
                                                  price_off(lowest.price, percent)) end) end;
    return jsonb_build_object('productId', d.product_id, 'sku', d.sku, 'percentOff', percent, 'truthful', is_true,
        'tooYoung', is_young, 'price', i.price::text, 'reference', reference_json(lowest.price, lowest.since),
        'reducedSince', rfc3339(began), 'reason', said);
end $$;

-- The prices charged since a moment and to come, if nothing but the end of its campaigns moves them.
create function prices_foreseen(i inventory, moment timestamptz, campaigns_end timestamptz)
returns table (price numeric, since timestamptz, until timestamptz)
language sql stable as $$
    select p.price, p.since, least(p.until, campaigns_end) from prices_since(i, moment) p
    where campaigns_end is null or p.since < campaigns_end
    union all
    select i.regular_price, greatest(campaigns_end, moment), 'infinity' where campaigns_end is not null
$$;

-- The first day on which a reduction by so many percent of the regular price may begin and be announced, if nothing
-- else moves: running campaigns end at their time. None where floor or rounding stand in the way.
create function plan_claim(
    d product, r rule, i inventory, percent numeric, out first_day timestamptz, out planned numeric,
    out reference jsonb, out reason text
)
language plpgsql stable as $$
declare
    moment timestamptz := pricing_now();
    campaigns_end timestamptz := case when is_reduced(i) then (
        select max(c.ends_at) from campaign c where c.status in ('starting', 'running') and is_for(c, d)) end;
    limits record := price_limits(d, r);
    begins timestamptz;
    lowest record;
begin
    planned := (reduce_price(i.regular_price, percent, null, limits.floor_at, limits.ceiling_at, r.price_step,
                             r.price_offset)).price;
    if planned > price_off(i.regular_price, percent) then
        reason := format('floor and rounding leave %s, which is not %s %% below %s', planned, trim_scale(percent),
                         i.regular_price);
        return;
    end if;
    begins := interval '30 days' + greatest(d.created_at, (
        select max(p.until) from prices_foreseen(i, moment - interval '30 days', campaigns_end) p
        where planned > price_off(p.price, percent)));
    first_day := case when begins <= moment then start_of_today() else next_day(begins - interval '1 us') end;
    moment := greatest(moment, first_day);
    select p.price, p.since into lowest
    from prices_foreseen(i, moment - interval '30 days', campaigns_end) p
    where p.since < moment order by p.price, p.since limit 1;
    reference := reference_json(lowest.price, greatest(lowest.since, moment - interval '30 days'));
    reason := format('%s is %s %% below %s, the lowest price of the 30 days before', planned,
        trim_scale(round(100 * (1 - planned / lowest.price), 2)), lowest.price);
end $$;

create function claim_check(p jsonb) returns json
language plpgsql stable as $$
declare
    percent numeric := (p ->> 'percentOff')::numeric;
    d product := find_open_product((p ->> 'productId')::bigint);
    r rule;
    i inventory;
    checked jsonb;
begin
    if percent <= 0 then perform refuse_campaign('/percentOff', 'minimum', 'must be over 0, and at most 95'); end if;
    select * into r from rule where rule_id = d.rule_id;
    select * into i from inventory where product_id = d.product_id;
    checked := check_claim(d, r, i, percent);
    return checked || jsonb_build_object('firstDay', day_text(case when (checked ->> 'truthful')::boolean
        then start_of_today() else (plan_claim(d, r, i, percent)).first_day end));
end $$;

create function claim_plan(p jsonb) returns json
language plpgsql stable as $$
declare
    percent numeric := (p ->> 'percentOff')::numeric;
    d product := find_open_product((p ->> 'productId')::bigint);
    r rule;
    i inventory;
    checked jsonb;
    plan record;
begin
    if percent <= 0 then perform refuse_campaign('/percentOff', 'minimum', 'must be over 0, and at most 95'); end if;
    select * into r from rule where rule_id = d.rule_id;
    select * into i from inventory where product_id = d.product_id;
    checked := check_claim(d, r, i, percent);
    if (checked ->> 'truthful')::boolean then
        return checked - array['tooYoung', 'reducedSince'] || jsonb_build_object('firstDay', day_text(pricing_now()));
    end if;
    plan := plan_claim(d, r, i, percent);
    return jsonb_build_object('productId', d.product_id, 'sku', d.sku, 'percentOff', percent, 'truthful', false,
        'firstDay', day_text(plan.first_day), 'price', plan.planned::numeric(12, 2)::text, 'reference', plan.reference,
        'reason', plan.reason);
end $$;
