"""What the receipts in a target say: every document of ours, and every file that one of them describes."""

from __future__ import annotations

import posixpath
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from splashdown._folders.fields import read_json
from splashdown._receipts import document as receipt
from splashdown._receipts.links import relative_links
from splashdown._receipts.names import NAMES
from splashdown.errors import TargetError
from splashdown.model import StoredRecord
from splashdown.protocols import Sink, SupportsList, SupportsRead, SupportsStat
from splashdown.redact import safely_shown
from splashdown.safe_names import leads_below

#: As many documents as a target is believed to have; a receipt that another program made up ends here.
_MAX_DOCUMENTS = 500_000


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TargetRecords:
    """Names are relative to the target. ``documents`` are the receipts themselves, the roots first.

    ``noted`` are names that no receipt knows, and a run that has not ended in good order has noted.
    """

    documents: tuple[str, ...] = ()
    records: Mapping[str, StoredRecord] = field(default_factory=dict)
    noted: frozenset[str] = frozenset()


def read_receipts(sink: Sink, prefix: str = "", roots: Iterable[str] = tuple(NAMES.values())) -> TargetRecords:
    """Read the receipts of a target and the documents that they link; empty where there are none, or no reading.

    ``prefix`` is a folder of the target (with its slash) that is read by itself: names are relative to it then. Raises
    ``TargetError`` where a name of a receipt is taken by a document that looks like one and is not.
    """
    if not isinstance(sink, SupportsRead):
        return TargetRecords()
    documents: dict[str, None] = {}
    records: dict[str, StoredRecord] = {}
    waiting = deque(dict.fromkeys(roots))  # a list would move all that wait for each that is taken
    seen = set(waiting)
    while waiting and len(documents) < _MAX_DOCUMENTS:
        name = waiting.popleft()
        body = read_document(sink, prefix + name)
        # A file that a run has stored as an asset is not a receipt, whatever it holds.
        if body is None or name in records:
            continue
        folder = posixpath.dirname(name)
        found = receipt.stored_records(body, _written(sink, prefix + name), folder)
        if not receipt.is_receipt(body, name):
            if found and not folder:
                raise _unknown(prefix + name)
            continue
        documents[name] = None
        linked = [below for below in relative_links(body, folder) if leads_below(below)]
        linked += receipt.stale_documents(body) if not folder else ()
        for place, entry in found.items():
            records.setdefault(place, entry)
        waiting += [below for below in linked if below not in seen]
        seen.update(linked)
    return TargetRecords(documents=tuple(documents), records=records)


def _unknown(name: str) -> TargetError:
    return TargetError(
        f"{name} in the target describes files as a receipt does, and lacks its mark: an earlier version of this"
        " program wrote it, or it was copied there; move it away to go on, files that are complete are found by their"
        " checksums"
    )


def read_all_receipts(sink: Sink) -> TargetRecords:
    """As :func:`read_receipts`, of every receipt anywhere below the target (several sources have a folder each)."""
    names = set(NAMES.values())
    if not isinstance(sink, SupportsList):
        return read_receipts(sink)
    found = sorted((name for name, _ in sink.list() if posixpath.basename(name) in names), key=lambda n: n.count("/"))
    return read_receipts(sink, roots=[*NAMES.values(), *found])


def read_document(sink: SupportsRead, name: str) -> dict[str, Any] | None:
    """A JSON object of the target; ``None`` where there is none under this name."""
    data = receipt.read_bytes(sink, name)
    try:
        body = read_json(data) if data is not None else None
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _written(sink: object, name: str) -> float | None:
    stored = sink.stat(name) if isinstance(sink, SupportsStat) else None
    return stored.modified if stored else None
