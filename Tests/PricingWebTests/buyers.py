"""Journeys of journeys.py about what a buyer is told, returns, and buying without a mouse."""
from selenium.webdriver.common.keys import Keys

from browser import CUSTOMER, Browser


def hold(browser, product, units):
    browser.go(f"/store/products/{product}")
    browser.fill("quantity", str(units), ".buy")
    browser.submit(".buy form")
    browser.submit("form[action='/store/checkout/hold']")
    assert "Held for you" in browser.text(), browser.text()


# Why it costs what it costs, how many are left, and the lowest price beside a reduction that is true.
def buyer_knows(base, shop):
    product = shop.product("Known kettle", 40)
    browser = Browser(base)
    browser.go(f"/store/products/{product}")
    assert "usual price" in browser.text(".why") and not browser.all(".reduced"), browser.text()
    shop.call("inventory.adjust", productId=product, quantity=-37, reason="test")
    browser.until(lambda: "Only 3 left" in browser.text(".buy") and "Few are left" in browser.text(".why"))
    browser.go("/store?search=known+kettle")
    assert "Only 3 left" in browser.text(".goods li")
    # Of a product that was there for long: a fall below all prices of thirty days, then one that is none.
    old = shop.call("product.list", sort="productId", active=True, limit=1)["items"][0]
    browser.go(f"/store/products/{old['productId']}")
    shop.call("price.pin", productId=old["productId"], price=old["floor"], reason="test")
    told = shop.call("product.offer", productId=old["productId"])["reduction"]
    browser.until(lambda: f"−{told['percentOff']} %" in browser.text(".reduced"))
    assert told["lowest30"] in browser.text(".reduced").replace(",", "")
    shop.call("price.pin", productId=old["productId"], price=old["ceiling"], reason="test")
    browser.until(lambda: not browser.all(".reduced"))
    assert "by hand" in browser.text(".why")
    shop.call("price.unpin", productId=old["productId"])
    browser.quit()


# What one holds oneself is not sold out to oneself; and it is held on while the address is typed.
def own_quote(base, shop):
    product = shop.product("Own ottoman", 2)
    browser, other = Browser(base).sign_in(CUSTOMER), Browser(base)
    hold(browser, product, 2)
    ends = browser.find("[data-until]").get_attribute("data-until")
    browser.fill("address", "1 Quay")
    browser.until(lambda: browser.find("[data-until]").get_attribute("data-until") > ends, 6)
    for path in (f"/store/products/{product}", "/store?search=own+ottoman"):
        browser.go(path)
        other.go(path)
        assert "2 held for you" in browser.text("main") and "Sold out" not in browser.text("main"), browser.text()
        assert "Sold out" in other.text("main") and "held" not in other.text("main"), other.text()
    hold(browser, product, 2)
    browser.fill("address", "1 Quay, Hull")
    browser.submit(".checkout form")
    assert "Thank you" in browser.text()
    browser.quit()
    other.quit()


# A delivered order goes back once, with its goods.
def gives_back(base, shop):
    product = shop.product("Returned radio", 30)
    customer = shop.call("user.list", search=CUSTOMER)["items"][0]["userId"]
    order = shop.call("order.place", customerId=customer, lines=[{"productId": product, "quantity": 2}])["orderId"]
    browser = Browser(base).sign_in(CUSTOMER)
    browser.go(f"/store/orders/{order}")
    assert browser.all("form[action$=cancel]") and not browser.all("form[action$=return]")
    for status in ("processing", "completed"):
        shop.call("order.advance", orderId=order, status=status)
    browser.go(f"/store/orders/{order}")
    assert "delivered" in browser.text("main") and not browser.all("form[action$=cancel]")
    browser.fill("reason", "too loud", "form[action$=return]")
    browser.submit("form[action$=return]")
    assert "The return is noted." in browser.text() and "returned" in browser.text("main")
    assert shop.call("product.get", productId=product)["stock"] == 30
    browser.driver.back()
    if browser.all("form[action$=return]"):
        browser.submit("form[action$=return]")
    browser.go(f"/store/orders/{order}")
    assert not browser.all("form[action$=return]") and shop.call("product.get", productId=product)["stock"] == 30
    browser.quit()


def tab_to(browser, css, most=80):
    """Presses Tab until an element has the focus, and looks that the focus can be seen."""
    script = """const e = document.activeElement; const s = getComputedStyle(e);
        return [e.matches(arguments[0]), s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0];"""
    for _ in range(most):
        browser.driver.switch_to.active_element.send_keys(Keys.TAB)
        fits, is_seen = browser.driver.execute_script(script, css)
        if fits:
            assert is_seen, f"the focus on {css} cannot be seen"
            return browser.driver.switch_to.active_element
    raise AssertionError(f"Tab does not lead to {css}")


def enter(browser, element):
    old = browser.find("html")
    element.send_keys(Keys.ENTER)
    browser.until(lambda: browser.find("html") != old and browser.driver.execute_script("return document.readyState") != "loading")


# From the window to the order by the keyboard alone.
def keyboard(base, shop):
    product = shop.product("Keyed cabinet", 30)
    browser = Browser(base).sign_in(CUSTOMER)
    browser.go("/store")
    skip = tab_to(browser, ".skip", 1)
    assert skip.is_displayed()
    tab_to(browser, "#find").send_keys("keyed cabinet")
    enter(browser, browser.driver.switch_to.active_element)
    enter(browser, tab_to(browser, ".goods h2 a"))
    assert browser.path() == f"/store/products/{product}"
    units = tab_to(browser, ".buy input[name=quantity]")
    units.send_keys(Keys.CONTROL, "a")
    units.send_keys("3")
    enter(browser, tab_to(browser, ".buy button"))
    assert "300.00" in browser.text("main")
    enter(browser, tab_to(browser, "form[action='/store/checkout/hold'] button"))
    tab_to(browser, "textarea").send_keys("1 Quay, Hull")
    enter(browser, tab_to(browser, ".checkout form button"))
    assert "Thank you" in browser.text() and shop.call("product.get", productId=product)["stock"] == 27
    browser.quit()
