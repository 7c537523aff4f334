--! code
-- What an order or a quote asks for, beside what the shop has.

-- Locks the stock rows that orders ask for, in product order, so that two of them never deadlock. Without `waits`,
-- returns the products that it could not lock.
create function lock_stock(calls jsonb, waits boolean) returns bigint[]
language plpgsql as $$
declare
    wanted bigint[] := array(
        select distinct id::bigint from jsonb_path_query(calls,
            '$[*].params.lines[*].productId ? (@ >= 1 && @ <= 9223372036854775807)') id);
    locked bigint[];
begin
    if calls @? '$[*].quoted' then
        wanted := wanted || array(select id::bigint from jsonb_path_query(calls, '$[*].quoted[*].productId') id);
    end if;
    if waits then
        perform from inventory where product_id = any (wanted) order by product_id for no key update;
        return '{}';
    end if;
    locked := array(select product_id from inventory where product_id = any (wanted)
                    order by product_id for no key update skip locked);
    if cardinality(locked) = cardinality(wanted) then return '{}'; end if;
    return array(select product_id from inventory where product_id = any (wanted) and product_id <> all (locked));
end $$;

-- Whether a line can be sold as asked.
create function is_sellable(line wanted_line) returns boolean
language sql immutable as $$
    select (line.is_open and line.quantity <= line.available
            and (line.max_price is null or line.unit_price <= line.max_price)) is true
$$;

-- Why a line cannot be sold as asked. For a price that is too high, the previous price is reported too, which the buyer
-- may have seen; a price that never moved is its own previous one.
create function refuse_line(line wanted_line) returns order_outcome
language plpgsql as $$
declare
    o order_outcome;
    former numeric(12, 2);
    facts jsonb := jsonb_build_object('productId', line.product_id);
begin
    if line.is_open is null then
        o.state := 'PR101';
        o.message := format('There is no product %s.', line.product_id);
    elsif not line.is_open then
        o.state := 'PR102';
        o.message := format('Product %s is not for sale.', line.product_id);
    elsif line.quantity > line.available then
        o.state := 'PR201';
        o.message := format('Only %s of product %s are available.', line.available, line.product_id);
        facts := facts || jsonb_build_object('requested', line.quantity, 'available', line.available);
    else
        former := coalesce((select old_price from price_change where product_id = line.product_id
                            order by sequence desc limit 1), line.price);
        o.state := 'PR204';
        o.message := format('Product %s costs %s, more than the order accepts.', line.product_id,
                            line.unit_price);
        facts := facts || jsonb_build_object('old', former::text, 'new', line.unit_price::text,
            'maxUnitPrice', line.max_price::numeric(12, 2)::text,
            'why', format('the price %s above the highest that the order accepts',
                          case when former <= line.max_price then 'rose' else 'is' end));
    end if;
    o.replayed := false;
    o.detail := facts::text;
    return o;
end $$;

-- Why the lines of an order cannot be sold as asked: of the first that cannot; without a state where all can.
create function refuse_lines(lines wanted_line[]) returns order_outcome
language plpgsql as $$
declare
    line wanted_line;
begin
    foreach line in array lines loop
        if not is_sellable(line) then return refuse_line(line); end if;
    end loop;
    return null;
end $$;

-- What an order asks for beside what the shop has, in product order: lines of one product are one, and of several
-- maxUnitPrice on it the lowest counts. Sub-selects and not joins: the plan stays the same index scans, whatever the
-- planner estimates for jsonb.
create function read_order(params jsonb) returns wanted_line[]
language plpgsql as $$
begin
    return array(
        select row(l.product_id, l.quantity, l.max_price, (l.i).price, (l.i).stock - (l.i).held, (l.d).is_open,
                   (l.d).sku, (l.i).stock <= (l.i).stands_to
                   and (l.i).stock - l.quantity >= (l.i).stands_from, (l.i).price)::wanted_line
        from (select l.*, (select i from inventory i where i.product_id = l.product_id) as i,
                     (select row(null, null, null, null, null, active and archived_at is null, sku, null, null)
                          ::wanted_line from product d where d.product_id = l.product_id) as d
              from (select (l ->> 'productId')::bigint as product_id,
                           sum((l ->> 'quantity')::bigint)::bigint as quantity,
                           min((l ->> 'maxUnitPrice')::numeric) as max_price
                    from jsonb_array_elements(params -> 'lines') l group by 1) l offset 0) l
        order by l.product_id);
end $$;
