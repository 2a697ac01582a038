"""One pass over a file: from its first request, or from where an earlier run was stopped, to its name in the target."""

from __future__ import annotations

import time
from contextlib import suppress

from splashdown._engine.buffered import Buffered
from splashdown._engine.context import Context
from splashdown._engine.existing import Verdict
from splashdown._engine.inplace import InPlace
from splashdown._engine.lanes import Lanes, Work
from splashdown._engine.parts import cut, growing
from splashdown._engine.records import Entry, identity
from splashdown._engine.restart import RestartError
from splashdown._engine.retry import StoppedError
from splashdown._engine.settings import MIB
from splashdown._engine.source import Reader, Source
from splashdown._engine.store_retry import retry_store_call
from splashdown._engine.verify import Expectation
from splashdown.checksums import Digests
from splashdown.errors import ChangedError, ChecksumError, ExistsError, StoreError
from splashdown.events import TransferStarted
from splashdown.model import Content, Outcome, Part, RemoteInfo, Status, StoredPart, StoredRecord, Upload

#: The largest part of a file over one connection, which a kill would lose: a part costs no request of its own there.
_ONE_CONNECTION = 8 * MIB
#: After these, what is stored is worth nothing; after any other failure the next run goes on from it.
_WORTHLESS = (RestartError, ChecksumError, ChangedError, ExistsError, StoreError)


