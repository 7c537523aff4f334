--! once
-- The event stream in partitions of 20 million numbers each, so that a shop may let go of old events as whole tables, with
-- nothing to delete row by row and nothing for vacuum. Partition n, table event_pn, holds the numbers from n * 20,000,000
-- on. Large ones, since whoever reads the stream locks each. Stock ledger and price history are not partitioned and nothing
-- of them is let go: each product's rows are a chain from its first one on, by which stock and price are recomputed, and
-- their key, the product, is what every reader has.

-- The lowest number that the shop still has; without any event, the next one. Kept, since finding it would look at each
-- partition.
alter table event_sequence add column first_number bigint not null default 1;
update event_sequence set first_number = coalesce((select min(sequence) from event), last_number + 1);

drop function if exists event_json(event);
do $$
declare
    part bigint := (select last_number / 20000000 from event_sequence);
begin
    alter table event rename constraint event_pkey to event_first_pkey;
    execute format('alter table event rename to event_p%s', part);
    execute format('create table event (like event_p%s, constraint event_pkey primary key (sequence)) '
                   'partition by range (sequence)', part);
    execute format('alter table event attach partition event_p%s for values from (minvalue) to (%s)', part,
                   (part + 1) * 20000000);
end $$;

-- How many days the shop keeps events; without this row 90.
alter table setting add constraint setting_event_days_whole check (name <> 'event_days' or
    coalesce(jsonb_typeof(value) = 'number' and value::numeric between 1 and 36500 and value::numeric % 1 = 0, false));
