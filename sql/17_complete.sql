--! repeatable
-- Live values for completion: ids by the beginning of their digits or by a word of their label, the newest first where
-- nothing was typed.

create or replace function complete_values(kind text, prefix text, most bigint) returns json
language sql stable as $$
    select coalesce(json_agg(json_build_object('value', v.id, 'label', v.label) order by v.id), '[]')
    from (
        select id, label from (
            select product_id as id, title as label from product where kind = 'product' and archived_at is null
            union all select category_id, name from category where kind = 'category'
            union all select supplier_id, company_name from supplier where kind = 'supplier'
            union all select user_id, full_name from app_user where kind = 'user' and archived_at is null
            union all select rule_id, name || ' ' || version from rule where kind = 'rule'
            union all select order_id, status || ' ' || total from customer_order where kind = 'order'
        ) all_values
        where prefix = '' or id::text like prefix || '%' or label ilike like_pattern(prefix)
        order by id limit most
    ) v
$$;
