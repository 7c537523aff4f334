"""A headless browser and a line client of the daemon, for journeys.py. Chromium, or another with BROWSER=webkit or =firefox."""
import glob
import http.client
import json
import os
import socket
import time

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from firefox import Firefox

ENGINE = os.environ.get("BROWSER", "chromium")

# Whom data.generate makes.
PASSWORD = "pricingd-demo"
CUSTOMER, SELLER, ADMIN = "customer@example.com", "seller@example.com", "admin@example.com"


def request(base, method, path, body=None, headers=None):
    host = base.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=10)
    connection.request(method, path, body, headers or {})
    reply = connection.getresponse()
    text = reply.read().decode()
    return reply.status, text, dict(reply.getheaders())


class Shop:
    """The daemon's socket, with the rights of the one who runs the tests."""

    def __init__(self, path):
        self.path = path
        self.connect()

    def connect(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(self.path)
        self.file = self.socket.makefile("rwb")
        self.number = 0

    def call(self, method, **params):
        self.number += 1
        self.file.write(json.dumps({"jsonrpc": "2.0", "id": self.number, "method": method, "params": params}).encode() + b"\n")
        self.file.flush()
        reply = json.loads(self.file.readline())
        if "error" in reply:
            raise AssertionError(f"{method}: {reply['error']}")
        return reply["result"]

    def product(self, title="Blue mug", stock=12, **more):
        members = dict(title=title, basePrice="100.00", categoryId=1, stock=stock, lowStock=10, highStock=50)
        return self.call("product.create", **{**members, **more})["productId"]

    def price(self, product):
        return self.call("product.get", productId=product)["price"]


class Browser:
    """One browser with a profile of its own."""

    def __init__(self, base, scripts=True):
        self.base = base
        self.allowed = ()
        if ENGINE == "firefox":
            self.driver = Firefox(scripts)
            return
        if ENGINE == "webkit":
            options = webdriver.WebKitGTKOptions()
            options.binary_location = glob.glob("/usr/lib/*/webkit2gtk-*/MiniBrowser")[0]
            options.add_argument("--automation")
            self.driver = webdriver.WebKitGTK(options=options, executable_path="/usr/bin/WebKitWebDriver")
            return
        options = Options()
        for flag in ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars"]:
            options.add_argument(flag)
        if not scripts:
            options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))

    def go(self, path):
        self.driver.get(self.base + path)
        return self

    def find(self, css):
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def text(self, css="body"):
        return self.find(css).text

    def leave(self, element):
        """Clicks what leads to another page, and waits for that page."""
        old = self.find("html")
        element.click()

        def is_gone():
            try:
                return not old.is_enabled()
            except WebDriverException:
                return True

        self.until(is_gone, 10)
        self.until(lambda: self.driver.execute_script("return document.readyState") != "loading", 10)

    def click(self, css):
        self.leave(self.find(css))

    def link(self, words):
        self.leave(self.driver.find_element(By.PARTIAL_LINK_TEXT, words))

    def fill(self, name, value, form=""):
        field = self.find(f"{form} [name={name}]")
        field.clear()
        field.send_keys(value)

    def path(self):
        return self.driver.current_url[len(self.base):]

    def submit(self, css="main form"):
        self.leave(self.find(f"{css} button[type=submit]"))

    def sign_in(self, email, to="/store"):
        self.go(f"/sign-in?to={to}")
        self.fill("email", email, "main")
        self.fill("password", PASSWORD, "main")
        self.submit()
        assert self.path().startswith(to), self.path() + "\n" + self.text()
        return self

    def until(self, what, seconds=5.0):
        """Looks again and again until it is true, at whatever page there is; how long that took."""
        begun = time.monotonic()
        while True:
            try:
                if what():
                    return time.monotonic() - begun
            except WebDriverException:
                pass
            if time.monotonic() - begun > seconds:
                raise AssertionError(f"not within {seconds} s: {self.text()[:1500]}")
            time.sleep(0.01)

    def resize(self, width, theme="light", height=900):
        if ENGINE != "chromium":
            assert theme == "light", "only Chromium can be told"
            self.driver.set_window_size(width, height)
            return
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        feature = {"name": "prefers-color-scheme", "value": theme}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})

    def overflow(self):
        return self.driver.execute_script("return document.documentElement.scrollWidth - innerWidth")

    def quit(self):
        """Ends it; a page that complained on the console, of its policy too, is a failure."""
        log = self.driver.get_log("browser") if ENGINE == "chromium" else []
        complaints = [entry["message"] for entry in log if entry["level"] == "SEVERE"]
        complaints = [text for text in complaints if not any(part in text for part in self.allowed)]
        self.driver.quit()
        assert not complaints, complaints
