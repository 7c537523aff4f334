#!/usr/bin/env python3
"""Keeps the types of the Python package equal to what `pricingd openrpc` says. No daemon is needed.

    typed_methods.py [PRICINGD]            says whether they are; exit 1 when they are not
    typed_methods.py --write [PRICINGD]    writes them: pricingd/shapes.pyi and pricingd/methods.pyi

PRICINGD is the program to ask; without it, the one on the PATH.
"""

import json
import pathlib
import subprocess
import sys

PACKAGE = pathlib.Path(__file__).resolve().parent / "pricingd"
PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}


class Shapes:
    """Every object of the document as a TypedDict, nested ones under the name of what they are in."""

    def __init__(self, document):
        self.lines = {}
        for name, schema in document["components"]["schemas"].items():
            self.define(name, schema)

    def define(self, name, schema):
        required = schema.get("required", [])
        members = []
        for key, member in schema["properties"].items():
            kind = self.kind(member, name + key[0].upper() + key[1:])
            members.append(f'"{key}": {kind if key in required else f"NotRequired[{kind}]"}')
        self.lines[name] = f'{name} = TypedDict("{name}", {{{", ".join(members)}}})'
        return name

    def kind(self, schema, name):
        if "$ref" in schema:
            return schema["$ref"].rsplit("/", 1)[1]
        if "anyOf" in schema:
            return " | ".join(dict.fromkeys(self.kind(choice, name) for choice in schema["anyOf"]))
        if "enum" in schema:
            return f"Literal[{', '.join(json.dumps(value) for value in schema['enum'])}]"
        kind = schema.get("type")
        if kind == "array":
            return f"list[{self.kind(schema['items'], name)}]"
        if kind == "object":
            return self.define(name, schema) if schema.get("properties") else "dict[str, Any]"
        return "None" if kind == "null" else PLAIN.get(kind, "Any")


def generate(document):
    shapes = Shapes(document)
    calls = []
    for method in document["methods"]:
        name = "".join(part[0].upper() + part[1:] for part in method["name"].split("."))
        required = [param["name"] for param in method["params"] if param["required"]]
        takes = shapes.define(name + "Params", {
            "properties": {param["name"]: param["schema"] for param in method["params"]}, "required": required,
        })
        gives = shapes.kind(method["result"]["schema"], name + "Result")
        optional = "" if required else " | None = ..."
        calls.append(
            "    @overload\n"
            f'    def call(self, method: Literal["{method["name"]}"], params: {takes}{optional}, *,'
            f" key: str | None = ..., patience: float | None = ...) -> {gives}: ..."
        )
    head = "# Made by typed_methods.py from `pricingd openrpc`.\n"
    return {
        "shapes.pyi": head + "from typing import Any, Literal\nfrom typing_extensions import NotRequired, TypedDict\n\n"
        + "\n".join(shapes.lines.values()) + "\n",
        "methods.pyi": head + "from typing import Any, Literal, overload\n\nfrom .shapes import *\n\nclass Calls:\n"
        + "\n".join(calls) + "\n",
    }


words = [word for word in sys.argv[1:] if word != "--write"]
command = [words[0] if words else "pricingd", "openrpc"]
document = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
for name, text in generate(document).items():
    file = PACKAGE / name
    if "--write" in sys.argv:
        file.write_text(text)
    elif not file.exists() or file.read_text() != text:
        sys.exit(f"{name} is stale: python3 examples/python/typed_methods.py --write")
