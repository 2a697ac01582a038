"""Whether a folder holds everything that its receipt lists: asked of the target alone, and not of the source."""

from __future__ import annotations

from splashdown._receipts.contents import read_document
from splashdown._receipts.document import STALE, holders_of, is_receipt, stored_records
from splashdown.errors import SplashdownError
from splashdown.protocols import Sink, SupportsRead, SupportsStat


def is_whole(sink: Sink, name: str) -> bool:
    """Whether the receipt of this name is there, and every asset in it was stored and has its size still.

    ``False`` wherever that cannot be seen: the next download finds out what is missing.
    """
    if not isinstance(sink, SupportsRead) or not isinstance(sink, SupportsStat):
        return False
    try:
        document = read_document(sink, name)
        if document is None or not is_receipt(document, name):
            return False
        records = stored_records({**document, STALE: []})
        if not records or len(records) != sum(map(len, holders_of(document))):
            return False
        return all(_is_there(sink, each, record.size) for each, record in records.items())
    except (OSError, ValueError, RecursionError, SplashdownError):
        return False


def _is_there(sink: SupportsStat, name: str, size: int | None) -> bool:
    found = sink.stat(name)
    return found is not None and found.size == size
