"""Journeys of journeys.py that are about refusals, the doors for programs, and what pages weigh."""
import json

from browser import ADMIN, CUSTOMER, PASSWORD, Browser, request


# 10: what is refused.
def refusals(base, shop):
    customer = shop.call("user.list", search=CUSTOMER)["items"][0]["userId"]
    token = shop.call("login.open", email=CUSTOMER, password=PASSWORD)["token"]
    host = base.removeprefix("http://")
    cookie = {"Cookie": f"login={token}", "Origin": base}
    form = {**cookie, "Content-Type": "application/x-www-form-urlencoded"}
    other = next(o for o in shop.call("order.list", limit=100)["items"] if o["customerId"] != customer)["orderId"]
    assert request(base, "GET", f"/store/orders/{other}", None, cookie)[0] == 404
    assert request(base, "POST", f"/store/orders/{other}/cancel", "", form)[0] == 404
    status, text, _ = request(base, "POST", "/api/user.update", json.dumps({"userId": customer, "role": "admin"}), cookie)
    assert (status, json.loads(text)["data"]["reason"]) == (403, "PERMISSION_DENIED"), text
    for headers in [
        {**form, "Origin": "http://evil.example"}, {**form, "Origin": "null"}, {"Cookie": form["Cookie"]},
        {**form, "Sec-Fetch-Site": "cross-site"}, {**form, "Sec-Fetch-Site": "same-site"},
    ]:
        status, _, answer = request(base, "POST", "/store/cart", "productId=1&quantity=1", headers)
        assert status == 403 and "default-src 'none'" in answer["Content-Security-Policy"], headers
    assert request(base, "GET", "/store", None, {"Host": "evil.example"})[0] == 421
    assert request(base, "GET", "/products", None, cookie)[0] in (303, 403), "a customer is no staff"
    assert request(base, "POST", "/store/cart", "a=" + "b" * 70000, form)[0] == 413
    assert request(base, "GET", "/api/order.place", None, cookie)[2].get("Allow") == "POST"
    assert request(base, "DELETE", "/store", None, cookie)[0] == 405
    assert request(base, "GET", "/nowhere", None, cookie)[0] == 404
    statuses = [
        request(base, "POST", "/sign-in", f"email=chloe.evans%40mail.example&password=wrong{n}", {**form, "Cookie": ""})[0]
        for n in range(8)
    ]
    assert statuses.count(401) <= 5 and 429 in statuses, statuses
    status, _, headers = request(base, "HEAD", "/store", None, {"Host": host})
    assert status == 200 and headers["X-Content-Type-Options"] == "nosniff"


# The doors for programs.
def doors(base, shop):
    token = shop.call("login.open", email=ADMIN, password=PASSWORD)["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    product = shop.product("Programmed pot", 40)
    post = lambda path, body, more={}: request(base, "POST", path, json.dumps(body), {**bearer, **more})
    status, text, _ = post("/api/inventory.restock?dryRun=true", {"productId": product, "quantity": 20})
    assert status == 200 and json.loads(text)["_meta"]["dryRun"] and shop.price(product) == "100.00"
    for replayed in (False, True):
        status, text, _ = post("/api/inventory.restock", {"productId": product, "quantity": 20}, {"Idempotency-Key": "once"})
        assert status == 200 and json.loads(text)["_meta"]["replayed"] == replayed, text
    assert shop.call("product.get", productId=product)["stock"] == 60
    status, text, _ = post("/rpc", [{"jsonrpc": "2.0", "id": 1, "method": "price.get", "params": {"productIds": [product]}}, {"jsonrpc": "2.0", "id": 2, "method": "no.such"}])
    first, second = sorted(json.loads(text), key=lambda reply: reply["id"])
    assert first["result"]["items"][0]["price"] == "90.00" and second["error"]["code"] == -32601, text
    assert post("/rpc", {"jsonrpc": "2.0", "method": "session.ping"})[0] == 204
    assert post("/api/product.get", {"productId": 999999})[0] == 404
    assert post("/api/product.get", {"productId": "x"})[0] == 400
    assert post("/api/inventory.adjust", {"productId": product, "quantity": -999})[0] == 409
    document = json.loads(request(base, "GET", "/openapi.json")[1])
    assert document["openapi"].startswith("3.1") and "/api/order.place" in document["paths"]
    assert "x-role" in json.loads(request(base, "GET", "/openrpc.json")[1])["methods"][0]
    assert request(base, "GET", "/readyz")[0] == 200
    browser = Browser(base).sign_in(ADMIN, "/")
    browser.go("/docs/inventory.restock")
    browser.fill("params", json.dumps({"productId": product, "quantity": 5}))
    browser.submit()
    assert "wouldChange" in browser.text("pre") and shop.call("product.get", productId=product)["stock"] == 60
    browser.quit()


# 12 and 13: nothing off the screen, and what a first visit costs.
def looks(base, shop):
    order = shop.call("order.list", limit=1)["items"][0]["orderId"]
    browser = Browser(base).sign_in(ADMIN, "/")
    pages = [
        "/", "/products", "/products/1", "/stock", "/deliveries", "/orders", f"/orders/{order}", "/prices", "/rules", "/rules/1",
        "/campaigns", "/users", "/suppliers", "/categories", "/reports", "/integrity?verify=1", "/operations", "/trail", "/docs",
        "/docs/order.place", "/do/product.create", "/store", "/store/products/1", "/store/cart", "/store/orders", "/store/account",
        "/sign-in", "/register",
    ]
    wide = []
    for width in (390, 800, 1024, 1600):
        browser.resize(width)
        for path in pages:
            browser.go(path)
            assert "did not work" not in browser.text() and "went wrong" not in browser.text(), path
            if browser.overflow() > 0:
                wide.append((width, path, browser.overflow()))
    assert not wide, wide
    browser.quit()
    first = Browser(base)
    measure = """
        const entries = performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'));
        const files = entries.filter(e => !e.name.includes('/api/events'));
        return [files.reduce((sum, e) => sum + e.decodedBodySize, 0),
                files.filter(e => e.name.endsWith('.js')).reduce((sum, e) => sum + e.decodedBodySize, 0)];
    """
    first.go("/store")
    first.until(lambda: first.driver.execute_script("return document.readyState") == "complete")
    whole, scripts = first.driver.execute_script(measure)
    assert 20_000 < whole <= 60_000 and 0 < scripts <= 12_000, (whole, scripts)
    first.quit()
