"""Which records of earlier runs a new receipt keeps."""

from __future__ import annotations

from collections.abc import Mapping

from splashdown._receipts.listing import look_up
from splashdown.columns import columns
from splashdown.model import RunReport, Stored, StoredRecord
from splashdown.protocols import Sink, SupportsStat, SupportsStatAll


def kept_records(sink: Sink, recorded: Mapping[str, StoredRecord], report: RunReport) -> dict[str, StoredRecord]:
    """The records under whose names nothing landed in this run, and whose files are still there, judged by size."""
    landed = set(columns(report.landed, "transfer.name")) if recorded else set[str]()
    left = {name: recorded[name] for name in recorded if name not in landed}
    if not left or not isinstance(sink, SupportsStat):
        return left
    lists = sink if isinstance(sink, SupportsStatAll) else None
    found = look_up(lists, len(left), lambda name, _: name in left)
    looked: Mapping[str, Stored | None] = {name: sink.stat(name) for name in left} if found is None else found
    return {name: left[name] for name, stored in looked.items() if stored and stored.size == left[name].size}
