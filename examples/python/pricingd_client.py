#!/usr/bin/env python3
"""A client of pricingd that knows no method: names, parameters and types come from rpc.discover.

    pricingd_client.py                          every method, one a line
    pricingd_client.py order.place --help       its parameters
    pricingd_client.py product.list search=mug sort=-price limit=5
    pricingd_client.py order.place customerId=1 'lines=[{"productId": 1, "quantity": 2}]' _meta.idempotencyKey=a1

A value is read by its parameter's schema: `search=42` is text, `limit=42` a number; objects and lists are JSON.
The result goes to stdout as JSON, an error to stderr. Exit: 0 done, 1 the daemon refused, 2 no connection, 3 usage.
A program of yours begins with the package beside it: `from pricingd import Client`.
"""

import json
import sys

from pricingd import Connection, RPCError, socket_path

Client = Connection  # the name under which it stood here before


class Document:
    """What rpc.discover says."""

    def __init__(self, document):
        self.methods = {method["name"]: method for method in document["methods"]}
        self.components = document["components"]

    def resolve(self, schema):
        """The schema itself: a reference followed, the null of a nullable one left out."""
        while "$ref" in schema:
            schema = self.components["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        for choice in schema.get("anyOf", []):
            if choice.get("type") != "null":
                return self.resolve(choice)
        return schema

    def typed(self, schema, text):
        """A word of the command line as the value that the schema wants."""
        nullable = any(choice.get("type") == "null" for choice in schema.get("anyOf", []))
        schema = self.resolve(schema)
        if nullable and text == "null":
            return None
        if schema.get("type") == "string":
            return text
        try:
            return json.loads(text)
        except ValueError:
            if "type" not in schema:
                return text
            raise ValueError(f"wants {schema['type']}, got {text!r}") from None

    def parameters(self, name, words):
        """The params object that `key=value` words stand for; `a.b=c` sets a member of an object."""
        schemas = {param["name"]: param["schema"] for param in self.methods[name]["params"]}
        params = {}
        for word in words:
            key, equals, text = word.partition("=")
            path = key.split(".")
            if not equals or path[0] not in schemas:
                raise ValueError(f"{word!r} is no parameter of {name}; it takes {', '.join(schemas)}")
            schema, target = schemas[path[0]], params
            for parent, member in zip(path, path[1:]):
                properties = self.resolve(schema).get("properties", {})
                if member not in properties:
                    raise ValueError(f"{parent} has no member {member}")
                schema, target = properties[member], target.setdefault(parent, {})
            try:
                target[path[-1]] = self.typed(schema, text)
            except ValueError as problem:
                raise ValueError(f"{key} {problem}") from None
        return params

    def kind(self, schema):
        schema = self.resolve(schema)
        if "enum" in schema:
            return "|".join(schema["enum"])
        kind = schema.get("format") or schema.get("type") or "any"
        return f"{kind} of {self.kind(schema['items'])}" if kind == "array" else kind

    def help(self, name):
        method = self.methods[name]
        lines = [f"{name}: {method['summary']} ({method['x-role']}, {method['x-effect']})"]
        for param in method["params"]:
            need = "" if param.get("required") else ", optional"
            about = param.get("description") or param.get("summary", "")
            lines.append(f"  {param['name']} ({self.kind(param['schema'])}{need}) {about}")
        return "\n".join(lines)

    def index(self):
        return "\n".join(f"{name:32} {method['summary']}" for name, method in self.methods.items())


def main(words):
    try:
        client = Connection()
    except OSError as problem:
        print(f"no daemon at {socket_path()}: {problem.strerror}", file=sys.stderr)
        return 2
    document = Document(client.call("rpc.discover"))
    if not words or words[0] in ("-h", "--help"):
        print(document.index() if not words else __doc__.strip())
        return 0
    name, rest = words[0], words[1:]
    if "--help" in rest and name in document.methods:
        print(document.help(name))
        return 0
    try:
        # A name that the document lacks is sent all the same: the daemon knows what it might have meant.
        params = document.parameters(name, rest) if name in document.methods else {}
        print(json.dumps(client.call(name, params), indent=2, ensure_ascii=False))
        return 0
    except ValueError as problem:
        print(problem, file=sys.stderr)
        return 3
    except RPCError as error:
        print(f"{error.reason}: {error}", file=sys.stderr)
        print(json.dumps(error.data, indent=2, ensure_ascii=False), file=sys.stderr)
        return 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (ConnectionError, BrokenPipeError) as problem:
        sys.exit(f"the connection was lost: {problem}")
    except KeyboardInterrupt:
        sys.exit(130)
