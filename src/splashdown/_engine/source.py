"""Reads one remote file, in order, across everything that networks and servers do.

A :class:`Reader` yields the bytes of one range. When an answer breaks off it connects again at that byte, with the
version pinned, so that whoever takes the bytes never notices. What it cannot repair it raises: a final error, or
:class:`~splashdown._engine.restart.RestartError` when the bytes so far are worthless.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING, Any

from splashdown._engine.renew import looks_expired
from splashdown._engine.restart import RestartError
from splashdown._engine.retry import Budget, StoppedError, host_of, is_retryable
from splashdown.errors import (
    ChangedError,
    HttpStatusError,
    LinkExpiredError,
    NotModifiedError,
    RangeNotServedError,
    StalledError,
    TransferError,
    TruncatedError,
    error_text,
)
from splashdown.events import Progress, Retried
from splashdown.model import Buffer, Outcome, ReadRequest, RemoteInfo, Transfer

if TYPE_CHECKING:
    from splashdown._engine.dispatch import Dispatcher
    from splashdown._engine.remote import Remote
    from splashdown.protocols import Stream

_PROGRESS_SECONDS = 0.1
_MOST_VAIN_RENEWALS = 3


class Source:
    """The remote side of one transfer: where it is read now, which version, and what that has cost."""

    def __init__(self, transfer: Transfer, remote: Remote, *, events: Dispatcher, stop: threading.Event) -> None:
        self.transfer, self.remote = transfer, remote
        self.events, self.stop = events, stop
        self.generation = remote.renewal.generation
        self.asset = remote.renewal.current(transfer.asset)
        self.pinned: RemoteInfo | None = None
        self.unless: str | None = None  #: a validator: nothing needs to be read while it holds
        self.ranges = True  #: false once the server has broken its promise to serve ranges
        self.worked = False
        self.vain = 0  #: links taken since one has worked
        self.attempts = 0
        self.cancelled = False  #: one connection has failed for good, the others need not go on
        self._moved = 0
        self.kept = 0  #: bytes that an earlier run has stored
        self.readers: list[Reader] = []
        self.budget = Budget(remote.settings.retry)  #: outlives restarts
        self.high = 0  #: the furthest that any attempt without ranges has come
        self._told = 0.0
        self._telling = threading.Lock()
        self._begun = time.perf_counter()

    def outcome(self, **facts: Any) -> Outcome:
        """What became of the transfer, with what it has cost."""
        return Outcome(
            attempts=self.attempts, bytes_moved=self.moved, seconds=time.perf_counter() - self._begun, **facts
        )

    @property
    def done(self) -> int:
        """Bytes of the file that are there."""
        return self.kept + sum(reader.pos - reader.start for reader in self.readers)

    @property
    def continues(self) -> bool:
        """Whether a later request can go on in the middle: the version is pinned, or a checksum will tell."""
        info = self.pinned
        return self.ranges and info is not None and info.ranges and bool(info.validator or self.asset.checksum)

    @property
    def moved(self) -> int:
        """Bytes that came over the wire, repeats included."""
        return self._moved + sum(reader.moved for reader in self.readers)

    def forget(self) -> None:
        """Begin anew: the next answer may be another version. All readers have to be closed."""
        self._moved = self.moved
        self.readers = []
        self.pinned = None
        self.cancelled = False
        self.kept = 0

    def tell(self, now: float) -> None:
        """Report progress, at most ten times a second, whichever connection it is that tells."""
        if now - self._told >= _PROGRESS_SECONDS:
            with self._telling:
                if now - self._told < _PROGRESS_SECONDS:
                    return
                self._told = now
            size = self.pinned.size if self.pinned else None
            self.events.emit(Progress(transfer=self.transfer, done=self.done, size=size))

    def renew(self, *, expired: bool = False) -> bool:
        """Take a fresh link; whether there was one. ``expired`` is when the old one has ended for certain."""
        # A fresh link that never works is no better than the last one, however often the source is read.
        self.vain = 0 if self.worked else self.vain + 1
        if self.vain > _MOST_VAIN_RENEWALS:
            return False
        asset = self.remote.renewal.fresh(self.asset, self.generation, expired=expired)
        if asset is None:
            return False
        self.generation = self.remote.renewal.generation
        self.asset = asset
        self.worked = False
        return True


class Reader:
    """One range of a source. Not for several threads; a parallel read has a reader for each connection."""

    def __init__(
        self,
        source: Source,
        start: int = 0,
        stop: int | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.source, self.start, self.pos, self.stop = source, start, start, stop
        self.update: Callable[[Buffer], object] | None = None  #: gets each chunk too, for a checksum
        self.moved = 0
        self.waited = 0.0  #: seconds spent on waiting for bytes, not on hashing and storing them
        self._budget = budget or Budget(source.remote.settings.retry)
        self._mark = start  #: where the last failure was
        self._rest: Buffer | None = None
        self._manager: AbstractContextManager[Stream] | None = None
        self._chunks: Iterator[Buffer] | None = None
        self._waited, self._came = 0.0, 0
        source.readers.append(self)

    def open(self) -> RemoteInfo:
        """Connect, with retries; what the server says about the file."""
        while self._manager is None:
            try:
                self._connect()
            except Exception as error:
                self._failed(error)
        assert self.source.pinned is not None
        return self.source.pinned

    def chunks(self, stop: int | None) -> Iterator[Buffer]:
        """The bytes from where the last call ended up to ``stop``, or to the end of the file."""
        source, update = self.source, self.update
        telling = source.events.active
        while stop is None or self.pos < stop:
            chunk = self._next()
            if chunk is None:
                return
            size = len(chunk)
            if stop is not None and self.pos + size > stop:
                whole = memoryview(chunk)
                size = stop - self.pos
                chunk, self._rest = whole[:size], whole[size:]
            if update is not None:
                update(chunk)
            self.pos += size
            yield chunk
            if telling:
                source.tell(time.monotonic())

    @property
    def connected(self) -> bool:
        """Whether an answer is open."""
        return self._manager is not None

    @property
    def at_end(self) -> bool:
        """Whether everything that was asked for has been read, as far as the end is known."""
        end = self.stop if self.stop is not None else self.source.pinned.size if self.source.pinned else None
        return end is not None and self.pos >= end

    def ended(self) -> bool:
        """Whether the file has no more bytes; finds out by reading on."""
        if self._rest is None:
            self._rest = self._next()
        return self._rest is None

    def finish(self) -> None:
        """Let the answer end, so that its connection can serve the next one; more bytes than promised are an error."""
        more: Buffer | None = self._rest
        if more is None and self._chunks is not None:
            with suppress(Exception):  # everything that was asked for is here already
                more = next(self._chunks, None)
        self.close()
        if more is not None:
            raise TruncatedError(f"{self.source.asset.label}: the server sent more bytes than it had promised")

    def close(self) -> None:
        """Give the connection back, or up."""
        self._disconnect()

    def _next(self) -> Buffer | None:
        if self._rest is not None:
            rest, self._rest = self._rest, None
            return rest
        clock, settings = time.monotonic, self.source.remote.settings
        while True:
            self._check_stop()
            before = clock()
            try:
                if self._chunks is None:
                    self._connect()
                    assert self._chunks is not None
                chunk: Buffer | None = next(self._chunks, None)
                if chunk is None:
                    self._ended()
                    return None
                self._check_stop()  # it may have waited long
                self.moved += len(chunk)
                waited = clock() - before
                self.waited += waited
                self._waited += waited
                self._came += len(chunk)
                if self._waited >= settings.low_speed_time:
                    self._judge_speed()
                return chunk
            except Exception as error:
                self._failed(error)

    def _check_stop(self) -> None:
        if self.source.cancelled or self.source.stop.is_set():
            raise StoppedError(f"{self.source.asset.label}: stopped")

    def _connect(self) -> None:
        source, remote = self.source, self.source.remote
        if remote.renewal.is_over(source.generation):
            with suppress(Exception):  # a clock may be wrong: the old link has its chance, and an error of its own
                source.renew(expired=True)
        href = source.asset.href
        remote.throttle.wait(host_of(href), source.stop)
        self._check_stop()
        source.attempts += 1
        signed, headers = remote.sign(href)
        request = ReadRequest(
            href=signed, headers=headers, start=self.pos, stop=self.stop, pinned=source.pinned, unless=source.unless
        )
        manager = remote.transport(signed).stream(request)
        stream = manager.__enter__()
        self._manager = manager
        self._check(stream)
        reset = stream.info.quota_reset
        if reset and reset <= remote.settings.retry.max_retry_after:  # for a longer one the next request fails
            remote.throttle.pause(host_of(href), reset)
        source.worked = True
        self._chunks = iter(stream)
        self._waited, self._came = 0.0, 0

    def _check(self, stream: Stream) -> None:
        """The answer must be the range that was asked for, of the version that was read before."""
        source, info = self.source, stream.info
        pinned = source.pinned
        if source.unless and info.validator == source.unless:
            raise NotModifiedError(f"{source.asset.label}: not changed since it was stored")
        if pinned is not None and not pinned.same_version(info):
            raise ChangedError(f"{source.asset.label}: the file changed on the server while it was read")
        if stream.start != self.pos:
            raise RangeNotServedError(f"{source.asset.label}: the server does not serve ranges that it had offered")
        if pinned is None:
            source.pinned, source.unless = info, None

    def _ended(self) -> None:
        info = self.source.pinned
        end = self.stop if self.stop is not None else info.size if info else None
        if end is not None and self.pos < end:
            raise TruncatedError(f"{self.source.asset.label}: the body ended {end - self.pos} bytes early")

    def _judge_speed(self) -> None:
        speed, settings = self._came / self._waited, self.source.remote.settings
        self._waited, self._came = 0.0, 0
        if speed < settings.low_speed:
            raise StalledError(
                f"{self.source.asset.label}: {speed:.0f} bytes a second for {settings.low_speed_time:g} s; "
                f"the lowest speed allowed is {settings.low_speed}"
            )

    def _failed(self, error: Exception) -> None:
        """Return when another attempt may follow; raise otherwise."""
        source = self.source
        begun = self.pos > self.start or self.start > 0 or source.pinned is not None
        self._disconnect()
        if isinstance(error, (StoppedError, NotModifiedError, RestartError)):
            raise error
        if begun and (isinstance(error, ChangedError) or _status(error) in {412, 416}):
            raise RestartError(_as_transfer_error(error), ranges=True, retries=False) from error
        if begun and isinstance(error, RangeNotServedError):
            raise RestartError(error, ranges=False, retries=False) from error
        if looks_expired(error, worked=source.worked) and source.renew(expired=isinstance(error, LinkExpiredError)):
            return
        if not is_retryable(error):
            raise error
        self._wait(error)
        if self.pos > 0 and not source.continues:
            raise RestartError(_as_transfer_error(error), ranges=False, retries=True) from error

    def _wait(self, error: Exception) -> None:
        source, remote = self.source, self.source.remote
        # Where every failure means to begin anew, only getting further than ever before is progress.
        if self.pos - (self._mark if source.continues else source.high) >= remote.settings.retry.refill:
            self._budget.refill()
        self._mark = self.pos
        source.high = max(source.high, self.pos)
        remote.throttle.note(host_of(source.asset.href), error)
        delay = self._budget.delay(error)
        if delay is None:
            raise error
        if source.events.active:
            source.events.emit(
                Retried(transfer=source.transfer, attempt=source.attempts, delay=delay, error=error_text(error))
            )
        source.stop.wait(delay)

    def _disconnect(self) -> None:
        manager, self._manager, self._chunks, self._rest = self._manager, None, None, None
        if manager is not None:
            with suppress(Exception):  # closing a broken connection may fail again; nobody needs to know
                manager.__exit__(None, None, None)


def _status(error: Exception) -> int:
    return error.status if isinstance(error, HttpStatusError) else 0


def _as_transfer_error(error: Exception) -> TransferError:
    return error if isinstance(error, TransferError) else TransferError(error_text(error))
