"""Journeys of journeys.py about how every page looks: nothing off the screen, and nothing that axe-core finds wrong."""
import json
from pathlib import Path

from browser import ADMIN, CUSTOMER, PASSWORD, Browser

AXE = Path(__file__).parents[2] / ".build/axe/axe_playwright_python/axe.min.js"
# 640 is what is left of 1280 at 200 % zoom.
WIDTHS = (1600, 1024, 800, 640, 390)
RUN = """
    const done = arguments[arguments.length - 1];
    axe.run(document, {resultTypes: ['violations']}).then((result) => done(result.violations.map((rule) =>
        `${rule.id}: ${rule.nodes.map((node) => node.html.slice(0, 160) + ' ' + node.any.map((a) => a.message)[0]).slice(0, 3).join(' | ')}`)));
"""


# Texts of which a part is hidden at their edge, but for those that say so by an ellipsis and those that only screen readers read.
CUT = """
    return [...document.querySelectorAll('body *')].filter((element) => {
        if (element.clientWidth === 0 || element.scrollWidth <= element.clientWidth + 1) return false;
        const style = getComputedStyle(element);
        return style.overflowX === 'hidden' && style.textOverflow !== 'ellipsis' && style.clipPath === 'none';
    }).map((element) => element.textContent.trim().slice(0, 80));
"""


class Eye:
    """Looks at pages at every width, in light and dark, and gathers what is wrong."""

    def __init__(self, browser):
        self.browser, self.wrong, self.seen = browser, [], 0
        browser.driver.set_script_timeout(20)

    def judge(self):
        return self.browser.driver.execute_async_script(RUN)

    def look(self, name):
        browser = self.browser
        browser.driver.execute_script(AXE.read_text())
        for width in WIDTHS:
            browser.resize(width)
            if browser.overflow() > 0:
                self.wrong.append((name, width, f"{browser.overflow()} px off the screen"))
            self.wrong += [(name, width, "cut off", text) for text in browser.driver.execute_script(CUT)]
            for theme in ("light", "dark") if width in (WIDTHS[0], WIDTHS[-1]) else ():
                browser.resize(width, theme)
                self.wrong += [(name, width, theme, rule) for rule in self.judge()]
        browser.resize(1280)
        self.seen += 1

    def go(self, *paths):
        for path in paths:
            self.browser.go(path)
            assert "did not work" not in self.browser.text("h1") and "went wrong" not in self.browser.text("h1"), path
            self.look(path)

    def end(self, least):
        """The judge is one: it finds what is planted."""
        self.browser.driver.execute_script("document.querySelector('main').append(new Image())")
        assert any(rule.startswith("image-alt") for rule in self.judge())
        self.browser.quit()
        assert not self.wrong, "\n".join(str(wrong) for wrong in self.wrong)
        assert self.seen >= least, self.seen


# The store, signed out and signed in, with and without goods in the cart, and what it says when something is refused.
def looks_store(base, shop):
    product, other = shop.product("Looked-at lamp", 3), shop.product("Sold sofa", 1)
    browser = Browser(base)
    browser.allowed = ("409", "401", "400", "404")
    eye = Eye(browser)
    eye.go("/store", "/store?search=nothing+like+it", f"/store/products/{product}", "/store/cart", "/sign-in", "/register")
    for path in ("/store/products/999999", "/nowhere"):
        browser.go(path)
        eye.look(path)
    browser.go("/sign-in")
    browser.fill("email", CUSTOMER, "main")
    browser.fill("password", "wrong-password", "main")
    browser.submit()
    eye.look("wrong password")
    browser.go("/register")
    for name, value in [("fullName", "A"), ("email", CUSTOMER), ("password", PASSWORD)]:
        browser.fill(name, value, "main")
    browser.submit()
    eye.look("e-mail taken")
    browser.sign_in(CUSTOMER)
    for wanted in (product, other):
        browser.go(f"/store/products/{wanted}")
        browser.submit(".buy form")
    eye.look("filled cart")
    shop.call("price.pin", productId=product, price="120.00", reason="test")
    shop.call("inventory.adjust", productId=other, quantity=-1, reason="test")
    eye.go("/store/cart", f"/store/products/{other}", "/store/checkout", f"/store/products/{product}")
    browser.go("/store/cart")
    browser.submit("tr:last-child td.act form")
    browser.submit("form[action='/store/checkout/hold']")
    eye.look("held checkout")
    browser.fill("address", "1 Quay, Hull")
    browser.submit(".checkout form")
    eye.look("order placed")
    order = browser.path().split("/")[-1].split("?")[0]
    eye.go("/store/orders", f"/store/orders/{order}", "/store/account")
    browser.go("/store/orders/999999")
    eye.look("another's order")
    browser.go(f"/store/orders/{order}")
    browser.submit("form[action$=cancel]")
    eye.look("order cancelled")
    eye.end(20)


