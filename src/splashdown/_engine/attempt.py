"""One pass over a file: from its first request, or from where an earlier run was stopped, to its name in the target."""

from __future__ import annotations

import time
from collections.abc import Sequence

from splashdown._engine.context import Context
from splashdown._engine.existing import Verdict
from splashdown._engine.part_mover import OpenUpload, PartMover
from splashdown._engine.parts import cut, cut_unknown_size
from splashdown._engine.preflight import check_promise, free_space
from splashdown._engine.range_reader import RangeReader
from splashdown._engine.records import Entry, identity
from splashdown._engine.restart import RestartError
from splashdown._engine.retry import StoppedError, host_of
from splashdown._engine.settings import MIB
from splashdown._engine.source import Source
from splashdown._engine.store_retry import retry_store_call
from splashdown._engine.verify import Expectation
from splashdown._foreign.calls import Tolerated, wrong_type
from splashdown._receipts.source_mark import decoded_mark, source_mark
from splashdown.checksums import Digests
from splashdown.errors import ChangedError, ChecksumError, ContentError, ExistsError, StoreError
from splashdown.events import TransferStarted
from splashdown.formats import check_content
from splashdown.model import Content, Outcome, Part, RemoteInfo, Status, StoredPart, StoredRecord, Upload

#: The largest part of a file over one connection. A kill loses the part under way, and a part costs no request there.
_ONE_CONNECTION = 8 * MIB
#: A file of more parts is not recorded in the journal, which would list them all: it has terabytes, or claims to.
_MOST_RECORDED = 100_000
#: After these, what is stored is worth nothing; after any other failure the next run continues from it.
_WORTHLESS = (RestartError, ChecksumError, ChangedError, ContentError, ExistsError, StoreError)


