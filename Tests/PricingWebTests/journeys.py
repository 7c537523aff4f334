"""Journeys through the pages, by a real browser: journeys.py NAME BASE SOCKET. It fails by an exception.

What only the test itself can do, such as ending the daemon, is asked for by a line on stdout and answered by one on stdin.
"""
import json
import re
import sys

from browser import ADMIN, CUSTOMER, PASSWORD, SELLER, Browser, Shop, request
from buyers import buyer_knows, gives_back, keyboard, own_quote
from doors import doors, odd_inputs, refusals, weighs
from looks import looks_admin, looks_deeds, looks_empty, looks_reports, looks_store
from own import nothing_between, own_pages, own_stream
from staff import imports, many, replay, what_if


def ask(deed):
    print(deed, flush=True)
    assert sys.stdin.readline().strip() == "done"


def put_into_cart(browser, product, units=1):
    browser.go(f"/store/products/{product}")
    browser.fill("quantity", str(units), ".buy")
    browser.submit(".buy form")
    assert browser.path().startswith("/store/cart"), browser.path()


def check_out(browser, address="1 Quay, Hull"):
    browser.go("/store/checkout")
    browser.fill("address", address)
    browser.submit(".checkout form")


# 1: everything works without JavaScript.
def without_scripts(base, shop):
    product = shop.product("Zebra teapot", 40)
    browser = Browser(base, scripts=False)
    browser.go("/store")
    assert len(browser.all(".goods li")) == 24
    browser.link("Next page")
    second = browser.path()
    assert "cursor=" in second and len(browser.all(".goods li")) > 0
    titles = [item.text for item in browser.all(".goods h2")]
    browser.driver.back()
    assert browser.path() == "/store"
    browser.go(second)
    assert [item.text for item in browser.all(".goods h2")] == titles, "a bookmark shows the same page"
    browser.find("select[name=sort] option[value=price]").click()
    browser.submit("form.row")
    prices = [float(item.text.replace(",", "")) for item in browser.all(".goods .price")]
    assert prices == sorted(prices), prices
    browser.click(".categories li:nth-child(2) a")
    assert "category=" in browser.path() and browser.find(".categories [aria-current]").text in browser.text("h1")
    browser.fill("search", "zebra TEAPOT")
    browser.submit(".find")
    browser.click(".goods h2 a")
    assert browser.text("h1") == "Zebra teapot"
    browser.fill("quantity", "2", ".buy")
    browser.submit(".buy form")
    assert "200.00" in browser.text("main")
    browser.submit("form[action='/store/checkout/hold']")
    assert browser.path().startswith("/sign-in"), "buying needs a person"
    browser.fill("email", CUSTOMER, "main")
    browser.fill("password", PASSWORD, "main")
    browser.submit()
    browser.fill("address", "1 Quay, Hull")
    browser.submit(".checkout form")
    assert browser.path().startswith("/store/orders/") and "Thank you" in browser.text()
    assert "200.00" in browser.text("main") and "1 Quay, Hull" in browser.text("main")
    assert shop.call("product.get", productId=product)["stock"] == 38
    browser.submit("form[action$=cancel]")
    assert "cancelled" in browser.text("main")
    assert shop.call("product.get", productId=product)["stock"] == 40
    browser.quit()


# A person registers, changes their account and their password.
def account(base, shop):
    browser = Browser(base)
    browser.allowed = ("409", "401")
    browser.go("/register")
    for name, value in [("fullName", "Ada <b>Byron</b>"), ("email", CUSTOMER), ("password", "first-secret")]:
        browser.fill(name, value, "main")
    browser.submit()
    assert "Somebody has registered with it." in browser.text()
    assert browser.find("[name=fullName]").get_attribute("value") == "Ada <b>Byron</b>"
    browser.fill("email", "ada@example.com", "main")
    browser.fill("password", "first-secret", "main")
    browser.submit()
    assert "Welcome" in browser.text() and "Ada <b>Byron</b>" in browser.text("header")
    browser.go("/store/account")
    browser.fill("old", "wrong-secret")
    browser.fill("new", "second-secret")
    browser.submit("form[action$=password]")
    assert "This is not your password." in browser.text()
    browser.fill("old", "first-secret")
    browser.fill("new", "second-secret")
    browser.submit("form[action$=password]")
    browser.fill("email", "ada@example.com", "main")
    browser.fill("password", "second-secret", "main")
    browser.submit()
    assert browser.path().startswith("/store/account")
    browser.submit("header form[action='/sign-out']")
    browser.go("/store/orders")
    assert browser.path().startswith("/sign-in")
    browser.quit()


