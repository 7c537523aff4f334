--! code
-- What a stock movement writes: its line in the stock ledger, the price history, the shelf.

-- The transaction that runs now, as ledgers name it: unlike the server's own number never given twice, even where the
-- shop was restored into another server.
create function current_transaction() returns bigint
language plpgsql stable as $$
begin
    return pg_current_xact_id()::text::bigint + (select offset_by from transaction_origin where only_row);
end $$;

-- One line in the stock ledger; returns the number of its change. Called by the inventory trigger alone.
create function record_movement(
    row_was inventory, row_now inventory, why movement_cause, ends_order boolean, moment timestamptz
) returns bigint
language plpgsql as $$
declare
    change bigint := nextval('change_number');
begin
    insert into stock_movement (product_id, sequence, transaction_id, change_id, kind, quantity, stock_after, order_id,
                                ends_order, reason, actor, at)
    values (row_now.product_id, row_now.movement_count, current_transaction(), change, why.kind,
            case when is_hold(why.kind) then row_now.held - row_was.held else row_now.stock - row_was.stock end,
            row_now.stock, why.order_id,
            coalesce(ends_order and why.kind = 'sale' and why.order_id is not null, false), coalesce(why.reason, ''),
            why.actor, moment);
    return change;
end $$;

-- One line in the price history, of the change with this number or one of its own. Called by the inventory trigger
-- alone.
create function record_price_change(
    row_was inventory, row_now inventory, declared product, chosen rule, mode text, v price_verdict,
    why movement_cause, moment timestamptz, change bigint
) returns void
language plpgsql as $$
begin
    insert into price_change (product_id, sequence, old_price, new_price, stock, rule_id, cause, binding_guard,
                              inputs, order_id, reason, actor, at, transaction_id, change_id, old_regular, new_regular)
    values (row_now.product_id, row_now.change_count, row_was.price, row_now.price, row_now.stock, declared.rule_id,
            why.kind, v.binding,
            case when row_now.pin_price is not null
                 then jsonb_build_object('mode', 'pin', 'pin', row_now.pin_price)
                 when row_now.regular_price = row_was.regular_price then charge_inputs(declared, chosen, row_now)
                 else price_inputs(declared, chosen, row_now, row_was.regular_price, row_was.band, mode, v)
                      || shop_prior_inputs(declared, chosen, row_now.ticked_at) end,
            why.order_id, coalesce(why.reason, ''), why.actor, moment, current_transaction(),
            coalesce(change, nextval('change_number')), nullif(row_was.regular_price, row_was.price),
            nullif(row_now.regular_price, row_now.price));
end $$;

-- One line in the history of an order.
create function record_order_change(number bigint, old_status text, new_status text, why text) returns void
language plpgsql as $$
begin
    insert into order_change (transaction_id, change_id, order_id, old_status, new_status, reason, actor, at)
    values (current_transaction(), nextval('change_number'), number, old_status, new_status, coalesce(why, ''),
            acting(), pricing_now());
    perform wake_sequencer();
end $$;

-- An event that no ledger holds.
create function record_notice(
    topic text, op text, product bigint, key bigint, before jsonb, after jsonb, cause jsonb
) returns void
language plpgsql as $$
begin
    insert into notice (transaction_id, change_id, at, topic, op, product_id, key, before, after, cause, actor)
    values (current_transaction(), nextval('change_number'), pricing_now(), topic, op, product, key, before, after,
            cause, acting());
    perform wake_sequencer();
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

-- Posts the evaluated regular price, unless automation is halted; then a declaration waits for the next evaluation, and
-- so does one whose move wants a person's yes.
create function post_price(
    row_was inventory, row_now inventory, v price_verdict, mode text, is_birth boolean, is_halted boolean,
    moment timestamptz
) returns inventory
language plpgsql immutable as $$
declare
    waits boolean := is_halted and v.price <> row_was.regular_price;
begin
    row_now.awaits_approval := v.proposed is not null
        or mode = 'stock' and row_was.awaits_approval and row_now.pin_price is null;
    if not waits then row_now.regular_price := v.price; end if;
    if mode = 'declaration' then
        row_now.anchor_date := case when not waits and v.proposed is null
                                    then coalesce(row_was.anchor_date, (moment at time zone 'UTC')::date) end;
    end if;
    if mode in ('declaration', 'first') then row_now.anchor_price := row_now.regular_price; end if;
    if row_now.regular_price <> row_was.regular_price and not (is_birth and row_was.change_count = 0) then
        row_now.changed_at := moment;
    end if;
    return row_now;
end $$;

-- Charges what the running campaigns make of the regular price. A change has its line in the history, but for the price
-- that comes with a product's first stock, which is its opening price, halted or not; and what campaigns change of one
-- that is sold out is told with its next stock.
create function charge_price(
    declared product, chosen rule, row_was inventory, row_now inventory, mode text, v price_verdict, why movement_cause,
    is_birth boolean, moment timestamptz, change bigint
) returns inventory
language plpgsql as $$
declare
    charged record;
