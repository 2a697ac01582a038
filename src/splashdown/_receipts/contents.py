"""What a saved document says, read as a whole where it is short, and member by member where it is long.

A receipt of a million assets is larger than memory should be: its records are packed while it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from itertools import chain
from typing import IO, Any, cast

from splashdown._folders.fields import read_json
from splashdown._receipts import document as receipt
from splashdown._receipts.packed_records import PackedRecords, Records, pack
from splashdown._receipts.stored_bytes import StoredDocument, too_large
from splashdown._series.documents import Documents, PackedObject
from splashdown.errors import ResolveError, error_text
from splashdown.protocols import SupportsRead, SupportsStat

_LONG = frozenset({"features", "assets", receipt.STALE, receipt.STALE_DOCUMENTS, "links"})


class Contents:
    """``body`` is the document, without assets and features where it is long; ``records`` what it says is stored."""

    __slots__ = ("body", "records")

    def __init__(self, body: Mapping[str, Any], records: Records) -> None:
        self.body, self.records = body, records


def read_contents(sink: SupportsRead, name: str, folder: str) -> Contents | None:
    """A JSON object of the target; ``None`` where there is none. ``folder`` is that of records and links."""
    try:
        document = StoredDocument(sink, name)
    except FileNotFoundError:
        return None
    with closing(document):
        if document.data is None:
            return _long(document, name, _written(sink, name), folder)
        body = _short(document.data)
    if body is None:
        return None
    return Contents(body=body, records=receipt.stored_records(body, _written(sink, name), folder))


def read_document(sink: SupportsRead, name: str) -> dict[str, Any] | None:
    """A JSON object of the target as a whole; ``None`` where there is none under this name.

    Assets and features of a long one are packed: changes of what they give are lost.
    """
    try:
        document = StoredDocument(sink, name)
    except FileNotFoundError:
        return None
    with closing(document):
        return _packed(document, name) if document.data is None else _short(document.data)


def _written(sink: object, name: str) -> float | None:
    stored = sink.stat(name) if isinstance(sink, SupportsStat) else None
    return stored.modified if stored else None


def _short(data: bytes) -> dict[str, Any] | None:
    try:
        body = read_json(data)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _long(document: StoredDocument, name: str, written_at: float | None, folder: str) -> Contents | None:
    records = PackedRecords()

    def add(entries: Iterable[object]) -> None:
        for entry in entries:
            if isinstance(entry, dict) and (found := receipt.stored_record(entry, written_at, folder)):
                records.put(*found)

    def take(key: str, kind: str, value: Any) -> Any:
        match key, kind:
            case "assets", "{":
                add(each for _, each in value)
                return {}
            case "features", "[":
                for feature in value:
                    add(chain.from_iterable(assets.values() for assets in receipt.holders_of({"features": [feature]})))
                return []
            case receipt.STALE, "[":
                add(value)
                return []
        return _plain(kind, value)

    body = _each_member(document, name, take)
    return None if body is None else Contents(body=body, records=pack(records))


def _packed(document: StoredDocument, name: str) -> dict[str, Any] | None:
    def take(key: str, kind: str, value: Any) -> Any:
        if key == "assets" and kind == "{":
            assets = PackedObject()
            for each, entry in value:
                assets.put(each, entry)
            return assets
        if key == "features" and kind == "[":
            features = Documents()
            features.extend(value)
            return features
        return _plain(kind, value)

    return _each_member(document, name, take)


def _plain(kind: str, value: Any) -> Any:
    return list(value) if kind == "[" else dict(value) if kind == "{" else value


def _each_member(document: StoredDocument, name: str, take: Callable[[str, str, Any], Any]) -> dict[str, Any] | None:
    """The object with what ``take`` makes of each member; ``None`` for what is not one."""
    from splashdown._documents.streaming import TooLargeError, object_members  # late: most documents are short

    try:
        return {
            key: take(key, kind, value) for key, kind, value in object_members(cast("IO[bytes]", document), name, _LONG)
        }
    except TooLargeError as error:
        raise too_large(name, error_text(error)) from None
    except ResolveError:
        return None
