--! repeatable
-- Many products in one call and one transaction: a row with productId changes that product, one without makes a new one.
-- Every row is tried. A refused one says the SQLSTATE, message, detail and constraint that refused it, under the row's
-- own number; in mode atomic a single one undoes all. `refused` are rows that never came so far: only what tells two
-- requests under one key apart.

create or replace function import_products(p jsonb) returns json
language plpgsql set enable_seqscan = off as $$
declare
    named bigint[] := array(select (r #>> '{product,productId}')::bigint from jsonb_array_elements(p -> 'rows') r);
    line record;
    created bigint := 0;
    updated bigint := 0;
    failed json[] := '{}';
    state text;
    message text;
    facts text;
    broken text;
begin
    -- Many rows may fill an empty table before the planner hears of it: so no plan that reads it whole, neither a new one
    -- nor one that this session still has. Measured: 10,000 rows in a shop known to be empty took eight times as long.
    discard plans;
    -- First, and in product order: so imports and orders never wait for each other in a circle.
    perform from product where product_id = any (named) order by product_id for no key update;
    perform from inventory where product_id = any (named) order by product_id for no key update;
    for line in select r -> 'product' as product, (r ->> 'row')::bigint as number
                from jsonb_array_elements(p -> 'rows') with ordinality u (r, n) order by n loop
        begin
            if line.product ? 'productId' then
                perform update_product(line.product);
                updated := updated + 1;
            else
                perform create_product(line.product);
                created := created + 1;
            end if;
        exception when others then
            get stacked diagnostics state = returned_sqlstate, message = message_text,
                facts = pg_exception_detail, broken = constraint_name;
            -- Only a refusal of ours, a value or a constraint is the row's own fault.
            if state !~ '^(PR|22|23)' then raise; end if;
            failed := failed || json_build_object('row', line.number, 'state', state, 'message', message,
                                                  'detail', facts, 'constraint', broken);
        end;
    end loop;
    if cardinality(failed) > 0 and p ->> 'mode' = 'atomic' then
        perform fail('PR602', 'Rows were refused.', jsonb_build_object('failed', to_json(failed)));
    end if;
    return json_build_object('created', created, 'updated', updated, 'failed', to_json(failed));
end $$;
