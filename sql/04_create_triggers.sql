--! code last
-- Every trigger, with the one function behind it: start reading here. A price is guards(strategy(declaration, ledger,
-- clock), limits, posted price); it is computed in the transaction that moves stock, by one trigger on inventory that
-- writes price, ledger and history at once. What it calls:
--   price_anew           pricing/ledger.sql      all of this that a movement within its interval does not need:
--   renew_estimates      pricing/estimates.sql   what sales say of demand, for the strategies that model it
--   evaluate_price       pricing/evaluate.sql    the strategy's target (strategies.sql), then the guards (guards.sql)
--   post_price           pricing/ledger.sql      the regular price that is posted, and with it
--   widen_interval       pricing/evaluate.sql    the stocks between which that price stands
--   charge_price         pricing/ledger.sql      what running campaigns make of it (campaigns.sql)
--   record_movement, record_price_change         the lines of stock ledger and price history, which are the events
--   keep_shelf           pricing/ledger.sql      the row that lists are sorted by

-- ----------------------------------------------------------------------------------------------------- stock and price
-- A new inventory row is evaluated at once; its first price is no change.
create function tg_inventory_open() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
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
    new.regular_price := declared.base_price;
    new.anchor_price := declared.base_price;
    new.ticked_at := moment;
    verdict := evaluate_price(declared, chosen, new, 'first');
    new := with_campaigns(declared, new);
    new.regular_price := verdict.price;
    new.price := (charged_price(declared, chosen, new)).price;
    new.band := verdict.band;
    new.opening_price := new.price;
    new.anchor_price := new.regular_price;
    new.anchor_date := (moment at time zone 'UTC')::date;
    new.cause := null;
    perform keep_shelf(declared, new, true);
    if new.stock > 0 then
        new.movement_count := 1;
        empty.stock := 0;
        perform record_movement(empty, new,
            row(coalesce(why.kind, 'initial'), coalesce(why.actor, acting()), why.reason, why.order_id)::movement_cause,
            false, moment);
        perform wake_sequencer();
    end if;
    return new;
end $$;

create trigger inventory_open before insert on inventory for each row execute function tg_inventory_open();

-- Every way in which a price can move passes here: stock, pin, unpin, tick, declaration, and a price typed by hand. A
-- movement between the stocks at which the posted price stands computes nothing.
create function tg_inventory_move() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
declare
    why movement_cause;
    ends_order boolean;
    stock_moved boolean := new.stock <> old.stock;
    held_moved boolean := new.held <> old.held;
    inputs_stand boolean :=
        (new.price, new.pin_price, new.pinned_until, new.next_eta, new.opening_rate, new.learning_since)
        is not distinct from
        (old.price, old.pin_price, old.pinned_until, old.next_eta, old.opening_rate, old.learning_since);
    -- Whether nothing but stock moved that a price depends on, of a product that has had stock before.
    stock_alone boolean := old.movement_count > 0 and inputs_stand;
    moment timestamptz;
    declared product;
    chosen rule;
    change bigint;
    is_overlay boolean;
begin
    if held_moved and (stock_moved or new.sales is not null or not is_hold((new.cause).kind)) is not false then
        perform fail('PR903', 'What is held is what open quotes hold.');
    end if;
    if new.sales is not null then  -- of a caller that has looked, holds the row and writes the ledger
        new.movement_count := old.movement_count + new.sales;
        new.sales := null;
        if new.stock = old.stock and stock_alone and new.cause is null then return new; end if;  -- came and went
        if new.stock < old.stock and stock_alone and new.cause is null then
            if new.stock >= old.stands_from and old.stock <= old.stands_to then return new; end if;
            select * into declared from product where product_id = new.product_id;
            select * into chosen from rule where rule_id = declared.rule_id;
            if old.stands_from is not null and stands_at(declared, chosen, old, new.stock) then
                return widen_interval(declared, chosen, old, new, new.regular_price, false);
            end if;
        end if;
        perform fail('PR903', format('Sales of product %s that move its price come one by one.', new.product_id));
    end if;
    why := new.cause;
    ends_order := new.ends_order;
    new.cause := null;
    new.ends_order := null;
    moment := pricing_now();
    if why.kind is null then
        why.kind := coalesce(manual_change_kind(old, new), case when why is not null then 'pin' end);
        if why.kind is null then return new; end if;
    end if;
    -- A campaign's start and end look at the regular price and leave it, with all that belongs to it, as it stands.
    is_overlay := why.kind = 'campaign' and inputs_stand and not stock_moved;
    stock_alone := stock_alone and stock_moved
        and why.kind in ('sale', 'cancel', 'return', 'restock', 'adjust', 'initial');
    why.actor := coalesce(why.actor, acting());
    if stock_moved or held_moved then
        new.movement_count := old.movement_count + 1;
        if why.kind = 'restock' then new.last_restock_at := moment; end if;
        change := record_movement(old, new, why, ends_order, moment);
        if stock_alone and new.stock >= old.stands_from and new.stock <= old.stands_to then
            perform wake_sequencer();
            return new;
        end if;
        -- A hold moves no price but under a rule that counts it; one that ends in an order is seen with its sale.
        if held_moved and (why.order_id is not null or rule_signal(new.product_id) <> 'available') then
            perform wake_sequencer();
            return new;
        end if;
    end if;
    new := price_anew(old, new, why, stock_alone, is_overlay, moment, change);
    perform wake_sequencer();
    return new;
