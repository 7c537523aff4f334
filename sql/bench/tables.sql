--! bench
-- What psql runs after a comparison: for the tables that orders write, rows updated since the database was made, those
-- of them that stayed on their page (HOT), dead rows that wait for autovacuum, how often that came and when last.
select relname, n_tup_upd, n_tup_hot_upd, n_dead_tup, autovacuum_count,
       to_char(last_autovacuum at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
from pg_stat_user_tables
where relname in ('inventory', 'customer_order', 'event_sequence', 'order_line', 'stock_movement')
order by relname;
