"""Spares a HEAD for every object of an empty or small target: one list answers for all keys that are not there.

A run asks for each name before it stores; the usual target is new, and every answer is "no". One page of a list says
so for the whole prefix. Another process may write a key that is not listed a moment later, so a key that was declared
free in this way is then written with ``If-None-Match``: that is safer than a HEAD, which says nothing about later.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

#: After so many seconds the list is asked for again.
_FRESH_SECONDS = 60.0


class Presence:
    """Remembers which keys a listing showed, as long as one page held all of them.

    ``page`` lists the first keys below the target, and says whether these are all.
    """

    def __init__(self, page: Callable[[], tuple[set[str], bool]]) -> None:
        self._page = page
        self._lock = threading.Lock()
        self._keys: set[str] = set()
        self._complete = True
        self._until = 0.0
        self._free: set[str] = set()

    def is_free(self, key: str) -> bool:
        """Whether the key is known to be free; ``False`` means that the object itself has to be asked for."""
        with self._lock:
            if not self._complete:
                return False  # a large target: the list of it costs more than it spares
            if time.monotonic() >= self._until:
                self._keys, self._complete = self._page()
                self._until = time.monotonic() + _FRESH_SECONDS
            free = self._complete and key not in self._keys
            if free:
                self._free.add(key)
            return free

    def forget_page(self) -> None:
        """Ask for the list again before the next answer: whoever lists wants to know what others have written."""
        with self._lock:
            self._until = 0.0

    def declared_free(self, key: str) -> bool:
        """Whether ``is_free`` has said so of the key, and nothing was written there since."""
        with self._lock:
            return key in self._free

    def written(self, key: str) -> None:
        """The key is taken now."""
        with self._lock:
            self._keys.add(key)
            self._free.discard(key)