end $$;

-- By columns and without a condition: PostgreSQL parses a condition again for each statement.
create trigger inventory_move before update of stock, held, price, pin_price, pinned_until, learning_since,
    opening_rate, next_eta, cause, ends_order, sales on inventory
    for each row execute function tg_inventory_move();

-- Only the inventory trigger writes these columns: each is an input of some price.
create function tg_inventory_guard() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
begin
    perform fail('PR903', 'Beside stock, price and pin an inventory row is kept by its trigger.');
    return null;
end $$;

create trigger inventory_guard before update of product_id, regular_price, campaign_percent, campaign_price, band,
    anchor_price, anchor_date, ticked_at, opening_price, movement_count, change_count, last_restock_at,
    opening_is_final, elasticity_now, rate_now, changed_at, stands_from, stands_to, unshipped, awaits_approval
    on inventory
    for each row execute function tg_inventory_guard();

-- An inventory row is never deleted: part of its state is in neither stock ledger nor price history.
create function tg_inventory_no_delete() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
begin
    perform fail('PR903', 'An inventory row stays as long as its product: archive the product.');
    return null;
end $$;

create trigger inventory_no_delete before delete on inventory
    for each statement execute function tg_inventory_no_delete();

-- Nor is a user: orders name them without a foreign key.
create function tg_user_no_delete() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
begin
    perform fail('PR903', 'A user stays as long as the orders: archive the user.');
    return null;
end $$;

create trigger user_no_delete before delete on app_user for each statement execute function tg_user_no_delete();

-- A changed password or role ends a user's logins, and so does their archiving.
create function tg_user_ends_logins() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
begin
    delete from login where user_id = new.user_id;
    return null;
end $$;

create trigger user_ends_logins after update of password_hash, role, archived_at on app_user
    for each row when ((old.password_hash, old.role, old.archived_at)
                       is distinct from (new.password_hash, new.role, new.archived_at))
    execute function tg_user_ends_logins();

-- The daemons, which end the subscriptions under it, are told.
create function tg_login_ended() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
begin
    perform pg_notify('pricing_login', '');
    return null;
end $$;

create trigger login_ended after delete on login for each row execute function tg_login_ended();

-- ------------------------------------------------------------------------------------------------------ append-only
-- Every ledger is append-only, for every role.
create function tg_history_append_only() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
begin
    perform fail('PR903', format('%s is append-only: write a new row that corrects the old one.', tg_table_name));
    return null;
end $$;

create trigger stock_movement_append_only before update or delete or truncate on stock_movement
    for each statement execute function tg_history_append_only();
create trigger price_change_append_only before update or delete or truncate on price_change
    for each statement execute function tg_history_append_only();
create trigger order_change_append_only before update or delete or truncate on order_change
    for each statement execute function tg_history_append_only();
create trigger order_return_append_only before update or delete or truncate on order_return
    for each statement execute function tg_history_append_only();
create trigger notice_append_only before update or delete or truncate on notice
    for each statement execute function tg_history_append_only();
create trigger quote_kept before delete or truncate on quote
    for each statement execute function tg_history_append_only();
create trigger quote_line_kept before update or delete or truncate on quote_line
    for each statement execute function tg_history_append_only();
create trigger declaration_change_append_only before update or delete or truncate on declaration_change
    for each statement execute function tg_history_append_only();
create trigger audit_repair_append_only before update or delete or truncate on audit_repair
    for each statement execute function tg_history_append_only();

