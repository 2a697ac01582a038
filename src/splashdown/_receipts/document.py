"""The receipt: the STAC document that is saved beside the files, describing what is really there.

Landed assets get a relative href, ``file:size`` and ``file:checksum`` (STAC file extension) of the stored
bytes; the others keep their href without its secrets. The next run reads it to find what is ours and complete.
It is written and read through the sink, so that it works for every target.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from json.encoder import encode_basestring as quoted
from typing import Any

from splashdown._display.json import dumps, writer
from splashdown._folders.fields import Fields
from splashdown._receipts.entries import (
    Assets,
    Features,
    Identity,
    Places,
    copied,
    describe_stored,
    fields_of,
    grouped,
    key_of,
    members,
    relink,
)
from splashdown._receipts.names import NAMES, OTHER
from splashdown._receipts.packed_records import Records, records_of
from splashdown._series.documents import Documents, PackedObject
from splashdown._stac.marks import ITEM, KEY, OURS, SOURCE, VALIDATOR, VERSION, below
from splashdown.columns import cells, columns
from splashdown.errors import ExistsError
from splashdown.model import Asset, Buffer, Content, Outcome, Part, ResultSet, StoredRecord
from splashdown.protocols import Sink

#: The STAC extension that defines ``file:size`` and ``file:checksum``.
FILE_EXTENSION = "https://stac-extensions.github.io/file/v2.1.0/schema.json"

#: Of the whole document: that it is a receipt, and what it is called. It is written here and nowhere else: what comes
#: from a source loses every field of ours, and no asset gets the name of a receipt.
MARK = "splashdown:receipt"
#: Of the whole document: files of earlier runs that the source does not list any more.
STALE = "splashdown:stale"
STALE_DOCUMENTS = "splashdown:stale_documents"

#: Bytes of a document that are gathered before a sink gets them.
_PIECE = 256 * 1024
#: From so many on, assets and items are written one in a line.
_MANY = 1_000
#: So many of them are written in one go.
_BATCH = 64
_LONG = frozenset({"features", "assets"})
_MAY_BE_LONG = (dict, list, Assets, Features, Documents, PackedObject)


def name_of(result_set: ResultSet) -> str:
    """The file name of the receipt for this kind of source."""
    return NAMES.get(result_set.kind, OTHER)


def receipt_document(
    result_set: ResultSet, landed: Sequence[Outcome], kept: Mapping[str, StoredRecord] | None = None
) -> dict[str, Any]:
    """The document with what landed; ``kept`` are names that an earlier run put there and that still hold.

    Its features and assets are made while they are iterated: there may be a hundred thousand of them, which are too
    much to be in memory once more.
    """
    document: dict[str, Any] = {
        n: v if n in _LONG else copied(v) for n, v in result_set.document.items() if not n.startswith(OURS)
    }
    if document.get("type") == "FeatureCollection":
        document.setdefault("features", result_set.items)
    relink(document, result_set.href)
    places = Places(landed, kept or {})
    features = _features(document)
    groups, others = grouped(features, result_set.assets)
    place_of = places.each(result_set.assets)
    if "features" in document:
        document["features"] = Features(features, result_set.assets, groups, place_of, result_set.href)
    if others or "assets" in document:
        listed = members(document)
        document["assets"] = Assets(
            listed, result_set.assets, _placed(document, listed, result_set.assets, others), place_of
        )
    declare(document, FILE_EXTENSION, "/file/")
    keep_stale(document, result_set.assets, places, kept or {})
    return document


def _features(document: Mapping[str, Any]) -> Sequence[Any]:
    features = document.get("features")
    return features if isinstance(features, Sequence) and not isinstance(features, str) else ()


def _placed(
    document: Mapping[str, Any], listed: Mapping[str, Any], assets: Sequence[Asset], others: Sequence[int]
) -> Mapping[str, int]:
    """Positions of assets that belong to no feature, by their keys in the document."""
    if len(others) == len(assets):
        fields = columns(assets, "item", "key", "listed_as")
    else:
        fields = map(cells(assets, "item", "key", "listed_as"), others)
    own = document.get("type") == "Feature"  # as key_of(), which would be a call for each
    return {
        (key if listed_as is None and (own or item is None) else key_of(document, listed, item, key, listed_as)): at
        for at, (item, key, listed_as) in zip(others, fields, strict=True)
    }


def write(sink: Sink, name: str, document: Mapping[str, Any]) -> str:
    """Store the receipt as one step; returns its location."""
    return store(sink, name, document, "application/json")


def store(sink: Sink, name: str, document: Mapping[str, Any], media_type: str) -> str:
    """Store a document as one step, piece by piece where it is long; returns its location.

    It gets the mark of a receipt, which says its own name: a copy under another name is not one.
    """
    data = pieces({**document, MARK: posixpath.basename(name)})
    first, second = next(data), next(data, None)
    if second is None:
        return store_bytes(sink, name, first, media_type)
    content = Content(media_type=media_type, source=name, recorded=False)
    return put_object(sink, name, content, Part(number=1, start=0, stop=None), chain((first, second), data))


def pieces(document: Mapping[str, Any]) -> Iterator[bytes]:
    """A document as it is saved, indented, piece by piece; at least one.

    Where very many assets or items are in it, each of them is one line.
    """
    data = bytearray(b"{")
    for number, (name, value) in enumerate(document.items()):
        data += f"{',' if number else ''}\n  {_json(name)}: ".encode(errors="backslashreplace")
        for text in _lines(value):
            # JSON may hold half a surrogate pair (RFC 8259, section 8.2), UTF-8 may not: it stays the escape it was.
            data += text.encode(errors="backslashreplace")
            if len(data) >= _PIECE:
                yield bytes(data)
                data.clear()
    data += b"\n}" if document else b"}"
    yield bytes(data)


def _lines(value: Any) -> Iterator[str]:
    """JSON in pieces: one for all, or one for each entry of what is long. Indenting costs ten times as much."""
    if not isinstance(value, _MAY_BE_LONG) or len(value) < _MANY:
        yield dumps(_whole(value), indent=2, ensure_ascii=False).replace("\n", "\n  ")
        return
    encoded = writer()
    if isinstance(value, Mapping):
        comma, end = "{", "}"
        entries = value.entries() if isinstance(value, Assets) else iter(value.items())
        while batch := [*islice(entries, _BATCH)]:
            yield comma + ",".join([f"\n    {quoted(key)}: {encoded(one)}" for key, one in batch])
            comma = ","
    else:
        comma, end = "[", "]"
        each = iter(value)
        while some := [*islice(each, _BATCH)]:
            yield comma + ",".join([f"\n    {encoded(one)}" for one in some])
            comma = ","
    yield f"\n  {end}"


def _whole(value: Any) -> Any:
    if isinstance(value, Assets | PackedObject):
        return dict(value)
    return list(value) if isinstance(value, Features | Documents) else value


def _json(value: Any) -> str:
    return dumps(value, ensure_ascii=False)


def store_bytes(sink: Sink, name: str, data: Buffer, media_type: str) -> str:
    """Store a small object that is in memory, replacing what has its name."""
    content = Content(size=len(data), media_type=media_type, source=name, recorded=False)
    part, chunks = Part(number=1, start=0, stop=len(data)), [data] if data else []
    try:
        return put_object(sink, name, content, part, chunks)
    except ExistsError:  # another run has written it for the first time since this one looked
        return put_object(sink, name, content, part, chunks)


def put_object(sink: Sink, name: str, content: Content, part: Part, chunks: Iterable[Buffer]) -> str:
    """Store an object in one part; returns its location. Nothing is left of one that fails."""
    upload = sink.begin(name, content)
    try:
        return sink.commit(upload, [sink.put_part(upload, part, chunks)])
    except BaseException:
        sink.abort(upload)
        raise


def is_receipt(document: Mapping[str, Any], name: str) -> bool:
    """Whether this tool wrote the document under this name."""
    return document.get(MARK) == posixpath.basename(name)


def stored_records(document: Mapping[str, Any], written_at: float | None = None, folder: str = "") -> Records:
    """What a receipt says was put there: by name, relative to the target. ``folder`` is that of the receipt.

    ``written_at`` is when the receipt was written (seconds since the epoch): a file that is older than its receipt
    has not changed since it was described. Entries with fields that this tool does not write are left out.
    """
    found = (stored_record(entry, written_at, folder) for entry in entries_of(document))
    return records_of(filter(None, found))


def stored_record(entry: Mapping[str, Any], written_at: float | None, folder: str) -> tuple[str, StoredRecord] | None:
    """What an asset object says: the name, and what is there; ``None`` where it says nothing of a file here."""
    if not (name := below(folder, entry.get("href"))):
        return None
    fields = Fields(entry)
    try:
        return name, StoredRecord(
            size=fields.number("file:size"),
            checksum=fields.checksum("file:checksum"),
            validator=fields.validator(VALIDATOR),
            identity=(fields.optional(ITEM), fields.text(KEY)),
            written_at=written_at,
            version=fields.optional(VERSION),
            source_mark=fields.optional(SOURCE),
            media_type=kind if isinstance(kind := entry.get("type"), str) else None,
        )
    except (KeyError, ValueError):
        return None


def entries_of(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The asset objects that a document holds, and those of its features; those of stale files last."""
    for assets in holders_of(document):
        for entry in assets.values():
            if isinstance(entry, dict):
                yield entry
    stale = document.get(STALE)
    yield from (entry for entry in (stale if isinstance(stale, list) else ()) if isinstance(entry, dict))


