"""What pages, streams and wrong passwords cost: load.py FOLDER-OF-THE-PROGRAMS [SECONDS [ROUNDS]]. By hand, on a quiet machine.

It starts a daemon and a gateway of its own on a temporary folder, and prints one JSON object.
"""
import contextlib
import http.client
import json
import os
import re
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time


def cpu(pid):
    """Seconds of the processors that a process has had."""
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def megabytes(pid):
    return int(re.search(r"VmHWM:\s+(\d+)", open(f"/proc/{pid}/status").read()).group(1)) / 1024


class Site:
    def __init__(self, programs, folder):
        self.programs, self.socket = programs, f"{folder}/s.sock"
        self.daemon = self.start("pricingd", "--data-dir", f"{folder}/d")
        self.call("data.generate", users=200, suppliers=20, products=10_000, orders=2000, seed=7)
        self.web = self.start("pricing-web", "--port", "0", "--streams-per-address", "1000")

    def start(self, name, *arguments):
        command = [f"{self.programs}/{name}", "--socket", self.socket, *arguments]
        program = subprocess.Popen(command, stdout=subprocess.PIPE)
        ready = json.loads(program.stdout.readline())
        self.host = ready.get("address", "").removeprefix("http://")
        return program

    def end(self):
        for program in (self.web, self.daemon):
            program.terminate()
            program.wait()

    def call(self, method, **params):
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(self.socket)
            file = peer.makefile("rwb")
            file.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n")
            file.flush()
            return json.loads(file.readline())["result"]

    def calls(self, method):
        found = re.search(rf'pricingd_call_seconds_count{{method="{method}"}} (\d+)', self.call("server.metrics")["text"])
        return int(found.group(1)) if found else 0

    def orders(self, seconds):
        """Orders a second at full load."""
        bench = [f"{self.programs}/pricing-bench", "--socket", self.socket, "--work", "orders", "--connections", "8"]
        bench += ["--depth", "16", "--seconds", str(seconds), "--format", "json"]
        return json.loads(subprocess.run(bench, stdout=subprocess.PIPE, check=True).stdout)["perSecond"]


class Readers(threading.Thread):
    """Open streams, all read by one thread."""

    def __init__(self, site, count):
        super().__init__(daemon=True)
        self.selector, self.isEnded, self.bytes = selectors.DefaultSelector(), False, 0
        name, port = site.host.split(":")
        for _ in range(count):
            peer = socket.create_connection((name, int(port)))
            peer.sendall(f"GET /api/events HTTP/1.1\r\nHost: {site.host}\r\n\r\n".encode())
            peer.setblocking(False)
            self.selector.register(peer, selectors.EVENT_READ)

    def run(self):
        while not self.isEnded:
            for key, _ in self.selector.select(0.1):
                self.bytes += len(key.fileobj.recv(1 << 20))

    def end(self):
        self.isEnded = True
        self.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()


class Visitors:
    """People who ask again and again, each on a connection of their own, so many a second in all: an open loop."""

    def __init__(self, site, hands, rate, ask):
        self.times, self.statuses, self.isEnded = [], {}, False
        self.threads = [threading.Thread(target=self.go, args=(site, hand / rate, hands / rate, ask)) for hand in range(hands)]
        for thread in self.threads:
            thread.start()

    def go(self, site, first, pause, ask):
        connection = http.client.HTTPConnection(site.host, timeout=30)
        due = time.monotonic() + first
        while not self.isEnded:
            time.sleep(max(0, due - time.monotonic()))
            connection.request(*ask(site))
            reply = connection.getresponse()
            reply.read()
            self.statuses[reply.status] = self.statuses.get(reply.status, 0) + 1
            self.times.append(time.monotonic() - due)
            due += pause

    def end(self):
        self.isEnded = True
        for thread in self.threads:
            thread.join()


def page(site):
    return "GET", "/store", None, {}


def guess(site):
    body = f"email=chloe.evans%40mail.example&password=wrong{time.monotonic_ns()}"
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://{site.host}"}
    return "POST", "/sign-in", body, headers


def streams(site, seconds):
    readers = Readers(site, 500)
    readers.start()
    before, begun = cpu(site.web.pid), time.monotonic()
    orders = site.orders(seconds)
    share = (cpu(site.web.pid) - before) / (time.monotonic() - begun)
    taken = readers.bytes
    readers.end()
    return {"orders": orders, "gatewayOfACore": share, "gatewayMB": megabytes(site.web.pid), "streamMB": taken / 1e6}


def beside(site, seconds, rounds, hands, rate, ask):
    """Orders beside visitors and alone, in turn."""
    ratios, asked, times, statuses = [], [], [], {}
    for _ in range(rounds):
        alone = site.orders(seconds)
        before, begun = site.calls("product.browse"), time.monotonic()
        visitors = Visitors(site, hands, rate, ask)
        ratios.append(site.orders(seconds) / alone)
        visitors.end()
        asked.append((site.calls("product.browse") - before) / (time.monotonic() - begun))
        times += visitors.times
        for status, count in visitors.statuses.items():
            statuses[status] = statuses.get(status, 0) + count
    times.sort()
    return {
        "ordersOfAlone": statistics.median(ratios), "listCallsASecond": statistics.median(asked), "statuses": statuses,
        "perSecond": len(times) / seconds / rounds, "p50ms": times[len(times) // 2] * 1e3, "p99ms": times[len(times) * 99 // 100] * 1e3,
    }


def quiet(site, seconds):
    """Pages with nothing else to do."""
    before, begun = site.calls("product.browse"), time.monotonic()
    visitors = Visitors(site, 16, 200, page)
    time.sleep(seconds)
    visitors.end()
    times = sorted(visitors.times)
    asked = (site.calls("product.browse") - before) / (time.monotonic() - begun)
    return {"listCallsASecond": asked, "p50ms": times[len(times) // 2] * 1e3, "p99ms": times[len(times) * 99 // 100] * 1e3}


def main(programs, seconds="5", rounds="5"):
    seconds, rounds = int(seconds), int(rounds)
    with tempfile.TemporaryDirectory() as folder:
        site = Site(programs, folder)
        with contextlib.ExitStack() as stack:
            stack.callback(site.end)
            site.orders(2)
            told = {"loadAverage": os.getloadavg()[0]}
            told["streams"] = streams(site, 2 * seconds)
            told["pagesAlone"] = quiet(site, seconds)
            told["pages"] = beside(site, seconds, rounds, 16, 200, page)
            told["wrongPasswords"] = beside(site, seconds, rounds, 8, 40, guess)
        print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main(*sys.argv[1:])
