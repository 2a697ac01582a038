"""Several assets with one URL: it is fetched once, and the others get the file from the target.

URLs are the same where they differ in their fragment alone, which no server sees. Each asset keeps its name, its
checks and its outcome.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import repeat
from operator import itemgetter

from splashdown._engine.context import Context
from splashdown._engine.copies import content_of, copied
from splashdown._engine.existing import Verdict
from splashdown._engine.records import identity
from splashdown._receipts.source_mark import source_mark
from splashdown._series.digests import hashes_of, repeated
from splashdown.checksums import comparable, same
from splashdown.columns import columns
from splashdown.errors import NotModifiedError
from splashdown.formats import check_content, promised_kind
from splashdown.model import Asset, Buffer, Outcome, RemoteInfo, Status, StoredRecord, Transfer
from splashdown.protocols import Stream, SupportsDuplicate, SupportsRead


def groups(transfers: Sequence[Transfer]) -> list[list[int]]:
    """The numbers of transfers that have one URL, in order, for each URL that comes more than once."""
    # Most plans have none: seen without a call of ours for each href, and without keeping them.
    urls = map(itemgetter(0), map(str.partition, columns(transfers, "asset.href"), repeat("#")))
    often = repeated(hashes_of(urls))
    numbers: dict[str, list[int]] = {}
    for number, href in enumerate(columns(transfers, "asset.href") if often else ()):
        if hash(url := href.partition("#")[0]) in often:
            numbers.setdefault(url, []).append(number)
    return [found for found in numbers.values() if len(found) > 1]


def can_share(outcome: Outcome) -> bool:
    """Whether others may take the file of an outcome: it is in the target, and is that of the URL for sure."""
    return outcome.status in {Status.STORED, Status.SKIPPED} and outcome.ours and outcome.size is not None


def duplicate(context: Context, transfer: Transfer, verdict: Verdict, first: Outcome) -> Outcome | None:
    """Let the target give the file of ``first`` a second name; ``None`` where it cannot, or more has to be checked.

    Raises ``NotModifiedError`` where the name has that file already, and ``ContentError`` for a file of another format
    than this asset promises.
    """
    if verdict.unless is not None and verdict.unless == first.validator:
        raise NotModifiedError(f"{transfer.asset.label}: not changed since it was stored")
    asset, sink = transfer.asset, context.can.duplicate
    verified = _verified(asset, first) if context.settings.verify else ()
    if sink is None or verified is None:
        return None
    if context.settings.verify and "checksum" not in verified and not _check_kind(context, asset, first):
        return None
    return _duplicated(context, sink, transfer, verdict, first, verified)


def stored_stream(
    context: Context, transfer: Transfer, verdict: Verdict, first: Outcome
) -> AbstractContextManager[Stream] | None:
    """The file of ``first``, as an answer to the request for this one; ``None`` where the target cannot be read."""
    reading = context.can.read
    known = identity(context.source, transfer.asset.item, transfer.asset.key, verdict.name)
    # The rest of a file that an earlier run has begun comes from its source.
    if reading is None or context.journal.find(known) is not None:
        return None
    return _stream(reading, first)


class _Stored:
    """The bytes of a file in the target, as a stream of the URL that they came from."""

    def __init__(self, first: Outcome, chunks: Iterator[Buffer]) -> None:
        validator = first.validator or ""
        strong = validator.startswith('"')
        # No ranges: a read that breaks is repeated from the source, as a whole.
        self.info = RemoteInfo(
            size=first.size, etag=validator if strong else None, last_modified=None if strong else validator or None
        )
        self.start, self.length = 0, first.size
        self._chunks = chunks

    def __iter__(self) -> Iterator[Buffer]:
        return self._chunks


@contextmanager
def _stream(reading: SupportsRead, first: Outcome) -> Iterator[Stream]:
    with reading.read(first.transfer.name) as chunks:
        yield _Stored(first, iter(chunks))


def _verified(asset: Asset, first: Outcome) -> tuple[str, ...] | None:
    """The checks that hold for this asset too, by what is known of the file; ``None`` where its bytes decide."""
    if asset.size is not None and asset.size != first.size:
        return None
    verified: list[str] = [name for name in ("length", "digest") if name in first.verified]
    if asset.size is not None:
        verified.append("size")
    if asset.checksum:
        if not (first.checksum and comparable(first.checksum, asset.checksum) and same(first.checksum, asset.checksum)):
            return None
        verified.append("checksum")
    return tuple(verified)


def _check_kind(context: Context, asset: Asset, first: Outcome) -> bool:
    """Check the first bytes where this asset promises another format than the first one; false without a look."""
    if promised_kind(asset) in {None, promised_kind(first.asset)}:
        return True
    if context.can.read is None or first.size is None:
        return False
    with context.can.read.read(first.transfer.name) as chunks:
        check_content(asset, next(iter(chunks), b""), first.size)
    return True


def _duplicated(
    context: Context,
    sink: SupportsDuplicate,
    transfer: Transfer,
    verdict: Verdict,
    first: Outcome,
    verified: tuple[str, ...],
) -> Outcome | None:
    asset, name = transfer.asset, verdict.name
    assert first.size is not None
    content = content_of(context, asset, verdict, size=first.size, checksum=first.checksum)
    record = StoredRecord(size=first.size, checksum=first.checksum, validator=first.validator, identity=asset.identity)
    stored = copied(context, name, record, sink.duplicate, first.transfer.name, name, content)
    if stored is None:
        return None
    return Outcome(
        transfer=verdict.renamed(transfer),
        status=Status.STORED,
        location=stored.location,
        size=first.size,
        checksum=first.checksum,
        verified=verified,
        validator=first.validator,
        version=stored.version,
        source_mark=source_mark(asset),
    )
