"""Files that a target gets without bytes through this machine: noted, as any other, before they are visible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from splashdown._engine.context import Context
from splashdown._engine.existing import Verdict, stored_or_none
from splashdown.model import Asset, Content, Stored, StoredRecord


def content_of(context: Context, asset: Asset, verdict: Verdict, *, size: int | None, checksum: str | None) -> Content:
    """The description of such a file for the sink."""
    return Content(
        size=size,
        media_type=asset.media_type,
        checksum=checksum,
        source=asset.label,
        replace=verdict.replace,
        durable=context.settings.fsync,
    )


def copied(
    context: Context, name: str, record: StoredRecord, copy: Callable[..., object], *arguments: Any
) -> Stored | None:
    """Note a file, and let the sink's ``copy`` make it; ``None``, and the note is taken back, where it does not.

    A kill between the two would leave a file that was not noted unknown.
    """
    context.memory.storing({name: record})
    stored = None
    try:
        stored = stored_or_none(copy(*arguments), copy)
    finally:
        if stored is None:
            context.memory.unstored(name)
    return stored
