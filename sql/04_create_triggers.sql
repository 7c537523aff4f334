--! repeatable
-- The pricing itself. A price is guards(strategy(declaration, ledger, clock), limits, posted price); it is computed in
-- the transaction that moves stock, by one trigger on inventory that writes price, ledger, history and events at once.

-- The clock that prices, orders and history read: the transaction's time, or where virtual_clock has its row, the time
-- there. With that row a transaction may move its own time (pricing.moment), as the generator does from order to order;
-- without it, on a live database, the setting means nothing.
create or replace function pricing_now() returns timestamptz
language plpgsql stable as $$
declare
    moment timestamptz;
begin
    select coalesce(nullif(current_setting('pricing.moment', true), '')::timestamptz, at) into moment from virtual_clock;
    return coalesce(moment, now());
end $$;

-- Who acts in this transaction: the actor that a call named, else the session's own role.
create or replace function acting() returns text
language sql stable as $$
    select coalesce(nullif(current_setting('pricing.actor', true), ''), session_user)
$$;

-- Raises a domain error: SQLSTATE PR + the wire code's digits, the facts as JSON in DETAIL.
create or replace function fail(code text, message text, facts jsonb default '{}') returns void
language plpgsql as $$
begin
    raise exception using errcode = code, message = message, detail = facts::text;
end $$;

-- ---------------------------------------------------------------------------------------------- guards
-- The nearest price k * step - offset, half up, k at least 1; to the cent what lies more than half a step below the first.
create or replace function round_to_step(amount numeric, step numeric, shift numeric) returns numeric
language sql immutable as $$
    select case when round((amount + shift) / step) >= 1 then round((amount + shift) / step) * step - shift
                else greatest(round(amount, 2), 0.01) end
$$;

-- The lowest price that may be posted: the declared floor or cost with its minimum margin, rounded up to a cent.
create or replace function price_floor(floor_price numeric, unit_cost numeric, minimum_margin numeric) returns numeric
language sql immutable as $$
    select greatest(floor_price, least(ceil(coalesce(unit_cost, 0) * (1 + minimum_margin) * 100) / 100, 9999999999.99))
$$;

-- The limits in force for a declaration under a rule; floor beats ceiling.
create or replace function price_limits(declared product, chosen rule, out floor_at numeric, out ceiling_at numeric)
language sql immutable as $$
    select f.floor_at, greatest(f.floor_at, declared.ceiling_price)
    from (select price_floor(declared.floor_price, declared.unit_cost, chosen.minimum_margin) as floor_at) f
$$;

-- Guards 1 to 4 in their fixed order. Of the result, `binding` names the first that binds, null when none does.
--   anchor, cap:  the day's first price and the share of it that a day may move; either null: no cap
--   posted, band: the price that stands and the dead band around it as a share; band null: no dead band
create or replace function apply_guards(
    raw numeric, posted numeric, anchor numeric, cap numeric, floor_at numeric, ceiling_at numeric,
    band numeric, step numeric, shift numeric,
    out capped numeric, out limited numeric, out price numeric, out binding text
)
language plpgsql immutable as $$
begin
    capped := raw;
    if cap is not null and anchor is not null then
        capped := least(greatest(raw, anchor * (1 - cap)), anchor * (1 + cap));
        if capped <> raw then binding := 'daily_cap'; end if;
    end if;
    limited := greatest(least(capped, ceiling_at), floor_at);
    if binding is null and limited <> capped then
        binding := case when limited = floor_at then 'floor' else 'ceiling' end;
    end if;
    if band is not null and posted between floor_at and greatest(floor_at, ceiling_at)
        and abs(limited - posted) <= greatest(band * posted, 0.75 * step) then
        price := posted;
        if binding is null and greatest(least(round_to_step(limited, step, shift), ceiling_at), floor_at) <> posted then
            binding := 'dead_band';
        end if;
        return;
    end if;
    price := greatest(least(round_to_step(limited, step, shift), greatest(floor_at, ceiling_at)), floor_at)::numeric(12, 2);
