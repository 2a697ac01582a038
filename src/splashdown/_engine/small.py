"""The straight line: a small, plain file in a few calls, from the request to its name in the target.

The general way (``attempt``) is the definition of what is right. Whatever is unusual is handed over to it: with the
answer that has come, so that nothing is asked twice, or before anything was asked. So nothing is judged here but that
all is well: errors, repetitions and refusals are the general way's.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import NamedTuple, TypeAlias

from splashdown._engine.context import Context
from splashdown._engine.existing import UNCHANGED, Verdict, decide, decide_at_once
from splashdown._engine.lanes import Lane, Lanes
from splashdown._engine.pace import MOST
from splashdown._engine.verify import Expectation
from splashdown._foreign.calls import wrong_type
from splashdown._receipts.source_mark import source_mark
from splashdown.checksums import Digests
from splashdown.errors import ChecksumError, ContentError, NotModifiedError
from splashdown.events import Progress, TransferFinished, TransferStarted
from splashdown.formats import check_content
from splashdown.model import (
    Asset,
    Buffer,
    Content,
    Outcome,
    ReadRequest,
    RemoteInfo,
    SmallBody,
    Status,
    StoredRecord,
    Transfer,
)
from splashdown.protocols import AwaitedFile, Stream, SupportsPutWhole
from splashdown.redact import safely_shown

#: A larger file is not worth a way of its own: its bytes cost more than the calls around them.
_MOST = 128 * 1024
#: A plan may name any number of hosts.
_MOST_LANES = 1024
_SHA256 = "1220"  #: how a multihash of the usual function begins: its code, and 32 bytes
_HEADERS: Mapping[str, str] = {}


@safely_shown
class Handover(NamedTuple):
    """What the general way goes on with."""

    verdict: Verdict
    begun: float  #: on the clock of ``time.perf_counter``
    first: AbstractContextManager[Stream] | Exception | None = None  #: what came of the first request


@safely_shown
class Fetched(NamedTuple):
    """A small file that has come and is as it should be: to be noted, and then to be stored."""

    transfer: Transfer
    verdict: Verdict
    answer: SmallBody
    begun: float
    record: StoredRecord
    verified: tuple[str, ...]
    number: str  #: what the journal calls it


@safely_shown
class Asked(NamedTuple):
    """A small file that was asked for."""

    transfer: Transfer
    verdict: Verdict
    answer: AwaitedFile
    begun: float
    number: str | None  #: what the journal calls it; ``None`` where it is only asked whether a stored file has changed


class Held:
    """A small file that has come, as the stream that the general way reads."""

    def __init__(self, info: RemoteInfo, data: bytes) -> None:
        self.info, self._data = info, data
        self.start = 0
        self.length: int | None = len(data)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""

    def __iter__(self) -> Iterator[Buffer]:
        if self._data:
            yield self._data


#: Gives the straight line's result of one transfer; an error is that transfer's own.
Step: TypeAlias = Callable[[Transfer], Outcome | Handover | None]


class Raised:
    """A step that raises the error of one file, where it becomes an outcome."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __call__(self, _: Transfer) -> Outcome | Handover | None:
        raise self._error


def given(found: Outcome | Handover | None) -> Step:
    """A step that has been made."""
    return lambda _: found


