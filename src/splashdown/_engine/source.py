"""The remote side of one transfer: which link, which version, and what reading it has cost so far.

The bytes themselves come through readers (:mod:`splashdown._engine.range_reader`), one for each connection. What all
connections of a file have to agree on is here.
"""

from __future__ import annotations

import threading
import time
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from splashdown._engine.retry import RetryBudget
from splashdown.events import Progress
from splashdown.model import Asset, Outcome, RemoteInfo, Transfer

if TYPE_CHECKING:
    from splashdown._engine.decoding import Decoding
    from splashdown._engine.dispatch import Dispatcher
    from splashdown._engine.range_reader import RangeReader
    from splashdown._engine.rate import RateLimit
    from splashdown._engine.remote import Remote
    from splashdown.protocols import Stream

#: A listener can show no more than this, and each event costs a moment of the thread that moves bytes.
_PROGRESS_SECONDS = 0.1
#: A fresh link that never works is no better than the last one, however often the source is read.
_MOST_USELESS_LINKS = 3


class Source:
    """One remote file. All threads that read it share this object."""

    def __init__(
        self,
        transfer: Transfer,
        remote: Remote,
        *,
        events: Dispatcher,
        stop: threading.Event,
        renews: bool = True,
        rate: RateLimit | None = None,
    ) -> None:
        self.transfer, self.remote = transfer, remote
        self.events, self.stop, self.rate = events, stop, rate
        self.generation = remote.renewal.generation
        self.asset = self._as_planned(remote.renewal.current(transfer.asset)) if renews else transfer.asset
        self._renews = renews  #: whether to read the source again gives a fresh link
        self.pinned: RemoteInfo | None = None  #: the first answer, to which all later ones have to belong
        self.unless: str | None = None  #: a validator: nothing needs to be read while it holds
        self.head = b""  #: the first bytes, which show what the file is
        self.ranges = True  #: false once the server has broken its promise to serve ranges
        self.decoding: Decoding | None = None  #: of the latest answer, where that is encoded
        self.by_date = False  #: whether ETags are left out of account: replicas of one file may have different ones
        self.link_worked = False
        self.useless_links = 0  #: links taken since one has worked
        self.attempts = 0
        self.first: AbstractContextManager[Stream] | Exception | None = None  #: an answer that has come already
        self.cancelled = False  #: one connection has failed for good, so the others stop
        self.stored_before = 0  #: bytes of the file that are there without this transfer's readers
        self.readers: list[RangeReader] = []
        self.retry = remote.retry(self.asset.href)
        self.budget = RetryBudget(self.retry)  #: outlives restarts, or they would never come to an end
        self.furthest = 0  #: the furthest that any attempt without ranges has come
        self._moved_before = 0  #: by readers of earlier attempts
        self._reported_at = 0.0
        self._report_lock = threading.Lock()
        self.begun = time.perf_counter()

    def take_first(self) -> AbstractContextManager[Stream] | None:
        """The answer to the first request, where that was sent before this object was made; raises its error."""
        first, self.first = self.first, None
        if isinstance(first, Exception):
            raise first
        return first

    def outcome(self, **facts: Any) -> Outcome:
        """What became of the transfer, with what it has cost."""
        return Outcome(
            attempts=self.attempts, bytes_moved=self.moved, seconds=time.perf_counter() - self.begun, **facts
        )

    @property
    def done(self) -> int:
        """Bytes of the file that are there."""
        return self.stored_before + sum(reader.pos - reader.start for reader in self.readers)

    @property
    def moved(self) -> int:
        """Bytes that came over the wire, repeats included."""
        return self._moved_before + sum(reader.moved for reader in self.readers)

    @property
    def can_continue(self) -> bool:
        """Whether a later request can begin in the middle of the file.

        Two requests could otherwise mix two versions unnoticed: so the first answer gave a validator, or the metadata
        a checksum that decides in the end.
        """
        info = self.pinned
        return self.ranges and info is not None and info.ranges and bool(info.validator or self.asset.checksum)

    def moved_elsewhere(self, count: int) -> None:
        """Count bytes that another process has read and stored."""
        self.stored_before += count
        self._moved_before += count
        if self.events.active:
            self.report_progress(time.monotonic())

    def start_over(self) -> None:
        """Forget what was read: the next answer may be another version. All readers have to be closed."""
        self._moved_before = self.moved
        self.readers = []
        self.pinned = None
        self.cancelled = False
        self.stored_before = 0

    def report_progress(self, now: float) -> None:
        """Emit an event at most ten times a second for this file, whichever of its connections calls."""
        if now - self._reported_at < _PROGRESS_SECONDS:
            return
        with self._report_lock:
            # Another connection may have reported while this one waited for the lock.
            if now - self._reported_at < _PROGRESS_SECONDS:
                return
            self._reported_at = now
        size = self.pinned.size if self.pinned else None
        self.events.emit(Progress(transfer=self.transfer, done=self.done, size=size))

    def renew(self, *, expired: bool = False) -> bool:
        """Take a fresh link; whether there was one. ``expired`` says that the old one has ended for certain."""
        if not self._renews:
            return False
        self.useless_links = 0 if self.link_worked else self.useless_links + 1
        if self.useless_links > _MOST_USELESS_LINKS:
            return False
        asset = self.remote.renewal.fresh(self.asset, self.generation, expired=expired)
        if asset is None:
            return False
        self.generation = self.remote.renewal.generation
        self.asset = self._as_planned(asset)
        self.link_worked = False
        return True

    def _as_planned(self, asset: Asset) -> Asset:
        """An asset with a fresh link; what its metadata do not promise of the bytes, the plan may."""
        planned = self.transfer.asset
        if asset is planned or asset.checksum is not None or planned.checksum is None:
            return asset
        return replace(asset, checksum=planned.checksum)