end $$;

-- ---------------------------------------------------------------------------------------------- writers
-- One line in the stock ledger and its event. Called by the inventory trigger alone.
create or replace function record_movement(
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

-- The same for several sales that reach the product together: a line and an event each, in their order.
create or replace function record_sales(row_was inventory, sales unit_sale[], moment timestamptz) returns void
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

-- Why a price stands where it does, in words for the merchant.
create or replace function price_reason(cause text, strategy text, v price_verdict, note text) returns text
language sql immutable as $$
    select case when cause = 'pin' then 'pinned by hand'
                when v.binding = 'daily_cap' then 'limited by the daily cap'
                when v.binding = 'floor' then 'held at the floor'
                when v.binding = 'ceiling' then 'held at the ceiling'
                when strategy = 'manual' then 'list price'
                when strategy = 'bands' then
                    case v.band when 1 then 'low stock' when -1 then 'high stock' else 'normal stock' end
                when v.has_end then format('%s units for %s days', v.stock, round(v.days_left::numeric, 1))
                else format('%s units, to last %s days', v.stock, round(v.days_left::numeric, 1)) end
        || case when note = '' then '' else ': ' || note end
$$;

-- One line in the price history and its event. Called by the inventory trigger alone.
create or replace function record_price_change(
    row_was inventory, row_now inventory, declared product, chosen rule, mode text, v price_verdict,
    why movement_cause, moment timestamptz, event_id bigint
) returns void
language plpgsql as $$
begin
    insert into price_change (product_id, sequence, old_price, new_price, stock, rule_id, cause, binding_guard,
                              inputs, order_id, reason, actor, at)
    values (row_now.product_id, row_now.change_count, row_was.price, row_now.price, row_now.stock, declared.rule_id,
            why.kind, v.binding,
            case when v.frozen is null then price_inputs(declared, chosen, row_now, row_was.price, row_was.band, mode, v)
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

-- A session that is not the daemon's wakes the sequencer at its commit; in the daemon's own order path nothing
-- notifies, since NOTIFY takes a lock that every commit waits for.
create or replace function wake_sequencer() returns void
language plpgsql as $$
begin
    if current_setting('application_name') not like 'pricingd%' then
        perform pg_notify('pricing_event', '');
    end if;
end $$;

-- ---------------------------------------------------------------------------------------------- triggers
-- A new inventory row is evaluated at once; its first price is no change.
create or replace function tg_inventory_open() returns trigger
language plpgsql set search_path = public, pg_temp as $$
declare
    declared product;
    chosen rule;
    verdict price_verdict;
    why movement_cause := new.cause;
    moment timestamptz := pricing_now();
    empty inventory;
begin
    select * into declared from product where product_id = new.product_id;
    select * into chosen from rule where rule_id = declared.rule_id;
    new.band := 0;
    new.price := declared.base_price;
    new.anchor_price := declared.base_price;
    new.ticked_at := moment;
    verdict := evaluate_price(declared, chosen, new, 'first');
    new.price := verdict.price;
    new.band := verdict.band;
    new.opening_price := new.price;
    new.anchor_price := new.price;
    new.anchor_date := (moment at time zone 'UTC')::date;
    new.cause := null;
    perform keep_shelf(declared, new, true);
    if new.stock > 0 then
        new.movement_count := 1;
        empty.stock := 0;
        perform record_movement(empty, new,
            row(coalesce(why.kind, 'initial'), coalesce(why.actor, acting()), why.reason, why.order_id)::movement_cause,
            moment, null);
        perform wake_sequencer();
    end if;
    return new;
end $$;

-- How a row is evaluated after an event of a kind: afresh, as at a tick, or as stock moves. Without anchor_date it waits
-- for what a declaration would have made of it, had automation not been halted.
create or replace function evaluation_mode(row_was inventory, row_now inventory, kind text) returns text
language sql immutable as $$
    select case when row_now.pin_price is null and (row_was.pin_price is not null or row_was.anchor_date is null)
                    then 'declaration'
                when kind in ('declaration', 'rule') then 'declaration'
                when kind = 'tick' then 'tick'
                when row_was.stock = 0 and row_was.movement_count = 0 then 'first'
                else 'stock' end
$$;

-- Several sales that reach a product as one update: the row after all of them, from that after the first.
-- The price falls as stock grows, and so do the guards that follow it: where neither the first sale nor all of them
-- together move the posted price, none between does. Where one would, they are to be updates of their own.
create or replace function sell_the_others(
    declared product, chosen rule, row_was inventory, row_now inventory, first price_verdict, sales unit_sale[],
    moment timestamptz
) returns inventory
language plpgsql as $$
declare
    last price_verdict;
    sale unit_sale;
begin
    foreach sale in array sales[2:] loop row_now.stock := row_now.stock - sale.quantity; end loop;
    if chosen.strategy = 'learn' then
        row_now.learner := learn_more_sales(row_now.learner, declared, row_was.price, moment, sales);
    end if;
    last := evaluate_price(declared, chosen, row_now, 'stock');
    if first.price <> row_was.price or last.price <> row_was.price or last.frozen = 'out_of_stock' then
        raise feature_not_supported
            using message = format('Sales of product %s that move its price are updates of their own.', declared.product_id);
    end if;
    row_now.band := last.band;
    return row_now;
end $$;

-- What direct SQL did to a row, which names no cause; null: nothing that concerns its price.
create or replace function move_by_hand(row_was inventory, row_now inventory) returns text
language sql immutable as $$
    select case when row_was.stock <> row_now.stock then 'adjust'
                when (row_was.price, row_was.pin_price, row_was.pinned_until)
                     is distinct from (row_now.price, row_now.pin_price, row_now.pinned_until) then 'pin'
                when (row_was.learner, row_was.learning_since, row_was.opening_rate, row_was.next_eta)
                     is distinct from (row_now.learner, row_now.learning_since, row_now.opening_rate, row_now.next_eta)
                     then 'declaration' end
$$;

-- The row with what was evaluated: posted, unless automation is halted; then a declaration waits for the next evaluation.
-- A product that is given its first stock is born at its price: that is its first, halted or not, and no change.
create or replace function post_price(
    declared product, row_was inventory, row_now inventory, v price_verdict, mode text, is_birth boolean,
    moment timestamptz
) returns inventory
language plpgsql as $$
declare
    waits boolean := v.price <> row_was.price and v.frozen is null and not is_birth and is_halted(declared);
begin
    if not waits then row_now.price := v.price; end if;
    if mode = 'declaration' then
        row_now.anchor_date := case when not waits then coalesce(row_was.anchor_date, (moment at time zone 'UTC')::date) end;
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

-- Every way in which a price can move passes here: stock, pin, unpin, tick, declaration, and a price typed by hand.
create or replace function tg_inventory_move() returns trigger
language plpgsql set search_path = public, pg_temp as $$
declare
    moment timestamptz := pricing_now();
    why movement_cause := new.cause;
    sales unit_sale[] := new.sales;
    stock_moved boolean;
    mode text := 'stock';
    declared product;
    chosen rule;
    verdict price_verdict;
begin
    new.cause := null;
    new.sales := null;
    if sales is not null then  -- they alone say what leaves the stock
        why := row('sale', sales[1].actor, '', sales[1].order_id)::movement_cause;
        new.stock := old.stock - sales[1].quantity;
    end if;
    stock_moved := new.stock <> old.stock;
    if why.kind is null then
        why.kind := coalesce(move_by_hand(old, new), case when why is not null then 'pin' end);
        if why.kind is null then return new; end if;
    end if;
    why.actor := coalesce(why.actor, acting());
    select * into declared from product where product_id = new.product_id;
    select * into chosen from rule where rule_id = declared.rule_id;
    if new.price is distinct from old.price then
        new := pin_by_hand(old, new);
        if not stock_moved then why.kind := 'pin'; end if;
    end if;
    if (new.pin_price, new.pinned_until) is distinct from (old.pin_price, old.pinned_until) then
        perform check_pin(new.pin_price, declared, chosen);
        perform check_pin_end(new.pinned_until, moment);
    end if;
    if new.pin_price is null or new.pin_price is not distinct from old.pin_price then
        mode := evaluation_mode(old, new, why.kind);
    end if;
    -- Only a tick begins a pricing day: between ticks the price depends on stock alone.
    if mode = 'tick' and new.anchor_date <> (moment at time zone 'UTC')::date then
        new.anchor_price := old.price;
        new.anchor_date := (moment at time zone 'UTC')::date;
    end if;
    if mode in ('first', 'tick') or why.kind = 'tick' then new.ticked_at := moment; end if;
    if chosen.strategy not in ('bands', 'manual') then
        new := learn_and_estimate(declared, chosen, old, new, mode, moment, why);
    end if;
    verdict := evaluate_price(declared, chosen, new, mode);
    new.band := verdict.band;
    if cardinality(sales) > 1 then
        new := sell_the_others(declared, chosen, old, new, verdict, sales, moment);
        new.movement_count := old.movement_count + cardinality(sales);
        perform record_sales(old, sales, moment);
    elsif stock_moved then
        new.movement_count := old.movement_count + 1;
        if why.kind = 'restock' then new.last_restock_at := moment; end if;
        perform record_movement(old, new, why, moment, sales[1].stock_event);
    end if;
    if verdict.price <> old.price or mode <> 'stock' then
        new := post_price(declared, old, new, verdict, mode, mode = 'first' and why.kind = 'initial', moment);
    end if;
    if new.change_count <> old.change_count then
        perform record_price_change(old, new, declared, chosen, mode, verdict, why, moment, sales[1].price_event);
    end if;
    if mode = 'declaration' or (new.price, stock_level(new.stock, declared.low_stock, declared.high_stock))
        is distinct from (old.price, stock_level(old.stock, declared.low_stock, declared.high_stock)) then
        perform keep_shelf(declared, new, false);
    end if;
    perform wake_sequencer();
    return new;
end $$;

-- What the trigger keeps beside stock and price is written by it alone: each is an input of some price.
create or replace function tg_inventory_kept() returns trigger
language plpgsql set search_path = public, pg_temp as $$
begin
    perform fail('PR903', 'Beside stock, price and pin an inventory row is kept by its trigger.');
    return null;
end $$;

create or replace trigger inventory_open before insert on inventory
    for each row execute function tg_inventory_open();

-- By columns and without a condition: PostgreSQL parses a condition again for each statement.
create or replace trigger inventory_move before update of stock, price, pin_price, pinned_until, learner, learning_since,
    opening_rate, next_eta, cause, sales on inventory
    for each row execute function tg_inventory_move();

create or replace trigger inventory_kept before update of product_id, band, anchor_price, anchor_date, ticked_at,
    opening_price, movement_count, change_count, last_restock_at, learned_at, elasticity_now, rate_now, changed_at on inventory
    for each row execute function tg_inventory_kept();

-- Ledger and history are append-only, whoever asks.
create or replace function tg_history_append_only() returns trigger
language plpgsql set search_path = public, pg_temp as $$
begin
    perform fail('PR903', format('%s is append-only: write a new row that corrects the old one.', tg_table_name));
    return null;
end $$;

create or replace trigger stock_movement_append_only before update or delete or truncate on stock_movement
    for each statement execute function tg_history_append_only();
create or replace trigger price_change_append_only before update or delete or truncate on price_change
    for each statement execute function tg_history_append_only();

-- A product keeps its inventory row: what stands in it no ledger could give back.
create or replace function tg_inventory_keep() returns trigger
language plpgsql set search_path = public, pg_temp as $$
begin
    perform fail('PR903', 'An inventory row stays as long as its product: archive the product.');
    return null;
end $$;

create or replace trigger inventory_keep before delete on inventory
    for each statement execute function tg_inventory_keep();
