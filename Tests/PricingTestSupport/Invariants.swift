import Postgres
import Testing

/// What must hold in every shop at every moment, asked of the database from outside.
package enum Invariants {
    /// One row of text for each fact that contradicts an invariant; none in a sound database.
    ///
    /// - I1: a product's stock is the sum of its ledger. I2: no stock below zero, held within stock. I3: an order's total
    ///   is the sum of its lines, each line left the shelf once and came back once when the order was undone.
    /// - I5: a price change recomputes from its own inputs, the last one is the posted price. I6: ledger and history are
    ///   chains without gaps. I7: no price outside its limits. I8: an order was charged the price that stood, as the
    ///   events tell it, or the lower one of its quote. The shelf, by which lists sort and filter, agrees with the hot row.
    /// - What is declared of a product is what its history says last.
    ///
    /// What only a client's journal can see (I4, I9 to I12 and a part of I3) is not here.
    package static let sql = """
        select format('I1 product %s: stock %s, ledger %s', i.product_id, i.stock, coalesce(sum(m.quantity), 0))
        from inventory i left join stock_movement m on m.product_id = i.product_id
            and m.kind not in ('hold', 'release', 'expire')
        group by i.product_id having i.stock <> coalesce(sum(m.quantity), 0)
        union all
        select format('I2 product %s: stock %s, held %s, quoted %s, ledger %s', product_id, stock, held, quoted, ledger)
        from inventory i,
             lateral (select coalesce(sum(quantity), 0) as ledger from stock_movement m
                      where m.product_id = i.product_id and kind in ('hold', 'release', 'expire')) l,
             lateral (select coalesce(sum(quantity), 0) as quoted from quote_line join quote using (quote_id)
                      where product_id = i.product_id and status = 'open') q
        where stock < 0 or held < 0 or held > stock or (held, held) is distinct from (ledger, quoted)
        union all
        select format('I3 order %s: total %s, lines %s', o.order_id, o.total, sum(l.quantity * l.unit_price))
        from customer_order o left join order_line l using (order_id)
        group by o.order_id having o.total is distinct from sum(l.quantity * l.unit_price)
        union all
        select format('I3 order %s product %s: ordered %s, moved %s', order_id, product_id, l.quantity, moved.units)
        from order_line l join customer_order o using (order_id)
        full join (select order_id, product_id, sum(quantity) filter (where kind <> 'adjust') as units,
                          count(*) filter (where kind = 'sale') as sales,
                          -coalesce(sum(quantity) filter (where kind = 'adjust'), 0) as broken
                   from stock_movement where order_id is not null and kind <> 'release' group by 1, 2) moved using (order_id, product_id)
        left join (select order_id, product_id, sum(quantity) as units,
                          coalesce(sum(quantity) filter (where not restocked), 0) as broken
                   from order_return group by 1, 2) returned using (order_id, product_id)
        where (sales, -moved.units) is distinct from
              (1::bigint, case o.status when 'cancelled' then 0 else l.quantity - coalesce(returned.units, 0) end)
           or o.status <> 'cancelled' and moved.broken <> coalesce(returned.broken, 0)
           or (o.status = 'returned') <> (coalesce(returned.units, 0) = l.quantity)
              and o.status in ('returned', 'cancelled', 'pending', 'processing')
        union all
        select format('I5 price change %s (product %s, number %s): %s, recomputed %s', c.price_change_id, c.product_id,
                      c.sequence, c.new_price, g.price)
        from price_change c, recompute_change(c.inputs) g
        where c.inputs ->> 'mode' <> 'pin'
          and (g.price, g.binding, g.regular, (c.inputs ->> 'posted')::numeric, (c.inputs ->> 'stock')::integer)
              is distinct from (c.new_price, c.binding_guard, coalesce(c.new_regular, c.new_price),
                                coalesce(c.old_regular, c.old_price), c.stock)
        union all
        select format('I5 price change %s is a pin at %s', price_change_id, inputs ->> 'pin')
        from price_change where inputs ->> 'mode' = 'pin' and (inputs ->> 'pin')::numeric <> new_price
        union all
        select format('I5 product %s: posted %s, last change to %s', i.product_id, i.price, c.new_price)
        from inventory i join product d using (product_id) join rule r using (rule_id)
        left join price_change c on c.product_id = i.product_id and c.sequence = i.change_count
        where i.price is distinct from coalesce(c.new_price, i.opening_price)
          -- campaigns change what is charged of a product that is sold out, and no row says so
          and (i.stock > 0 or i.pin_price is not null or i.price <> (charged_price(d, r, i)).price)
        union all
        select format('I5 product %s: %s is charged of %s under %s %% and %s', product_id, i.price, i.regular_price,
                      i.campaign_percent, i.campaign_price)
        from inventory i join product d using (product_id) join rule r using (rule_id), running_reduction(d) c
        where i.price <> (charged_price(d, r, i)).price
           or (i.campaign_percent, i.campaign_price) is distinct from (c.percent, c.price)
             and not exists (select from campaign where status in ('starting', 'ending'))
        union all
        select format('I6 product %s: change %s begins at %s, the one before ended at %s', product_id, sequence,
                      old_price, before)
        from (select c.*, lag(new_price, 1, opening_price) over w as before, row_number() over w as n
              from price_change c join inventory using (product_id)
              window w as (partition by product_id order by sequence)) c
        where old_price <> before or sequence <> n
        union all
        select format('I6 product %s: movement %s ends at %s', product_id, sequence, stock_after)
        from (select m.*, coalesce(sum(quantity) filter (where kind not in ('hold', 'release', 'expire')) over w, 0)
                         as running, row_number() over w as n from stock_movement m
              window w as (partition by product_id order by sequence)) m
        where stock_after <> running or sequence <> n or stock_after < 0
        union all
        select format('I6 product %s: %s movements and %s changes are counted', product_id, movement_count, change_count)
        from inventory i
        where movement_count <> (select count(*) from stock_movement m where m.product_id = i.product_id)
           or change_count <> (select count(*) from price_change c where c.product_id = i.product_id)
        union all
        select format('I7 product %s: %s is outside its limits', product_id, i.price)
        from inventory i join product d using (product_id) join rule r using (rule_id),
             price_floor(d.floor_price, d.unit_cost, r.minimum_margin) lowest
        where d.archived_at is null and i.price not between lowest and greatest(lowest, d.ceiling_price)
        union all
        select format('I7 price change %s: %s is outside its limits', price_change_id, new_price)
        from price_change c, jsonb_to_record(c.inputs) as f (mode text, floor numeric, ceiling numeric)
        where f.mode <> 'pin' and new_price not between f.floor and greatest(f.floor, f.ceiling)
        union all
        select format('product %s: the shelf says %s and %s', product_id, s.price, s.level)
        from inventory i join product d using (product_id) left join shelf s using (product_id)
        where (s.price, s.level) is distinct from (i.price, case when d.archived_at is null
              then stock_level(i.stock, d.low_stock, d.high_stock) end)
        union all
        select format('I9 product %s at %s units: %s, band %s', product_id, there, v.price, v.band)
        from inventory i join product d using (product_id) join rule r using (rule_id),
             unnest(array[stands_from, stands_to, ((stands_from::bigint + stands_to) / 2)::integer]) there,
             lateral evaluate_price(d, r, jsonb_populate_record(i, jsonb_build_object('stock', there)), 'stock') v
        where stands_from is not null
          and ((v.price, v.band, stock_level(there, d.low_stock, d.high_stock)) is distinct from
              (i.regular_price, i.band, case when i.stock > 0 then stock_level(i.stock, d.low_stock, d.high_stock)
                                     else stock_level(stands_from, d.low_stock, d.high_stock) end)
               or (i.stock > 0 and i.stock not between stands_from and stands_to))
        union all
        select format('product %s: %s is %s, declared last as %s', product_id, key, now_is -> key, last)
        from (select product_id, key, (array_agg(value order by sequence desc))[1] as last
              from declaration_change, jsonb_each(after) group by 1, 2) l
        join product d using (product_id) join inventory i using (product_id),
             lateral (select declared_members(d) || pin_members(i) as now_is) n
        where last is distinct from now_is -> key
        union all
        select format('product %s: %s declarations, the last is number %s', product_id, count(*), max(sequence))
        from declaration_change group by product_id having count(*) <> max(sequence)
        union all
        select format('I8 order %s product %s: charged %s, %s stood', order_id, product_id, unit_price, stood)
        from (select (told.cause ->> 'orderId')::bigint as order_id, product_id, told.cause ->> 'kind' as kind, topic,
                     coalesce((array_agg(after ->> 'price') filter (where topic = 'price') over (
                                   partition by product_id order by place
                                   rows between unbounded preceding and 1 preceding))[
                                   count(*) filter (where topic = 'price') over (
                                       partition by product_id order by place
                                       rows between unbounded preceding and 1 preceding)]::numeric,
                              opening_price) as stood
              from (select 10 * change_id + part as place, topic, product_id, after, cause from recorded_event) told
              join inventory using (product_id)) told
        join order_line l using (order_id, product_id)
        where topic = 'stock' and kind = 'sale' and unit_price <> least(stood, (
            select q.unit_price from quote_line q join quote using (quote_id)
            where quote.order_id = told.order_id and q.product_id = told.product_id))
        """

    /// One row of text for each fact that contradicts the stream: its events are numbered without a hole, and each movement,
    /// price change and order has its own. For a stream of which nothing has expired yet.
    package static let streamSQL = """
        select format('event %s has place %s', sequence, place)
        from (select sequence, row_number() over (order by sequence) as place from event) numbered
        where sequence <> place
        union all
        select format('topic %s, op %s: %s events', topic, op, count(*))
        from (select topic, op from event where unnumbered_events() = 0
              union all
              select topic, op from recorded_event where unnumbered_events() > 0) told
        group by topic, op
        having (topic = 'stock' and count(*) <> (select count(*) from stock_movement))
            or (topic = 'price' and count(*) <> (select count(*) from price_change))
            or (topic = 'order' and op = 'insert' and count(*) <> (select count(*) from customer_order))
        union all
        select format('%s events recorded, %s numbered', recorded, numbered)
        from (select count(*) as recorded from recorded_event) r, (select count(*) as numbered from event) n
        where recorded <> numbered + unnumbered_events()
        union all
        select format('product %s: stock %s at event %s, after %s', product_id, stood, sequence, was)
        from (select sequence, product_id, (before ->> 'stock')::integer as stood,
                     lag((after ->> 'stock')::integer) over (partition by product_id order by sequence) as was
              from event where topic = 'stock') chained
        where stood <> was
        """

    /// Fails the running test with every fact of a daemon's database that contradicts them.
    package static func expect(_ daemon: TestDaemon) async throws {
        let database = try await daemon.database()
        for (name, query) in [("invariants", sql), ("stream", streamSQL)] {
            let facts = Statement.text("test_\(name)", query)
            let broken = try await database.run { (session) throws(PostgresError) in try session.all(facts) }
            #expect(broken == [], "\(name)")
        }
        await database.close()
    }
}
