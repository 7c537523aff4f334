--! code
-- The history of declarations: its lines, and how they read. Triggers write it (04_create_triggers.sql).

-- What this transaction does its changes for; `sql` where no call says so.
create function change_cause() returns text
language sql stable as $$
    select coalesce(nullif(current_setting('pricing.cause', true), ''), 'sql')
$$;

-- The reason that a call gave for all that it changes.
create function change_reason() returns text
language sql stable as $$
    select coalesce(current_setting('pricing.reason', true), '')
$$;

-- Whether a price change of this cause was automation's: the others follow what a person declared or approved.
create function is_automatic(cause text) returns boolean
language sql immutable as $$
    select cause not in ('initial', 'pin', 'unpin', 'declaration', 'rule', 'rollback', 'campaign', 'approval')
$$;

-- All columns that are declared: the others number the row, or follow from these.
create function declared_members(d product) returns jsonb
language sql immutable as $$
    select to_jsonb(d) - '{product_id,version,created_at,search_text}'::text[]
$$;

create function pin_members(i inventory) returns jsonb
language sql immutable as $$
    select jsonb_build_object('pin_price', i.pin_price, 'pinned_until', i.pinned_until)
$$;

-- The members that differ; both null where none does. With nothing before, what was given. In PL/pgSQL, like the next
-- one, since that keeps its plans from call to call.
create function changed_members(was jsonb, now jsonb, out before jsonb, out after jsonb)
language plpgsql immutable as $$
begin
    select case when was is not null then jsonb_object_agg(key, was -> key) end, jsonb_object_agg(key, value)
    into before, after
    from jsonb_each(now) where case when was is null then value <> 'null' else value is distinct from was -> key end;
end $$;

-- One line in the history of declarations. Called by triggers alone, which hold the product's inventory row.
create function record_declaration(id bigint, before jsonb, after jsonb, reason text, actor text, moment timestamptz)
returns void
language plpgsql as $$
begin
    insert into declaration_change (product_id, sequence, transaction_id, change_id, before, after, cause, reason,
                                    actor, at)
    values (id, coalesce((select max(sequence) from declaration_change where product_id = id), 0) + 1,
            current_transaction(), nextval('change_number'), before, after, change_cause(), coalesce(reason, ''),
            actor, moment);
end $$;

-- Columns as the wire names and writes them, which a caller may give back to product.update.
create function wire_name(member text) returns text
language sql immutable as $$
    select case member
        when 'floor_price' then 'floor' when 'ceiling_price' then 'ceiling' when 'archived_at' then 'archived'
        when 'pin_price' then 'pin'
        else left(member, 1) || substr(replace(initcap(replace(member, '_', ' ')), ' ', ''), 2) end
$$;

create function wire_members(members jsonb) returns jsonb
language sql stable as $$
    select jsonb_object_agg(wire_name(key), case
        when key = 'archived_at' then to_jsonb(value <> 'null')
        when key in ('base_price', 'unit_cost', 'floor_price', 'ceiling_price', 'unit_value', 'pin_price')
            then to_jsonb(value #>> '{}')
        when key in ('season_start', 'season_end', 'pinned_until')
            then to_jsonb(rfc3339((value #>> '{}')::timestamptz))
        else value end)
    from jsonb_each(members)
$$;

-- What a line of the history did, in one word.
create function declaration_kind(before jsonb, after jsonb) returns text
language sql immutable as $$
    select case when before is null then 'create'
                when after ? 'pin_price' then case when after ->> 'pin_price' is null then 'unpin' else 'pin' end
                when not after ? 'archived_at' then 'declare'
                when after ->> 'archived_at' is null then 'restore' else 'archive' end
$$;