class Attempt:
    """Raises ``RestartError`` when another attempt should follow."""

    def __init__(self, context: Context, source: Source, verdict: Verdict) -> None:
        self._context, self._source, self._verdict = context, source, verdict
        self._reader: RangeReader | None = None
        self._upload: Upload | None = None
        self._journal_number = ""  #: what the journal calls the upload
        self._resumable = False
        self._parts: Sequence[Part] = ()
        self._stored_before: tuple[StoredPart, ...] = ()  #: parts that an earlier run has put

    def run(self) -> Outcome:
        """Move the file."""
        try:
            info = self._recover() or self._open()
            expected = Expectation(self._source.asset, info, self._context.settings)
            self._announce(info)
            digests = expected.digests()
            if self._upload is None:
                self._begin(info)
            elif not self._can_hash(digests):
                digests = self._without_hash(expected, digests)
            size, tags = self._copy(info, digests)
            verified = expected.check(size, digests, self._source.decoding)
            # A checksum that the metadata give has proved that these are the bytes meant, whatever they look like.
            if self._context.settings.verify and "checksum" not in verified:
                check_content(self._source.asset, self._source.head, size, info.media_type)
            return self._commit(info, size, tags, verified, digests)
        except BaseException as error:
            self._clean_up(error)
            raise
        finally:
            if self._reader is not None:
                self._reader.close()

    def _open(self) -> RemoteInfo:
        # The first request is for the file itself: its answer has all that a HEAD would say, and is the file already.
        self._reader = RangeReader(self._source, budget=self._source.budget)
        return self._reader.open()

    def _announce(self, info: RemoteInfo) -> None:
        if self._context.events.active:
            started = TransferStarted(transfer=self._source.transfer, size=info.size, offset=self._source.stored_before)
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
        stored: list[StoredPart] = []
        if context.settings.resume and context.can.resume is not None:
            fitting = {part.number: part for part in entry.cut}
            listed = [one for one in entry.parts if fitting.get(one.part.number) == one.part]
            # The journal may list a part twice, and the sink may have lost one: the sink has the last word.
            recovered: object = context.can.resume.recover(entry.upload, listed)
            if not isinstance(recovered, Sequence) or not all(isinstance(one, StoredPart) for one in recovered):
                raise wrong_type(recovered, Sequence, context.can.resume.recover)
            stored = list({one.part.number: one for one in recovered}.values())
        if not stored:
            sink.abort(entry.upload)
            return None
        self._upload, self._parts, self._stored_before = entry.upload, entry.cut, tuple(stored)
        self._source.stored_before = sum(one.part.size or 0 for one in stored)
        etag = entry.validator.startswith('"')
        info = RemoteInfo(
            size=entry.size,
            etag=entry.validator if etag else None,
            last_modified=None if etag else entry.validator,
            ranges=True,
        )
        # No request is made to compare: the next range is asked for with this version as its condition.
        self._source.pinned = info
        entry.parts = stored
        self._record(entry)
        return info

    def _can_hash(self, digests: Digests) -> bool:
        return not digests or self._context.can.read_back is not None

    def _without_hash(self, expected: Expectation, digests: Digests) -> Digests:
        """What to hash where the sink cannot read back the bytes of an earlier run.

        Where a checksum has to match, they are compared with the source, or the file starts over. Else do without.
        """
        if not expected.binding:
            return Digests(())
        if self._context.can.compare is None:
            cause = ChecksumError(f"{self._source.asset.label}: stored parts cannot be verified")
            raise RestartError(cause, ranges=True, retries=True)
        self._source.stored_before = 0  # they are read once more
        return digests

    # -- moving ----------------------------------------------------------------------------------------------------

    def _begin(self, info: RemoteInfo) -> None:
        context, source, name = self._context, self._source, self._verdict.name
        check_promise(context, source.asset, info.size)
        if source.decoding is not None:
            source.decoding.room = free_space(context)
        self._parts = self._cut(info)
        content = Content(
            size=info.size,
            media_type=source.asset.media_type or info.media_type,
            checksum=source.asset.checksum,
            source=source.asset.label,
            replace=self._verdict.replace,
            durable=context.settings.fsync,
        )
        upload: object = retry_store_call(context, source, lambda: context.sink.begin(name, content))
        if not isinstance(upload, Upload):
            raise wrong_type(upload, Upload, context.sink.begin)
        self._upload = upload
        # A file of one part is fetched again from its beginning, which costs less than to record its progress.
        resumable = 1 < len(self._parts) <= _MOST_RECORDED and context.journal.keeps and context.can.resume is not None
        if resumable and info.validator and info.size is not None and source.can_continue:
            self._record(
                Entry(
                    identity=self._identity,
                    upload=upload,
                    size=info.size,
                    validator=info.validator,
                    at=time.time(),
                    cut=self._parts,
                )
            )
        else:
            self._journal_number = context.journal.open(upload)

    def _record(self, entry: Entry) -> None:
        journal = self._context.journal
        self._resumable = journal.keeps
        self._journal_number = journal.begin(entry) if self._resumable else journal.open(entry.upload)

    def _cut(self, info: RemoteInfo) -> Sequence[Part]:
        """How the file is cut; empty where its end is unknown."""
        policy, settings = self._context.sink.parts, self._context.settings
        if info.size is None:
            return ()
        large = self._is_large(info)
        wanted = settings.part_size if large else min(settings.part_size, _ONE_CONNECTION)
        whole = Part(number=1, start=0, stop=info.size)
        fits = policy.max_size is None or info.size <= policy.max_size
        # Parts serve several connections and the journal; where neither can use them, one part costs least.
        if fits and not policy.buffered and (info.size <= wanted or not self._source.can_continue):
            return (whole,)
        return cut(info.size, policy, wanted, settings.range_connections if large else 1)

    def _is_large(self, info: RemoteInfo) -> bool:
        """Whether several connections may read this file."""
        settings, source = self._context.settings, self._source
        large = info.size is not None and info.size >= settings.range_cutoff
        return large and source.can_continue and not source.by_date

    def _copy(self, info: RemoteInfo, digests: Digests) -> tuple[int, list[str]]:
        assert self._upload is not None
        policy = self._context.sink.parts
        # A sink that writes in place takes a file of unknown size as one part, unless its parts have a largest size.
        unsized = info.size is None and (policy.buffered or policy.max_size is not None)
        if not policy.buffered and not unsized and len(self._parts) <= 1:
            return self._copy_whole(info, digests)
        mover = self._mover(info, digests, unsized=unsized)
        mover.adopt(self._stored_before)
        reader, self._reader = self._reader, None  # the mover closes it
        tags = mover.run(reader)
        return mover.size, tags

    def _copy_whole(self, info: RemoteInfo, digests: Digests) -> tuple[int, list[str]]:
        reader = self._reader
        assert reader is not None
        assert self._upload is not None
        reader.on_chunk = digests.update if digests else None
        part = Part(number=1, start=0, stop=info.size)
        tag: object = self._context.sink.put_part(self._upload, part, reader.chunks(info.size))
        if not isinstance(tag, str):
            raise wrong_type(tag, str, self._context.sink.put_part)
        reader.finish()
        return reader.pos, [tag]

    def _mover(self, info: RemoteInfo, digests: Digests, *, unsized: bool) -> PartMover:
        assert self._upload is not None
        context, settings, policy = self._context, self._context.settings, self._context.sink.parts
        work = OpenUpload(
            context=context,
            source=self._source,
            upload=self._upload,
            digests=digests,
            journal_number=self._journal_number if self._resumable else None,
            sized=not unsized,
        )
        stored = {one.part.number for one in self._stored_before}
        if unsized:
            parts = cut_unknown_size(policy, settings.part_size)
        else:
            parts = (part for part in self._parts if part.number not in stored)
        # The rest of a resumed file is read over several connections too, whatever its size.
        large = self._is_large(info) or bool(stored)
        if large and context.spread is not None and self._resumable and self._can_hash(digests) and not policy.buffered:
            return context.spread(work, parts)
        more = context.connections(host_of(self._source.asset.href)) - 1
        if not policy.buffered:
            # Parts that come out of order can be hashed only by reading them back.
            from splashdown._engine.inplace import InPlaceMover  # late: one of both

            return InPlaceMover(work, parts, more_workers=more if large and self._can_hash(digests) else 0)
        largest = (self._parts[0] if self._parts else next(cut_unknown_size(policy, settings.part_size))).size or 0
        more = more if unsized else min(more, len(self._parts) - len(stored) - 1)
        from splashdown._engine.buffered import BufferedMover

        return BufferedMover(work, parts, largest=largest, connections=large, more_workers=more)

    # -- the end ---------------------------------------------------------------------------------------------------

    def _commit(
        self, info: RemoteInfo, size: int, tags: list[str], verified: tuple[str, ...], digests: Digests
    ) -> Outcome:
        context, source, upload = self._context, self._source, self._upload
        assert upload is not None
        if context.stop.is_set():
            raise StoppedError(f"{source.asset.label}: stopped")
        checksum = digests.multihash
        # Noted before the file gets its name: after a crash between the two, the next run knows the file as its own.
        record = StoredRecord(size=size, checksum=checksum, validator=info.validator, identity=source.asset.identity)
        context.memory.storing({upload.key: record})
        try:
            location: object = retry_store_call(context, source, lambda: context.sink.commit(upload, tags))
        except BaseException:
            context.memory.unstored(upload.key)
            raise
        if not isinstance(location, str):
            raise wrong_type(location, str, context.sink.commit)
        version = context.can.version.version(upload.key) if context.can.version is not None else None
        context.journal.end(self._journal_number)
        return source.outcome(
            transfer=self._verdict.renamed(source.transfer),
            status=Status.STORED,
            location=location,
            size=size,
            checksum=checksum,
            verified=verified,
            validator=info.validator,
            version=version,
            source_mark=(
                (decoded_mark(source.transfer.asset) if source.decoding is not None else None)
                or source_mark(source.transfer.asset)
            ),
        )

    def _clean_up(self, error: BaseException) -> None:
        """Remove what is stored, unless the next run can continue from it."""
        if self._upload is None or (self._resumable and not isinstance(error, _WORTHLESS)):
            return
        with Tolerated():  # the error that led here is the one to report
            self._context.sink.abort(self._upload)
            self._context.journal.end(self._journal_number)
