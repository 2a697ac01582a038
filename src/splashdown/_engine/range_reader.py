"""Reads one range of a remote file, in order, across everything that networks and servers do.

When an answer breaks off, the reader connects again at that byte, with the version pinned, so that the caller does not
notice. It raises what it cannot repair: a final error, or
:class:`~splashdown._engine.restart.RestartError` when the bytes so far are worthless.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from splashdown._engine.decoding import Decoding, decoded_info, is_kept
from splashdown._engine.renew import looks_expired
from splashdown._engine.restart import RestartError
from splashdown._engine.retry import RetryBudget, StoppedError, host_of, is_retryable
from splashdown._foreign.calls import wrong_type
from splashdown.errors import (
    ChangedError,
    HttpStatusError,
    LinkExpiredError,
    NotModifiedError,
    PluginError,
    RangeNotServedError,
    StalledError,
    TransferError,
    TruncatedError,
    error_text,
)
from splashdown.events import Retried
from splashdown.formats import HEAD_BYTES
from splashdown.model import Buffer, ReadRequest, RemoteInfo

if TYPE_CHECKING:
    from splashdown._engine.places import Places
    from splashdown._engine.source import Source
    from splashdown.protocols import Stream

_END: Final = object()
_BUFFERS: Final = (bytes, bytearray, memoryview)
#: Precondition failed, range not satisfiable: the version or the range that was asked for does not exist any more.
_FILE_CHANGED = frozenset({412, 416})
#: Answers that may be about credentials.
_REFUSED = frozenset({401, 403})


class RangeReader:
    """One range of a source. Not for several threads; a parallel read has a reader for each connection."""

    def __init__(
        self,
        source: Source,
        start: int = 0,
        stop: int | None = None,
        budget: RetryBudget | None = None,
    ) -> None:
        self.source, self.start, self.pos, self.stop = source, start, start, stop
        self.on_chunk: Callable[[Buffer], object] | None = None  #: gets each chunk too, for a checksum
        self.moved = 0
        self._counts = True  #: whether the bytes of the body are those that came over the wire
        self._whole = False  #: whether the file is asked for without an end, as no part of it can be decoded
        self.waited = 0.0  #: seconds spent on waiting for bytes, not on hashing and storing them
        self._budget = budget or RetryBudget(source.retry)
        self._failed_at = start  #: where the last failure was
        self._left_over: Buffer | None = None  #: what came beyond the range of the last call of chunks()
        self._answer: AbstractContextManager[Stream] | None = None
        self._place: Places | None = None  #: among the requests that the host serves at a time
        self._answered_before: int | None = None  #: by the host, when it last refused this reader for too many
        self._body: Iterator[Buffer] | None = None
        self._speed_seconds, self._speed_bytes = 0.0, 0  #: since the speed was last judged
        source.readers.append(self)

    def open(self) -> RemoteInfo:
        """Connect, with retries; what the server says about the file."""
        while self._answer is None:
            try:
                self._connect()
            except Exception as error:
                self._handle_failure(error)
        assert self.source.pinned is not None
        return self.source.pinned

    def chunks(self, stop: int | None) -> Iterator[Buffer]:
        """The bytes from where the last call ended up to ``stop``, or to the end of the file."""
        source, on_chunk = self.source, self.on_chunk
        observed = source.events.active
        while stop is None or self.pos < stop:
            chunk = self._next_chunk()
            if chunk is None:
                return
            size = len(chunk)
            if stop is not None and self.pos + size > stop:
                whole = memoryview(chunk)
                size = stop - self.pos
                chunk, self._left_over = whole[:size], whole[size:]
            # Before the yield: a sink that has all its bytes need not ask for more, and nothing behind it would run.
            if on_chunk is not None:
                on_chunk(chunk)
            self.pos += size
            yield chunk
            if observed:
                source.report_progress(time.monotonic())

    @property
    def connected(self) -> bool:
        """Whether an answer is open."""
        return self._answer is not None

    @property
    def at_end(self) -> bool:
        """Whether everything that was asked for has been read, as far as the end is known."""
        end = self._end
        return end is not None and self.pos >= end

    def no_more_bytes(self) -> bool:
        """Whether the file ends here; finds out by reading on, for a file of unknown size."""
        if self._left_over is None:
            self._left_over = self._next_chunk()
        return self._left_over is None

    def finish(self) -> None:
        """Let the answer end, so that its connection can serve the next one; more bytes than promised are an error."""
        more: Buffer | None = self._left_over
        if more is None and self._body is not None:
            try:  # noqa: SIM105 - suppress() would cost three calls for each file, here and in close()
                more = next(self._body, None)
            except Exception:  # noqa: S110 - everything that was asked for is here already
                pass
        self.close()
        if more is not None:
            raise TruncatedError(f"{self.source.asset.label}: the server sent more bytes than it had promised")

    def close(self, *, well: bool = False) -> None:
        """End the answer. Its connection is used again when the body was read to its end, else closed.

        ``well`` says that the host has answered as it should although there is not a body.
        """
        answer, self._answer, self._body, self._left_over = self._answer, None, None, None
        if answer is not None:
            try:  # noqa: SIM105 - see finish()
                answer.__exit__(None, None, None)
            except Exception:  # noqa: S110 - to close a broken connection may fail again; the first error is the cause
                pass
        if self._place is not None:
            self._place.leave(well=well or answer is not None)
            self._place = None

    @property
    def _end(self) -> int | None:
        if self.stop is not None:
            return self.stop
        return self.source.pinned.size if self.source.pinned else None

    def _next_chunk(self) -> Buffer | None:
        if self._left_over is not None:
            chunk, self._left_over = self._left_over, None
            return chunk
        clock, settings = time.monotonic, self.source.remote.settings
        while True:
            self._check_stop()
            before = clock()
            try:
                if self._body is None:
                    self._connect()
                    assert self._body is not None
                received: object = next(self._body, _END)
                if received is _END:
                    self._check_length()
                    return None
                if not isinstance(received, _BUFFERS):
                    raise PluginError(f"{self._stream_name} yielded {type(received).__name__}; it has to yield bytes")
                self._check_stop()  # reading may have taken long
                if self.start == 0 and self.pos < HEAD_BYTES:
                    self._keep_head(received)
                if self._counts:
                    self.moved += len(received)
                waited = clock() - before
                self.waited += waited
                self._speed_seconds += waited
                self._speed_bytes += len(received)
                if self._speed_seconds >= settings.low_speed_time:
                    self._check_speed()
                if self.source.rate is not None:  # after the clock was read: a wait for it is not a slow connection
                    self.source.rate.take(len(received), self.source.stop.wait)
                return received
            except Exception as error:
                self._handle_failure(error)

    @property
    def _stream_name(self) -> str:
        body = self._body
        return f"{getattr(body, '__qualname__', None) or type(body).__qualname__} of the transport"

    def _keep_head(self, chunk: Buffer) -> None:
        # A copy: the chunk is valid until the next one.
        before = self.source.head[: self.pos]
        self.source.head = before + bytes(memoryview(chunk)[: HEAD_BYTES - len(before)])

    def _check_stop(self) -> None:
        if self.source.cancelled or self.source.stop.is_set():
            raise StoppedError(f"{self.source.asset.label}: stopped")

    def _connect(self) -> None:
        source, remote = self.source, self.source.remote
        self._place = remote.throttle.enter(host_of(source.asset.href), source.stop)
        answer: Any = source.take_first() if source.first is not None else self._ask()
        try:
            stream = answer.__enter__()
        except AttributeError:
            if hasattr(answer, "__enter__"):
                raise
            stream_of = remote.transport(source.asset.href).stream
            raise wrong_type(answer, AbstractContextManager, stream_of) from None
        self._answer = answer
        if not self._check_answer(stream):
            self.close()
            self._connect()
            return
        reset = stream.info.quota_reset
        if reset and reset <= source.retry.max_retry_after:  # for a longer one the next request fails
            waiting = remote.throttle.use_up(host_of(source.asset.href), reset)
            if waiting is not None:
                source.events.emit(waiting)
        source.link_worked = True
        if stream.info.cost is not None:
            self.moved += stream.info.cost
            self._counts = False
        self._body = iter(stream) if source.decoding is None else source.decoding.chunks(iter(stream))
        self._speed_seconds, self._speed_bytes = 0.0, 0

    def _ask(self) -> AbstractContextManager[Stream]:
        """Send the request for what is left of the range."""
        source, remote = self.source, self.source.remote
        if remote.renewal.has_expired(source.generation):
            with suppress(Exception):  # a clock may be wrong: the old link has its chance, and an error of its own
                source.renew(expired=True)
        href = source.asset.href
        remote.throttle.wait(host_of(href), source.stop)
        self._check_stop()
        source.attempts += 1
        # Signed for each request: a signature may live shorter than a transfer takes.
        signed, headers = remote.sign(href)
        request = ReadRequest(
            href=signed,
            headers=headers,
            steps=remote.steps,
            start=self.pos,
            stop=None if self._whole else self.stop,
            # Replicas take a condition with the ETag or the date of another one for a change: the answer is compared.
            pinned=None if source.by_date else source.pinned,
            unless=source.unless,
        )
        return remote.transport(signed).stream(request)

    def _check_answer(self, stream: Stream) -> bool:
        """The answer must be the range that was asked for, of the version that was read before.

        False where the file has to be asked for once more, as a whole.
        """
        source, info = self.source, getattr(stream, "info", None)
        if not isinstance(info, RemoteInfo) or not isinstance(stream.start, int):
            raise PluginError(
                f"{type(stream).__qualname__} of {type(stream).__module__} is not a stream: it needs info (RemoteInfo),"
                " start and length"
            )
        pinned, source.decoding = source.pinned, None
        if info.encoding is not None:
            plain = self._decoded(stream)
            if plain is None:
                return False
            info = plain
        if source.by_date:
            info = replace(info, etag=None)
        # Some servers ignore the condition and send the file again.
        if source.unless and info.validator == source.unless:
            raise NotModifiedError(f"{source.asset.label}: not changed since it was stored")
        if pinned is not None and not pinned.same_version(info):
            raise ChangedError(f"{source.asset.label}: the file changed on the server while it was read")
        if stream.start != self.pos:
            raise RangeNotServedError(f"{source.asset.label}: the server does not serve ranges that it had offered")
        if pinned is None:
            source.pinned, source.unless = info, None
        return True

    def _decoded(self, stream: Stream) -> RemoteInfo | None:
        """The file behind an encoded answer, which is prepared to be decoded; ``None`` for a part of one."""
        source, info = self.source, stream.info
        if info.encoding is None or is_kept(source.asset, info):
            return replace(info, encoding=None)
        if self.pos or (self._whole and stream.start):
            raise RangeNotServedError(f"{source.asset.label}: parts of a file with a Content-Encoding cannot be used")
        if not self._whole and info.size is not None and stream.length is not None and stream.length < info.size:
            self._whole = True
            return None
        plain = decoded_info(source.asset, info)
        source.decoding = Decoding(source.asset, info.encoding, stream.length, verify=source.remote.settings.verify)
        return plain

    def _check_length(self) -> None:
        end = self._end
        if end is not None and self.pos < end:
            raise TruncatedError(f"{self.source.asset.label}: the body ended {end - self.pos} bytes early")

    def _check_speed(self) -> None:
        speed, settings = self._speed_bytes / self._speed_seconds, self.source.remote.settings
        self._speed_seconds, self._speed_bytes = 0.0, 0
        if speed < settings.low_speed:
            raise StalledError(
                f"{self.source.asset.label}: {speed:.0f} bytes a second for {settings.low_speed_time:g} s; "
                f"the lowest speed allowed is {settings.low_speed}"
            )

    def _handle_failure(self, error: Exception) -> None:
        """Return when another request may follow; raise otherwise."""
        source = self.source
        begun = self.pos > self.start or self.start > 0 or source.pinned is not None
        place = self._place
        too_many = place is not None and source.remote.throttle.refused(place, error)
        self.close(well=isinstance(error, NotModifiedError))
        if isinstance(error, (StoppedError, NotModifiedError, RestartError)):
            raise error
        # A first request that the server refuses is an ordinary error; later these say that the file has changed.
        if begun and (isinstance(error, ChangedError) or _status(error) in _FILE_CHANGED):
            raise RestartError(_as_transfer_error(error), ranges=True, retries=False) from error
        if begun and isinstance(error, RangeNotServedError):
            raise RestartError(error, ranges=False, retries=False) from error
        expired = isinstance(error, LinkExpiredError)
        if looks_expired(error, worked=source.link_worked) and source.renew(expired=expired):
            return
        if not is_retryable(error):
            self._name_needs(error)
            raise error
        if place is not None and too_many and self._has_hope(place):
            self._told(error, 0.0)
            source.stop.wait(random.uniform(0.0, source.retry.base))  # noqa: S311 - not a secret
            return
        self._wait_before_retry(error)
        if self.pos > 0 and not source.can_continue:
            raise RestartError(_as_transfer_error(error), ranges=False, retries=True) from error

    def _name_needs(self, error: Exception) -> None:
        """Add to a refusal what the metadata say is needed, for downloads and loaders alike."""
        source = self.source
        if _status(error) in _REFUSED and (needs := source.remote.needs(source.asset)):
            error.args = (f"{error}; by its metadata it needs: {needs}",)
        if _status(error) in _REFUSED and source.remote.hint:
            error.args = (f"{error}; {source.remote.hint}",)

    def _has_hope(self, place: Places) -> bool:
        """Whether the host has answered others since it refused this reader: then that was not a failure."""
        before, self._answered_before = self._answered_before, place.answered
        return before is None or place.answered > before

    def _told(self, error: Exception, delay: float) -> None:
        source = self.source
        if source.events.active:
            source.events.emit(
                Retried(transfer=source.transfer, attempt=source.attempts, delay=delay, error=error_text(error))
            )

    def _wait_before_retry(self, error: Exception) -> None:
        source, remote = self.source, self.source.remote
        # Where each failure means to start at the first byte, only bytes beyond the furthest point are progress: a
        # server that always breaks off at the same place would be asked for ever.
        last = self._failed_at if source.can_continue else source.furthest
        if self.pos - last >= source.retry.refill:
            self._budget.refill()
        self._failed_at = self.pos
        source.furthest = max(source.furthest, self.pos)
        remote.throttle.note(host_of(source.asset.href), error, source.retry.max_retry_after)
        delay = self._budget.delay(error)
        if delay is None:
            _name_long_wait(error, source.retry.max_retry_after)
            raise error
        self._told(error, delay)
        source.stop.wait(delay)


def _name_long_wait(error: Exception, longest: float) -> None:
    """Add to a refusal that the host asks for a longer wait than the policy allows, which is why it was final."""
    asked = error.retry_after if isinstance(error, HttpStatusError) else None
    if asked is not None and asked > longest:
        error.args = (f"{error}; it asks to wait {asked:g} seconds, max_retry_after allows {longest:g}",)


def _status(error: Exception) -> int:
    return error.status if isinstance(error, HttpStatusError) else 0


def _as_transfer_error(error: Exception) -> TransferError:
    return error if isinstance(error, TransferError) else TransferError(error_text(error))
