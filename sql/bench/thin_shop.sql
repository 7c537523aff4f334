--! bench
-- The thin shop, a rival: what a shop's own developer would write in an afternoon. psql makes it for the role `owner`,
-- with `products` products, in a database of its own beside the shop that is measured, so that server, settings and
-- durability are the same. Keyed orders of one line, a row trigger that moves the price, a price history; no stock
-- ledger, no events, no actor, no explanation, no guards beyond floor and ceiling. Prices open where the trigger would
-- put them and no run sells out, so that, as in bench/shop.sql, no order moves one.
create database thin;
\connect thin
begin;
create schema thin;
create table thin.product (
    id bigint primary key,
    base_price bigint not null,
    price bigint not null,
    floor bigint not null,
    ceiling bigint not null,
    low int not null default 20,
    high int not null default 1000,
    updated timestamptz not null default now()
);
create table thin.inventory (
    product_id bigint primary key references thin.product,
    stock int not null check (stock >= 0)
) with (fillfactor = 70);
create table thin.customer_order (
    id bigint generated always as identity primary key,
    user_id bigint not null,
    idem text unique,
    total bigint not null,
    created timestamptz not null default now()
);
create table thin.order_item (
    order_id bigint references thin.customer_order,
    line int,
    product_id bigint references thin.product,
    quantity int not null,
    unit_price bigint not null,
    primary key (order_id, line)
);
create table thin.price_history (
    id bigint generated always as identity primary key,
    product_id bigint not null,
    old bigint not null,
    new bigint not null,
    stock int not null,
    at timestamptz not null default now()
);

create function thin.reprice() returns trigger
language plpgsql as $$
declare
    p thin.product;
    target bigint;
begin
    select * into p from thin.product where id = new.product_id;
    target := case when new.stock < p.low then p.base_price * 120 / 100
                   when new.stock > p.high then p.base_price * 90 / 100
                   else p.base_price end;
    target := least(greatest(target, p.floor), p.ceiling);
    if target <> p.price then
        update thin.product set price = target, updated = now() where id = p.id;
        insert into thin.price_history (product_id, old, new, stock) values (p.id, p.price, target, new.stock);
    end if;
    return null;
end $$;
create trigger reprice after update of stock on thin.inventory
    for each row when (old.stock is distinct from new.stock) execute function thin.reprice();

-- The number of the new order; -1 when there is not enough.
create function thin.place_order(buyer bigint, key text, item bigint, wanted int) returns bigint
language plpgsql as $$
declare
    number bigint;
    at_price bigint;
begin
    update thin.inventory set stock = stock - wanted where product_id = item and stock >= wanted;
    if not found then return -1; end if;
    select price into at_price from thin.product where id = item;
    insert into thin.customer_order (user_id, idem, total) values (buyer, key, at_price * wanted)
    returning id into number;
    insert into thin.order_item values (number, 1, item, wanted, at_price);
    return number;
end $$;

insert into thin.product (id, base_price, price, floor, ceiling)
select n, base, base * 90 / 100, 500, 50000
from generate_series(1, :products) n, lateral (select 1000 + n % 9000) b (base);
insert into thin.inventory select id, 1000000000 from thin.product;
grant usage on schema thin to :"owner";
grant select, insert, update on all tables in schema thin to :"owner";
commit;
vacuum analyze;