def holders_of(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The ``assets`` of a document that was read, and those of its features."""
    features = document.get("features")
    for holder in chain((document,), features if isinstance(features, list | Documents) else ()):
        assets = holder.get("assets") if isinstance(holder, dict) else None
        if isinstance(assets, dict | PackedObject):
            yield assets


def keep_stale(
    document: dict[str, Any],
    assets: Iterable[Asset],
    places: Mapping[Identity, tuple[str, StoredRecord]],
    kept: Mapping[str, StoredRecord],
) -> None:
    """Remember files of earlier runs that no asset stands for any more: ``sync --delete`` may remove them one day."""
    # A source may be a receipt itself; what is stale beside it is not here.
    document.pop(STALE, None)
    document.pop(STALE_DOCUMENTS, None)
    if not kept:
        return
    # The identities alone: to make each asset, and ask twice, took ten calls for each.
    used = {place[0] for one in columns(assets, "item", "key") if (place := places.get(one)) is not None}
    stale: list[dict[str, Any]] = []
    for name, entry in kept.items():
        if name not in used and entry.identity is not None:
            stale.append({})
            describe_stored(stale[-1], f"./{name}", fields_of(entry), *entry.identity)
    if stale:
        document[STALE] = stale


def keep_documents(document: dict[str, Any], names: Iterable[str]) -> None:
    """Remember documents of earlier runs that the root does not link any more."""
    stale = [f"./{name}" for name in names if name not in NAMES.values()]
    if stale:
        document[STALE_DOCUMENTS] = stale


def stale_documents(document: Mapping[str, Any]) -> list[str]:
    """The names of those documents, relative to the target."""
    stale = document.get(STALE_DOCUMENTS)
    return [name for href in (stale if isinstance(stale, list) else ()) if (name := below("", href))]


def forget(document: dict[str, Any], names: Iterable[str]) -> bool:
    """Take files and documents that were removed off the lists of stale ones; whether there were any."""
    gone = {f"./{name}" for name in names}
    changed = False
    for field in (STALE, STALE_DOCUMENTS):
        stale = document.get(field)
        if not isinstance(stale, list):
            continue
        left = [each for each in stale if (each.get("href") if isinstance(each, dict) else each) not in gone]
        changed = changed or len(left) < len(stale)
        document[field] = left
        if not left:
            del document[field]
    return changed


def declare(document: dict[str, Any], uri: str, mark: str) -> None:
    """List an extension, unless one with ``mark`` in its URI is listed already."""
    extensions = document.get("stac_extensions")
    listed = list(extensions) if isinstance(extensions, list) else []
    if not any(mark in str(each) for each in listed):
        listed.append(uri)
    document["stac_extensions"] = listed