-- ------------------------------------------------------------------------------------------------------ products
-- The statement that makes a product chose the rule before it had the lock: where that version was retired meanwhile,
-- the product follows its successor.
create function tg_product_make() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
begin
    perform share_new_products();
    if tg_op = 'INSERT' then
        new.rule_id := coalesce((select now_active.rule_id from rule r join rule now_active using (name)
                                 where r.rule_id = new.rule_id and r.status = 'retired'
                                   and now_active.status = 'active'), new.rule_id);
    end if;
    return new;
end $$;

create trigger product_make before insert on product for each row execute function tg_product_make();
create trigger product_regroup before update of category_id, archived_at on product
    for each row when ((old.category_id, old.archived_at) is distinct from (new.category_id, new.archived_at))
    execute function tg_product_make();

-- A limit that was not typed is half of base, or twice. Of a product that exists it gives way to one that was typed.
create function follow_base(d product, gives_way boolean) returns product
language plpgsql immutable as $$
begin
    if not d.floor_typed then
        d.floor_price := greatest(0.01, round(d.base_price * 0.5, 2));
        if gives_way and d.ceiling_typed then d.floor_price := least(d.floor_price, d.ceiling_price); end if;
    end if;
    if not d.ceiling_typed then
        d.ceiling_price := least(d.base_price * 2, 9999999999.99);
        if gives_way and d.floor_typed then d.ceiling_price := greatest(d.ceiling_price, d.floor_price); end if;
    end if;
    return d;
end $$;

create function tg_product_limits() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
begin
    if tg_op = 'INSERT' then
        new.floor_typed := new.floor_typed and new.floor_price is not null;
        new.ceiling_typed := new.ceiling_typed and new.ceiling_price is not null;
    else
        if new.product_id <> old.product_id or new.created_at <> old.created_at then
            perform fail('PR903', 'A product keeps its number and the moment that it was made.');
        end if;
        new.floor_typed := new.floor_typed or new.floor_price is distinct from old.floor_price;
        new.ceiling_typed := new.ceiling_typed or new.ceiling_price is distinct from old.ceiling_price;
    end if;
    return follow_base(new, tg_op = 'UPDATE');
end $$;

create trigger product_limits before insert or update on product for each row execute function tg_product_limits();

-- Counts the changes of a declaration, by call or direct SQL. Runs after the triggers that complete the row, which fire
-- in the order of their names; an update that changes nothing is none.
create function tg_product_version() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
declare
    was product := old;
begin
    was.version := new.version;
    was.search_text := new.search_text;  -- not computed yet
    if new is not distinct from was then return null; end if;
    new.version := old.version + 1;
    return new;
end $$;

create trigger product_version before update on product for each row execute function tg_product_version();

-- Each change of a declaration has its line. Triggers of one event run in the order of their names: the line comes
-- before what product_declare makes of the price. Lines are numbered under the inventory row's lock, which a pin holds.
create function tg_product_record() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
declare
    was jsonb;
    changed record;
begin
    if tg_op = 'UPDATE' then
        was := declared_members(old);
        perform from inventory where product_id = new.product_id for no key update;
    end if;
    select * into changed from changed_members(was, declared_members(new));
    if changed.after is not null then
        perform record_declaration(new.product_id, changed.before, changed.after, change_reason(), acting(),
                                   pricing_now());
        perform wake_sequencer();
    end if;
    return null;
end $$;

create trigger product_change_record after insert or update on product
    for each row execute function tg_product_record();

-- A product brings its inventory row with it; a changed declaration is evaluated at once.
create function tg_product_declare() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
declare
    follows_anew boolean := tg_op = 'INSERT' or new.rule_id is distinct from old.rule_id;
    chosen rule;
begin
    if follows_anew then
        select * into chosen from rule where rule_id = new.rule_id;
        if chosen.status <> 'active' then
            perform fail('PR302', format('Rule %s is not active.', new.rule_id), jsonb_build_object(
                'ruleId', new.rule_id,
                'violations', jsonb_build_array(jsonb_build_object('path', '/ruleId', 'rule', 'active',
                                                                   'message', 'must be an active rule'))));
        end if;
    end if;
    if tg_op = 'INSERT' then
        insert into inventory (product_id) values (new.product_id);
        return null;
    end if;
    perform check_pin(i.pin_price, new, r) from inventory i join rule r on r.rule_id = new.rule_id
    where i.product_id = new.product_id and i.pin_price is not null;
    -- A learner's state is in units of what was declared, and is made of the ledgers again; so is that of a product
    -- that did not learn until now. An opening rate is one of the season's days.
    if follows_anew and (strategy_facts(chosen.strategy)).learns
            and not (select (strategy_facts(strategy)).learns from rule where rule_id = old.rule_id)
        or (old.base_price, old.elasticity, old.decay, old.season_start, old.season_end, old.season_profile)
           is distinct from
           (new.base_price, new.elasticity, new.decay, new.season_start, new.season_end, new.season_profile) then
        update learner set state = null where product_id = new.product_id;
    end if;
    update inventory set
        opening_rate = case when old.season_end is not distinct from new.season_end then opening_rate end,
        cause = row(case when change_cause() = 'rollback' then 'rollback'
                         when old.rule_id = new.rule_id then 'declaration' else 'rule' end, acting(),
                    change_reason(), null)::movement_cause
    where product_id = new.product_id;
    return null;