class Attempt:
    """Raises ``RestartError`` when another attempt should follow."""

    def __init__(self, context: Context, source: Source, verdict: Verdict) -> None:
        self._context, self._source, self._verdict = context, source, verdict
        self._reader: Reader | None = None
        self._upload: Upload | None = None
        self._number = ""  #: what the journal calls the upload
        self._resumable = False
        self._held: tuple[StoredPart, ...] = ()
        self._cut: tuple[Part, ...] = ()

    def run(self) -> Outcome:
        """Move the file."""
        try:
            info = self._recover() or self._open()
            expected = Expectation(self._source.asset, info, self._context.settings)
            self._tell(info)
            digests = expected.digests()
            if self._upload is None:
                self._begin(info)
            elif not self._can_hash(digests):
                digests = self._without_hash(expected, digests)
            size, tags = self._copy(info, digests)
            return self._commit(info, size, tags, expected.check(size, digests), digests)
        except BaseException as error:
            self._give_up(error)
            raise
        finally:
            if self._reader is not None:
                self._reader.close()

    def _open(self) -> RemoteInfo:
        self._reader = Reader(self._source, budget=self._source.budget)
        return self._reader.open()

    def _tell(self, info: RemoteInfo) -> None:
        if self._context.events.active:
            started = TransferStarted(transfer=self._source.transfer, size=info.size, offset=self._source.kept)
            self._context.events.emit(started)

    # -- what an earlier run has left ------------------------------------------------------------------------------

    @property
    def _identity(self) -> str:
        asset = self._source.asset
        return identity(self._context.source, asset.item, asset.key, self._verdict.name)

    def _recover(self) -> RemoteInfo | None:
        """Take over an unfinished upload of this asset; what the server has now must still be the same version."""
        context, sink = self._context, self._context.sink
        entry = context.journal.take(self._identity) if context.journal.unfinished else None
        if entry is None:
            return None
        held: list[StoredPart] = []
        if context.settings.resume and context.can.resume is not None:
            fitting = {part.number: part for part in entry.cut}
            listed = [one for one in entry.parts if fitting.get(one.part.number) == one.part]
            held = list({one.part.number: one for one in context.can.resume.recover(entry.upload, listed)}.values())
        if not held:
            sink.abort(entry.upload)
            return None
        self._upload, self._cut, self._held = entry.upload, entry.cut, tuple(held)
        self._source.kept = sum(one.part.size or 0 for one in held)
        etag = entry.validator.startswith('"')
        info = RemoteInfo(
            size=entry.size,
            etag=entry.validator if etag else None,
            last_modified=None if etag else entry.validator,
            ranges=True,
        )
        self._source.pinned = info
        entry.parts = held
        self._note(entry)
        return info

    def _can_hash(self, digests: Digests) -> bool:
        return not digests or self._context.can.read_back is not None

    def _without_hash(self, expected: Expectation, digests: Digests) -> Digests:
        """The bytes of the earlier run cannot be hashed.

        Where a checksum has to hold they are compared with the source, or everything begins anew; else do without.
        """
        if not expected.binding:
            return Digests(())
        if self._context.can.compare is None:
            cause = ChecksumError(f"{self._source.asset.label}: stored parts cannot be verified")
            raise RestartError(cause, ranges=True, retries=True)
        self._source.kept = 0  # they are read once more
        return digests

    # -- moving ----------------------------------------------------------------------------------------------------

    def _begin(self, info: RemoteInfo) -> None:
        context, source, name = self._context, self._source, self._verdict.name
        self._cut = self._parts(info)
        content = Content(
            size=info.size,
            media_type=source.asset.media_type or info.media_type,
            checksum=source.asset.checksum,
            source=source.asset.label,
            replace=self._verdict.replace,
            durable=context.settings.fsync,
        )
        self._upload = upload = retry_store_call(context, source, lambda: context.sink.begin(name, content))
        resumable = len(self._cut) > 1 and context.journal.keeps and context.can.resume is not None
        if resumable and info.validator and info.size is not None and source.continues:
            self._note(
                Entry(
                    identity=self._identity,
                    upload=upload,
                    size=info.size,
                    validator=info.validator,
                    at=time.time(),
                    cut=self._cut,
                )
            )
        else:
            self._number = context.journal.open(upload)

    def _note(self, entry: Entry) -> None:
        journal = self._context.journal
        self._resumable = journal.keeps
        self._number = journal.begin(entry) if self._resumable else journal.open(entry.upload)

    def _parts(self, info: RemoteInfo) -> tuple[Part, ...]:
        """How the file is cut; empty where its end is unknown."""
        policy, settings = self._context.sink.parts, self._context.settings
        if info.size is None:
            return ()
        large = self._is_large(info)
        wanted = settings.part_size if large else min(settings.part_size, _ONE_CONNECTION)
        whole = Part(number=1, start=0, stop=info.size)
        fits = policy.max_size is None or info.size <= policy.max_size
        if fits and not policy.buffered and (info.size <= wanted or not self._source.continues):
            return (whole,)
        return cut(info.size, policy, wanted, settings.range_connections if large else 1)

    def _is_large(self, info: RemoteInfo) -> bool:
        """Whether several connections may read this file."""
        settings = self._context.settings
        return info.size is not None and info.size >= settings.range_cutoff and self._source.continues

    def _copy(self, info: RemoteInfo, digests: Digests) -> tuple[int, list[str]]:
        assert self._upload is not None
        policy = self._context.sink.parts
        endless = info.size is None and (policy.buffered or policy.max_size is not None)
        if not policy.buffered and not endless and len(self._cut) <= 1:
            return self._copy_whole(info, digests)
        lanes = self._lanes(info, digests, endless=endless)
        lanes.keep(self._held)
        reader, self._reader = self._reader, None  # the lanes close it
        tags = lanes.run(reader)
        return lanes.size, tags

    def _copy_whole(self, info: RemoteInfo, digests: Digests) -> tuple[int, list[str]]:
        reader = self._reader
        assert reader is not None
        assert self._upload is not None
        reader.update = digests.update if digests else None
        part = Part(number=1, start=0, stop=info.size)
        tag = self._context.sink.put_part(self._upload, part, reader.chunks(info.size))
        reader.finish()
        return reader.pos, [tag]

    def _lanes(self, info: RemoteInfo, digests: Digests, *, endless: bool) -> Lanes:
        assert self._upload is not None
        context, settings, policy = self._context, self._context.settings, self._context.sink.parts
        work = Work(
            context=context,
            source=self._source,
            upload=self._upload,
            digests=digests,
            number=self._number if self._resumable else None,
            sized=not endless,
        )
        held = {one.part.number for one in self._held}
        parts = growing(policy, settings.part_size) if endless else (p for p in self._cut if p.number not in held)
        large = self._is_large(info) or bool(held)
        more = settings.range_connections - 1
        if not policy.buffered:
            return InPlace(work, parts, wide=more if large and self._can_hash(digests) else 0)
        step = max((p.size or 0 for p in self._cut), default=next(growing(policy, settings.part_size)).size or 0)
        more = more if endless else min(more, len(self._cut) - len(held) - 1)
        return Buffered(work, parts, step=step, own=large, wide=more)

    # -- the end ---------------------------------------------------------------------------------------------------

    def _commit(
        self, info: RemoteInfo, size: int, tags: list[str], verified: tuple[str, ...], digests: Digests
    ) -> Outcome:
        context, source, upload = self._context, self._source, self._upload
        assert upload is not None
        if context.stop.is_set():
            raise StoppedError(f"{source.asset.label}: stopped")
        checksum = digests.multihash
        context.journal.storing(
            upload.key,
            StoredRecord(size=size, checksum=checksum, validator=info.validator, identity=source.asset.identity),
        )
        try:
            location = retry_store_call(context, source, lambda: context.sink.commit(upload, tags))
        except BaseException:
            context.journal.unstored(upload.key)
            raise
        context.journal.end(self._number)
        return source.outcome(
            transfer=self._verdict.renamed(source.transfer),
            status=Status.STORED,
            location=location,
            size=size,
            checksum=checksum,
            verified=verified,
            validator=info.validator,
        )

    def _give_up(self, error: BaseException) -> None:
        """Remove what is stored, unless the next run can go on from it."""
        if self._upload is None or (self._resumable and not isinstance(error, _WORTHLESS)):
            return
        with suppress(Exception):  # the error that led here is the one to tell about
            self._context.sink.abort(self._upload)
            self._context.journal.end(self._number)
