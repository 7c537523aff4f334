"""Journeys of journeys.py about what is a signed-in person's own, live."""
import http.client
import json
import re
import time

from browser import CUSTOMER, PASSWORD, Browser, request


class Stream:
    """A program's event stream, read as browsers read one."""

    def __init__(self, base, token=None, place=None):
        self.connection = http.client.HTTPConnection(base.removeprefix("http://"), timeout=10)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.connection.request("GET", "/api/events", None, {**headers, **({"Last-Event-ID": place} if place else {})})
        self.reply = self.connection.getresponse()
        assert self.reply.status == 200, self.reply.status
        self.place, self.seen = place, []
        assert self.next()[0] == "link"

    def next(self):
        fields = {}
        while line := self.reply.readline().decode().rstrip("\n"):
            name, _, value = line.partition(": ")
            fields[name] = value
        self.place = fields.get("id", self.place)
        event = (fields["event"], json.loads(fields["data"]))
        self.seen.append(event)
        return event

    def until(self, name, key):
        """Reads on to an event of this key; all items so far of that name."""
        while True:
            event, data = self.next()
            if event == name and any(item["key"] == key for item in data["items"]):
                return data

    def own(self):
        return [item["key"] for name, data in self.seen if name == "own" for item in data["items"]]

    def close(self):
        self.connection.close()


def people(shop):
    """Two customers with a token each: id, token."""
    mail = f"bob{time.time_ns()}@shop.example"
    other = shop.call("user.create", fullName="Bob Other", email=mail, password=PASSWORD)["userId"]
    known = shop.call("user.list", search=CUSTOMER)["items"][0]["userId"]
    token = lambda email: shop.call("login.open", email=email, password=PASSWORD)["token"]
    return (known, token(CUSTOMER)), (other, token(mail))


# Each is told of their own orders, nobody of another's, and who comes back misses nothing.
def own_stream(base, shop):
    product = shop.product("Streamed stool", 40)
    (ada, first), (bob, second) = people(shop)
    order = lambda who: shop.call("order.place", customerId=who, lines=[{"productId": product, "quantity": 1}])["orderId"]
    hers, his, guest = Stream(base, first), Stream(base, second), Stream(base)
    one = order(ada)
    told = hers.until("own", one)
    item = next(item for item in told["items"] if item["key"] == one)
    assert item["after"]["status"] == "pending" and item["after"]["customerId"] == ada and "actor" not in item, item
    shop.call("order.advance", orderId=one, status="processing")
    moved = hers.until("own", one)["items"][0]
    assert (moved["before"]["status"], moved["after"]["status"]) == ("pending", "processing"), moved
    two = order(bob)
    his.until("own", two)
    assert his.own() == [two], his.seen
    # The order's stock has moved: what is for everybody has come to everybody by now.
    guest.until("moves", product)
    assert not guest.own(), guest.seen
    place = hers.place
    hers.close()
    three, four = order(ada), order(bob)
    hers = Stream(base, first, place)
    hers.until("own", three)
    assert hers.own() == [three], hers.seen
    # A login that has ended brings nothing more, and the person's other login goes on.
    again = Stream(base, shop.call("login.open", email=CUSTOMER, password=PASSWORD)["token"], place)
    assert request(base, "POST", "/api/login.close", "{}", {"Authorization": f"Bearer {first}"})[0] == 200
    begun = time.monotonic()
    while True:
        last = order(ada)
        again.until("own", last)
        hers.until("moves", product)
        if last not in hers.own():
            break
        assert time.monotonic() - begun < 3, "the login has ended"
    his.until("own", four)
    for stream in (hers, again, his, guest):
        stream.close()


# A page may show what was read a moment before it: its stream then begins before that, so that nothing falls between.
def nothing_between(base, shop):
    product = shop.product("Moving mirror", 40)
    stale = 0
    for number in range(40):
        request(base, "GET", f"/store/products/{product}")
        price = f"{100 + number % 2}.00"
        shop.call("price.pin", productId=product, price=price, reason="test")
        while True:
            page = request(base, "GET", f"/store/products/{product}")[1]
            if f">{price}<" in page:
                break
            stale += 1
            place = int(re.search(r'data-sequence="(\d+)"', page).group(1))
            missed = shop.call("events.list", **{"from": place, "topics": ["price"], "productIds": [product]})["items"]
            assert missed and missed[-1]["after"]["price"] == price, (number, place, missed)
    assert stale > 10, "a page was never older than the price"


# Their open pages change by themselves: the list, one order, the checkout; also in a tab whose stream another tab reads.
def own_pages(base, shop):
    product = shop.product("Followed fan", 40)
    (ada, _), (bob, _) = people(shop)
    order = lambda who: shop.call("order.place", customerId=who, lines=[{"productId": product, "quantity": 1}])["orderId"]
    browser = Browser(base)
    browser.go("/store")
    browser.driver.switch_to.new_window("tab")
    browser.sign_in(CUSTOMER, "/store/orders")
    others, hers = order(bob), order(ada)
    rows = lambda: [link.text for link in browser.all("td a[href^='/store/orders/']")]
    browser.until(lambda: str(hers) in rows(), 3)
    assert str(others) not in rows()
    browser.go(f"/store/orders/{hers}")
    browser.driver.execute_script("window.mark = 1")
    shop.call("order.advance", orderId=hers, status="processing")
    browser.until(lambda: "on its way" in browser.text("main"), 3)
    # What somebody is typing stays.
    browser.fill("reason", "too la")
    shop.call("order.advance", orderId=hers, status="completed")
    shop.call("inventory.restock", productId=product, quantity=1)
    browser.find("[name=reason]").send_keys("te")
    assert browser.find("[name=reason]").get_attribute("value") == "too late"
    browser.driver.execute_script("document.activeElement.blur()")
    shop.call("order.return", orderId=hers)
    browser.until(lambda: "returned" in browser.text("main"), 3)
    assert browser.driver.execute_script("return window.mark") == 1, "no page was loaded"
    browser.go(f"/store/products/{product}")
    browser.submit(".buy form")
    browser.submit("form[action='/store/checkout/hold']")
    quote = int(browser.path().split("/")[-1].split("?")[0])
    browser.fill("address", "1 Quay")
    shop.call("quote.release", quoteId=quote)
    browser.until(lambda: "free again" in browser.text("[data-part]"), 3)
    assert browser.find("[name=address]").get_attribute("value") == "1 Quay"
    browser.quit()
