--! code
-- Suppliers.

create function supplier_json(s supplier) returns json
language sql stable as $$
    select json_build_object('supplierId', s.supplier_id, 'companyName', s.company_name,
        'contactEmail', s.contact_email, 'taxNumber', s.tax_number, 'address', s.address)
$$;

-- The supplier that a call names, or PR104.
create function find_supplier(id bigint) returns supplier
language plpgsql stable as $$
declare
    s supplier;
begin
    select * into s from supplier where supplier_id = id;
    if not found then
        perform fail('PR104', format('There is no supplier %s.', id), jsonb_build_object('supplierId', id));
    end if;
    return s;
end $$;

create function supplier_list(p jsonb) returns json
language sql stable as $$
    select as_page('supplier.list', p, array(
        select json_build_object('cursor', json_build_array(s.supplier_id), 'item', supplier_json(s)) from supplier s
        where s.supplier_id > coalesce((select (open_cursor('supplier.list', p) ->> 0)::bigint), 0)
        order by s.supplier_id limit page_size(p) + 1))
$$;

create function supplier_get(p jsonb) returns json
language sql stable as $$
    select supplier_json(find_supplier((p ->> 'supplierId')::bigint))
$$;

create function supplier_create(p jsonb) returns json
language sql as $$
    insert into supplier (company_name, contact_email, tax_number, address)
    values (p ->> 'companyName', p ->> 'contactEmail', p ->> 'taxNumber', coalesce(p ->> 'address', ''))
    returning supplier_json(supplier)
$$;

create function supplier_update(p jsonb) returns json
language plpgsql as $$
declare
    s supplier := find_supplier((p ->> 'supplierId')::bigint);
begin
    update supplier set
        company_name = coalesce(p ->> 'companyName', s.company_name),
        contact_email = case when p ? 'contactEmail' then p ->> 'contactEmail' else s.contact_email end,
        tax_number = case when p ? 'taxNumber' then p ->> 'taxNumber' else s.tax_number end,
        address = coalesce(p ->> 'address', s.address)
    where supplier_id = s.supplier_id returning * into s;
    if not found then perform find_supplier((p ->> 'supplierId')::bigint); end if;  -- removed meanwhile
    return supplier_json(s);
end $$;

create function supplier_delete(p jsonb) returns json
language plpgsql as $$
declare
    s supplier := find_supplier((p ->> 'supplierId')::bigint);
    uses bigint := (select count(*) from product where supplier_id = s.supplier_id);
begin
    if uses > 0 then
        perform fail('PR105', format('%s products still name supplier %s.', uses, s.supplier_id),
            jsonb_build_object('supplierId', s.supplier_id, 'products', uses));
    end if;
    delete from supplier where supplier_id = s.supplier_id;
    if not found then perform find_supplier((p ->> 'supplierId')::bigint); end if;
    return json_build_object('supplierId', s.supplier_id, 'deleted', true);
end $$;
