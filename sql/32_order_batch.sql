--! once
-- What placing orders in a batch passes from step to step.

drop function if exists lock_wanted_lines(jsonb);

-- Whether a wanted product is for sale; null where there is none.
alter type wanted_line add attribute is_open boolean;

-- What came of one order: a reply, new or given before, or why it was refused.
create type order_outcome as (
    reply text, replayed boolean, state text, message text, detail text, broken text
);
