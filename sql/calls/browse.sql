--! code
-- The shop window: what is for sale, as customers see it.

-- How much of a product may be sold, in a word: the number is the shop's own.
create function availability(d product, i inventory) returns text
language sql immutable as $$
    select case when i.stock - i.held <= 0 then 'soldOut' when i.stock - i.held <= d.low_stock then 'fewLeft'
                else 'inStock' end
$$;

-- How many may still be sold, where few are left: a buyer plans with it.
create function units_left(d product, i inventory) returns integer
language sql immutable as $$
    select case when availability(d, i) = 'fewLeft' and i.stock - i.held <= 10 then i.stock - i.held end
$$;

create function offer_json(d product, i inventory) returns json
language sql stable as $$
    select json_build_object('productId', d.product_id, 'sku', d.sku, 'title', d.title, 'description', d.description,
        'categoryId', d.category_id, 'category', (select name from category c where c.category_id = d.category_id),
        'price', i.price::text, 'availability', availability(d, i), 'unitsLeft', units_left(d, i))
$$;

-- Pages as product_list makes them, from the same indexes. The number of the stream is of this very snapshot: what
-- has a higher one is not in the page, or will be told once more.
create function product_browse(p jsonb) returns json
language plpgsql stable as $body$
declare
    sort text := coalesce(p ->> 'sort', 'productId');
    descending boolean := left(sort, 1) = '-';
    key text := case ltrim(sort, '-') when 'price' then 's.price' when 'title' then 'd.title collate "und-x-icu"'
                                      else 'd.product_id' end;
    -- As in product_list: a walk in title order would pass most of the catalogue before the first match.
    placed text := case when ltrim(sort, '-') = 'title' and p ? 'search' then $$(d.title || '') collate "und-x-icu"$$
                        else key end;
    after jsonb := open_cursor('product.browse', p);
    rows json[];
begin
    execute format($query$
        with page as materialized (
            select %8$s.product_id as id, %1$s as key
            from %5$s
            where d.active and d.archived_at is null %6$s
              and ($2 is null or (%1$s, %8$s.product_id) %2$s (($2 ->> 0)::%4$s, ($2 ->> 1)::bigint))
            order by %7$s %3$s, %8$s.product_id %3$s limit $3
        )
        select array(
            select json_build_object('cursor', json_build_array(page.key::text, d.product_id), 'item', offer_json(d, i))
            from page join product d on d.product_id = page.id join inventory i on i.product_id = page.id
            order by page.key %3$s, page.id %3$s)
        $query$, key, case when descending then '<' else '>' end, case when descending then 'desc' else 'asc' end,
        case ltrim(sort, '-') when 'price' then 'numeric' when 'title' then 'text' else 'bigint' end,
        case when ltrim(sort, '-') = 'price' then 'shelf s join product d using (product_id)' else 'product d' end,
        concat_ws(' ',
            case when p ? 'search' then $$and d.search_text like like_pattern($1 ->> 'search')$$ end,
            case when p ? 'categoryId' then $$and d.category_id = ($1 ->> 'categoryId')::bigint$$ end,
            case when p ? 'productIds' then $$and d.product_id = any ($4)$$ end),
        placed, left(key, 1))
    into rows using p, after, page_size(p) + 1,
        array(select id::bigint from jsonb_array_elements_text(coalesce(p -> 'productIds', '[]')) id);
    return (select json_build_object('items', page -> 'items', 'nextCursor', page -> 'nextCursor',
                                     'sequence', (select last_number from event_sequence))
            from as_page('product.browse', p, rows) page);
end $body$;