begin
    row_now.price := row_now.regular_price;
    if is_reduced(row_now) then
        charged := charged_price(declared, chosen, row_now);
        row_now.price := charged.price;
        if row_now.regular_price = row_was.regular_price then v.binding := charged.binding; end if;
    elsif row_now.regular_price = row_was.regular_price then
        v.binding := null;
    end if;
    if is_birth and row_was.change_count = 0 then
        row_now.opening_price := row_now.price;
        return row_now;
    elsif row_now.stock = 0 and row_now.regular_price = row_was.regular_price
        and row_now.pin_price is not distinct from row_was.pin_price then
        return row_now;
    elsif row_was.stock = 0 then
        row_was.price := told_price(row_was);
    end if;
    if row_now.price <> row_was.price then
        row_now.change_count := row_was.change_count + 1;
        perform record_price_change(row_was, row_now, declared, chosen, mode, v, why, moment, change);
    end if;
    return row_now;
end $$;

-- A row with its prices, once something moved that they depend on; `is_overlay`: nothing but campaigns did. Called by
-- the inventory trigger alone.
create function price_anew(
    row_was inventory, row_now inventory, why movement_cause, stock_alone boolean, is_overlay boolean,
    moment timestamptz, change bigint
) returns inventory
language plpgsql as $$
declare
    declared product;
    chosen rule;
    mode text;
    verdict price_verdict;
    is_birth boolean := false;
    halted boolean := false;
    afresh boolean;
begin
    select * into declared from product where product_id = row_now.product_id;
    select * into chosen from rule where rule_id = declared.rule_id;
    if row_now.price is distinct from row_was.price then
        row_now := pin_by_hand(row_was, row_now);
        if change is null then why.kind := 'pin'; end if;
    end if;
    if (row_now.pin_price, row_now.pinned_until) is distinct from (row_was.pin_price, row_was.pinned_until) then
        perform check_pin(row_now.pin_price, declared, chosen), check_pin_end(row_now.pinned_until, moment);
        perform record_declaration(row_now.product_id, pin_members(row_was), pin_members(row_now), why.reason,
                                   why.actor, moment);
    end if;
    if why.kind in ('campaign', 'declaration', 'rule', 'resume', 'audit') then
        row_now := with_campaigns(declared, row_now);
    end if;
    if not is_overlay then
        if why.kind in ('approval', 'rollback') then chosen.approve_above := null; end if;  -- a person's yes
        mode := evaluation_mode(row_was, row_now, why.kind);
        is_birth := mode = 'first' and why.kind = 'initial';
        row_now := begin_day(row_was, row_now, mode, why.kind, moment);
        row_now.unshipped := count_unshipped(chosen, row_was, row_now, why);
        if why.kind <> 'approval' then
            -- A sale teaches nothing by itself, though it be the first evaluation of what was declared under a halt.
            row_now := renew_estimates(declared, chosen, row_was, row_now,
                case when mode = 'declaration' and change is not null then 'stock' else mode end, moment);
        end if;
        verdict := evaluate_price(declared, chosen, row_now, mode);
        row_now.band := verdict.band;
        if verdict.price <> row_was.regular_price and verdict.frozen is null and not is_birth then
            halted := is_halted(declared);
        end if;
        if verdict.price <> row_was.regular_price or mode <> 'stock'
            or row_now.awaits_approval <> (verdict.proposed is not null) then
            row_now := post_price(row_was, row_now, verdict, mode, is_birth, halted, moment);
        end if;
    end if;
    row_now := charge_price(declared, chosen, row_was, row_now, mode, verdict, why, is_birth, moment, change);
    afresh := mode = 'declaration' or stock_level(row_now.stock, declared.low_stock, declared.high_stock)
        <> stock_level(row_was.stock, declared.low_stock, declared.high_stock);
    if afresh or row_now.price <> row_was.price then perform keep_shelf(declared, row_now, false); end if;
    if not is_overlay then
        row_now := widen_interval(declared, chosen, row_was, row_now, verdict.price,
                              afresh or row_now.regular_price <> row_was.regular_price or mode <> 'stock'
                              or row_now.band <> row_was.band or not stock_alone
                              or row_now.awaits_approval <> row_was.awaits_approval);
        if not stock_alone and may_propose(chosen, row_was, row_now, mode, why.kind) then
            perform settle_proposal(declared, chosen, row_was, row_now, verdict, mode, why.kind, moment);
        end if;
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
    d product := find_open_product(id);
    was inventory;
    i inventory;
begin
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
    return json_build_object('productId', id, 'sku', d.sku, 'stock', i.stock, 'available', i.stock - i.held,
        'priceBefore', was.price::text, 'priceAfter', i.price::text,
        'price', json_build_object('before', was.price::text, 'after', i.price::text));
end $$;

-- Takes units of an order back: on the shelf, or, where they are broken, out again at once, which moves no price. The
-- stock ledger has both.
create function take_back(id bigint, units integer, kind text, number bigint, why text, restock boolean) returns void
language plpgsql as $$
declare
    i inventory;
begin
    perform check_stock_room(id, units);
    if restock then
        update inventory set stock = stock + units, cause = row(kind, null, why, number)::movement_cause
        where product_id = id;
        return;
    elsif kind = 'cancel' then
        perform count_signal(array[id], 'on_hand', number);
    end if;
    update inventory set sales = 2 where product_id = id returning * into i;
    insert into stock_movement (product_id, sequence, transaction_id, change_id, kind, quantity, stock_after, order_id,
                                reason, actor, at)
    select id, i.movement_count - later, current_transaction(), nextval('change_number'), m.kind, m.quantity,
           i.stock + later * units, number, m.reason, acting(), pricing_now()
    from (values (1, take_back.kind, units, coalesce(why, '')), (0, 'adjust', -units, 'not restocked'))
        m (later, kind, quantity, reason)
    order by later desc;
    perform wake_sequencer();
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