end $$;

create trigger product_open after insert on product for each row execute function tg_product_declare();
create trigger product_declare after update on product
    for each row when (
        (old.base_price, old.unit_cost, old.floor_price, old.ceiling_price, old.low_stock, old.high_stock,
         old.rule_id, old.category_id, old.archived_at, old.elasticity, old.ref_rate, old.unit_value, old.decay,
         old.season_start, old.season_end, old.season_profile)
        is distinct from
        (new.base_price, new.unit_cost, new.floor_price, new.ceiling_price, new.low_stock, new.high_stock,
         new.rule_id, new.category_id, new.archived_at, new.elasticity, new.ref_rate, new.unit_value, new.decay,
         new.season_start, new.season_end, new.season_profile))
    execute function tg_product_declare();

-- Archiving a product closes its open expectations.
create function tg_product_stop_waiting() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
begin
    update expectation set closed_at = pricing_now(), closed_reason = 'the product was archived'
    where product_id = new.product_id and closed_at is null;
    return null;
end $$;

create trigger product_archive_expectations after update of archived_at on product
    for each row when (old.archived_at is null and new.archived_at is not null)
    execute function tg_product_stop_waiting();

-- ------------------------------------------------------------------------------------ deliveries, orders, rules, clock
-- An expectation evaluates the product's price at once, direct SQL too.
create function tg_expectation_price() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
begin
    if tg_op <> 'INSERT' then
        perform refresh_eta(old.product_id, row('expect', null,
            case when tg_op = 'UPDATE' then coalesce(new.closed_reason, new.reason) else old.reason end, null)
            ::movement_cause);
    end if;
    if tg_op = 'INSERT' or tg_op = 'UPDATE' and new.product_id <> old.product_id then
        perform refresh_eta(new.product_id, row('expect', null, new.reason, null)::movement_cause);
    end if;
    return null;
end $$;

create trigger expectation_price after insert or update or delete on expectation
    for each row execute function tg_expectation_price();

-- Every move of an order passes here, direct SQL too: pending -> processing -> completed -> returned, and cancelled
-- from the first two. Units of a cancelled or returned order go back into stock, once, and an event reports it. The
-- reason travels in the setting pricing.reason.
create function tg_order_move() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
declare
    why text := nullif(current_setting('pricing.reason', true), '');
    restock boolean := coalesce(current_setting('pricing.restock', true), '') <> 'false';
    line order_line;
begin
    if new.status = old.status then return new; end if;
    if (old.status, new.status) not in (('pending', 'processing'), ('processing', 'completed'),
                                        ('pending', 'cancelled'),
                                        ('processing', 'cancelled'), ('completed', 'returned')) then
        perform fail('PR203', format('An order that is %s cannot become %s.', old.status, new.status),
            jsonb_build_object('orderId', old.order_id, 'from', old.status, 'to', new.status));
    end if;
    if new.status = 'cancelled' then
        for line in select * from order_line where order_id = old.order_id order by product_id loop
            perform take_back(line.product_id, line.quantity, 'cancel', old.order_id, why, restock);
        end loop;
    elsif new.status = 'returned' then
        insert into order_return (order_id, product_id, change_id, quantity, restocked, reason, actor, at)
        select order_id, product_id, nextval('change_number'), units, restock, coalesce(why, ''), acting(),
               pricing_now()
        from units_out(old.order_id) where units > 0;
    end if;
    perform record_order_change(old.order_id, old.status, new.status, why);
    new.changed_at := pricing_now();
    return new;
end $$;

create trigger customer_order_move before update of status on customer_order
    for each row execute function tg_order_move();

-- What comes back was bought and is not back yet. Returns of one line wait for each other at the product's stock row.
create function tg_order_return_take() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
declare
    out_there bigint;
