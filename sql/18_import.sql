--! repeatable
-- Many products in one call: a row with productId changes that product, one without makes a new one. Atomic: the first
-- refusal ends it all. Per row: each row succeeds or fails alone, and a failed one says the SQLSTATE, message, detail and
-- constraint that refused it, under the row's own number.

create or replace function import_products(p jsonb) returns json
language plpgsql as $$
declare
    line record;
    created bigint := 0;
    updated bigint := 0;
    failed jsonb := '[]';
    state text;
    message text;
    facts text;
    broken text;
begin
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
            if p ->> 'mode' <> 'perRow' or state like '40%' or state like '53%' or state like '57%' or state = '55P03' then
                raise;
            end if;
            failed := failed || jsonb_build_object('row', line.number, 'state', state, 'message', message,
                                                   'detail', facts, 'constraint', broken);
        end;
    end loop;
    return json_build_object('created', created, 'updated', updated, 'failed', failed);
end $$;
