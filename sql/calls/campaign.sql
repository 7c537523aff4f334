--! code
-- Campaigns, as calls make, list and end them.

-- The products that a campaign is for.
create function products_of(c campaign) returns setof product
language sql stable as $$
    select d.* from product d
    where d.archived_at is null and c.is_for_all
    union all
    select d.* from product d
    where d.archived_at is null and d.category_id = c.category_id
    union all
    select d.* from campaign_product m join product d using (product_id)
    where d.archived_at is null and m.campaign_id = c.campaign_id
$$;

-- To people a campaign runs from the moment that its first product joins.
create function campaign_json(c campaign) returns jsonb
language sql stable as $$
    select jsonb_build_object('campaignId', c.campaign_id, 'name', c.name,
        'status', case c.status when 'starting' then 'running' when 'ending' then 'ended' else c.status end,
        'categoryId', c.category_id, 'all', c.is_for_all, 'percentOff', c.percent_off,
        'startsAt', rfc3339(c.starts_at), 'endsAt', rfc3339(c.ends_at), 'startedAt', rfc3339(c.started_at),
        'endedAt', rfc3339(c.ended_at), 'endedBy', c.ended_by, 'reason', c.end_reason, 'actor', c.actor,
        'products', case when c.is_for_all or c.category_id is not null then (select count(*) from products_of(c))
                         else (select count(*) from campaign_product m where m.campaign_id = c.campaign_id) end)
$$;

-- What its maker should know: where the floor beats it.
create function campaign_warnings(c campaign) returns jsonb
language sql stable as $$
    select coalesce(jsonb_agg(format('the floor beats the campaign on %s of its products, such as product %s: %s',
                                     beaten, id, floor_at::numeric(12, 2))) filter (where beaten > 0), '[]')
    from (select count(*) as beaten, min(d.product_id) as id,
                 (array_agg(l.floor_at order by d.product_id))[1] as floor_at
          from products_of(c) d join inventory i using (product_id) join rule r using (rule_id)
          left join campaign_product m on m.campaign_id = c.campaign_id and m.product_id = d.product_id
          cross join price_limits(d, r) l
          where least(m.price, i.regular_price * (1 - c.percent_off / 100)) < l.floor_at) b
$$;

create function find_campaign(id bigint) returns campaign
language plpgsql stable as $$
declare
    c campaign;
begin
    select * into c from campaign where campaign_id = id;
    if not found then
        perform fail('PR307', format('There is no campaign %s.', id), jsonb_build_object('campaignId', id));
    end if;
    return c;
end $$;

create function campaign_get(p jsonb) returns json
language plpgsql stable as $$
declare
    c campaign := find_campaign((p ->> 'campaignId')::bigint);
begin
    return campaign_json(c) || jsonb_build_object('warnings', campaign_warnings(c), 'members', (
        select coalesce(jsonb_agg(jsonb_build_object('productId', product_id, 'sku', sku, 'price', price::text)
                                  order by product_id), '[]')
        from campaign_product m join product using (product_id) where m.campaign_id = c.campaign_id));
end $$;

create function campaign_list(p jsonb) returns json
language sql stable as $$
    select as_page('campaign.list', p, array(
        select json_build_object('cursor', json_build_array(c.campaign_id), 'item', campaign_json(c)) from campaign c
        where c.campaign_id < coalesce((select (open_cursor('campaign.list', p) ->> 0)::bigint), 9223372036854775807)
          and (p ->> 'status' is null or p ->> 'status' = campaign_json(c) ->> 'status')
          and (p ->> 'categoryId' is null or c.category_id = (p ->> 'categoryId')::bigint)
          and (p ->> 'productId' is null
               or is_for(c, (select d from product d where d.product_id = (p ->> 'productId')::bigint)))
        order by c.campaign_id desc limit page_size(p) + 1))
$$;

-- Refuses one member of a call.
create function refuse_campaign(path text, rule text, message text) returns void
language plpgsql as $$
begin
    perform fail('PR602', format('%s %s.', path, message), jsonb_build_object('violations', jsonb_build_array(
        jsonb_build_object('path', path, 'rule', rule, 'message', message))));
end $$;

-- Refuses what no schema can: members that exclude each other, and times that do.
create function check_campaign(p jsonb, starts timestamptz, ends timestamptz) returns void
language plpgsql stable as $$
declare
    twice bigint;
