--! code
-- Many products in one call: a row with productId changes that product, one without makes a new one. Every row is
-- tried. A refused row reports SQLSTATE, message, detail and constraint under its own number; in mode atomic one
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

create function product_import(p jsonb) returns json
language plpgsql set enable_seqscan = off as $$
declare
    is_atomic boolean := p ->> 'mode' = 'atomic';
    held bigint[] := '{}';
    line record;
    created bigint := 0;
    updated bigint := 0;
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
    if not is_atomic then
        held := lock_products(array(
            select (r #>> '{product,productId}')::bigint from jsonb_array_elements(p -> 'rows') r
                                    where r -> 'product' ? 'productId'));
    end if;
    -- New products first, then those that others may wait for, in product order, each locked no sooner than it is
    -- changed: so imports and orders never deadlock.
    for line in select product, (r ->> 'row')::bigint as number, (product ->> 'productId')::bigint as id
                from jsonb_array_elements(p -> 'rows') with ordinality u (r, n),
                    lateral (select r -> 'product' as product) l
                order by id nulls first, n loop
        begin
            if line.id = any (held) then
                raise lock_not_available using message = format('Another transaction holds product %s.', line.id);
            elsif line.id is not null then
                perform product_update(line.product);
                updated := updated + 1;
            else
                perform product_create(line.product);
                created := created + 1;
            end if;
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
    return json_build_object('created', created, 'updated', updated, 'failed', to_json(failed));
end $$;

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
