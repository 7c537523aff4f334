"""Firefox for browser.py, by its own remote protocol: Debian has no geckodriver, and all that one does is what this does."""
import atexit
import json
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.remote.command import Command
from selenium.webdriver.remote.file_detector import UselessFileDetector

# A number without a port takes any that is free, and says which in the profile.
PREFERENCES = {"marionette.port": 0, "app.update.auto": False, "browser.shell.checkDefaultBrowser": False, "datareporting.policy.dataSubmissionEnabled": False}

# What Selenium calls each, as Firefox calls it.
NAMES = {
    Command.GET: "Navigate", Command.GO_BACK: "Back", Command.GO_FORWARD: "Forward", Command.REFRESH: "Refresh",
    Command.GET_CURRENT_URL: "GetCurrentURL", Command.FIND_ELEMENT: "FindElement", Command.FIND_ELEMENTS: "FindElements",
    Command.FIND_CHILD_ELEMENT: "FindElement", Command.FIND_CHILD_ELEMENTS: "FindElements",
    Command.CLICK_ELEMENT: "ElementClick", Command.CLEAR_ELEMENT: "ElementClear", Command.SEND_KEYS_TO_ELEMENT: "ElementSendKeys",
    Command.GET_ELEMENT_TEXT: "GetElementText", Command.IS_ELEMENT_ENABLED: "IsElementEnabled",
    Command.IS_ELEMENT_SELECTED: "IsElementSelected", Command.GET_ELEMENT_RECT: "GetElementRect",
    Command.W3C_EXECUTE_SCRIPT: "ExecuteScript", Command.W3C_EXECUTE_SCRIPT_ASYNC: "ExecuteAsyncScript",
    Command.W3C_GET_ACTIVE_ELEMENT: "GetActiveElement", Command.W3C_ACTIONS: "PerformActions", Command.SET_TIMEOUTS: "SetTimeouts",
    Command.GET_ALL_COOKIES: "GetCookies", Command.NEW_WINDOW: "NewWindow", Command.SET_WINDOW_RECT: "SetWindowRect", Command.CLOSE: "CloseWindow",
    Command.SWITCH_TO_WINDOW: "SwitchToWindow", Command.W3C_GET_CURRENT_WINDOW_HANDLE: "GetWindowHandle",
    Command.W3C_GET_WINDOW_HANDLES: "GetWindowHandles", Command.NEW_SESSION: "NewSession",
}
# These answer with their value alone.
BARE = {"SetWindowRect", "FindElements", "GetCookies", "GetWindowHandles", "CloseWindow", "NewSession", "GetElementRect", "NewWindow"}


class Firefox(webdriver.Remote):
    """A headless Firefox with a new profile."""

    def __init__(self, scripts=True):
        self.profile = tempfile.mkdtemp()
        preferences = {**PREFERENCES, "javascript.enabled": scripts}
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in preferences.items()]
        Path(self.profile, "user.js").write_text("\n".join(lines))
        command = ["/usr/bin/firefox-esr", "--headless", "--marionette", "--no-remote", "--profile", self.profile]
        self.program = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # A journey that fails does not leave it reading the shop's stream.
        atexit.register(self.quit)
        super().__init__(Marionette(self.port()), options=webdriver.FirefoxOptions(), file_detector=UselessFileDetector())

    def port(self):
        told = Path(self.profile, "MarionetteActivePort")
        end = time.monotonic() + 30
        while not (told.exists() and told.read_text()):
            assert time.monotonic() < end and self.program.poll() is None, "Firefox does not begin"
            time.sleep(0.05)
        return int(told.read_text())

    def get_cookie(self, name):
        return next((cookie for cookie in self.get_cookies() if cookie["name"] == name), None)

    def quit(self):
        self.program.terminate()
        self.program.wait()
        shutil.rmtree(self.profile, ignore_errors=True)


class Marionette:
    """Carries Selenium's commands: each message is its length, a colon, and `[0, id, name, parameters]`; the reply
    `[1, id, error, result]`."""

    def __init__(self, port):
        self.file = socket.create_connection(("127.0.0.1", port)).makefile("rwb")
        self.number = 0
        self.receive()

    def receive(self):
        length = b""
        while (byte := self.file.read(1)) != b":":
            assert byte, "Firefox has gone"
            length += byte
        return json.loads(self.file.read(int(length)))

    def execute(self, command, params):
        name = NAMES[command]
        params = {key: value for key, value in params.items() if key != "sessionId"}
        if name == "NewSession":
            params = {}
        if command in (Command.FIND_CHILD_ELEMENT, Command.FIND_CHILD_ELEMENTS):
            params["element"] = params.pop("id")
        self.number += 1
        message = json.dumps([0, self.number, f"WebDriver:{name}", params]).encode()
        self.file.write(str(len(message)).encode() + b":" + message)
        self.file.flush()
        _, _, error, result = self.receive()
        if error:
            return {"status": error["error"], "value": error}
        if name == "NewSession":
            return {"value": result}
        return {"value": result if name in BARE else result["value"]}

    def close(self):
        self.file.close()