# 2: a delivery that an admin books is seen in an open store page of another browser.
def restock_is_seen(base, shop):
    product = shop.product("Fast kettle", 40)
    buyer, admin = Browser(base), Browser(base)
    buyer.go(f"/store/products/{product}")
    changes = "window.seen = []; new MutationObserver(() => seen.push(document.querySelector('.buy .price').textContent))"
    buyer.driver.execute_script(changes + ".observe(document.querySelector('.buy .price'), {childList: true, characterData: true})")
    admin.sign_in(ADMIN, "/")
    admin.go(f"/products/{product}")
    admin.fill("quantity", "20", "form[action='/do/inventory.restock']")
    admin.submit("form[action='/do/inventory.restock']")
    assert "40 → 60" in admin.text() and "100.00 → 90.00" in admin.text(), admin.text()
    assert buyer.text(".buy .price") == "100.00"
    admin.submit()
    took = buyer.until(lambda: buyer.text(".buy .price") == "90.00", 1.5)
    assert took < 1, took
    assert admin.path().startswith(f"/products/{product}") and "The delivery is on the shelf." in admin.text()
    assert buyer.driver.execute_script("return seen") == ["90.00"], "once"
    buyer.quit()
    admin.quit()


# 3: two buyers want the last unit.
def last_unit(base, shop):
    product = shop.product("Last lamp", 1)
    first, second = Browser(base).sign_in(CUSTOMER), Browser(base)
    second.allowed = ("409",)
    second.sign_in(SELLER)
    for browser in (first, second):
        browser.go(f"/store/products/{product}")
        assert "Only 1 left" in browser.text()
        put_into_cart(browser, product)
        browser.go("/store/checkout")
        browser.fill("address", "1 Quay, Hull")
    first.submit(".checkout form")
    assert "Thank you" in first.text()
    second.submit(".checkout form")
    assert "none is left" in second.text() or "sold out" in second.text(), second.text()
    assert shop.call("product.get", productId=product)["stock"] == 0
    assert len(shop.call("order.list", productId=product)["items"]) == 1
    first.quit()
    second.quit()


# 4: a price that moves between cart and checkout; and one order, however often the button is pressed.
def price_moves(base, shop):
    product = shop.product("Moving mug", 20)
    orders = lambda: len(shop.call("order.list", productId=product)["items"])
    browser = Browser(base).sign_in(CUSTOMER)
    browser.allowed = ("409",)
    put_into_cart(browser, product)
    browser.go("/store/checkout")
    browser.fill("address", "1 Quay, Hull")
    shop.call("price.pin", productId=product, price="120.00", reason="test")
    browser.submit(".checkout form")
    assert "costs more now" in browser.text() and "100.00 → 120.00" in browser.text(), browser.text()
    assert orders() == 0, "declining leaves no order"
    browser.submit(".checkout form")
    assert "Thank you" in browser.text() and "120.00" in browser.text() and orders() == 1, browser.text()
    put_into_cart(browser, product)
    browser.go("/store/checkout")
    browser.fill("address", "1 Quay, Hull")
    shop.call("price.pin", productId=product, price="80.00", reason="test")
    send = "const f = document.querySelector('.checkout form'); f.querySelector('button').click(); f.submit();"
    browser.driver.execute_script(send)
    browser.until(lambda: "Thank you" in browser.text())
    assert "80.00" in browser.text("main") and orders() == 2, "it pays less, once"
    browser.driver.refresh()
    browser.driver.back()
    browser.driver.forward()
    assert orders() == 2
    browser.quit()


