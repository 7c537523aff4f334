"""Journeys of journeys.py about what staff do with many products, with a file, and with a day that is over."""
import tempfile

from browser import ADMIN, Browser


# What if: the database is asked, nothing changes, and it comes true.
def what_if(base, shop):
    product = shop.product("Wondered wok", 40)
    admin = Browser(base).sign_in(ADMIN, "/")
    for fields in ({"stock": "5"}, {"basePrice": "200.00"}, {"stock": "5", "basePrice": "200.00"}):
        admin.go(f"/products/{product}")
        for name, value in fields.items():
            admin.fill(name, value, "#what-if")
        admin.submit("#what-if form")
        wanted = shop.call("price.preview", productId=product, **{k: int(v) if k == "stock" else v for k, v in fields.items()})
        assert admin.text("#what-then") == wanted["price"], (fields, admin.text("#what-if"))
        assert len(admin.all("#what-if .steps li")) == len(wanted["steps"])
        assert shop.price(product) == "100.00"
    admin.go(f"/products/{product}?stock=-1")
    assert "at least" in admin.text("#what-if") or admin.all("#what-if .problem, #what-if .alert"), admin.text("#what-if")
    admin.quit()


def choose(admin, products):
    for product in products:
        admin.find(f"input[name=productIds][value='{product}']").click()


# Many at once: shown for each, done for each; what moved meanwhile is left alone and named.
def many(base, shop):
    products = [shop.product(f"Many mats {n}", 40) for n in range(3)]
    admin = Browser(base).sign_in(ADMIN, "/")
    admin.allowed = ("409", "422")
    listed = "/products?search=many+mats"
    admin.go(listed)
    choose(admin, products)
    admin.find("select[name=method] option[value='price.pin']").click()
    admin.submit("form[action='/many']")
    admin.fill("price", "90.00")
    admin.fill("reason", "a fair")
    admin.submit()
    assert admin.text("main").count("100.00 → 90.00") == 3, admin.text()
    assert {shop.price(product) for product in products} == {"100.00"}
    shop.call("inventory.restock", productId=products[1], quantity=20)
    admin.submit()
    assert admin.text("main").count("Done.") == 2 and "changed meanwhile" in admin.text("main"), admin.text()
    pinned = lambda: [shop.call("product.get", productId=product)["pinned"] for product in products]
    assert pinned() == [True, False, True]
    for method, done in [("price.unpin", [False] * 3), ("product.archive", None)]:
        admin.go(listed)
        choose(admin, products)
        admin.find(f"select[name=method] option[value='{method}']").click()
        admin.submit("form[action='/many']")
        for _ in range(2):
            admin.submit()
        assert "as it was shown" in admin.text(), admin.text()
        assert done is None or pinned() == done
    assert all(shop.call("product.get", productId=product)["archived"] for product in products)
    admin.go(listed)
    admin.submit("form[action='/many']")
    assert "Choose some products first" in admin.text()
    rule = next(r for r in shop.call("rule.list", status="active")["items"] if r["name"] == "manual")["ruleId"]
    other = shop.product("Many ruled mats", 5)
    admin.go("/products?search=many+ruled")
    choose(admin, [other])
    admin.find("select[name=method] option[value='rule.activate']").click()
    admin.submit("form[action='/many']")
    admin.find(f"select[name=ruleId] option[value='{rule}']").click()
    admin.submit()
    admin.submit()
    assert shop.call("product.get", productId=other)["ruleId"] == rule, admin.text()
    admin.quit()


# A file, pasted or chosen: the rows that are refused are named before and after; what was shown is done.
def imports(base, shop):
    admin = Browser(base).sign_in(ADMIN, "/")
    admin.allowed = ("409", "400")
    admin.go("/products/import")
    admin.fill("text", "sku,titel\nA,B")
    admin.submit()
    assert "did you mean title" in admin.text() and "sku,titel" in admin.find("textarea").get_attribute("value")
    text = "sku,title,basePrice,category,stock\nPASTE-1,Pasted <i>pot</i>,12.50,Pasted things,40\nPASTE-2,Pan,-3,Pasted things,4\nPASTE-3,Pin,x,Pasted things,4\n"
    admin.fill("text", text)
    admin.find("[name=createMissing]").click()
    admin.submit()
    assert "1 created" in admin.text() and "2 refused" in admin.text() and "New: Pasted <i>pot</i>" in admin.text(), admin.text()
    assert not shop.call("product.list", search="PASTE-1")["items"]
    admin.submit()
    assert "The rows are imported." in admin.text() and "2 refused" in admin.text(), admin.text()
    made = shop.call("product.get", sku="PASTE-1")
    assert (made["title"], made["basePrice"], made["stock"]) == ("Pasted <i>pot</i>", "12.50", 40)
    with tempfile.NamedTemporaryFile("wb", suffix=".csv") as file:
        file.write("sku;basePrice\r\nPASTE-1;14,75\r\n".encode())
        file.flush()
        admin.go("/products/import")
        admin.find("[name=file]").send_keys(file.name)
        admin.find("[name=decimalComma]").click()
        admin.submit()
    assert "1 updated" in admin.text(), admin.text()
    shop.call("product.update", productId=made["productId"], basePrice="13.00")
    admin.submit()
    assert "Something changed meanwhile" in admin.text(), admin.text()
    assert shop.call("product.get", sku="PASTE-1")["basePrice"] == "13.00"
    admin.submit()
    assert shop.call("product.get", sku="PASTE-1")["basePrice"] == "14.75"
    admin.quit()


# A day again, with and without JavaScript.
def replay(base, shop):
    product = shop.product("Replayed rug", 40)
    for price in ("90.00", "80.00"):
        shop.call("price.pin", productId=product, price=price, reason=f"to {price}")
    day = shop.call("price.history", productId=product)["items"][0]["at"][:10]
    row = f"tr:has(a[href='/products/{product}'])"
    plain = Browser(base, scripts=False).sign_in(ADMIN, "/")
    plain.go(f"/prices/replay?day={day}&at=23:59")
    assert "80.00" in plain.text(row) and "to 80.00" in plain.text(row) and "−20.0 %" in plain.text(row), plain.text(row)
    plain.go("/prices/replay?day=2001-01-01")
    assert "No price moved on this day." in plain.text() and not plain.find("#f-slide").is_displayed()
    plain.quit()
    admin = Browser(base).sign_in(ADMIN, "/")
    admin.go(f"/prices/replay?day={day}&at=23:59")
    slide = "const s = document.getElementById('f-slide'); s.value = arguments[0]; s.dispatchEvent(new Event('input'));"
    shown = lambda: admin.text(f"{row} [data-course]")
    assert shown() == "80.00"
    admin.driver.execute_script(slide, 0)
    moved = shop.call("price.history", productId=product)["items"][0]["at"][11:16]
    assert moved == "00:00" or shown() == "100.00"
    admin.driver.execute_script(slide, 1439)
    assert shown() == "80.00" and admin.find("#f-at").get_attribute("value") == "23:59"
    admin.quit()
