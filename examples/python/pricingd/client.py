"""A client that goes on: it connects again after a lost connection, sends a call again under its key, resumes events."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from .connection import Connection, Distrusted, RPCError, socket_path
from .methods import Calls


class EventGap(Exception):
    """Numbers of the stream that are not to be had any more: `gap` has fromSequence, toSequence and reason."""

    def __init__(self, gap: dict[str, Any]):
        super().__init__(f"events {gap['fromSequence']} to {gap['toSequence']} are left out: {gap['reason']}")
        self.gap = gap


class Client(Calls):
    """For one thread. It connects at the first call.

    `call(method, params, key=…)` gives the result of a call, or raises RPCError. Every call carries a key, a fresh one
    unless given, so that a write happens once however often it is sent: after a lost connection, and after a refusal that is
    worth another try, the same call goes out again. Keep the key to be able to ask again after a crash of your own. OSError:
    there was no daemon for so long, or its answer is unknown.

    patience: seconds that a call may take in all, tries and pauses together.
    actor: who does it, for the shop's records.
    """

    def __init__(self, path: str | None = None, *, patience: float = 30.0, actor: str | None = None):
        self.path = path or socket_path()
        self.patience = patience
        self.actor = actor
        self._link: Connection | None = None

    def _call(self, method: str, params: Any, key: str | None, patience: float | None) -> Any:
        params = dict(params or {})
        meta = {"idempotencyKey": key or str(uuid.uuid4()), **params.get("_meta", {})}
        if self.actor:
            meta.setdefault("actor", self.actor)
        params["_meta"] = meta
        end = time.monotonic() + (self.patience if patience is None else patience)
        return _until(end, lambda left: self._connected(left).call(method, params), self.close)

    def events(
        self, after: int | None = None, *, on_gap: Callable[[dict[str, Any]], None] | None = None, **filters: Any
    ) -> Events:
        """Every event from now on, or after a number that was seen, in order and each once, for ever.

        filters: what events.subscribe takes, such as topics=["price"]. on_gap is told what is not to be had any more;
        without it that raises EventGap.
        """
        return Events(self.path, self.patience, after, on_gap, filters)

    def close(self) -> None:
        if self._link:
            self._link.close()
            self._link = None

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connected(self, left: float) -> Connection:
        if not self._link:
            self._link = Connection(self.path, left)
        self._link.socket.settimeout(left)
        return self._link


class Events(Iterator[Any]):
    """`after` is the number of the last event that was given, from which another Client goes on."""

    def __init__(
        self,
        path: str,
        patience: float,
        after: int | None,
        on_gap: Callable[[dict[str, Any]], None] | None,
        filters: dict[str, Any],
    ):
        self.after = after
        self._path, self._patience, self._on_gap, self._filters = path, patience, on_gap, filters
        self._link: Connection | None = None
        self._subscribe()

    def __next__(self) -> Any:
        while True:
            try:
                event = (self._link or self._subscribe()).next_event()
            except OSError:
                self._subscribe()
                continue
            if "toSequence" not in event:
                self.after = event["sequence"]
                return event
            if event["reason"] == "SLOW_READER":
                self._subscribe()  # They are kept: only this connection was given up on.
                continue
            self.after = event["toSequence"]
            if not self._on_gap:
                raise EventGap(event)
            self._on_gap(event)

    def close(self) -> None:
        if self._link:
            self._link.close()
            self._link = None

    def _subscribe(self) -> Connection:
        def subscribe(left: float) -> Connection:
            self._link = link = Connection(self._path, left)
            params = dict(self._filters) if self.after is None else {**self._filters, "from": self.after}
            self.after = link.call("events.subscribe", params)["sequence"]
            link.socket.settimeout(None)
            return link

        self.close()
        return _until(time.monotonic() + self._patience, subscribe, self.close)


def _until(end: float, attempt: Callable[[float], Any], lost: Callable[[], None]) -> Any:
    """Tries again what is worth it, after the pause that the daemon asks for, or one that doubles from 50 ms to 1 s."""
    pause = 0.05
    problem: Exception
    while True:
        try:
            return attempt(max(0.001, end - time.monotonic()))
        except RPCError as error:
            if not error.retryable:
                raise
            asked = error.data.get("retryAfterMs")
            problem, wait = error, asked / 1000 if asked else pause
        except Distrusted:
            raise
        except OSError as error:
            lost()
            problem, wait = error, pause
        pause = min(pause * 2, 1.0)
        # Scattered, so that not everybody who was refused comes back at once.
        wait *= random.uniform(0.75, 1.25)
        if time.monotonic() + wait > end:
            raise problem
        time.sleep(wait)