# 4, under a quote: what was held is had, at the price that was held or less; going back lets go of it.
def held_checkout(base, shop):
    product = shop.product("Held hammock", 3)
    available = lambda: shop.call("inventory.get", productId=product)["available"]
    browser = Browser(base).sign_in(CUSTOMER)
    browser.allowed = ("410",)
    put_into_cart(browser, product, 3)
    for _ in range(2):
        browser.go("/store/cart")
        assert "sold out" not in browser.text("main"), "what one holds oneself is not sold out"
        browser.submit("form[action='/store/checkout/hold']")
        assert "Held for you" in browser.text() and "from now" in browser.text("[data-until]"), browser.text()
        assert available() == 0
    browser.submit("form[action$=release]")
    assert available() == 3 and browser.path() == "/store/cart"
    browser.submit("form[action='/store/checkout/hold']")
    held = browser.path()
    price = shop.price(product)
    shop.call("price.pin", productId=product, price="150.00", reason="test")
    browser.fill("address", "1 Quay, Hull")
    browser.submit(f"form[action='{held}']")
    assert "Thank you" in browser.text() and price in browser.text("main"), browser.text()
    order = browser.path()
    browser.go(held)
    assert browser.path().split("?")[0] == order.split("?")[0], "a quote that became an order leads to it"
    assert shop.call("product.get", productId=product)["stock"] == 0
    shop.call("inventory.restock", productId=product, quantity=2)
    put_into_cart(browser, product, 2)
    browser.submit("form[action='/store/checkout/hold']")
    quote = int(browser.path().split("/")[-1])
    shop.call("quote.release", quoteId=quote)
    browser.fill("address", "1 Quay, Hull")
    browser.submit(f"form[action='/store/checkout/{quote}']")
    assert "free again" in browser.text() and shop.call("product.get", productId=product)["stock"] == 2, browser.text()
    browser.quit()


# 5: what was shown is what happened; when the shop moved in between, nothing happens.
def effect_is_kept(base, shop):
    product = shop.product("Steady stool", 40)
    admin = Browser(base).sign_in(ADMIN, "/")
    admin.allowed = ("409", "400", "422")
    deed = "form[action='/do/price.pin']"
    admin.go(f"/products/{product}")
    admin.fill("price", "900.00", deed)
    admin.submit(deed)
    assert admin.all(".alert") or admin.all(".problem"), "outside the limits is said before"
    admin.go(f"/products/{product}")
    admin.fill("price", "95.00", deed)
    admin.fill("reason", "a fair", deed)
    admin.submit(deed)
    assert "100.00 → 95.00" in admin.text(), admin.text()
    assert shop.price(product) == "100.00", "a look changes nothing"
    shop.call("inventory.restock", productId=product, quantity=20)
    admin.submit()
    assert "Something changed meanwhile" in admin.text() and "90.00 → 95.00" in admin.text(), admin.text()
    assert shop.price(product) == "90.00", "nothing was written"
    admin.submit()
    assert "The price is pinned." in admin.text(), admin.text()
    assert shop.price(product) == "95.00"
    admin.go("/prices")
    row = "tr:has(a[href='/products/%d'])" % product
    admin.find(f"{row} input[type=checkbox]").click()
    admin.submit("form[action='/do/price.rollback']")
    assert "95.00 → 90.00" in admin.text(), admin.text()
    admin.submit()
    assert shop.price(product) == "90.00"
    admin.quit()


# 6: what the page says would come next comes.
def next_comes_true(base, shop):
    product = shop.product("Honest hat", 14)
    admin = Browser(base).sign_in(ADMIN, "/")
    admin.go(f"/products/{product}")
    line = admin.text("[data-next=sales]")
    units, price = re.match(r"([\d,]+) more sold\s*([\d.,]+)", line).groups()
    customer = shop.call("user.list", search=CUSTOMER)["items"][0]["userId"]
    for _ in range(int(units)):
        shop.call("order.place", customerId=customer, lines=[{"productId": product, "quantity": 1}])
    assert shop.price(product) == price, (line, shop.price(product))
    admin.until(lambda: admin.text(f"[data-price='{product}']") == price)
    admin.quit()


