--! once
-- What placing orders in a batch passes from step to step.

drop function if exists lock_wanted_lines(jsonb);

-- Whether a wanted product is for sale; null where there is none.
alter type wanted_line add attribute is_open boolean;

-- What came of one order: a reply, new or given before, or why it was refused.
create type order_outcome as (
    reply text, replayed boolean, state text, message text, detail text, broken text
);

-- The lines of an order are written with it, by place_all alone, on products whose rows it holds; no order and no product
-- is ever deleted, and the audit compares lines with the ledger. Looking both up again for every line, and locking them
-- against a deletion that cannot be, cost more than writing the line.
alter table order_line
    drop constraint order_line_order_fkey,
    drop constraint order_line_product_fkey;
