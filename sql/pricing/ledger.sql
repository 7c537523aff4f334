--! code
-- What a stock movement writes: its line in the stock ledger, the price history, the events, the shelf.

-- One line in the stock ledger and its event. Called by the inventory trigger alone.
create function record_movement(
    row_was inventory, row_now inventory, why movement_cause, moment timestamptz, event_id bigint
) returns void
language plpgsql as $$
begin
    insert into stock_movement (product_id, sequence, kind, quantity, stock_after, order_id, reason, actor, at)
    values (row_now.product_id, row_now.movement_count, why.kind, row_now.stock - row_was.stock, row_now.stock,
            why.order_id, coalesce(why.reason, ''), why.actor, moment);
    insert into event_outbox (event_id, at, topic, op, product_id, key, before, after, cause, actor)
    overriding system value
    values (coalesce(event_id, nextval('event_outbox_event_id_seq')), moment, 'stock', 'update', row_now.product_id,
            row_now.product_id, jsonb_build_object('stock', row_was.stock), jsonb_build_object('stock', row_now.stock),
            jsonb_strip_nulls(jsonb_build_object('kind', why.kind, 'orderId', why.order_id)), why.actor);
end $$;

-- The same for several sales in one update: a line and an event each, in their order.
create function record_sales(row_was inventory, sales unit_sale[], moment timestamptz) returns void
language plpgsql as $$
begin
    with sale as materialized (
        select s.*, row_was.stock - sum(s.quantity) over (order by n) as stock_after
        from unnest(sales) with ordinality s (order_id, actor, quantity, stock_event, price_event, n)
    ), kept as (
        insert into stock_movement (product_id, sequence, kind, quantity, stock_after, order_id, actor, at)
        select row_was.product_id, row_was.movement_count + n, 'sale', -quantity, stock_after, order_id, actor, moment
        from sale
    )
    insert into event_outbox (event_id, at, topic, op, product_id, key, before, after, cause, actor)
    overriding system value
    select stock_event, moment, 'stock', 'update', row_was.product_id, row_was.product_id,
           jsonb_build_object('stock', stock_after + quantity), jsonb_build_object('stock', stock_after),
           jsonb_build_object('kind', 'sale', 'orderId', order_id), actor
    from sale;
end $$;

-- One line in the price history and its event. Called by the inventory trigger alone.
create function record_price_change(
    row_was inventory, row_now inventory, declared product, chosen rule, mode text, v price_verdict,
    why movement_cause, moment timestamptz, event_id bigint
) returns void
language plpgsql as $$
begin
    insert into price_change (product_id, sequence, old_price, new_price, stock, rule_id, cause, binding_guard,
                              inputs, order_id, reason, actor, at)
    values (row_now.product_id, row_now.change_count, row_was.price, row_now.price, row_now.stock, declared.rule_id,
            why.kind, v.binding,
            case when v.frozen is null
                 then price_inputs(declared, chosen, row_now, row_was.price, row_was.band, mode, v)
                 else jsonb_build_object('mode', 'pin', 'pin', row_now.pin_price) end,
            why.order_id, coalesce(why.reason, ''), why.actor, moment);
    insert into event_outbox (event_id, at, topic, op, product_id, key, before, after, cause, actor)
    overriding system value
    values (coalesce(event_id, nextval('event_outbox_event_id_seq')), moment, 'price', 'update', row_now.product_id,
            row_now.product_id, jsonb_build_object('price', row_was.price::text),
            jsonb_build_object('price', row_now.price::text, 'stock', row_now.stock, 'title', declared.title,
                'reason', price_reason(why.kind, chosen.strategy, v, coalesce(why.reason, ''))),
            jsonb_strip_nulls(jsonb_build_object('kind', why.kind, 'orderId', why.order_id)), why.actor);
end $$;

-- Notifies the sequencer at commit, unless the session is the daemon's: NOTIFY takes a lock that every commit waits
-- for, so none is in the order path.
create function wake_sequencer() returns void
language plpgsql as $$
begin
    if current_setting('application_name') not like 'pricingd%' then
        perform pg_notify('pricing_event', '');
    end if;
end $$;

-- Applies the sales after the first to a row that one update sells several from. The price falls as stock grows, and so
-- do the guards that follow it: where neither the first sale nor all of them together move the posted price, none
-- between does. Where one would, each sale has to be an update of its own.
create function apply_later_sales(
    declared product, chosen rule, row_was inventory, row_now inventory, first price_verdict, sales unit_sale[]
) returns inventory
language plpgsql as $$
declare
    last price_verdict;
    sale unit_sale;