begin
    if num_nonnulls(p ->> 'categoryId', p ->> 'productIds', p ->> 'prices',
                    nullif((p ->> 'all')::boolean, false)) <> 1 then
        perform refuse_campaign(case when p ? 'categoryId' then '/categoryId' when p ? 'productIds' then '/productIds'
                                     when p ? 'prices' then '/prices' else '/all' end, 'oneOf',
                                'name one of categoryId, productIds, prices, or all');
    elsif p ? 'percentOff' = p ? 'prices' then
        perform refuse_campaign('/percentOff', 'oneOf', 'give a percentage, or else prices with their products');
    elsif (p ->> 'percentOff')::numeric <= 0 then
        perform refuse_campaign('/percentOff', 'minimum', 'must be over 0, and at most 95');
    elsif ends <= starts then
        perform refuse_campaign('/endsAt', 'order', 'must come after startsAt');
    elsif ends <= pricing_now() then
        perform refuse_campaign('/endsAt', 'future', 'must lie in the future');
    end if;
    select n - 1 into twice from (
        select n, row_number() over (partition by m ->> 'productId' order by n) as seen
        from jsonb_array_elements(p -> 'prices') with ordinality u (m, n)) u where seen > 1 order by n limit 1;
    if found then
        perform refuse_campaign(format('/prices/%s/productId', twice), 'unique', 'has a price already');
    end if;
end $$;

-- The first products that join or leave at once, with the call; the daemon sees to the others in pages.
create function campaign_page() returns integer
language sql immutable as $$
    select 50
$$;

-- Makes a campaign. One that is due begins with this call.
create function campaign_create(p jsonb) returns json
language plpgsql as $$
declare
    moment timestamptz := pricing_now();
    starts timestamptz := coalesce((p ->> 'startsAt')::timestamptz, moment);
    ends timestamptz := (p ->> 'endsAt')::timestamptz;
    c campaign;
begin
    perform check_campaign(p, starts, ends);
    perform lock_campaigns();
    if starts <= moment then perform lock_new_products(); end if;  -- before rows
    if p ? 'categoryId' and not exists (
        select from category where category_id = (p ->> 'categoryId')::bigint) then
        perform fail('PR103', format('There is no category %s.', p ->> 'categoryId'),
            jsonb_build_object('categoryId', p -> 'categoryId'));
    end if;
    insert into campaign (name, category_id, is_for_all, percent_off, starts_at, ends_at, actor)
    values (p ->> 'name', (p ->> 'categoryId')::bigint, coalesce((p ->> 'all')::boolean, false),
            (p ->> 'percentOff')::numeric, starts, ends, acting())
    returning * into c;
    insert into campaign_product (campaign_id, product_id, price)
    select c.campaign_id, (find_open_product(id)).product_id, price
    from (select id::bigint, null::numeric as price from jsonb_array_elements_text(p -> 'productIds') id group by 1
          union all
          select (m ->> 'productId')::bigint, (m ->> 'price')::numeric from jsonb_array_elements(p -> 'prices') m) m
    order by id;
    if starts <= moment then
        perform turn_campaign(c.campaign_id, false);
        c := (visit_products(c.campaign_id, campaign_page())).c;
    end if;
    return campaign_json(c) || jsonb_build_object('warnings', campaign_warnings(c));
end $$;

-- Ends a campaign now; one that has not started never starts. Ended once, however often it is called.
create function campaign_end(p jsonb) returns json
language plpgsql as $$
declare
    c campaign;
begin
    perform lock_campaigns();
    c := find_campaign((p ->> 'campaignId')::bigint);
    if c.status in ('scheduled', 'starting', 'running') then
        perform turn_campaign(c.campaign_id, true, coalesce(p ->> 'reason', ''));
        c := (visit_products(c.campaign_id, campaign_page())).c;
    end if;
    return campaign_json(c);
end $$;

-- Campaigns in server.status.
create function campaign_status() returns json
language sql stable as $$
    select json_build_object('running', count(*) filter (where status in ('starting', 'running')),
        'scheduled', count(*) filter (where status = 'scheduled'),
        'nextAt', rfc3339(min(case status when 'scheduled' then starts_at else ends_at end)
                              filter (where status <> 'ending')))
    from campaign where status <> 'ended'
$$;
