"""Divides what a host serves at a time among the batches that are under way: the limit holds for the whole run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from splashdown._engine.pace import MOST
from splashdown._engine.settings import Settings

#: A host that serves so many files for each worker has room for a second batch, which waits at the worker.
_ROOM_FOR_TWO = 8


class Leases:
    """So many files at a time from each host, in all workers together."""

    def __init__(self, settings: Settings, limit: Callable[[str], int | None]) -> None:
        self._settings, self._limit = settings, limit
        self._taken: Counter[str] = Counter()
        self._lower: dict[str, int] = {}  #: of hosts that have refused

    def most(self, host: str) -> int:
        """How many files at a time the host serves for this run."""
        settings, own = self._settings, self._limit(host)
        found = settings.per_host or settings.jobs or MOST
        return min(found, own or found, self._lower.get(host, found))

    def take(self, host: str, workers: int, most: int | None = None) -> int:
        """A batch's share, of ``most`` at the most; 0 where nothing is left for the moment."""
        wanted, most = most, self.most(host)
        share = most // (2 * workers) if most >= _ROOM_FOR_TWO * workers else max(1, most // workers)
        left = most - self._taken[host]
        if self._settings.jobs is not None:
            left = min(left, self._settings.jobs - self._taken.total())
        share = max(0, min(share, left, share if wanted is None else wanted))
        self._taken[host] += share
        return share

    def give_back(self, host: str, share: int) -> None:
        """The batch has ended."""
        self._taken[host] -= share

    def refused(self, host: str, served: int, share: int) -> None:
        """A worker has learned that the host serves fewer than its share: so do the other workers."""
        if 0 < served < share:
            self._lower[host] = max(1, self.most(host) * served // share)
