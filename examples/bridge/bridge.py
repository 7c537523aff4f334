#!/usr/bin/env python3
"""Keeps a shop's own database and pricingd equal: sales and stock go in by SKU, prices and stock come out.

    bridge.py CUSTOMER_EMAIL [--once]     sales are placed for that customer; --once ends when all is done

The shop is found as psql finds it (PGHOST, PGDATABASE, ...), the daemon as every client does. Any error ends the
program, and starting it again goes on where it ended: let a service manager do that. README.md says more.
Exit: 0 all is done, 1 something was refused and waits, or a connection was lost.
"""

import json
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "python"))
from pricingd import Connection, RPCError  # noqa: E402

PAGE = 500
# Beyond the end of any stream: whoever begins there is told of a gap, and so reads everything anew.
NOWHERE = 2**53 - 1

# A sale counts as long as pricingd has not answered; until then it is missing in the shop's stock only.
WAITING = """
    select o.id from orders o left join bridge b on b.kind = 'order' and b.id = o.id
    where b.call is not null or b.id is null and o.status <> 'cancelled'"""

FOLLOWED = """
    select p.id, p.sku, b.pricingd_id, b.number from products p join bridge b on b.kind = 'product' and b.id = p.id"""

UNKNOWN = """
    select p.id, p.sku from products p
    where p.sku ~ '^[[:print:]]{1,64}$'
        and not exists (select from bridge b where b.kind = 'product' and b.id = p.id)
    order by p.id"""

# What the shop's stock says that neither a sale nor pricingd explains: somebody corrected it.
CORRECT = f"""
    with waiting as (
        select product_id, sum(quantity) as units from order_items where order_id in ({WAITING}) group by 1
    )
    update bridge b set call = jsonb_build_object('method', 'inventory.adjust', 'params', jsonb_build_object(
        'productId', b.pricingd_id, 'quantity', d.units, 'reason', 'stock of the shop', '_meta', jsonb_build_object(
            'idempotencyKey', format('%s-stock-%s-%s', current_database(), b.id, gen_random_uuid()),
            'actor', 'bridge ' || current_database())))
    from (select p.id, p.quantity + coalesce(w.units, 0) - b.stock as units
          from products p join bridge b on b.kind = 'product' and b.id = p.id
          left join waiting w on w.product_id = p.id) d
    where b.kind = 'product' and b.id = d.id and b.call is null and d.units <> 0"""

# The lines whose SKU pricingd knows; an order without any is done at once.
BEGIN_SALES = f"""
    insert into bridge (kind, id, call)
    select 'order', o.id, case when s.lines is not null then
        jsonb_build_object('method', 'order.place', 'params', jsonb_build_object(
            'customerEmail', %s::text, 'lines', s.lines, 'shippingAddress', 'order ' || o.id || ' of the shop',
            '_meta', jsonb_build_object('idempotencyKey', format('%%s-order-%%s', current_database(), o.id),
                                        'actor', 'bridge ' || current_database()))) end
    from orders o cross join lateral (
        select jsonb_agg(jsonb_build_object('productId', b.pricingd_id, 'quantity', i.quantity))
                   filter (where b.id is not null) as lines
        from order_items i left join bridge b on b.kind = 'product' and b.id = i.product_id
        where i.order_id = o.id) s
    where o.status <> 'cancelled' and not exists (select from bridge b where b.kind = 'order' and b.id = o.id)
    order by o.id limit {PAGE} returning jsonb_build_object('id', id, 'call', call)"""


def quoted(value):
    """A value as an SQL literal; anything but text as JSON."""
    text = value if isinstance(value, str) else json.dumps(value)
    return "'" + text.replace("'", "''") + "'"


class Shop:
    """The shop's database through one psql. Its first error ends it, and then us."""

    def __init__(self):
        words = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]
        self.psql = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        # One bridge at a time: a second one waits here until the first has ended.
        self.run("set standard_conforming_strings = on; select null from pg_advisory_lock(hashtext('pricingd bridge'))")

    def run(self, sql):
        """Does all of it or nothing; gives the rows, each of which is JSON."""
        self.psql.stdin.write(f"begin;\n{sql};\ncommit;\n\\echo -done-\n")
        self.psql.stdin.flush()
        rows = []
        for line in self.psql.stdout:
            if line == "-done-\n":
                return rows
            if line.strip():
                rows.append(json.loads(line))
        raise ConnectionError("psql ended")

    def rows(self, query):
        return self.run(f"select row_to_json(q) from ({query}) q")


