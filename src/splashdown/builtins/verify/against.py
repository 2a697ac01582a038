"""Compares what was stored with what the source says today.

Its metadata come first, then a request where they do not decide. No file is read for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from splashdown._receipts.source_mark import decoded_mark, source_mark
from splashdown.actions import AtSource, Checked, Results, State
from splashdown.checksums import comparable, same
from splashdown.columns import columns
from splashdown.errors import HttpStatusError, SplashdownError, error_text
from splashdown.model import Asset, RemoteInfo, StoredRecord
from splashdown.redact import safely_shown

Identity = tuple[str | None, str]
_LISTING, _CHECKSUM, _SIZE, _UPDATED = ("listing",), ("checksum",), ("size",), ("updated",)
_GONE = frozenset({404, 410})


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Finding:
    """The state of one file at the source, by what it was found, and what kept it from being found."""

    source: AtSource
    evidence: tuple[str, ...] = ()
    detail: str = ""


class Listed:
    """The assets that a source lists, by what a receipt calls them."""

    def __init__(self, results: Results) -> None:
        self._assets = results.result_set.assets
        self._places: dict[Identity, int] = {}
        for at, (item, key) in enumerate(columns(self._assets, "item", "key")):
            self._places[item, key] = at

    def asset(self, record: StoredRecord) -> Asset | None:
        """The asset of a record; ``None`` where the source does not list it."""
        at = next((self._places[one] for one in _spellings(record) if one in self._places), None)
        return None if at is None else self._assets[at]


def _spellings(record: StoredRecord) -> Iterable[Identity]:
    """A saved document, opened as a source, lists the assets of items at its root: as KEY or ITEM/KEY."""
    if record.identity is not None:
        item, key = record.identity
        yield item, key
        if item is not None:
            yield None, f"{item}/{key}"
            yield None, key


def compare(
    results: Results, files: Sequence[Checked], records: Mapping[str, StoredRecord], *, jobs: int, ask: bool
) -> tuple[Checked, ...]:
    """The files with their states at the source, and the assets that were never stored.

    ``records`` are those of the source's own receipts: other files are not compared. Without ``ask`` the metadata
    decide alone.
    """
    listed = Listed(results)
    why = _incomplete(results)

    def one(file: Checked) -> Checked:
        record = records.get(file.name)
        if record is None:
            return file
        asset = listed.asset(record)
        found = _unlisted(why) if asset is None else _judge(results, asset, record, ask=ask)
        detail = "; ".join(filter(None, (file.detail, found.detail)))
        return replace(file, source=found.source, evidence=found.evidence, detail=detail)

    with ThreadPoolExecutor(jobs, thread_name_prefix="splashdown-compare") as pool:
        compared = tuple(pool.map(one, files))
    return (*compared, *_new(results, records))


def _incomplete(results: Results) -> str:
    """Why nothing can be concluded from what the source does not list; empty when it was read as a whole."""
    found = results.result_set
    if found.narrowed:
        return f"{' and '.join(found.narrowed)} asked for a part of the source"
    return f"the source could not be read as a whole: {found.warnings[0]}" if found.warnings else ""


def _unlisted(why: str) -> Finding:
    return Finding(source=AtSource.UNKNOWN, detail=why) if why else Finding(source=AtSource.GONE, evidence=_LISTING)


def _new(results: Results, records: Mapping[str, StoredRecord]) -> Iterable[Checked]:
    there = {spelling for record in records.values() for spelling in _spellings(record)}
    for asset in results.assets:
        if asset.identity not in there:
            yield Checked(
                name=asset.label,
                state=State.ABSENT,
                size=asset.size,
                detail="it was never stored",
                source=AtSource.NEW,
                evidence=_LISTING,
            )


def _judge(results: Results, asset: Asset, record: StoredRecord, *, ask: bool) -> Finding:
    decoded = record.source_mark is not None and record.source_mark == decoded_mark(asset)
    found = by_metadata(asset, record, decoded=decoded)
    if found is not None:
        return found
    # A part of a file (a clip, a file in an archive) is made when it is read: to ask for it costs as much.
    if ask and asset.identity not in results.result_set.origins:
        found = _by_request(results, asset, record, decoded=decoded)
        if found.source is not AtSource.UNKNOWN:
            return found
    mark = source_mark(asset)
    if mark is not None and record.source_mark is not None and not decoded:
        return Finding(source=AtSource.SAME if mark == record.source_mark else AtSource.CHANGED, evidence=_UPDATED)
    return found or Finding(source=AtSource.UNKNOWN)


def by_metadata(asset: Asset, record: StoredRecord, *, decoded: bool = False) -> Finding | None:
    """What the metadata alone show; ``None`` where they do not decide. ``decoded``: they are of the encoded bytes."""
    if decoded:  # size and checksum are in the mark, and it is the same
        return Finding(source=AtSource.SAME, evidence=_CHECKSUM) if asset.checksum else None
    if asset.checksum and record.checksum and comparable(asset.checksum, record.checksum):
        equal = same(asset.checksum, record.checksum)
        return Finding(source=AtSource.SAME if equal else AtSource.CHANGED, evidence=_CHECKSUM)
    if asset.size is not None and asset.size != record.size:
        return Finding(source=AtSource.CHANGED, evidence=_SIZE)
    return None


def _by_request(results: Results, asset: Asset, record: StoredRecord, *, decoded: bool) -> Finding:
    try:
        info = results.ask_source(asset, unless=record.validator)
    except (SplashdownError, OSError) as error:
        if isinstance(error, HttpStatusError) and error.status in _GONE:
            return Finding(source=AtSource.GONE, evidence=(str(error.status),))
        return Finding(source=AtSource.UNKNOWN, detail=f"the source was not compared: {error_text(error)}")
    if info is None:
        return Finding(source=AtSource.SAME, evidence=(_kind(record.validator),))
    return by_answer(info, record, decoded=decoded)


def by_answer(info: RemoteInfo, record: StoredRecord, *, decoded: bool = False) -> Finding:
    """What an answer shows: by a digest, else by the size, else by the validator."""
    for digest in info.digests.values():
        if record.checksum and comparable(digest, record.checksum):
            equal = same(digest, record.checksum)
            return Finding(source=AtSource.SAME if equal else AtSource.CHANGED, evidence=("digest",))
    if info.size is not None and info.size != record.size and not decoded:
        return Finding(source=AtSource.CHANGED, evidence=_SIZE)
    known, kind = record.validator, _kind(record.validator)
    now = info.last_modified if kind == "Last-Modified" else info.validator
    if known and now and _kind(now) == kind:
        return Finding(source=AtSource.SAME if known == now else AtSource.CHANGED, evidence=(kind,))
    return Finding(source=AtSource.UNKNOWN, evidence=_SIZE if info.size is not None else ())


def _kind(validator: str | None) -> str:
    return "ETag" if validator and validator.startswith('"') else "Last-Modified"
