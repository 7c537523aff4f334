--! code
-- Many products in one call: a row with the productId or SKU of a product changes it, another makes a new one. Every
-- row is tried. A refused row reports SQLSTATE, message, detail and constraint under its own number; in mode atomic one
-- refusal rolls back all. In mode perRow the daemon sends a few rows at a time, a transaction each, so that no product
-- is locked for long. `refused` (rows that the daemon refused itself) and `call` (the whole call that these rows are
-- part of) only tell two requests under one key apart.

-- Locks products for a few changes, in id order, and holds no lock while it waits for another session's. Returns those
-- that other sessions kept locked; all the others are locked.
create function lock_products(ids bigint[]) returns bigint[]
language plpgsql as $$
declare
    busy bigint[];
begin
    for try in 1..4 loop
        begin
            busy := array(
                select p.product_id from product p where product_id = any (ids) except all
                select locked.product_id from (
                    select d.product_id from product d join inventory i using (product_id)
                    where d.product_id = any (ids) order by d.product_id for no key update skip locked) locked);
            exit when busy = '{}' or try = 4;
            raise exception using errcode = 'AHELD';  -- releases all of them
        exception when sqlstate 'AHELD' then null;
        end;
        begin
            perform from product where product_id = any (busy) order by product_id for no key update;
            perform from inventory where product_id = any (busy) order by product_id for no key update;
            raise exception using errcode = 'AHELD';
        exception when sqlstate 'AHELD' or lock_not_available then null;
        end;
    end loop;
    return busy;
end $$;

-- A row with ids in the place of the names of category, supplier and rule; with `makes` one that is missing is made.
create function name_references(given jsonb, makes boolean) returns jsonb
language plpgsql as $$
declare
    ids bigint[];
begin
    if given ? 'category' then
        ids := array(select category_id from category
                     where fold_case(name) = fold_case(trim_name(given ->> 'category')));
        if ids = '{}' and makes then
            insert into category (name) values (given ->> 'category') on conflict do nothing;
            ids := array(select category_id from category
                         where fold_case(name) = fold_case(trim_name(given ->> 'category')));
        end if;
        if ids = '{}' then
            perform fail('PR103', format('There is no category %s.', given ->> 'category'),
                jsonb_build_object('category', given -> 'category'));
        end if;
        given := given - 'category' || jsonb_build_object('categoryId', ids[1]);
    end if;
    if given ->> 'supplier' is not null then
        ids := array(select supplier_id from supplier
                     where fold_case(company_name) = fold_case(trim_name(given ->> 'supplier')) limit 2);
        if ids = '{}' and makes then
            insert into supplier (company_name) values (given ->> 'supplier') returning array[supplier_id] into ids;
        end if;
        if ids = '{}' then
            perform fail('PR104', format('There is no supplier %s.', given ->> 'supplier'),
                jsonb_build_object('supplier', given -> 'supplier'));
        elsif cardinality(ids) > 1 then
            perform fail('PR602', format('Several suppliers are called %s.', given ->> 'supplier'),
                '{"violations": [{"path": "/supplier", "rule": "unique", "message": "is the name of several"}]}');
        end if;
        given := given - 'supplier' || jsonb_build_object('supplierId', ids[1]);
    elsif given ? 'supplier' then
        given := given - 'supplier' || '{"supplierId": null}';
    end if;
    if given ? 'rule' then
        given := given - 'rule' || jsonb_build_object('ruleId', import_rule(given ->> 'rule'));
    end if;
    return given;
end $$;

-- Makes the product of a row, or changes it: id is null for a new one. Says which: created, updated, unchanged.
create function import_row(id bigint, given jsonb, makes boolean, rule bigint) returns text
language plpgsql as $$
declare
    product jsonb := name_references(given, makes);
    missing jsonb;
    changed boolean;