SECTIONS = [
    "/", "/products", "/products?search=nothing+like+it", "/prices", "/prices/replay", "/prices/replay?day=2001-01-01", "/stock",
    "/deliveries", "/orders", "/orders?search=nothing+like+it", "/rules", "/campaigns", "/proposals", "/quotes", "/users", "/suppliers",
    "/categories", "/reports", "/integrity", "/integrity?verify=1", "/operations", "/trail", "/docs", "/docs/order.place",
]
DEEDS = [
    "/products/1", "/products/1?stock=3", "/products/import", "/many?method=price.pin&productIds=1&productIds=2", "/rules/1",
    "/do/product.create", "/do/product.update?productId=1", "/do/rule.create", "/do/campaign.create", "/do/user.create",
    "/do/inventory.expect?productId=1", "/do/pricing.halt?scope=all", "/store",
]


# The sections of the dashboard.
def looks_admin(base, shop):
    eye = Eye(Browser(base).sign_in(ADMIN, "/"))
    eye.go(*SECTIONS)
    eye.end(len(SECTIONS))


# What is done there, the effect of a write, and what is said when one is refused.
def looks_deeds(base, shop):
    product = shop.product("Looked-at ladder", 40)
    order = shop.call("order.list", limit=1)["items"][0]["orderId"]
    browser = Browser(base).sign_in(ADMIN, "/")
    browser.allowed = ("409", "400", "404", "422")
    eye = Eye(browser)
    eye.go(*DEEDS, f"/orders/{order}", f"/products/{product}")
    for path in ("/nowhere", "/products/999999", "/orders/999999", "/rules/999999", "/docs/no.such"):
        browser.go(path)
        eye.look(path)
    browser.go("/users?limit=x")
    eye.look("a filter that is none")
    browser.go("/do/product.create")
    browser.fill("title", "Lamp")
    browser.find("select[name=categoryId] option:nth-child(2)").click()
    browser.fill("basePrice", "-5")
    browser.submit()
    eye.look("what a form lacks")
    browser.go(f"/products/{product}")
    browser.fill("quantity", "20", "form[action='/do/inventory.restock']")
    browser.submit("form[action='/do/inventory.restock']")
    eye.look("the effect of a delivery")
    browser.submit()
    eye.look("a delivery is booked")
    browser.go("/products/import")
    browser.fill("text", "sku,title,basePrice,category,stock\nLOOK-1,Looked at,12.50,Things,40\nLOOK-2,Pan,-3,Things,4")
    browser.submit()
    eye.look("the effect of an import")
    browser.go("/docs/inventory.restock")
    browser.fill("params", json.dumps({"productId": product, "quantity": 5}))
    browser.submit()
    eye.look("a call that was tried")
    eye.end(len(DEEDS) + 12)


# Each report.
def looks_reports(base, shop):
    browser = Browser(base).sign_in(ADMIN, "/")
    eye = Eye(browser)
    browser.go("/reports")
    reports = [link.get_attribute("href")[len(base):] for link in browser.all("main a[href*='/reports/']")]
    eye.go(*reports)
    eye.end(15)


# A shop in which nothing is, and one whose daemon is away.
def looks_empty(base, shop):
    shop.call("user.create", fullName="First Admin", email=ADMIN, password=PASSWORD, role="admin")
    browser = Browser(base).sign_in(ADMIN, "/")
    browser.allowed = ("404", "503", "ERR_")
    eye = Eye(browser)
    eye.go(*SECTIONS, "/do/product.create", "/store", "/store/cart", "/store/orders", "/store/account")
    print("kill daemon", flush=True)
    assert input() == "done"
    browser.until(lambda: browser.find("#away").is_displayed(), 3)
    eye.look("a page whose daemon is away")
    for path in ("/products", "/store"):
        browser.go(path)
        eye.look(f"{path} without a daemon")
    eye.end(len(SECTIONS) + 8)
