--! code
-- What people type, and what they mean by it: live values for completion, and the thing that a text names.

-- Live values for completion: ids by prefix or labels by word, the newest first where nothing was typed.

create function complete_values(kind text, prefix text, most bigint) returns json
language plpgsql stable as $body$
declare
    found json;
    -- Of orders and proposals the newest are wanted, of the rest, which stay, the first ones.
    direction text := case when kind in ('order', 'proposal') then 'desc' else '' end;
begin
    -- One table only, ids and labels apart, so that each uses its own index where there is one.
    execute format($query$
        with known as not materialized (%1$s), hits as (
            (select id, label from known where $1 = '' order by id %2$s limit $2)
            union (select id, label from known where $1 ~ '^[0-9]+$' and id::text like $1 || '%%'
                   order by id %2$s limit $2)
            union (select id, label from known where $1 <> '' and words like like_pattern($1)
                                            and fold_text(label) like like_pattern($1) order by id %2$s limit $2)
        )
        select coalesce(json_agg(json_build_object('value', v.id, 'label', v.label) order by v.id %2$s), '[]')
        from (select id, label from hits order by id %2$s limit $2) v
        $query$,
        case kind
            when 'product' then
                'select product_id as id, title as label, search_text as words from product where archived_at is null'
            when 'sku' then
                'select sku as id, sku || '' '' || title as label, search_text as words from product
                 where sku is not null and archived_at is null'
            when 'email' then
                'select email as id, full_name || '' '' || email as label, search_text as words from app_user
                 where archived_at is null'
            when 'category' then 'select category_id as id, name as label, fold_text(name) as words from category'
            when 'supplier' then
                'select supplier_id as id, company_name as label, fold_text(company_name) as words from supplier'
            when 'user' then
                'select user_id as id, full_name as label, search_text as words from app_user where archived_at is null'
            when 'rule' then $$select rule_id as id, name || ' ' || version as label,
                                      fold_text(name || ' ' || version) as words
                               from rule$$
            when 'campaign' then
                $$select campaign_id as id, name as label, fold_text(name) as words from campaign$$
            when 'proposal' then
                $$select proposal_id as id, title || ' ' || new_price as label, search_text as words
                  from proposal join product using (product_id) where status = 'open'$$
            when 'order' then
                $$select order_id as id, status || ' ' || total as label, status || ' ' || total as words
                  from customer_order$$
            else 'select 0 as id, null as label, null as words where false' end,
        direction)
    into found using prefix, most;
    return found;
end $body$;

-- The things of a kind that a text may mean, with a rank: 1 its id; 2 a SKU, e-mail or other text that only one has;
-- 3 the whole title or name; 4 a beginning of them; 5 all its words; 6 the same of one that is archived or retired.
-- Folded, from 3 on without regard to accents. A few of each rank, from the index over the kind's search text.
create function resolve_hits(kind text, given text, most integer) returns table (id bigint, rank integer)
language plpgsql stable as $body$
declare
    folded text := like_pattern(given);
    -- The longest first: the index is searched for that one.
    words text[] := array(select like_pattern(w) from regexp_split_to_table(fold_text(given), '\s+') w where w <> ''
                          order by length(w) desc);
