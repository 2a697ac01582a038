"""Brings receipts up to date where files were stored again, and leaves all else in them as it is."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from typing import Any

from splashdown._receipts import document as receipt
from splashdown._receipts.contents import read_document
from splashdown._series.documents import Documents, PackedObject
from splashdown._stac.marks import KEY, VALIDATOR, VERSION, below
from splashdown.model import StoredRecord
from splashdown.protocols import Sink, SupportsRead

_GEOJSON = frozenset({"Feature", "FeatureCollection"})


def amend_receipts(sink: Sink, documents: Iterable[str], records: Mapping[str, StoredRecord]) -> None:
    """Set size, checksum, validator and version of files, by their names, in each receipt that describes one."""
    if not isinstance(sink, SupportsRead) or not records:
        return
    for name in documents:
        body = read_document(sink, name)
        if body is None or not receipt.is_receipt(body, name):
            continue
        if _amend(body, posixpath.dirname(name), records):
            kind = "application/geo+json" if body.get("type") in _GEOJSON else "application/json"
            receipt.store(sink, name, body, kind)


def _amend(body: dict[str, Any], folder: str, records: Mapping[str, StoredRecord]) -> bool:
    amended = False

    def amend(entries: Iterable[object]) -> None:
        nonlocal amended
        for entry in entries:
            if isinstance(entry, dict) and KEY in entry:
                record = records.get(below(folder, entry.get("href")) or "")
                if record is not None:
                    _set_facts(entry, record)
                    amended = True

    # Packed documents give new objects each time, so they are packed again.
    features, assets = body.get("features"), body.get("assets")
    if isinstance(features, Documents):
        body["features"] = made = Documents()
        for feature in features:
            amend(receipt.entries_of({"features": [feature]}))
            made.append(feature)
    if isinstance(assets, PackedObject):
        body["assets"] = again = PackedObject()
        for key, entry in assets.items():
            amend([entry])
            again.put(key, entry)
    rest = {name: value for name, value in body.items() if not isinstance(value, Documents | PackedObject)}
    amend(receipt.entries_of(rest))
    return amended


def _set_facts(entry: dict[str, Any], record: StoredRecord) -> None:
    facts = {
        "file:size": record.size,
        "file:checksum": record.checksum,
        VALIDATOR: record.validator,
        VERSION: record.version,
    }
    entry.update({name: value for name, value in facts.items() if value is not None})
    for name in [name for name, value in facts.items() if value is None]:
        entry.pop(name, None)
