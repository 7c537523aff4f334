--! once
-- Deliveries that come in parts: how much of an expected one has come, and why it is expected no longer.
drop function if exists move_stock(bigint, integer, movement_cause);
drop function if exists close_expectation(jsonb);

alter table expectation
    add column received bigint not null default 0,
    add column closed_reason text,
    add constraint expectation_received_not_negative check (received >= 0),
    add constraint expectation_eta_is_finite check (isfinite(eta)),
    add constraint expectation_closed_with_reason check (closed_reason is null or closed_at is not null);

-- Nothing comes any more for what is archived.
update expectation e set closed_at = now(), closed_reason = 'the product was archived'
from product d where d.product_id = e.product_id and d.archived_at is not null and e.closed_at is null;