begin
    if words = '{}' then return; end if;
    if kind = 'order' then
        -- By number, or of a customer: the newest.
        return query
        select order_id, 1 from customer_order where given ~ '^[0-9]{1,18}$' and order_id = given::bigint
        union all
        select o.order_id, 4 from resolve_hits('user', given, most) u, lateral (
            select order_id from customer_order where customer_id = u.id order by order_id desc limit most) o
        where u.rank > 1;
        return;
    end if;
    return query execute format($query$
        with known as not materialized (%s), hits as (
            (select id, is_old, 1 as rank from known where $1 ~ '^[0-9]{1,18}$' and id = $1::bigint)
            union all (select id, is_old, 2 from known where own = fold_case($1))
            union all (select id, is_old, 3 from known where words like $2 || chr(10) || '%%' order by id limit $3)
            union all (select id, is_old, 4 from known where words like $2 || '%%' order by id limit $3)
            union all (select id, is_old, 4 from known where words like '%%' || chr(10) || $2 || '%%'
                       order by id limit $3)
            union all (select id, is_old, 5 from known where words like $4[1] and words like all ($4)
                       order by id limit $3)
        )
        select id, min(case when is_old and rank > 2 then 6 else rank end) from hits group by id
        $query$,
        case kind
            when 'product' then 'select product_id as id, fold_case(sku) as own, search_text as words,
                                        archived_at is not null as is_old from product'
            when 'user' then 'select user_id as id, fold_case(email) as own, search_text as words, false as is_old
                              from app_user where archived_at is null'
            when 'rule' then $$select rule_id as id, fold_case(name || ' ' || version) as own,
                                      fold_text(name) || chr(10) || fold_text(name || ' ' || version) as words,
                                      status <> 'active' as is_old from rule$$
            when 'campaign' then $$select campaign_id as id, null as own, fold_text(name) || chr(10) as words,
                                          status in ('ending', 'ended') as is_old from campaign$$
            when 'category' then 'select category_id as id, fold_case(name) as own,
                                         fold_text(name) || chr(10) || fold_text(description) as words,
                                         false as is_old from category'
            when 'supplier' then $$select supplier_id as id, fold_case(tax_number) as own, fold_text(company_name)
                                          || chr(10) || fold_text(coalesce(contact_email, '')) as words,
                                          false as is_old from supplier$$
        end)
    using given, substr(folded, 2, length(folded) - 2), most, words;
end $body$;

-- What people read of a thing: its label, and a second line that tells it from its like.
create function resolved_json(kind text, number bigint) returns json
language plpgsql stable as $$
declare
    label text;
    detail text[];
begin
    if kind = 'product' then
        select d.title, array[d.sku, c.name, i.price::text, case when d.archived_at is not null then 'archived' end]
        into label, detail
        from product d join category c using (category_id) join inventory i using (product_id)
        where d.product_id = number;
    elsif kind = 'user' then
        select u.full_name,
               array[u.email, (select count(*) || case count(*) when 1 then ' order' else ' orders' end
                               from customer_order where customer_id = number)]
        into label, detail from app_user u where u.user_id = number;
    elsif kind = 'order' then
        select 'Order ' || o.order_id, array[shown_name(u), o.status, o.total::text, rfc3339(o.placed_at)]
        into label, detail
        from customer_order o join app_user u on u.user_id = o.customer_id where o.order_id = number;
    elsif kind = 'rule' then
        select name || ' ' || version, array[strategy, status] into label, detail from rule where rule_id = number;
    elsif kind = 'campaign' then
        select name, array[campaign_json(c) ->> 'status', percent_off || ' %',
                           rfc3339(starts_at) || ' to ' || rfc3339(ends_at)]
        into label, detail from campaign c where campaign_id = number;
    elsif kind = 'category' then
        select c.name, array[nullif(c.description, ''),
                             (select count(*) from product where category_id = number) || ' products']
        into label, detail from category c where c.category_id = number;
    else
        select s.company_name, array[s.contact_email, s.tax_number,
                                     (select count(*) from product where supplier_id = number) || ' products']
        into label, detail from supplier s where s.supplier_id = number;
    end if;
    return json_build_object('id', number, 'label', label, 'detail', array_to_string(detail, ', '));
end $$;

-- The candidates for a text, best first, and the match: the only one of the best rank, where beginnings and words
-- count as one rank, since a person who types half a word means neither.
create function server_resolve(p jsonb) returns json
language plpgsql stable as $$
declare
    most integer := coalesce((p ->> 'limit')::integer, 20);
    found bigint[];
    ranks integer[];
    shown json[];
begin
    select array_agg(id order by rank, id * direction), array_agg(rank order by rank, id * direction)
    into found, ranks
    from resolve_hits(p ->> 'kind', trim_name(p ->> 'text'), most + 1),
         (select case when p ->> 'kind' = 'order' then -1 else 1 end as direction) d;
    shown := array(select resolved_json(p ->> 'kind', id)
                   from unnest(found[:most]) with ordinality u (id, n) order by n);
    return case when ranks[2] is null and found is not null or ranks[1] < ranks[2] and (ranks[1], ranks[2]) <> (4, 5)
                then json_build_object('match', shown[1], 'candidates', to_json(shown))
                else json_build_object('candidates', to_json(shown)) end;
end $$;