begin
    perform check_stock_room(new.product_id, new.quantity);
    select units into out_there from units_out(new.order_id) where product_id = new.product_id;
    if new.quantity > coalesce(out_there, 0) then
        perform fail('PR602', format('Of product %s, order %s has %s left to return.', new.product_id, new.order_id,
                                     coalesce(out_there, 0)),
            jsonb_build_object('productId', new.product_id, 'violations', jsonb_build_array(jsonb_build_object(
                'path', '/lines', 'rule', 'maximum', 'expected', coalesce(out_there, 0), 'got', new.quantity,
                'message', format('product %s: must be at most %s', new.product_id, coalesce(out_there, 0))))));
    end if;
    perform take_back(new.product_id, new.quantity, 'return', new.order_id, new.reason, new.restocked);
    return new;
end $$;

create trigger order_return_take before insert on order_return
    for each row execute function tg_order_return_take();

-- What was sold leaves the house when its order is completed: a rule that counts what is in the house sees it.
create function tg_order_leave() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
begin
    perform count_signal(array(select product_id from order_line where order_id = new.order_id), 'on_hand',
                         new.order_id);
    return null;
end $$;

create trigger customer_order_leave after update of status on customer_order
    for each row when (old.status = 'processing' and new.status = 'completed') execute function tg_order_leave();

-- ------------------------------------------------------------------------------------------------------ quotes
-- A quote is made open, holds what its lines say, and is closed once; direct SQL too. Each daemon is told of an end, so
-- that any of them lets it expire.
create function tg_quote_keep() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
declare
    kept quote := new;
begin
    if tg_op = 'INSERT' then
        if new.created_at = now() then new.created_at := pricing_now(); end if;
        if new.status <> 'open' then perform fail('PR903', 'A quote is made open.'); end if;
    else
        kept.status := old.status;
        kept.expires_at := old.expires_at;
        kept.closed_at := old.closed_at;
        kept.order_id := old.order_id;
        kept.reason := old.reason;
        if kept is distinct from old or old.status <> 'open' then
            perform fail('PR903', 'An open quote is extended or closed, and is never changed otherwise.');
        end if;
        if new.status <> 'open' then new.closed_at := pricing_now(); end if;
    end if;
    if new.status = 'open' then perform pg_notify('pricing_quote', ''); end if;
    return new;
end $$;

create trigger quote_keep before insert or update on quote for each row execute function tg_quote_keep();

create function tg_quote_line_hold() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
begin
    if (select status from quote where quote_id = new.quote_id for no key update) <> 'open' then
        perform fail('PR903', 'What is held belongs to an open quote.');
    end if;
    perform hold_stock(new, 'hold');
    return null;
end $$;

create trigger quote_line_hold after insert on quote_line
    for each row execute function tg_quote_line_hold();

create function tg_quote_close() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
declare
    line quote_line;
begin
    for line in select * from quote_line where quote_id = new.quote_id order by product_id loop
        perform hold_stock(line, case new.status when 'expired' then 'expire' else 'release' end, new.order_id,
                           new.reason);
    end loop;
    return null;
end $$;

create trigger quote_close after update of status on quote
    for each row when (new.status <> 'open') execute function tg_quote_close();