class StraightLine:
    """Moves the small files of one run; every thread may use it."""

    def __init__(self, context: Context, sink: SupportsPutWhole) -> None:
        self._context, self._sink = context, sink
        settings, limit = context.settings, context.sink.parts.max_size or _MOST
        # A user who wants smaller parts, or less memory, gets them.
        self.memory = settings.memory // (settings.jobs or MOST)  #: bytes that a thread may hold
        self._most = min(_MOST, settings.part_size, settings.range_cutoff - 1, limit, self.memory)
        self._lanes = Lanes(context, self._most)
        self._plain = settings.checksum == "sha2-256"
        self._version = context.can.version
        self._durable, self._verify = settings.fsync, settings.verify

    @classmethod
    def of(cls, context: Context) -> StraightLine | None:
        """The straight line of a run; ``None`` where the sink or the remote side has none."""
        sink = context.sink
        if context.rate is not None:  # the general way counts bytes as they come
            return None
        if context.remote.lane is None or not isinstance(sink, SupportsPutWhole) or context.journal.unfinished:
            return None
        return cls(context, sink)

    def move(self, transfer: Transfer) -> Outcome | Handover | None:
        """Move a file, or say with what the general way goes on; ``None`` where it begins at the beginning."""
        found = self.fetch(transfer)
        return self.put(found) if isinstance(found, Fetched) else found

    def fetch(self, transfer: Transfer, *, wait: bool = True) -> Fetched | Outcome | Handover | None:
        """The same up to where the file is noted; with ``wait`` not before another run has stored it."""
        begun = time.perf_counter()
        try:
            verdict = decide(self._context, transfer, wait=wait)
        except Exception:  # the general way decides once more, and raises it
            return None
        lane = self._lanes.of(transfer, verdict)
        if lane is None or self._context.stop.is_set():
            return Handover(verdict, begun)
        if verdict.unless:
            try:
                kept: SmallBody | AbstractContextManager[Stream] | None = self._read(transfer, lane, verdict.unless)
            except NotModifiedError:
                kept = None
            except Exception as error:
                return Handover(verdict, begun, error)
            return self._kept(transfer, verdict, begun, kept)
        number = self._context.journal.announce(verdict.name)
        found: Fetched | Handover | None = None
        try:
            try:
                answer = self._read(transfer, lane)
            except Exception as error:
                return Handover(verdict, begun, error)
            found = self._fetched(transfer, verdict, answer, begun, number)
            return found
        finally:
            if not isinstance(found, Fetched):
                self._context.journal.retract(number)

    def ask(self, transfer: Transfer) -> Asked | Handover | None:
        """Ask for a file and wait for nothing; ``None`` where :meth:`move` has to, as on a new connection."""
        begun, context = time.perf_counter(), self._context
        try:
            verdict = decide_at_once(context, transfer)
        except Exception:  # as above
            return None
        if verdict is None:
            return None
        lane = self._lanes.of(transfer, verdict)
        if lane is None or lane.ask is None:
            return Handover(verdict, begun)
        number = None if verdict.unless else context.journal.announce(verdict.name)
        answer: AwaitedFile | None = None
        try:
            answer = lane.ask(self._request(transfer, lane, verdict.unless), self._most)
        except Exception as error:
            return Handover(verdict, begun, error)
        finally:
            if answer is None:
                self._retract(number)
        return None if answer is None else Asked(transfer, verdict, answer, begun, number)

    def take(self, asked: Asked) -> Outcome | Handover | None:
        """Store a file that was asked for, where all of it has come; ``None`` where it has not."""
        transfer, verdict, answer, begun, number = asked
        try:
            body = answer.take()
        except NotModifiedError:
            return self._kept(transfer, verdict, begun, None)
        except Exception as error:
            self._retract(number)
            return Handover(verdict, begun, error)
        if body is None:
            return None
        if number is None:
            return self._kept(transfer, verdict, begun, body)
        found: Fetched | Handover | None = None
        try:
            found = self._fetched(transfer, verdict, body, begun, number)
        finally:
            if not isinstance(found, Fetched):
                self._retract(number)
        return self.put(found) if isinstance(found, Fetched) else found

    def rest(self, asked: Asked) -> Handover:
        """What the general way goes on with, of a file that was asked for and has not come as it should; waits."""
        self._retract(asked.number)
        try:
            return Handover(asked.verdict, asked.begun, asked.answer.rest())
        except Exception as error:
            return Handover(asked.verdict, asked.begun, error)

    def give_up(self, asked: Asked) -> None:
        """Leave a file that was asked for."""
        self._retract(asked.number)
        asked.answer.close()

    @property
    def asks(self) -> bool:
        """Whether it could ask for all files so far without waiting."""
        return self._lanes.ask

    def _retract(self, number: str | None) -> None:
        if number is not None:
            self._context.journal.retract(number)

    def _kept(
        self,
        transfer: Transfer,
        verdict: Verdict,
        begun: float,
        answer: SmallBody | AbstractContextManager[Stream] | None,
    ) -> Outcome | Handover:
        """The outcome of a file that is still the version of the source; one that is not goes on in the general way."""
        if answer is not None and not isinstance(answer, SmallBody):
            return Handover(verdict, begun, answer)
        # Some servers ignore the condition and send the file again.
        if answer is not None and answer.info.validator != verdict.unless:
            return _held(verdict, begun, answer)
        outcome = Outcome(**verdict.kept(transfer, UNCHANGED), attempts=1, seconds=time.perf_counter() - begun)
        if self._context.events.active:
            self._context.events.emit(TransferFinished(outcome=outcome))
        return outcome

    def _read(
        self, transfer: Transfer, lane: Lane, unless: str | None = None
    ) -> SmallBody | AbstractContextManager[Stream]:
        return lane.transport.read_small(self._request(transfer, lane, unless), self._most)

    def _request(self, transfer: Transfer, lane: Lane, unless: str | None = None) -> ReadRequest:
        href = transfer.asset.href
        signed, headers = (href, _HEADERS) if lane.sign is None else lane.sign(href)
        return ReadRequest(href=signed, headers=headers, steps=self._context.remote.steps, unless=unless)

    def _fetched(
        self,
        transfer: Transfer,
        verdict: Verdict,
        answer: SmallBody | AbstractContextManager[Stream],
        begun: float,
        number: str,
    ) -> Fetched | Handover:
        if not isinstance(answer, SmallBody):
            return Handover(verdict, begun, answer)
        info, size = answer.info, len(answer.data)
        if (
            info.size != size
            or info.quota_reset is not None
            or info.encoding is not None
            or self._context.stop.is_set()
        ):
            return _held(verdict, begun, answer)
        asset = transfer.asset
        found = self._verified(asset, answer)
        if found is None:
            return _held(verdict, begun, answer)
        checksum, verified = found
        record = StoredRecord(size=size, checksum=checksum, validator=info.validator, identity=(asset.item, asset.key))
        return Fetched(transfer, verdict, answer, begun, record, verified, number)

    def put(self, file: Fetched, *, noted: bool = False) -> Outcome | Handover:
        """Note a file, unless it was noted with others, and store it; the general way goes on where that fails."""
        transfer, verdict, answer, begun, record, verified, number = file
        context, asset, name, checksum = self._context, transfer.asset, verdict.name, record.checksum
        size, validator = len(answer.data), record.validator
        events = context.events if context.events.active else None
        if events is not None:
            events.emit(TransferStarted(transfer=transfer, size=size, offset=0))
        content = Content(
            size=size,
            media_type=asset.media_type,
            # A promised checksum has not been compared where verification is off.
            checksum=(asset.checksum if self._verify else None) or (checksum if self._plain else None),
            source=f"{asset.item}/{asset.key}" if asset.item else asset.key,  # the label, without a call
            replace=verdict.replace,
            durable=self._durable,
        )
        try:
            if not noted:
                context.memory.storing({name: record})
            location = self._stored(name, content, answer.data)
        finally:
            context.journal.retract(number)
        if location is None:
            return _held(verdict, begun, answer)
        outcome = Outcome(
            transfer=transfer,
            status=Status.STORED,
            location=location,
            size=size,
            checksum=checksum,
            verified=verified,
            validator=validator,
            version=None if self._version is None else self._version.version(name),
            source_mark=source_mark(asset),
            bytes_moved=size,
            attempts=1,
            seconds=time.perf_counter() - begun,
        )
        if events is not None:
            if size:
                events.emit(Progress(transfer=transfer, done=size, size=size))
            events.emit(TransferFinished(outcome=outcome))
        return outcome

    def withdraw(self, file: Fetched) -> Handover:
        """Leave a file that was noted to the general way."""
        self._context.memory.unstored(file.verdict.name)
        self._context.journal.retract(file.number)
        return _held(file.verdict, file.begun, file.answer)

    def _stored(self, name: str, content: Content, data: Buffer) -> str | None:
        """Store a file under its name; ``None``, and nothing is stored, where the sink does not take it."""
        try:
            location = self._sink.put_whole(name, content, data)
        except BaseException as error:
            self._context.memory.unstored(name)
            if isinstance(error, Exception):
                return None
            raise
        if type(location) is not str:
            raise wrong_type(location, str, self._sink.put_whole)
        return location

    def _verified(self, asset: Asset, answer: SmallBody) -> tuple[str | None, tuple[str, ...]] | None:
        """The multihash of the bytes, and the checks that they have passed; ``None`` where they have failed one."""
        info, data, wanted = answer.info, answer.data, asset.checksum if self._verify else None
        if self._plain and not info.digests and (not wanted or (wanted.startswith(_SHA256) and len(wanted) == 68)):
            checksum: str | None = _SHA256 + hashlib.sha256(data).hexdigest()
            if (wanted and wanted != checksum) or (self._verify and asset.size not in {None, info.size}):
                return None
            sized = self._verify and asset.size is not None
            verified = _CHECKS[sized, bool(wanted)]
        else:
            try:
                expected = Expectation(asset, info, self._context.settings)
                digests: Digests = expected.digests()
                digests.update(data)
                verified = expected.check(len(data), digests)
            except ChecksumError:
                return None
            checksum = digests.multihash
        if self._verify and "checksum" not in verified:
            try:
                check_content(asset, data, len(data), info.media_type)
            except ContentError:
                return None
        return checksum, verified


_CHECKS = {
    (False, False): ("length",),
    (True, False): ("length", "size"),
    (False, True): ("length", "checksum"),
    (True, True): ("length", "size", "checksum"),
}


def _held(verdict: Verdict, begun: float, answer: SmallBody) -> Handover:
    return Handover(verdict, begun, Held(answer.info, bytes(answer.data)))
