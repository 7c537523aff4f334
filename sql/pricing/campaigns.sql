--! code
-- Campaigns: an overlay on the regular price. The regular price follows stock by strategy and guards as ever; the price
-- that is charged is the lowest of it and what each running campaign makes of it, then limits and rounding. Nothing
-- compounds, and where the regular price stands the charged one stands. Which campaigns run for a product is state in
-- its inventory row, written as they start and end and as the product joins or leaves them.

-- What running campaigns make of a regular price; never more than it. The floor beats a campaign.
create function reduce_price(
    regular numeric, percent numeric, fixed numeric, floor_at numeric, ceiling_at numeric, step numeric, shift numeric,
    out price numeric, out binding text
)
language plpgsql immutable as $$
declare
    target numeric := least(regular, fixed, regular * (1 - percent / 100));
    limited numeric := greatest(least(target, ceiling_at), floor_at);
begin
    price := regular;
    if percent is null and fixed is null then return; end if;
    if limited > target then binding := 'floor'; end if;
    price := least(regular, greatest(least(round_to_step(limited, step, shift), ceiling_at), floor_at))::numeric(12, 2);
end $$;

-- Whether running campaigns bear on a row's price: a pin stands above them.
create function is_reduced(i inventory) returns boolean
language sql immutable as $$
    select i.pin_price is null and (i.campaign_percent is not null or i.campaign_price is not null)
$$;

-- The price that a row is charged at, from its regular price.
create function charged_price(declared product, chosen rule, i inventory, out price numeric, out binding text)
language plpgsql immutable as $$
declare
    limits record;
begin
    price := i.regular_price;
    if not is_reduced(i) then return; end if;
    limits := price_limits(declared, chosen);
    select r.price, r.binding into price, binding
    from reduce_price(i.regular_price, i.campaign_percent, i.campaign_price, limits.floor_at, limits.ceiling_at,
                      chosen.price_step, chosen.price_offset) r;
end $$;

-- The same for another regular price, such as one that is foreseen.
create function charged_at(declared product, chosen rule, i inventory, regular numeric) returns numeric
language plpgsql immutable strict as $$
begin
    i.regular_price := regular;
    return (charged_price(declared, chosen, i)).price;
end $$;

-- What the history keeps of the campaigns that bore on a price.
create function campaign_inputs(i inventory) returns jsonb
language plpgsql immutable as $$
begin
    if not is_reduced(i) then return '{}'; end if;
    return jsonb_build_object('campaign', jsonb_strip_nulls(jsonb_build_object(
        'percentOff', i.campaign_percent, 'price', i.campaign_price)));
end $$;

-- Everything that a price was computed from that moved while the regular price stood.
create function charge_inputs(declared product, chosen rule, i inventory) returns jsonb
language plpgsql immutable as $$
declare
    limits record := price_limits(declared, chosen);
begin
    return jsonb_build_object('mode', 'campaign', 'strategy', chosen.strategy, 'ruleId', chosen.rule_id,
        'stock', i.stock, 'posted', i.regular_price, 'floor', limits.floor_at, 'ceiling', limits.ceiling_at,
        'step', chosen.price_step, 'offset', chosen.price_offset) || campaign_inputs(i);
end $$;

