#!/usr/bin/env python3
"""Keeps the Protocol page's tables of methods and errors equal to what `pricingd openrpc` says. No daemon is needed.

    protocol_tables.py [PRICINGD]            says whether they are; exit 1 when they are not
    protocol_tables.py --write [PRICINGD]    writes them

PRICINGD is the program to ask; without it, the one on the PATH.
"""

import json
import pathlib
import re
import subprocess
import sys

PAGE = pathlib.Path(__file__).resolve().parents[2] / "Sources/pricingd/pricingd.docc/Protocol.md"


def takes(method):
    """The parameters; of two that take each other's place both as one, and a ? after what may be left out."""
    shown = {p["name"]: p["name"] + ("" if p["required"] else "?") for p in method["params"] if p["name"] != "_meta"}
    for rule in method.get("x-allOf", []):
        choices = rule.get("oneOf", rule.get("anyOf", []))
        first, second = rule["not"]["required"] if "not" in rule else (c["required"][0] for c in choices)
        del shown[second]
        shown[first] = f"{first} or {second}" + ("" if choices else "?")
    return ", ".join(shown.values())


def methods(document):
    yield "| method | role | takes | what it does |"
    yield "|---|---|---|---|"
    for method in document["methods"]:
        yield f"| `{method['name']}` | {method['x-role']} | {takes(method)} | {method['summary']} |"


def errors(document):
    yield "| code | reason | retryable | meaning |"
    yield "|---|---|---|---|"
    for error in document["components"]["errors"].values():
        retryable = "yes" if error["data"]["retryable"] else "no"
        yield f"| {error['code']} | `{error['data']['reason']}` | {retryable} | {error['message']} |"


words = [word for word in sys.argv[1:] if word != "--write"]
command = [words[0] if words else "pricingd", "openrpc"]
document = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
old = new = PAGE.read_text()
for name, table in (("methods", methods), ("errors", errors)):
    block = f"<!-- {name} -->\n" + "\n".join(table(document)) + f"\n<!-- /{name} -->"
    new, found = re.subn(f"<!-- {name} -->.*?<!-- /{name} -->", lambda _: block, new, flags=re.S)
    if found != 1:
        sys.exit(f"{PAGE.name} has {found} places for the table of {name}")
if "--write" in sys.argv:
    PAGE.write_text(new)
elif new != old:
    sys.exit(f"{PAGE.name}'s tables are stale: python3 examples/python/protocol_tables.py --write")
