"""One connection to pricingd: the socket found as every client finds it, lines of JSON, errors as exceptions."""

from __future__ import annotations

import collections
import errno
import itertools
import json
import os
import re
import socket
import stat
import struct
from typing import Any


def socket_path() -> str:
    """Where the daemon listens, found as every client finds it."""
    env = os.environ.get
    named = env("PRICINGD_SOCKET")
    if named:
        return named
    runtime = env("RUNTIME_DIRECTORY")
    if runtime:
        return runtime + "/pricingd.sock"
    session = env("XDG_RUNTIME_DIR")
    own = f"{session}/pricingd/pricingd.sock" if session else f"/tmp/pricingd-{os.getuid()}/pricingd.sock"
    installed = "/run/pricingd/pricingd.sock"
    if session and os.path.exists(own) or not os.path.exists(installed):
        return own
    return installed


def connect(path: str, timeout: float | None = None) -> socket.socket:
    """A socket whose other end is root's, ours or that of the folder's keeper: anybody may get to a path in /tmp first."""
    link = socket.socket(socket.AF_UNIX)
    try:
        link.settimeout(timeout)
        link.connect(path)
        _, uid, _ = struct.unpack("3I", link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        folder = os.path.dirname(path) or "."
        named = re.fullmatch(r"/tmp/pricingd-(\d+)", folder)
        place = os.lstat(folder)
        keeper = int(named[1]) if named else place.st_uid if stat.S_ISDIR(place.st_mode) else None
        if uid not in (0, os.getuid(), keeper):
            raise Distrusted(errno.EPERM, f"uid {uid} serves there, who is neither root, nor you, nor the folder's keeper")
        return link
    except BaseException:
        link.close()
        raise


class Distrusted(PermissionError):
    """Somebody else serves at the daemon's path; nothing was sent."""


class RPCError(Exception):
    """The daemon's refusal: `code` and `reason` are for programs, the message is for people."""

    def __init__(self, error: dict[str, Any]):
        super().__init__(error["message"])
        self.code: int = error["code"]
        self.data: dict[str, Any] = error.get("data", {})
        self.reason: str | None = self.data.get("reason")
        self.retryable: bool = self.data.get("retryable", False)


class Connection:
    """Notifications that arrive between replies wait in `events`."""

    def __init__(self, path: str | None = None, timeout: float | None = None):
        self.socket = connect(path or socket_path(), timeout)
        self.lines = self.socket.makefile("rb")
        self.ids = itertools.count(1)
        self.events: collections.deque[dict[str, Any]] = collections.deque()

    def call(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Gives the result of a call, or raises RPCError."""
        number = next(self.ids)
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params or {}}
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        while True:
            message = self._read()
            if "method" in message:
                self.events.append(message)
            elif "error" in message:
                raise RPCError(message["error"])
            elif message["id"] == number:
                return message["result"]

    def next_event(self) -> dict[str, Any]:
        """The parameters of the next notification; waits for it."""
        while not self.events:
            message = self._read()
            if "method" in message:
                self.events.append(message)
        return self.events.popleft()["params"]

    def close(self) -> None:
        self.lines.close()
        self.socket.close()

    def _read(self) -> dict[str, Any]:
        line = self.lines.readline()
        if not line.endswith(b"\n"):
            raise ConnectionError("the daemon closed the connection")
        return json.loads(line)
