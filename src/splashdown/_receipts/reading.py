"""What the receipts in a target say: every document of ours, and every file that one of them describes."""

from __future__ import annotations

import posixpath
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from splashdown._receipts import document as receipt
from splashdown._receipts.contents import read_contents
from splashdown._receipts.links import relative_links
from splashdown._receipts.names import NAMES
from splashdown._receipts.packed_records import Records, add_missing
from splashdown._receipts.stored_bytes import too_large
from splashdown.errors import TargetError
from splashdown.model import StoredRecord
from splashdown.protocols import Sink, SupportsList, SupportsRead
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
    records: Records = {}
    waiting = deque(dict.fromkeys(roots))  # a list would move all that wait for each that is taken
    seen = set(waiting)
    while waiting and len(documents) < _MAX_DOCUMENTS:
        name = waiting.popleft()
        # A file that a run has stored as an asset is not a receipt, whatever it holds.
        if name in records:
            continue
        folder = posixpath.dirname(name)
        contents = read_contents(sink, prefix + name, folder)
        if contents is None:
            continue
        body = contents.body
        if not receipt.is_receipt(body, name):
            if contents.records and not folder:
                raise _unknown(prefix + name)
            continue
        documents[name] = None
        linked = [below for below in relative_links(body, folder) if leads_below(below)]
        linked += receipt.stale_documents(body) if not folder else ()
        records = add_missing(records, contents.records)
        waiting += [below for below in linked if below not in seen]
        seen.update(linked)
    if waiting:
        raise too_large(next(iter(documents)), f"more than {_MAX_DOCUMENTS} documents below it")
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