begin
    foreach sale in array sales[2:] loop row_now.stock := row_now.stock - sale.quantity; end loop;
    last := evaluate_price(declared, chosen, row_now, 'stock');
    if first.price <> row_was.price or last.price <> row_was.price or last.frozen = 'out_of_stock' then
        raise feature_not_supported
            using message = format('Sales of product %s that move its price are updates of their own.',
                                   declared.product_id);
    end if;
    row_now.band := last.band;
    return row_now;
end $$;

-- Posts the evaluated price, unless automation is halted; then a declaration waits for the next evaluation. The price
-- that comes with a product's first stock is its opening price, halted or not, and no change.
create function post_price(
    declared product, row_was inventory, row_now inventory, v price_verdict, mode text, is_birth boolean,
    moment timestamptz
) returns inventory
language plpgsql as $$
declare
    waits boolean := v.price <> row_was.price and v.frozen is null and not is_birth and is_halted(declared);
begin
    if not waits then row_now.price := v.price; end if;
    if mode = 'declaration' then
        row_now.anchor_date := case when not waits
                                    then coalesce(row_was.anchor_date, (moment at time zone 'UTC')::date) end;
    end if;
    if mode in ('declaration', 'first') then row_now.anchor_price := row_now.price; end if;
    if is_birth and row_was.change_count = 0 then
        row_now.opening_price := row_now.price;
    elsif row_now.price <> row_was.price then
        row_now.change_count := row_was.change_count + 1;
        row_now.changed_at := moment;
    end if;
    return row_now;
end $$;

create function stock_level(stock integer, low integer, high integer) returns text
language sql immutable as $$
    select case when stock <= low then 'LOW' when stock >= high then 'HIGH' else 'NORMAL' end
$$;

-- Keeps a product's shelf at its price and its stock level, null for an archived one; `is_new` inserts it.
create function keep_shelf(declared product, i inventory, is_new boolean) returns void
language plpgsql as $$
declare
    level_now text := case when declared.archived_at is null
                           then stock_level(i.stock, declared.low_stock, declared.high_stock) end;
begin
    if is_new then
        insert into shelf (product_id, price, level) values (i.product_id, i.price, level_now);
    else
        update shelf set price = i.price, level = level_now
        where product_id = i.product_id and (price, level) is distinct from (i.price, level_now);
    end if;
end $$;

-- Moves one product's stock and returns the price before and after. With `sets_eta` the row's earliest arrival changes
-- in the same update, so that the price moves once.
create function move_stock(
    id bigint, change integer, why movement_cause, sets_eta boolean default false, eta timestamptz default null
) returns json
language plpgsql as $$
declare
    was inventory;
    i inventory;
begin
    perform find_open_product(id);
    select * into was from inventory where product_id = id for no key update;
    if was.stock - was.held::bigint + change < 0 then
        perform fail('PR201', format('Only %s of product %s are available.', was.stock - was.held, id),
            jsonb_build_object('productId', id, 'requested', -change, 'available', was.stock - was.held));
    end if;
    if change = 0 then
        perform fail('PR602', 'A movement of no units is none.',
            '{"violations": [{"path": "/quantity", "rule": "not zero", "message": "must not be zero"}]}');
    end if;
    if was.stock::bigint + change > 2147483647 then
        perform fail('PR602', 'The stock would pass 2147483647.',
            '{"violations": [{"path": "/quantity", "rule": "maximum", "message": "stock would pass 2147483647"}]}');
    end if;
    update inventory set stock = stock + change, cause = why, next_eta = case when sets_eta then eta else next_eta end
    where product_id = id returning * into i;
    return json_build_object('productId', id, 'stock', i.stock, 'available', i.stock - i.held,
        'priceBefore', was.price::text, 'priceAfter', i.price::text,
        'price', json_build_object('before', was.price::text, 'after', i.price::text));
end $$;

-- Refuses units whose return would overflow the stock, and says how many have to be taken out first.
create function check_stock_room(id bigint, units integer) returns void
language plpgsql as $$
declare
    excess bigint := (select stock + units::bigint - 2147483647 from inventory where product_id = id for no key update);
begin
    if excess > 0 then
        perform fail('PR602',
            format('%s units of product %s come back, and its stock would pass 2147483647: take %s out of it first, '
                   'by inventory.adjust.', units, id, excess),
            jsonb_build_object('productId', id, 'excess', excess, 'violations', jsonb_build_array(jsonb_build_object(
                'path', '/orderId', 'rule', 'maximum', 'message', 'stock would pass 2147483647'))));
    end if;
end $$;