-- The shop's time zone is one that PostgreSQL knows.
create function tg_setting_check() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
begin
    if not exists (select from pg_timezone_names where name = new.value #>> '{}') then
        perform fail('PR602', format('There is no time zone %s.', new.value), jsonb_build_object('violations',
            jsonb_build_array(jsonb_build_object('path', '/value', 'rule', 'timeZone',
                                                 'message', 'must be a name such as "Europe/Berlin"'))));
    end if;
    return new;
end $$;

create trigger setting_time_zone before insert or update on setting
    for each row when (new.name = 'time_zone') execute function tg_setting_check();

-- ------------------------------------------------------------------------------------------------------ campaigns
-- Prices were charged under a campaign: once made, only its progress moves. Each daemon is told, so that any of them
-- starts it and ends it.
create function tg_campaign_keep() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
declare
    kept campaign := new;
begin
    if tg_op = 'INSERT' then
        new.name := clean_name(new.name, 'name');
        if (new.status, new.reached, new.waiting, new.started_at, new.ended_at)
            is distinct from ('scheduled', null, '{}', null, null) then
            perform fail('PR903', 'A campaign is made scheduled, and starts by itself.');
        end if;
    else
        kept.status := old.status;
        kept.reached := old.reached;
        kept.waiting := old.waiting;
        kept.started_at := old.started_at;
        kept.ended_at := old.ended_at;
        kept.ended_by := old.ended_by;
        kept.end_reason := old.end_reason;
        if kept is distinct from old then
            perform fail('PR903', 'A campaign is never edited: end it, and make another.');
        elsif new.status <> old.status and (old.status, new.status) not in (
            ('scheduled', 'starting'), ('scheduled', 'ended'), ('starting', 'running'), ('starting', 'ending'),
            ('running', 'ending'), ('ending', 'ended')) then
            perform fail('PR903', format('A campaign that is %s cannot become %s.', old.status, new.status));
        end if;
    end if;
    if tg_op = 'INSERT' or new.status <> old.status then perform pg_notify('pricing_campaign', ''); end if;
    return new;
end $$;

create trigger campaign_keep before insert or update on campaign for each row execute function tg_campaign_keep();

create function tg_campaign_made() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
begin
    perform record_campaign_event('insert', new);
    return null;
end $$;

create trigger campaign_made after insert on campaign for each row execute function tg_campaign_made();

-- The products of a campaign are named as it is made. Two fixed prices of one product would contradict each other.
create function tg_campaign_product_add() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
declare
    c campaign;
    other campaign;
begin
    perform lock_campaigns();
    select * into c from campaign where campaign_id = new.campaign_id;
    if c.status <> 'scheduled' or c.is_for_all or c.category_id is not null
        or (c.percent_off is null) <> (new.price is not null) then
        perform fail('PR903', 'A campaign names its products as it is made, with a price or a percentage.');
    end if;
    if new.price is null then return null; end if;
    select o.* into other from campaign_product m join campaign o using (campaign_id)
    where m.product_id = new.product_id and m.price is not null and o.campaign_id <> c.campaign_id
      and o.status in ('scheduled', 'starting', 'running') and o.starts_at < c.ends_at and c.starts_at < o.ends_at
    order by o.starts_at limit 1;
    if found then
        perform fail('PR309', format('Campaign %s has another fixed price for product %s at that time.',
                                     other.campaign_id, new.product_id),
            jsonb_build_object('productId', new.product_id, 'campaignId', other.campaign_id, 'name', other.name,
                               'startsAt', rfc3339(other.starts_at), 'endsAt', rfc3339(other.ends_at)));
    end if;
    return null;
end $$;

create trigger campaign_product_add after insert on campaign_product
    for each row execute function tg_campaign_product_add();

create trigger campaign_kept before delete or truncate on campaign
    for each statement execute function tg_history_append_only();
create trigger campaign_product_kept before update or delete or truncate on campaign_product
    for each statement execute function tg_history_append_only();

-- ------------------------------------------------------------------------------------------------------ proposals
-- A proposal is renewed while it is open, and decided once: who approves it, by direct SQL too, moves the price, if
-- that is still asked for. Who decides against it leaves it standing, so that its target is not proposed again.
create function tg_proposal_keep() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
declare
    kept proposal := old;
begin
    if (new.proposal_id, new.product_id, new.made_at) <> (old.proposal_id, old.product_id, old.made_at) then
        perform fail('PR903', 'A proposal keeps its number, its product and the moment that it was made.');
    elsif old.status <> 'open' then
        kept.stands := false;
        if new is distinct from kept and new is distinct from old then
            perform fail('PR903', format('Proposal %s is %s already.', old.proposal_id, old.status));
        end if;
        return new;
    elsif new.status = 'open' then
        return new;
    end if;
    if new.status = 'approved' then new := carry_out(new); end if;
    new.stands := new.status in ('rejected', 'expired');
    new.decided_at := pricing_now();
    new.decided_by := acting();
    return new;
end $$;

create trigger proposal_keep before update on proposal for each row execute function tg_proposal_keep();

-- Each is an event: made, renewed, approved, rejected, expired, withdrawn.
create function tg_proposal_record() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
begin
    perform record_notice('automation', 'proposal_' || case when tg_op = 'INSERT' then 'made'
            when new.status = 'open' then 'renewed' else new.status end, new.product_id, new.proposal_id,
        jsonb_build_object('price', new.old_price::text),
        jsonb_build_object('proposalId', new.proposal_id, 'productId', new.product_id, 'sku', d.sku, 'title', d.title,
                           'ruleId', new.rule_id, 'status', new.status, 'price', new.new_price::text),
        jsonb_strip_nulls(jsonb_build_object('kind', case when new.status = 'open' then new.cause
            when new.status in ('approved', 'rejected') then change_cause() else 'tick' end,
            'reason', nullif(new.reason, ''))))
    from product d where d.product_id = new.product_id;
    return null;
end $$;

create trigger proposal_made after insert on proposal for each row execute function tg_proposal_record();
create trigger proposal_moved after update on proposal
    for each row when ((old.status, old.old_price, old.new_price, old.rule_id)
                       is distinct from (new.status, new.old_price, new.new_price, new.rule_id))
    execute function tg_proposal_record();
create trigger proposal_kept before delete or truncate on proposal
    for each statement execute function tg_history_append_only();

-- Prices were computed from a version: only its status moves.
create function tg_rule_keep() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
declare
    kept rule := new;
begin
    kept.status := old.status;
    kept.activated_at := old.activated_at;
    if kept is distinct from old then
        perform fail('PR903', format('Version %s of rule %s is never edited: a change is the next version.',
                                     old.version, old.name), jsonb_build_object('ruleId', old.rule_id));
    end if;
    return new;
end $$;

create trigger rule_keep before update on rule for each row execute function tg_rule_keep();

-- A rule that is made, activated or retired is an event.
create function tg_rule_record() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
begin
    perform record_notice('catalogue', lower(tg_op), null, new.rule_id,
        case when tg_op = 'UPDATE' then jsonb_build_object('status', old.status) end,
        jsonb_build_object('ruleId', new.rule_id, 'name', new.name, 'version', new.version, 'status', new.status),
        jsonb_build_object('kind', change_cause()));
    return null;
end $$;

create trigger rule_made after insert on rule for each row execute function tg_rule_record();
create trigger rule_moved after update of status on rule
    for each row when (old.status is distinct from new.status) execute function tg_rule_record();

-- So is a category that is made, changed or deleted.
create function tg_category_record() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
declare
    cause jsonb := jsonb_build_object('kind', change_cause());
    changed record;
begin
    if tg_op = 'DELETE' then
        perform record_notice('catalogue', 'delete', null, old.category_id, wire_members(to_jsonb(old)), null, cause);
        return null;
    end if;
    select * into changed from changed_members(case when tg_op = 'UPDATE' then to_jsonb(old) end, to_jsonb(new));
    if changed.after is not null then
        perform record_notice('catalogue', lower(tg_op), null, new.category_id, wire_members(changed.before),
            jsonb_build_object('categoryId', new.category_id) || wire_members(changed.after), cause);
    end if;
    return null;
end $$;

create trigger category_record after insert or update or delete on category
    for each row execute function tg_category_record();

-- And so is a halt of automation and its end. What made the breaker trip travels in the setting pricing.facts.
create function tg_halt_record() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
declare
    op text := case tg_op when 'INSERT' then 'halt' else 'resume' end;
    facts jsonb := case tg_op when 'INSERT' then nullif(current_setting('pricing.facts', true), '')::jsonb end;
begin
    perform record_notice('automation', op, new.product_id, new.halt_id, null,
        halt_json(new)::jsonb - 'haltId'
            || case when facts is null then '{}' else jsonb_build_object('facts', facts) end,
        jsonb_strip_nulls(jsonb_build_object('kind', op, 'reason',
                                             case op when 'halt' then new.reason else new.resume_reason end)));
    return null;
end $$;

create trigger automation_halt_made after insert on automation_halt
    for each row execute function tg_halt_record();
create trigger automation_halt_ended after update of resumed_at on automation_halt
    for each row when (old.resumed_at is null and new.resumed_at is not null) execute function tg_halt_record();

create function tg_rule_never_up() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
declare
    able text := (select string_agg(name, ', ' order by name) from strategy where may_never_rise);
    message text := format('neverUp is for the strategy %s', able);
begin
    if not (strategy_facts(new.strategy)).may_never_rise then
        perform fail('PR602', format('/parameters/neverUp: %s.', message), jsonb_build_object('violations',
            jsonb_build_array(jsonb_build_object('path', '/parameters/neverUp', 'rule', 'strategy',
                                                 'message', message))));
    end if;
    return new;
end $$;

create trigger rule_never_up before insert on rule
    for each row when (new.never_up) execute function tg_rule_never_up();

-- The functions that price hold what the table says: pricing/strategies.sql writes both at once.
create function tg_strategy_keep() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
begin
    perform fail('PR903', 'Strategies come with the code that prices by them.');
    return null;
end $$;

create trigger strategy_keep before insert or update or delete or truncate on strategy
    for each statement execute function tg_strategy_keep();

-- A live database has no virtual time. Checked at the commit, since generating back-dated data sets one for as long as
-- its own transaction lasts.
create function tg_virtual_clock_sandbox() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
begin
    if exists (select from virtual_clock) and not is_sandbox() then
        perform fail('PR502', 'Only a database made with --sandbox has a clock that can be set.');
    end if;
    return null;
end $$;

create constraint trigger virtual_clock_sandbox after insert or update on virtual_clock
    deferrable initially deferred for each row execute function tg_virtual_clock_sandbox();

-- ------------------------------------------------------------------------------------------------------ names
-- Names are trimmed and checked however they come; what stands unchanged is left as it is. One function a table, so
-- that each is checked against the columns that it has.
create function tg_product_names() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
declare
    other bigint;
begin
    if tg_op = 'INSERT' or new.title is distinct from old.title then
        new.title := clean_name(new.title, 'title');
    end if;
    if new.sku is not null and (tg_op = 'INSERT' or new.sku is distinct from old.sku) then
        new.sku := clean_name(new.sku, 'sku', 64);
        -- The unique index would refuse it too, without the other product's number.
        other := product_of_sku(new.sku);
        if other <> new.product_id then
            perform fail('PR107', format('Product %s has the SKU %s.', other, new.sku),
                jsonb_build_object('sku', new.sku, 'productId', other));
        end if;
    end if;
    return new;
end $$;

create trigger product_name_clean before insert or update of title, sku on product
    for each row execute function tg_product_names();

create function tg_category_name() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
begin
    if tg_op = 'INSERT' or new.name is distinct from old.name then
        new.name := clean_name(new.name, 'name');
    end if;
    return new;
end $$;

create trigger category_name_clean before insert or update of name on category
    for each row execute function tg_category_name();

create function tg_rule_name() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
begin
    new.name := clean_name(new.name, 'name');
    return new;
end $$;

create trigger rule_name_clean before insert on rule for each row execute function tg_rule_name();

create function tg_halt_reason() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
begin
    if tg_op = 'INSERT' then
        new.reason := clean_name(new.reason, 'reason', 2000);
    else
        new.resume_reason := clean_name(new.resume_reason, 'reason', 2000);
    end if;
    return new;
end $$;

create trigger automation_halt_name_clean before insert or update of resume_reason on automation_halt
    for each row execute function tg_halt_reason();

create function tg_supplier_names() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
begin
    if tg_op = 'INSERT' or new.company_name is distinct from old.company_name then
        new.company_name := clean_name(new.company_name, 'companyName');
    end if;
    if tg_op = 'INSERT' or new.contact_email is distinct from old.contact_email then
        new.contact_email := clean_email(new.contact_email, 'contactEmail');
    end if;
    if tg_op = 'INSERT' or new.tax_number is distinct from old.tax_number then
        new.tax_number := clean_name(new.tax_number, 'taxNumber', 64);
    end if;
    return new;
end $$;

create trigger supplier_name_clean before insert or update of company_name, contact_email, tax_number on supplier
    for each row execute function tg_supplier_names();

create function tg_user_names() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
begin
    if tg_op = 'INSERT' or new.full_name is distinct from old.full_name then
        new.full_name := clean_name(new.full_name, 'fullName');
    end if;
    if tg_op = 'INSERT' or new.email is distinct from old.email then
        new.email := clean_email(new.email, 'email');
    end if;
    if tg_op = 'INSERT' or new.phone_number is distinct from old.phone_number then
        new.phone_number := clean_name(new.phone_number, 'phoneNumber', 32);
        -- Its check refuses a number of fewer than three digits.
        if phone_key(new.phone_number) !~ '[0-9]{3}' then new.phone_number := '-'; end if;
    end if;
    return new;
end $$;

create trigger app_user_name_clean before insert or update of full_name, email, phone_number on app_user
    for each row execute function tg_user_names();

-- created_at in the shop's time unless given: the column's default is the wall clock, which a sandbox does not follow.
create function tg_row_born() returns trigger
language plpgsql set search_path = pricing, pricing_code, pg_temp as $$
begin
    if new.created_at = now() then new.created_at := pricing_now(); end if;
    return new;
end $$;

create trigger product_born before insert on product for each row execute function tg_row_born();
create trigger rule_born before insert on rule for each row execute function tg_row_born();
create trigger campaign_born before insert on campaign for each row execute function tg_row_born();
create trigger supplier_born before insert on supplier for each row execute function tg_row_born();
create trigger app_user_born before insert on app_user for each row execute function tg_row_born();