# 7: the daemon goes and comes back, then the gateway, under open pages.
def ends_and_returns(base, shop):
    product = shop.product("Lasting lock", 40)
    browser = Browser(base).sign_in(CUSTOMER)
    browser.allowed = ("ERR_", "503")
    browser.go(f"/store/products/{product}")
    page = browser.driver.execute_script("window.mark = 1; return document.querySelector('h1').textContent")
    ask("kill daemon")
    browser.until(lambda: browser.find("#away").is_displayed(), 2)
    first = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    browser.go(f"/store/products/{product}")
    assert browser.text("h1") == "The shop is not answering", browser.text()
    ask("start daemon")
    browser.until(lambda: browser.text("h1") == "Lasting lock", 2)
    browser.driver.close()
    browser.driver.switch_to.window(first)
    browser.until(lambda: not browser.find("#away").is_displayed(), 2)
    shop.connect()
    shop.call("inventory.restock", productId=product, quantity=20)
    browser.until(lambda: browser.text(".buy .price") == "90.00", 2)
    ask("kill gateway")
    browser.until(lambda: browser.find("#away").is_displayed(), 2)
    shop.call("price.pin", productId=product, price="77.00", reason="test")
    ask("start gateway")
    browser.until(lambda: not browser.find("#away").is_displayed(), 4)
    browser.until(lambda: browser.text(".buy .price") == "77.00", 4)
    assert page == "Lasting lock"
    browser.go("/store/orders")
    assert browser.text("h1") == "Your orders", "still signed in"
    browser.quit()


# 8: many tabs read one stream, and the next tab takes over.
def one_stream(base, shop):
    product = shop.product("Shared shelf", 40)
    browser = Browser(base)
    driver = browser.driver
    browser.go(f"/store/products/{product}")
    for _ in range(7):
        driver.switch_to.new_window("tab")
        browser.go(f"/store/products/{product}")
    admin = shop.call("login.open", email=ADMIN, password=PASSWORD)["token"]
    streams = lambda: re.search(r"Open streams</dt><dd>(\d+)", request(base, "GET", "/operations", None, {"Cookie": f"login={admin}"})[1])
    browser.until(lambda: streams().group(1) == "1")
    driver.switch_to.window(driver.window_handles[0])
    driver.close()
    driver.switch_to.window(driver.window_handles[0])
    shop.call("inventory.restock", productId=product, quantity=20)
    for handle in driver.window_handles:
        driver.switch_to.window(handle)
        browser.until(lambda: browser.text(".buy .price") == "90.00", 3)
    assert streams().group(1) == "1"
    browser.quit()


# 9: markup in a title is text everywhere.
def markup_is_text(base, shop):
    evil = "<img src=x onerror=alert(1)>\"'&<script>alert(2)</script>"
    product = shop.product(evil, 60, description=evil, sku="<i>=1+1")
    browser = Browser(base).sign_in(ADMIN, "/")
    pages = [f"/store/products/{product}", "/store?search=onerror", "/products?search=onerror", f"/products/{product}", "/prices"]
    for path in pages:
        browser.go(path)
        assert not browser.all("img, script:not([src]), i"), path
        assert path == "/prices" or evil in browser.text(), path
    browser.go("/")
    shop.call("inventory.adjust", productId=product, quantity=-30, reason=evil)
    browser.until(lambda: evil in browser.text("#moves"))
    assert not browser.all("img, script:not([src])")
    token = browser.driver.get_cookie("login")["value"]
    status, text, _ = request(base, "GET", "/products?format=csv&search=onerror", None, {"Cookie": f"login={token}"})
    assert status == 200 and '"<img src=x onerror=alert(1)>""\'&<script>alert(2)</script>"' in text, text
    status, text, _ = request(base, "GET", f"/api/product.get?productId={product}", None, {"Authorization": f"Bearer {token}"})
    assert status == 200 and json.loads(text)["title"] == evil
    browser.quit()


if __name__ == "__main__":
    name, base, path = sys.argv[1:]
    globals()[name](base, Shop(path))
