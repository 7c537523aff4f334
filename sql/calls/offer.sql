--! code
-- One product of the shop window, with what a buyer may be told of its price.

-- The reduction that may be announced: the lowest price of the 30 days before it began, and by how many whole percent
-- the price lies below it; null where it does not, or the product is too young for the claim.
create function true_reduction(d product, r rule, i inventory) returns jsonb
language plpgsql stable as $$
declare
    checked jsonb;
    lowest numeric;
begin
    -- Most prices are not reduced, and then no history is read.
    if reduced_since(d, r, i) is null then return null; end if;
    checked := check_claim(d, r, i, 1);
    if not (checked ->> 'truthful')::boolean then return null; end if;
    lowest := checked #>> '{reference,price}';
    return jsonb_build_object('lowest30', lowest::text, 'since', checked -> 'reducedSince',
        'percentOff', floor(100 * (1 - i.price / lowest))::integer);
end $$;

-- Why a price is what it is, in a sentence for buyers. Nothing in it is the shop's own: no base price, cost or limit.
-- It never says "reduced", which would be a claim: true_reduction makes that one.
create function reason_for_buyers(d product, r rule, i inventory) returns text
language plpgsql stable as $$
declare
    basis text := (strategy_facts(r.strategy)).basis;
    last price_change;
begin
    if i.stock - i.held <= 0 then return 'None is left to buy: this is the price that stood last.'; end if;
    if i.pin_price is not null then
        return 'The shop has set this price by hand: it does not follow how many are left.';
    end if;
    if is_reduced(i) and i.price < i.regular_price then
        return format('This price is for a time, and ends by %s.', (
            select to_char(max((c ->> 'endsAt')::timestamptz) at time zone 'UTC', 'FMDD FMMonth YYYY')
            from jsonb_array_elements(campaigns_of(d, r, i)) c
            where (c ->> 'price')::numeric = i.price));
    end if;
    if is_halted(d) then return 'This price stands still for now.'; end if;
    if basis = 'base' then return 'This price is fixed: it does not follow how many are left.'; end if;
    if basis = 'level' then
        return case when i.band = 1 and i.price > d.base_price then 'Few are left, so it costs more than usual.'
                    when i.band = -1 and i.price < d.base_price then 'Plenty are in stock, which keeps the price low.'
                    when i.band = 0 and i.price = d.base_price
                        then 'Neither few nor many are left, so it has its usual price.'
                    else 'The price follows how many are left.' end;
    end if;
    select * into last from price_change where product_id = d.product_id order by sequence desc limit 1;
    return case when last.cause = 'sale' and last.new_price > last.old_price
                    then 'The price rose as it was bought, since fewer are left.'
                when last.cause in ('restock', 'return', 'cancel') and last.new_price < last.old_price
                    then 'More have come in, which keeps the price low.'
                else 'The price follows how many are left and how fast it sells.' end;
end $$;

create function product_offer(p jsonb) returns json
language plpgsql stable as $$
declare
    d product := find_product((p ->> 'productId')::bigint);
    r rule;
    i inventory;
begin
    if not d.active or d.archived_at is not null then
        perform fail('PR101', format('There is no product %s.', d.product_id),
                     jsonb_build_object('productId', d.product_id));
    end if;
    select * into r from rule where rule_id = d.rule_id;
    select * into i from inventory where product_id = d.product_id;
    return offer_json(d, i)::jsonb || jsonb_build_object('why', reason_for_buyers(d, r, i),
                                                         'reduction', true_reduction(d, r, i));
end $$;
