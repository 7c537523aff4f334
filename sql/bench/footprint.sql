--! bench
-- What psql runs before and after a load, for what an order leaves on disk. Prints the bytes of WAL since the position
-- `since`, none without it, without full-page images: how many of those there are says how long ago the last checkpoint
-- was, and not what was done. Then what the tables of the schema `schema` hold, indexes included: their size less the
-- room that is free after a vacuum, since PostgreSQL extends a table that many write by far more than they need. Then
-- the position from which the next reading counts, after a checkpoint, so that none falls into the load.
set client_min_messages = warning;
set search_path = public;
create extension if not exists pg_walinspect;
create extension if not exists pg_freespacemap;
\set wal 0
\if :{?since}
select sum(record_size)::bigint as wal from pg_get_wal_stats(:'since', pg_current_wal_flush_lsn()) \gset
\endif
vacuum;
checkpoint;
with owned as (
    select oid, reltoastrelid from pg_class where relnamespace = to_regnamespace(:'schema') and relkind = 'r'
), stored as (
    select oid from owned union all select reltoastrelid from owned where reltoastrelid <> 0
), part as (
    select oid from stored union all select indexrelid from pg_index join stored on stored.oid = indrelid
)
select :wal, sum(pg_relation_size(oid) - (select coalesce(sum(avail), 0) from pg_freespace(oid)))::bigint,
       pg_current_wal_flush_lsn()
from part;
