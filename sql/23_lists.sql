--! once
-- What lists search, sort and filter by, so that a page never reads a whole table.

create extension if not exists pg_trgm;  -- finds a text inside another; trusted, so no superuser is needed

create index product_text_index on product using gin (title gin_trgm_ops, description gin_trgm_ops);
create index product_title_index on product (title, product_id);
create index product_unlisted_index on product (product_id) where not active or archived_at is not null;
create index app_user_text_index on app_user using gin (full_name gin_trgm_ops, email gin_trgm_ops);
create index app_user_role_index on app_user (role, user_id) where archived_at is null;
create index customer_order_status_index on customer_order (status, order_id);

-- A product's posted price and stock level beside the hot row, which must have no index on either. The inventory trigger
-- moves it, and only when one of them changes: most sales change neither. No level: archived.
create table shelf (
    product_id bigint constraint shelf_pkey primary key constraint shelf_product_fkey references product,
    price numeric(12, 2) not null,
    level text,
    constraint shelf_level_known check (level in ('LOW', 'NORMAL', 'HIGH'))
) with (fillfactor = 90);
create index shelf_price_index on shelf (price, product_id);
create index shelf_level_index on shelf (level, product_id);
insert into shelf (product_id, price, level)
select i.product_id, i.price, case when d.archived_at is null then
    case when i.stock <= d.low_stock then 'LOW' when i.stock >= d.high_stock then 'HIGH' else 'NORMAL' end end
from inventory i join product d using (product_id);
