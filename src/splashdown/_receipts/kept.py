"""Which records of earlier runs a new receipt keeps."""

from __future__ import annotations

from collections.abc import Mapping

from splashdown.columns import columns
from splashdown.model import RunReport, StoredRecord
from splashdown.protocols import Sink, SupportsStat


def kept_records(sink: Sink, recorded: Mapping[str, StoredRecord], report: RunReport) -> dict[str, StoredRecord]:
    """The records under whose names nothing landed in this run, and whose files are still there, judged by size."""
    landed = set(columns(report.landed, "transfer.name")) if recorded else set[str]()
    left = {name: record for name, record in recorded.items() if name not in landed}
    if not isinstance(sink, SupportsStat):
        return left
    found = {name: sink.stat(name) for name in left}
    return {name: left[name] for name, stored in found.items() if stored and stored.size == left[name].size}
