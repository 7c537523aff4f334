--! code
-- Live values for completion: ids by prefix or labels by word, the newest first where nothing was typed.

create function complete_values(kind text, prefix text, most bigint) returns json
language plpgsql stable as $body$
declare
    found json;
begin
    -- One table only, ids and labels apart, so that each uses its own index where there is one.
    execute format($query$
        with known as not materialized (%s), hits as (
            (select id, label from known where $1 = '' order by id limit $2)
            union (select id, label from known where $1 ~ '^[0-9]+$' and id::text like $1 || '%%' order by id limit $2)
            union (select id, label from known where $1 <> '' and words like like_pattern($1)
                                            and fold_text(label) like like_pattern($1) order by id limit $2)
        )
        select coalesce(json_agg(json_build_object('value', v.id, 'label', v.label) order by v.id), '[]')
        from (select id, label from hits order by id limit $2) v
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
            when 'order' then
                $$select order_id as id, status || ' ' || total as label, status || ' ' || total as words
                  from customer_order$$
            else 'select 0 as id, null as label, null as words where false' end)
    into found using prefix, most;
    return found;
end $body$;
