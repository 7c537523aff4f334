--! bench
-- What psql runs before and after a load, for what an order leaves on disk. Prints the bytes of WAL since the position
-- `since`, none without it, without full-page images: how many of those there are says how long ago the last checkpoint
-- was, and not what was done. Then the size of all tables of the schema `schema`, indexes included; vacuumed first, so
-- that room that is free again does not count. Then the position from which the next reading counts, after a
-- checkpoint, so that none falls into the load.
set client_min_messages = warning;
create extension if not exists pg_walinspect schema public;
\set wal 0
\if :{?since}
select sum(record_size)::bigint as wal from public.pg_get_wal_stats(:'since', pg_current_wal_flush_lsn()) \gset
\endif
vacuum;
checkpoint;
select :wal, sum(pg_total_relation_size(oid))::bigint, pg_current_wal_flush_lsn()
from pg_class where relnamespace = to_regnamespace(:'schema') and relkind = 'r';
