--! code
-- Automation halted and resumed by a person.

-- The products that a halt of a scope concerns: of a category, one, or all.
create function products_in_scope(category bigint, product bigint) returns setof bigint
language sql stable as $$
    select d.product_id from product d
    where d.archived_at is null and ($1 is null or d.category_id = $1) and ($2 is null or d.product_id = $2)
$$;

create function pricing_halt(p jsonb) returns json
language plpgsql as $$
declare
    scope record := halt_scope(p);
begin
    return (halt_json(halt_automation(scope.category, scope.product, p ->> 'reason'))::jsonb
        || jsonb_build_object('products', (
            select count(*) from products_in_scope(scope.category, scope.product))))::json;
end $$;

-- Resumes automation: every product of the scope is evaluated at once, as at a tick. A scope that was not halted stays
-- as it is. Prices do not move where a wider or narrower halt is still open.
create function pricing_resume(p jsonb) returns json
language plpgsql as $$
declare
    scope record := halt_scope(p);
    resumed integer := 0;
    held bigint[] := '{}';
    failed bigint[] := '{}';
begin
    perform lock_new_products();
    update automation_halt set resumed_at = pricing_now(), resumed_by = acting(), resume_reason = p ->> 'reason'
    where resumed_at is null and category_id is not distinct from scope.category
      and product_id is not distinct from scope.product;
    get diagnostics resumed = row_count;
    if resumed > 0 then
        delete from breaker_move;
        held := array(
            select product_id from inventory
            where product_id in (select products_in_scope(scope.category, scope.product))
            order by 1 for no key update);
        failed := evaluate_products(held, row('resume', null, p ->> 'reason', null)::movement_cause);
    end if;
    return json_build_object('resumed', resumed, 'evaluated', cardinality(held) - cardinality(failed),
        'skipped', skipped_json(failed));
end $$;

create function pricing_halts(p jsonb) returns json
language sql stable as $$
    select as_page('pricing.halts', p, array(
        select json_build_object('cursor', json_build_array(h.halt_id), 'item', halt_json(h)) from automation_halt h
        where h.halt_id < coalesce((select (open_cursor('pricing.halts', p) ->> 0)::bigint), 9223372036854775807)
          and (not coalesce((p ->> 'open')::boolean, false) or h.resumed_at is null)
        order by h.halt_id desc limit page_size(p) + 1))
$$;
