"""What the receipts in a target say: every document of ours, and every file that one of them describes."""

from __future__ import annotations

import json
import posixpath
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from splashdown._receipts import document as receipt
from splashdown._receipts.links import relative_links
from splashdown.model import StoredRecord
from splashdown.protocols import Sink, SupportsList, SupportsRead, SupportsStat

#: As many documents as a target is believed to have; a receipt that somebody else made up ends here.
_MAX_DOCUMENTS = 500_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRecords:
    """Names are relative to the target. ``documents`` are the receipts themselves, the roots first."""

    documents: tuple[str, ...] = ()
    records: Mapping[str, StoredRecord] = field(default_factory=dict)


def read_receipts(sink: Sink, prefix: str = "", roots: Iterable[str] = tuple(receipt.NAMES.values())) -> TargetRecords:
    """Read the receipts of a target and the documents that they link; empty where there are none, or no reading.

    ``prefix`` is a folder of the target (with its slash) that is read by itself: names are relative to it then.
    """
    if not isinstance(sink, SupportsRead):
        return TargetRecords()
    documents: dict[str, None] = {}
    records: dict[str, StoredRecord] = {}
    waiting = deque(dict.fromkeys(roots))  # a list would move all that wait for each that is taken
    seen = set(waiting)
    while waiting and len(documents) < _MAX_DOCUMENTS:
        name = waiting.popleft()
        body = _document(sink, prefix + name)
        if body is None:
            continue
        folder = posixpath.dirname(name)
        found = receipt.stored_records(body, _written(sink, prefix + name), folder)
        linked = [below for below in relative_links(body, folder) if not below.startswith(("../", "/"))]
        linked += receipt.stale_documents(body) if not folder else ()
        if not found and not linked and not _ours(body):
            continue
        documents[name] = None
        for place, entry in found.items():
            records.setdefault(place, entry)
        waiting += [below for below in linked if below not in seen]
        seen.update(linked)
    return TargetRecords(documents=tuple(documents), records=records)


def read_all_receipts(sink: Sink) -> TargetRecords:
    """As :func:`read_receipts`, of every receipt anywhere below the target (several sources have a folder each)."""
    names = set(receipt.NAMES.values())
    if not isinstance(sink, SupportsList):
        return read_receipts(sink)
    found = sorted((name for name, _ in sink.list() if posixpath.basename(name) in names), key=lambda n: n.count("/"))
    return read_receipts(sink, roots=[*receipt.NAMES.values(), *found])


def _ours(body: Mapping[str, Any]) -> bool:
    return bool(body.get("stac_version")) or body.get("type") == "FeatureCollection"


def _document(sink: SupportsRead, name: str) -> dict[str, Any] | None:
    data = receipt.read_bytes(sink, name)
    try:
        body = json.loads(data) if data is not None else None
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _written(sink: object, name: str) -> float | None:
    stored = sink.stat(name) if isinstance(sink, SupportsStat) else None
    return stored.modified if stored else None