class Bridge:
    def __init__(self, customer):
        self.customer = customer
        self.shop = Shop()
        self.daemon = Connection()
        self.name = "bridge " + self.shop.rows("select current_database() as name")[0]["name"]
        self.refused = {}

    def step(self):
        """One round; gives whether anything was done. First what was begun: the stock below counts on it."""
        self.refused = {}
        done = self.tell()
        done += self.follow_stream() + self.adopt()
        self.shop.run(CORRECT)
        done += self.tell()
        for order in self.shop.run(BEGIN_SALES % quoted(self.customer)):
            if not order["call"]:
                print(f"order {order['id']}: pricingd knows none of its products", flush=True)
                done += 1
        return done + self.tell() > 0

    def tell(self):
        """Makes the calls that are written down, and writes down that they are made."""
        count = 0
        for row in self.shop.rows("select kind, id, call from bridge where call is not null order by kind, id"):
            call, place = row["call"], f"kind = '{row['kind']}' and id = {row['id']}"
            try:
                reply = self.daemon.call(call["method"], call["params"])
            except RPCError as error:
                count += self.give_up(row, place, error)
                continue
            self.refused.pop((row["kind"], row["id"]), None)
            if row["kind"] == "order":
                outcome, told = f", pricingd_id = {reply['orderId']}", f"placed as {reply['orderId']}"
                lines = call["params"]["lines"]
                moves = [{"productId": line["productId"], "quantity": -line["quantity"]} for line in lines]
            else:
                outcome, told = "", f"stock corrected by {call['params']['quantity']}"
                moves = [call["params"]]
            self.shop.run(f"""
                update bridge set call = null{outcome} where {place};
                update bridge b set stock = b.stock + m.quantity
                from (select "productId", sum(quantity) as quantity
                      from json_to_recordset({quoted(moves)}) r ("productId" bigint, quantity bigint) group by 1) m
                where b.kind = 'product' and b.pricingd_id = m."productId" """)
            print(f"{row['kind']} {row['id']}: {told}", flush=True)
            count += 1
        return count

    def give_up(self, row, place, error):
        """A refused call did nothing: the next round makes another of it. What may have been done is told again.
        Gives whether the next round knows better: it leaves out a product that is not for sale any more."""
        if error.data.get("retryable") or error.reason == "IDEMPOTENCY_CONFLICT":
            raise error
        is_gone = error.reason in ("PRODUCT_ARCHIVED", "PRODUCT_NOT_FOUND")
        if not is_gone:
            self.refused[row["kind"], row["id"]] = f"{error.reason}: {error}"
        sql = f"{'delete from bridge' if row['kind'] == 'order' else 'update bridge set call = null'} where {place}"
        if is_gone:
            sql += f"; delete from bridge where kind = 'product' and pricingd_id = {error.data['productId']}"
        self.shop.run(sql)
        return is_gone

    def follow_stream(self):
        """Prices and stock as pricingd moved them since the number that the shop keeps."""
        count = 0
        while True:
            known = self.shop.rows("select number from bridge where kind = 'stream'")
            start = known[0]["number"] if known else NOWHERE
            page = self.daemon.call("events.list", {"from": start, "topics": ["price", "stock"], "limit": PAGE})
            items = page["items"]
            end = items[-1]["sequence"] if page["nextCursor"] else page["sequence"]
            if page["gap"]:
                products = self.shop.rows(FOLLOWED)
                prices = self.posted("productIds", [product["pricingd_id"] for product in products])
                print(f"stream: {page['gap']['reason']}, all prices read anew", flush=True)
            else:
                moved = sorted({e["key"] for e in items if e["topic"] == "stock" and e["actor"] != self.name})
                products = moved and self.shop.rows(f"{FOLLOWED} where b.pricingd_id in ({','.join(map(str, moved))})")
                prices = []
            # A later price of a product takes the place of an earlier one.
            latest = {item["productId"]: item["price"] for item in prices}
            latest.update({e["key"]: e["after"]["price"] for e in items if e["topic"] == "price"})
            ledgers = [ledger for ledger in map(self.ledger, products) if ledger]
            if end != start:
                self.write(latest, ledgers, end)
            if items:
                print(f"stream: {len(latest)} prices, {len(ledgers)} stocks until {end}", flush=True)
                count += 1
            if not page["nextCursor"]:
                return count

    def ledger(self, product):
        """What others than we moved in pricingd's ledger since the movement that the shop knows of."""
        units, cursor, last = 0, {}, None
        while True:
            page = self.daemon.call("inventory.movements", {"productId": product["pricingd_id"], **cursor})
            for movement in page["items"]:
                last = last or movement
                if movement["sequence"] <= product["number"]:
                    break
                if movement["actor"] != self.name:
                    units += movement["quantity"]
            else:
                if page["nextCursor"]:
                    cursor = {"cursor": page["nextCursor"]}
                    continue
            break
        number = last["sequence"] if last else 0
        if number == product["number"]:
            return None
        # A ledger that went back is a restored backup's: then the shop is right, and what it has is told again.
        stock = (last["stockAfter"] if last else 0) if number < product["number"] else None
        return {"id": product["id"], "number": number, "units": 0 if stock is not None else units, "stock": stock}

    def write(self, prices, ledgers, number):
        """Prices and stocks together with the number up to which they are read. What the shop does not have it cannot
        lose: where it has sold more than there is now, its stock stays 0, and pricingd is told of the difference."""
        prices = [{"id": key, "price": price} for key, price in prices.items()]
        self.shop.run(f"""
            update products p set price = n.price
            from bridge b join json_to_recordset({quoted(prices)}) n (id bigint, price numeric) on b.pricingd_id = n.id
            where b.kind = 'product' and p.id = b.id and p.price is distinct from n.price;
            create temporary table moved on commit drop as
            select * from json_to_recordset({quoted(ledgers)}) r (id bigint, number bigint, units bigint, stock bigint);
            update products p set quantity = greatest(p.quantity + m.units, 0) from moved m where p.id = m.id;
            update bridge b set stock = coalesce(m.stock, b.stock + m.units), number = m.number from moved m
            where b.kind = 'product' and b.id = m.id;
            insert into bridge (kind, id, number) values ('stream', 0, {number})
            on conflict (kind, id) do update set number = excluded.number""")

    def adopt(self):
        """Follows the products of the shop that pricingd has come to know. The shop's stock is right at first."""
        ours, count = self.shop.rows(UNKNOWN), 0
        theirs = {item["sku"].lower(): item for item in self.posted("skus", [product["sku"] for product in ours])}
        for product in ours:
            item = theirs.get(product["sku"].strip().lower())
            if not item or not self.daemon.call("product.get", {"productId": item["productId"]})["active"]:
                continue
            last = self.daemon.call("inventory.movements", {"productId": item["productId"], "limit": 1})["items"]
            stock, number = (last[0]["stockAfter"], last[0]["sequence"]) if last else (0, 0)
            self.shop.run(f"""
                insert into bridge (kind, id, pricingd_id, stock, number)
                values ('product', {product['id']}, {item['productId']}, {stock}, {number});
                update products set price = {quoted(item['price'])} where id = {product['id']}""")
            print(f"product {product['id']}: followed as {item['sku']}", flush=True)
            count += 1
        return count

    def posted(self, member, names):
        """The posted prices of the products so named that pricingd has."""
        pages = (names[at:at + PAGE] for at in range(0, len(names), PAGE))
        return [item for page in pages for item in self.daemon.call("price.get", {member: page})["items"]]


def main(words):
    is_once = "--once" in words
    words = [word for word in words if word != "--once"]
    if len(words) != 1 or words[0].startswith("-"):
        sys.exit(__doc__)
    bridge, told = Bridge(words[0]), {}
    while True:
        is_moved = bridge.step()
        for key, sentence in bridge.refused.items():
            if told.get(key) != sentence:
                print(f"{key[0]} {key[1]} waits: {sentence}", file=sys.stderr, flush=True)
        told = bridge.refused
        if is_moved:
            continue
        if is_once:
            return 1 if told else 0
        time.sleep(1)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except RPCError as error:
        sys.exit(f"{error.reason}: {error}")
    except OSError as problem:
        sys.exit(f"a connection was lost: {problem}")
    except KeyboardInterrupt:
        sys.exit(130)
