--! code
-- Categories.

create function category_json(c category) returns json
language sql stable as $$
    select json_build_object('categoryId', c.category_id, 'name', c.name, 'description', c.description)
$$;

create function category_list(p jsonb) returns json
language sql stable as $$
    select as_page('category.list', p, array(
        select json_build_object('cursor', json_build_array(c.category_id), 'item', category_json(c)) from category c
        where c.category_id > coalesce((select (open_cursor('category.list', p) ->> 0)::bigint), 0)
        order by c.category_id limit page_size(p) + 1))
$$;

create function category_create(p jsonb) returns json
language sql as $$
    insert into category (name, description) values (p ->> 'name', coalesce(p ->> 'description', ''))
    returning category_json(category)
$$;
