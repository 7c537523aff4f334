--! once
-- An order's total holds whatever its lines come to: 100 of them, each of as many units as a shelf can hold, at the highest
-- price.
alter table customer_order alter column total type numeric(24, 2);
