"""Renews signed hrefs that have expired: the source is read again once for all transfers that wait for it."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from splashdown.errors import HttpStatusError, LinkExpiredError
from splashdown.model import Asset, ResultSet
from splashdown.redact import safely_shown

#: Statuses by which stores and back-ends refuse a link that is past its time.
_REFUSED = frozenset({401, 403, 410})
#: Fresh hrefs that are refused sooner than this have not expired: access is forbidden, and new ones would not help.
_YOUNG_SECONDS = 60.0
#: The same for hrefs that have expired by the server's own word: some live for seconds only.
_YOUNG_EXPIRED_SECONDS = 1.0

Refresh = Callable[[], Mapping[tuple[str | None, str], Asset]]


@runtime_checkable
class Travels(Protocol):
    """Reads a source again, and can do so in another process."""

    def __call__(self) -> ResultSet:
        """The result set as it is now."""

    def elsewhere(self) -> Travels | None:
        """What another process gets; ``None`` where only this one can read the source."""


def elsewhere(read_again: Callable[[], ResultSet] | None) -> Travels | None:
    """What reads a source again in another process; ``None`` where links are not renewed there."""
    return read_again.elsewhere() if isinstance(read_again, Travels) else None


def looks_expired(error: BaseException, *, worked: bool) -> bool:
    """Whether a fresh link may help. A 404 counts only for a link that has worked."""
    if isinstance(error, LinkExpiredError):
        return True
    return isinstance(error, HttpStatusError) and (error.status in _REFUSED or (worked and error.status == 404))


def _in_own_thread(refresh: Refresh) -> Mapping[tuple[str | None, str], Asset]:
    """Read the source in a thread that ends with it: the next one gets the same memory, and no other one keeps some.

    Threads allocate from areas of their own, which the C library does not give back.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="splashdown-renewal") as pool:
        return pool.submit(refresh).result()


class Renewal:
    """Hands out fresh assets by ``(item, key)``. ``generation`` counts how often the source has been read again.

    ``refresh()`` reads the source and returns its assets. ``expires`` is when the first hrefs end, in seconds since the
    epoch, where the source says so.
    """

    def __init__(self, refresh: Refresh | None = None, expires: float | None = None) -> None:
        self._refresh = refresh
        self._expires = expires
        self._lock = threading.Lock()
        self._assets: Mapping[tuple[str | None, str], Asset] = {}
        self._asked_at = -math.inf
        self._failed = False
        self.generation = 0

    @property
    def unchanged(self) -> bool:
        """Whether the first links are good as far as anybody knows."""
        return self.generation == 0 and (self._expires is None or time.time() < self._expires)

    def has_expired(self, generation: int) -> bool:
        """Whether the hrefs of this generation are past the time that the source gave them."""
        return self._expires is not None and generation == 0 and time.time() >= self._expires

    def current(self, asset: Asset) -> Asset:
        """The asset with the newest href that is known."""
        return self._assets.get(asset.identity, asset) if self.generation else asset

    def fresh(self, asset: Asset, generation: int, *, expired: bool = False) -> Asset | None:
        """An asset newer than ``generation``; ``None`` when there is none. Raises what reading the source raises.

        ``expired`` says that the link has ended for certain, and was not merely refused.
        """
        if self._refresh is None:
            return None
        with self._lock:
            if self.generation == generation:
                # A source that cannot be read is not asked once more for each asset that needs it.
                limit = _YOUNG_EXPIRED_SECONDS if expired and not self._failed else _YOUNG_SECONDS
                if time.monotonic() - self._asked_at < limit:
                    return None
                self._failed = True
                try:
                    self._assets = _in_own_thread(self._refresh)
                finally:
                    self._asked_at = time.monotonic()
                self._failed = False
                self.generation += 1
            return self._assets.get(asset.identity)


class Refusals(Renewal):
    """Renews nothing, and notes for which links that was wanted: another process reads the source for all."""

    def __init__(self) -> None:
        super().__init__()
        self.hrefs: dict[str, bool] = {}  #: with whether one has ended for certain

    def fresh(self, asset: Asset, generation: int, *, expired: bool = False) -> Asset | None:  # noqa: ARG002
        """Note the link; there is no newer one here."""
        self.hrefs[asset.href] = expired or self.hrefs.get(asset.href, False)
        return None


@safely_shown
@dataclass(frozen=True, slots=True)
class Origin:
    """The asset that another one is made of, and its renewal."""

    asset: Asset
    renewal: Renewal
