"""Keeps what belongs to the hosts that were used last, and lets the rest go: descriptors are few, hosts may be many."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from urllib3 import HTTPConnectionPool

T = TypeVar("T")

#: With eight connections to each host this is a quarter of the 1,024 descriptors that many systems allow.
MOST_HOSTS = 32


class RecentlyUsed(Generic[T]):
    """Values by key, made when first asked for; safe for all threads.

    Beyond ``most`` keys, one that was not asked for lately is forgotten: ``let_go`` gets its value, which other threads
    may still be using. To find a value costs no lock.
    """

    def __init__(self, make: Callable[[str], T], let_go: Callable[[T], object], most: int = MOST_HOSTS) -> None:
        self._make, self._let_go, self._most = make, let_go, most
        self._values: dict[str, T] = {}
        self._used: set[str] = set()  #: keys that were asked for since a value had to go
        self._lock = threading.Lock()

    def get(self, key: str) -> T:
        """The value of a key; raises what making it raises."""
        value = self._values.get(key)
        if value is None:
            with self._lock:
                value = self._values.get(key) or self._add(key)
        self._used.add(key)
        return value

    def clear(self) -> None:
        """Let everything go."""
        with self._lock:
            values, self._values = self._values, {}
            self._used.clear()
        for value in values.values():
            self._let_go(value)

    def _add(self, key: str) -> T:
        value = self._make(key)
        while len(self._values) >= self._most:
            self._forget_one()
        self._values[key] = value
        return value

    def _forget_one(self) -> None:
        """Forget the first key that was not used since its last turn; there is one after one round at most."""
        for key in list(self._values):
            if key not in self._used:
                break
            self._used.discard(key)
            self._values[key] = self._values.pop(key)
        else:
            key = next(iter(self._values))
        self._let_go(self._values.pop(key))


class Idle:
    """The idle connections of a pool that never waits for one, the last used first; safe for all threads.

    It has what urllib3's pools ask of their queue, at a fifth of its cost for each request: there is nothing to wait
    for, so no lock is needed beyond that of the deque.
    """

    def __init__(self, maxsize: int) -> None:
        self.maxsize = maxsize
        self.connections: deque[Any] = deque()

    def get(self, block: bool = False, timeout: float | None = None) -> Any:  # noqa: ARG002 - as queue
        """The connection that was used last; raises ``queue.Empty`` where none is idle."""
        try:
            return self.connections.pop()
        except IndexError:
            raise queue.Empty from None

    def put(self, item: Any, block: bool = False) -> None:  # noqa: ARG002 - as queue
        """Keep a connection; raises ``queue.Full`` where enough are kept."""
        if 0 < self.maxsize <= len(self.connections):
            raise queue.Full
        self.connections.append(item)

    def qsize(self) -> int:
        """How many are idle."""
        return len(self.connections)

    def close(self) -> None:
        """Close all of them."""
        while self.connections:
            with suppress(IndexError):  # another thread took the last one
                if (connection := self.connections.pop()) is not None:
                    connection.close()


def close_idle(pool: HTTPConnectionPool) -> None:
    """Close the connections of a pool that are not in use. The pool still serves those who have it."""
    waiting = pool.pool
    while waiting is not None:
        try:
            connection = waiting.get(block=False)
        except queue.Empty:
            return
        if connection is not None:
            connection.close()
