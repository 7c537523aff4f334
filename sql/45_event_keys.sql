--! once
-- Each partition of the stream has its key of its own, for the key of the whole cannot be dropped part by part: that is how
-- pg_restore --clean goes about it. The numbers of two partitions never meet, so the whole is as unique without.
alter table event drop constraint event_pkey;
do $$
declare
    part text;
begin
    for part in select inhrelid::regclass::text from pg_inherits where inhparent = 'event'::regclass loop
        execute format('alter table %s add primary key (sequence)', part);
    end loop;
end $$;

-- Which stream the numbers are of: another one after another shop was restored in the place of this. Whoever follows it
-- must not take the restored events for new ones.
alter table event_sequence add column stream_id uuid not null default gen_random_uuid();
