--! code
-- The named queries.

-- One page of the named queries that the daemon has.
create function report_list(p jsonb) returns json
language sql stable as $$
    select as_page('report.list', p - 'reports', array(
        select json_build_object('cursor', json_build_array(n), 'item', r)
        from jsonb_array_elements(p -> 'reports') with ordinality u (r, n)
        where n > coalesce((select (open_cursor('report.list', p - 'reports') ->> 0)::bigint), 0)
        order by n limit page_size(p) + 1))
$$;