begin
    if id is not null then
        if not given ? 'productId' then product := product - 'sku'; end if;
        changed := (change_product(product || jsonb_build_object('productId', id))).changed;
        if product ? 'stock' then
            changed := (count_stock(id, (product ->> 'stock')::integer, 'counted by an import')).difference <> 0
                or changed;
        end if;
        return case when changed then 'updated' else 'unchanged' end;
    end if;
    select jsonb_agg(jsonb_build_object('path', '/' || name, 'rule', 'required', 'message',
                     'is missing, which a new product needs') order by n)
    into missing from unnest(array['title', 'basePrice', 'categoryId']) with ordinality u (name, n)
    where not product ? name;
    if product ? 'version' then
        missing := coalesce(missing, '[]') || '[{"path": "/version", "rule": "unknown",
                                                 "message": "there is no such product yet"}]';
    end if;
    if missing is not null then
        perform fail('PR602', format('%s %s.', missing #>> '{0,path}', missing #>> '{0,message}'),
            jsonb_build_object('violations', missing));
    end if;
    if rule is not null and not product ? 'ruleId' then
        product := product || jsonb_build_object('ruleId', rule);
    end if;
    perform product_create(product);
    return 'created';
end $$;

-- The rule that a row, or an import for its new products, names: the active version of a name; null for the default.
create function import_rule(name text) returns bigint
language plpgsql stable as $$
declare
    id bigint := (select rule_id from rule r where fold_case(r.name) = fold_case(trim_name(import_rule.name))
                  order by status = 'active' desc, version desc limit 1);
begin
    if name is not null and id is null then
        perform fail('PR301', format('There is no rule %s.', name), jsonb_build_object('rule', name));
    end if;
    return case when id is not null then find_usable_rule(id, null) end;
end $$;

create function product_import(p jsonb) returns json
language plpgsql set enable_seqscan = off as $$
declare
    is_atomic boolean := p ->> 'mode' = 'atomic';
    makes boolean := coalesce((p ->> 'createMissing')::boolean, false);
    rule bigint := import_rule(p ->> 'rule');
    rows jsonb[];
    held bigint[] := '{}';
    line record;
    outcome text;
    done jsonb := '{"created": 0, "updated": 0, "unchanged": 0}';
    failed json[] := '{}';
    state text;
    message text;
    facts text;
    broken text;
begin
    -- Many rows may fill an empty table before its statistics show it: so no plan that scans the whole table, neither a
    -- new one nor one cached by this session. Measured: 10,000 rows in a shop known to be empty took eight times as
    -- long. Once a call and session.
    if p ->> 'call' is null or current_setting('pricing.import', true) is distinct from p ->> 'call' then
        discard plans;
        perform set_config('pricing.import', coalesce(p ->> 'call', ''), false);
    end if;
    perform set_config('pricing.cause', 'import', true);
    perform share_new_products();
    rows := array(select r || jsonb_build_object('id', coalesce((r #>> '{product,productId}')::bigint,
                                                                product_of_sku(r #>> '{product,sku}')))
                  from jsonb_array_elements(p -> 'rows') r);
    if not is_atomic then
        held := lock_products(array(
            select (r ->> 'id')::bigint from unnest(rows) r where r ->> 'id' is not null));
    end if;
    -- New products first, then those that others may wait for, in product order, each locked no sooner than it is
    -- changed: so imports and orders never deadlock.
    for line in select r -> 'product' as product, (r ->> 'row')::bigint as number, (r ->> 'id')::bigint as id
                from unnest(rows) with ordinality u (r, n) order by id nulls first, n loop
        begin
            if line.id = any (held) then
                raise lock_not_available using message = format('Another transaction holds product %s.', line.id);
            end if;
            outcome := import_row(line.id, line.product, makes, rule);
            done := done || jsonb_build_object(outcome, (done ->> outcome)::bigint + 1);
        exception when others then
            get stacked diagnostics state = returned_sqlstate, message = message_text,
                facts = pg_exception_detail, broken = constraint_name;
            if not is_row_error(state) and line.id = any (held) is not true then raise; end if;
            failed := failed || json_build_object('row', line.number, 'state', state, 'message', message,
                                                  'detail', facts, 'constraint', broken);
        end;
        -- Where pricing raised, the product may fail as it stands too.
        if line.id is not null and not is_atomic and line.id <> all (held) and state !~ '^PR' then
            perform evaluate_products(array[line.id], row('resume', null, 'import', null)::movement_cause);
        end if;
        state := null;
    end loop;
    failed := array(select f from unnest(failed) f order by (f ->> 'row')::bigint);
    if cardinality(failed) > 0 and is_atomic then
        perform fail('PR602', 'Rows were refused.', jsonb_build_object('failed', to_json(failed)));
    end if;
    return json_build_object('created', done -> 'created', 'updated', done -> 'updated',
                             'unchanged', done -> 'unchanged', 'failed', to_json(failed));
end $$;

-- The rows of an import that name a product which a row before them names, by the same id or the same SKU.
create function repeated_rows(rows jsonb) returns table (number bigint, member text, first bigint)
language sql stable as $$
    select number, min(member), min(first) from (
        select number, member, min(number) over (partition by member, name) as first
        from (select (r ->> 'row')::bigint as number, r -> 'product' as product from jsonb_array_elements(rows) r) l,
             lateral (values ('productId', product ->> 'productId'), ('sku', fold_case(trim_name(product ->> 'sku'))))
                 v (member, name)
        where name is not null) named
    where number <> first group by number order by number
$$;

-- Begins a call of many transactions: the reply stored under its key, or the hash that its parts name it by.
create function begin_import(request_key text, method text, params jsonb, out reply text, out call text)
language plpgsql as $$
declare
    hash bytea := request_hash(method, params);
begin
    if request_key is not null then reply := find_reply(request_key, hash); end if;
    call := encode(hash, 'hex');
end $$;

-- The key of one part.
create function part_key(request_key text, part bigint) returns text
language sql immutable as $$
    select 'part ' || part || ' of ' || encode(sha256(convert_to(request_key, 'UTF8')), 'hex')
$$;
