"""Keeps what belongs to the hosts that were used last, and lets the rest go: descriptors are few, hosts may be many."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

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
