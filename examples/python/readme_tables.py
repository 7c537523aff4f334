#!/usr/bin/env python3
"""Keeps README's tables of methods and errors equal to what a running daemon's rpc.discover says.

    readme_tables.py            says whether they are; exit 1 when they are not
    readme_tables.py --write    writes them
"""

import pathlib
import re
import sys

from pricingd_client import Client

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"


def methods(document):
    yield "| method | role | takes | what it does |"
    yield "|---|---|---|---|"
    for method in document["methods"]:
        takes = [p["name"] + ("" if p.get("required") else "?") for p in method["params"] if p["name"] != "_meta"]
        yield f"| `{method['name']}` | {method['x-role']} | {', '.join(takes)} | {method['summary']} |"


def errors(document):
    yield "| code | reason | retryable | meaning |"
    yield "|---|---|---|---|"
    for error in document["components"]["errors"].values():
        retryable = "yes" if error["data"]["retryable"] else "no"
        yield f"| {error['code']} | `{error['data']['reason']}` | {retryable} | {error['message']} |"


document = Client().call("rpc.discover")
old = new = README.read_text()
for name, table in (("methods", methods), ("errors", errors)):
    block = f"<!-- {name} -->\n" + "\n".join(table(document)) + f"\n<!-- /{name} -->"
    new, found = re.subn(f"<!-- {name} -->.*?<!-- /{name} -->", lambda _: block, new, flags=re.S)
    if found != 1:
        sys.exit(f"README.md has {found} places for the table of {name}")
if "--write" in sys.argv:
    README.write_text(new)
elif new != old:
    sys.exit("README.md's tables are stale; with a daemon running: python3 examples/python/readme_tables.py --write")