-- The price that the inputs in the history make of the regular price.
create function reduce_again(f jsonb, regular numeric, out price numeric, out binding text)
language sql immutable as $$
    select * from reduce_price(regular, (f #>> '{campaign,percentOff}')::numeric, (f #>> '{campaign,price}')::numeric,
        (f ->> 'floor')::numeric, greatest((f ->> 'floor')::numeric, (f ->> 'ceiling')::numeric),
        (f ->> 'step')::numeric, (f ->> 'offset')::numeric)
$$;

-- Whether a campaign is for a product. An archived one is in none.
create function is_for(c campaign, d product) returns boolean
language sql stable as $$
    select d.archived_at is null
        and (c.is_for_all or c.category_id = d.category_id
             or exists (select from campaign_product m
                        where m.campaign_id = c.campaign_id and m.product_id = d.product_id))
$$;

-- What the campaigns that run ask of a product.
create function running_reduction(d product, out percent numeric, out price numeric)
language plpgsql stable as $$
begin
    if d.archived_at is not null then return; end if;
    select max(c.percent_off), min(m.price) into percent, price
    from campaign c
    left join campaign_product m on m.campaign_id = c.campaign_id and m.product_id = d.product_id
    where c.status in ('starting', 'running')
      and (c.is_for_all or c.category_id = d.category_id or m.product_id is not null);
end $$;

-- What these campaigns ask of a product: as running_reduction, of another time.
create function reduction_by(d product, running bigint[], out percent numeric, out price numeric)
language plpgsql stable as $$
begin
    if d.archived_at is not null or running = '{}' then return; end if;
    select max(c.percent_off), min(m.price) into percent, price
    from campaign c
    left join campaign_product m on m.campaign_id = c.campaign_id and m.product_id = d.product_id
    where c.campaign_id = any (running)
      and (c.is_for_all or c.category_id = d.category_id or m.product_id is not null);
end $$;

-- The row with the campaigns that run for its product.
create function with_campaigns(declared product, i inventory) returns inventory
language plpgsql stable as $$
begin
    select * into i.campaign_percent, i.campaign_price from running_reduction(declared);
    return i;
end $$;

-- The price that was last told of a row: at stock 0 campaigns change what is charged, and no history row says so.
create function told_price(i inventory) returns numeric
language sql stable as $$
    select case when i.stock > 0 then i.price::numeric
                else coalesce((select new_price from price_change c
                               where c.product_id = i.product_id and c.sequence = i.change_count), i.opening_price) end
$$;

-- ------------------------------------------------------------------------------------------------------ start and end

-- What is due first of the campaigns, up to a moment: a start, or an end of one that has not ended. Of two at once the
-- start, so that a price need not rise in between.
create function next_campaign(until timestamptz, out campaign_id bigint, out moment timestamptz)
language sql stable as $$
    select c.campaign_id, c.moment from (
        select c.campaign_id, case when status = 'scheduled' then starts_at else ends_at end::timestamptz as moment,
               status <> 'scheduled' as is_end
        from campaign c where status in ('scheduled', 'starting', 'running')) c
    where c.moment <= until order by c.moment, is_end, campaign_id limit 1
$$;

-- Of two sessions that make, start or end campaigns the second waits.
create function lock_campaigns() returns void
language sql as $$
    select pg_advisory_xact_lock(hashtext('pricing_campaign'))
$$;

create function record_campaign_event(op text, c campaign) returns void
language plpgsql as $$
begin
    perform record_notice('catalogue', op, null, c.campaign_id, null,
        jsonb_build_object('campaignId', c.campaign_id, 'name', c.name, 'categoryId', c.category_id,
                           'percentOff', c.percent_off, 'startsAt', rfc3339(c.starts_at), 'endsAt', rfc3339(c.ends_at)),
        jsonb_build_object('kind', 'campaign') || case when c.end_reason = '' then '{}'
                                                       else jsonb_build_object('reason', c.end_reason) end);
end $$;

-- From here on its products are to join a campaign, or to leave it. One whose end has passed before it could start
-- never runs. No product is made or moved to another category meanwhile: it would be missed by both.
create function turn_campaign(id bigint, ends boolean, why text default '') returns campaign
language plpgsql as $$
declare
    c campaign;
begin
    perform lock_new_products();
    select * into c from campaign where campaign_id = id for no key update;
    if not ends and c.ends_at <= pricing_now() then
        ends := true;
        why := 'it was over before it could start';
    end if;
    if c.status = 'ended' or c.status = 'ending' or not ends and c.status <> 'scheduled' then return c; end if;
    if not ends then
        update campaign set status = 'starting', reached = 0, started_at = pricing_now()
        where campaign_id = id returning * into c;
    else
        update campaign set status = case c.status when 'scheduled' then 'ended' else 'ending' end,
            reached = case when c.status <> 'scheduled' then 0 end, waiting = '{}', ended_at = pricing_now(),
            ended_by = acting(), end_reason = why
        where campaign_id = id returning * into c;
    end if;
    perform record_campaign_event(case c.status when 'starting' then 'campaign_started' else 'campaign_ended' end, c);
    return c;
end $$;

-- The next products, at most so many, that join or leave a campaign, and whether it is done. A row that another session
-- has locked is left for later, so that no product waits for another's order.
create function visit_products(id bigint, most integer, out c campaign, out visited integer)
language plpgsql as $$
declare
    members bigint[];
    free bigint[];
begin
    visited := 0;
    select * into c from campaign where campaign_id = id for no key update;
    if c.status not in ('starting', 'ending') then return; end if;
    if c.reached is null then
        members := c.waiting;
    elsif c.category_id is not null then
        members := array(select product_id from product d where d.category_id = c.category_id
                         and product_id > c.reached order by product_id limit most);
    elsif c.is_for_all then
        members := array(select product_id from product where product_id > c.reached order by product_id limit most);
    else
        members := array(select product_id from campaign_product m where m.campaign_id = id
                         and product_id > c.reached order by product_id limit most);
    end if;
    free := array(select product_id from inventory where product_id = any (members)
                  order by product_id for no key update skip locked);
    perform evaluate_products(free, row('campaign', null, format('%s %s', c.name,
        case c.status when 'starting' then 'began' else 'ended' end), null)::movement_cause);
    visited := cardinality(free);
    c.waiting := array(select m from unnest(case when c.reached is null then '{}' else c.waiting end || members) m
                       where m <> all (free));
    c.reached := case when c.reached is not null and cardinality(members) = most then members[most] end;
    if c.reached is null and c.waiting = '{}' then
        c.status := case c.status when 'starting' then 'running' else 'ended' end;
    end if;
    update campaign set status = c.status, reached = c.reached, waiting = c.waiting where campaign_id = id;
end $$;

-- One step of the campaigns' work, a short transaction: a start or an end that is due, in the order of their times,
-- with its first products, or more products of one that has begun. Says how many were visited and whether there may be
-- more to do at once. Single-flight: while another session works, it does nothing.
create function campaign_step(most integer, out visited integer, out is_idle boolean)
language plpgsql as $$
declare
    id bigint;
begin
    visited := 0;
    is_idle := true;
    if not pg_try_advisory_xact_lock(hashtext('pricing_campaign')) then return; end if;
    if coalesce(current_setting('pricing.actor', true), '') = '' then
        perform set_config('pricing.actor', 'campaign', true);
    end if;
    select campaign_id into id from campaign where status in ('starting', 'ending') and reached is not null
    order by coalesce(ended_at, started_at), campaign_id limit 1;
    if not found then
        select n.campaign_id into id from next_campaign(pricing_now()) n;
        if id is not null then
            perform turn_campaign(id, (select status <> 'scheduled' from campaign where campaign_id = id));
        end if;
    end if;
    is_idle := id is null;
    for id in select id where not is_idle
              union all select campaign_id from campaign
              where is_idle and status in ('starting', 'ending') and waiting <> '{}' loop
        visited := visited + (visit_products(id, most)).visited;
    end loop;
end $$;

-- Carries out in their order what is due until a moment, of campaigns and quotes, by a virtual clock that is moved from
-- one to the next.
create function play_due(moment timestamptz) returns void
language plpgsql as $$
declare
    due timestamptz;
begin
    perform lock_campaigns();
    loop
        while not (campaign_step(1000)).is_idle loop null; end loop;
        while not (quote_step(1000)).is_idle loop null; end loop;
        due := least((select n.moment from next_campaign(moment) n), (
            select min(expires_at) from quote
            where status = 'open' and expires_at > pricing_now() and expires_at <= moment));
        exit when due is null;
        update virtual_clock set at = greatest(at, due);
    end loop;
end $$;

-- Seconds until campaigns have something to do; null where nothing is to come. Under a virtual clock only setting it
-- makes anything due; what waits for a locked row is tried again soon, since the end of a lock is not announced.
create function seconds_to_campaign() returns float8
language sql stable as $$
    select greatest(0.05, extract(epoch from min(moment) - pricing_now()))::float8
    from (select case status when 'scheduled' then starts_at else ends_at end::timestamptz as moment
          from campaign where status in ('scheduled', 'starting', 'running')
          union all
          select pricing_now() + case when reached is null then interval '200 ms' else interval '0' end
          from campaign where status in ('starting', 'ending')) due
    where moment <= pricing_now() + interval '1 s' or not exists (select from virtual_clock)
    having count(*) > 0  -- the greatest of 0.05 and null is 0.05
$$;
