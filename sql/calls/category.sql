--! code
-- Categories.

create function category_json(c category) returns json
language sql stable as $$
    select json_build_object('categoryId', c.category_id, 'name', c.name, 'description', c.description)
$$;

-- The category that a call names, or PR103; locked against products that would name it from now on when it `goes`.
create function find_category(id bigint, goes boolean default false) returns category
language plpgsql as $$
declare
    c category;
begin
    if goes then
        select * into c from category where category_id = id for update;
    else
        select * into c from category where category_id = id;
    end if;
    if not found then
        perform fail('PR103', format('There is no category %s.', id), jsonb_build_object('categoryId', id));
    end if;
    return c;
end $$;

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

create function category_update(p jsonb) returns json
language plpgsql as $$
declare
    c category := find_category((p ->> 'categoryId')::bigint);
begin
    update category set name = coalesce(p ->> 'name', name), description = coalesce(p ->> 'description', description)
    where category_id = c.category_id returning * into c;
    if not found then perform find_category((p ->> 'categoryId')::bigint); end if;  -- removed meanwhile
    return category_json(c);
end $$;

-- An archived product names its category too, and so does a halt of the past.
create function category_delete(p jsonb) returns json
language plpgsql as $$
declare
    c category := find_category((p ->> 'categoryId')::bigint, true);
    uses bigint := (select count(*) from product where category_id = c.category_id);
    halts bigint := (select count(*) from automation_halt where category_id = c.category_id);
begin
    if uses + halts > 0 then
        perform fail('PR106', format('%s products and %s halts of automation name category %s.', uses, halts,
                                     c.category_id),
            jsonb_build_object('categoryId', c.category_id, 'products', uses, 'halts', halts));
    end if;
    delete from category where category_id = c.category_id;
    return json_build_object('categoryId', c.category_id, 'deleted', true);
end $$;
