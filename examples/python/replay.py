#!/usr/bin/env python3
"""Plays conversations and compares the answers with the .expected.jsonl beside each.

    replay.py [FILE.jsonl...]     played in this order against a fresh daemon; all of examples/ unless given
    replay.py FILE.mirror...      what pricingd --mirror-dir kept: each reply must be a result, or the same error, again

Each line is sent as it stands; its reply is awaited before the next goes. Replies are compared in order, and so are
notifications, which may arrive between any two replies. examples/README.md says how values match.
Exit: 0 all as expected, 1 not.
"""

import json
import pathlib
import re
import sys

from pricingd import connect, socket_path

PLACEHOLDERS = {
    "<any>": lambda value: True,
    "<int>": lambda value: type(value) is int,
    "<string>": lambda value: isinstance(value, str),
    "<money>": lambda value: isinstance(value, str) and re.fullmatch(r"\d+\.\d\d", value),
    "<time>": lambda value: isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value),
}


def difference(expected, got, path=""):
    """Says where the two part, or gives None."""
    if isinstance(expected, str) and expected in PLACEHOLDERS:
        return None if PLACEHOLDERS[expected](got) else f"{path}: {got!r} is no {expected}"
    if isinstance(expected, dict) and isinstance(got, dict):
        for key, value in expected.items():
            if key not in got:
                return f"{path}/{key}: missing"
            found = difference(value, got[key], f"{path}/{key}")
            if found:
                return found
        return None
    if isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        found = (difference(value, got[i], f"{path}/{i}") for i, value in enumerate(expected))
        return next(filter(None, found), None)
    return None if expected == got and type(expected) is type(got) else f"{path}: {got!r}, expected {expected!r}"


def is_notification(message):
    return isinstance(message, dict) and "method" in message


def wants_reply(line):
    try:
        request = json.loads(line)
    except ValueError:
        return True
    return not isinstance(request, dict) or "id" in request


def play(path):
    """Gives the number of replies and notifications that were as expected; raises AssertionError otherwise."""
    with open(path) as lines, open(path.replace(".jsonl", ".expected.jsonl")) as answers:
        sent = [line.rstrip("\n") for line in lines]
        expected = [json.loads(line) for line in answers]
    wanted = [message for message in expected if is_notification(message)]
    replies, notifications = converse(path, sent, len(wanted))
    for kind, want, got in (
        ("reply", [message for message in expected if not is_notification(message)], replies),
        ("notification", wanted, notifications),
    ):
        assert len(want) == len(got), f"{path}: {len(got)} times a {kind}, expected {len(want)}"
        for number, (one, other) in enumerate(zip(want, got), 1):
            found = difference(one, other)
            assert not found, f"{path}: {kind} {number}: {found}\n  {json.dumps(other)}"
    return len(expected)


def outcome(reply):
    """A reply's id and whether it is a result or which error; for the reply to a batch, all of them."""
    if isinstance(reply, list):
        return sorted(map(outcome, reply))
    return json.dumps(reply["id"]), "a result" if "result" in reply else reply["error"]["data"]["reason"]


def play_again(path):
    """Sends what a mirror kept; replies may have overtaken each other then, and do not now."""
    with open(path) as lines:
        kept = [line.rstrip("\n") for line in lines]
    sent = [line[2:] for line in kept if line.startswith("> ")]
    given = [json.loads(line[2:]) for line in kept if line.startswith("< ")]
    want = [outcome(message) for message in given if not is_notification(message)]
    got = [outcome(reply) for reply in converse(path, sent, 0)[0]]
    lost = [one for one in want if want.count(one) > got.count(one)]
    assert not lost and len(want) == len(got), f"{path}: expected {lost or want}, got {got}"
    return len(got)


def converse(path, sent, notifications_wanted):
    """Sends each line once the reply to the one before is there; gives the replies and the notifications."""
    link = connect(socket_path())
    link.settimeout(30)
    stream = link.makefile("rb")
    replies, notifications = [], []

    def receive():
        line = stream.readline()
        assert line, f"{path}: the daemon closed the connection"
        message = json.loads(line)
        (notifications if is_notification(message) else replies).append(message)

    for line in sent:
        link.sendall(line.encode() + b"\n")
        wanted = len(replies) + wants_reply(line)
        while len(replies) < wanted:
            receive()
    while len(notifications) < notifications_wanted:
        receive()
    return replies, notifications


def conversations():
    folder = pathlib.Path(__file__).resolve().parents[1]
    return sorted(str(path) for path in folder.glob("*.jsonl") if ".expected" not in path.suffixes)


if __name__ == "__main__":
    try:
        for name in sys.argv[1:] or conversations():
            count = (play_again if name.endswith(".mirror") else play)(name)
            print(f"{pathlib.Path(name).name}: {count} messages as expected")
    except (AssertionError, OSError) as problem:
        sys.exit(str(problem))
