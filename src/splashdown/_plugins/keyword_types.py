"""The keywords of the methods that people call, for type checkers, completion and Shift-Tab.

Each is a field of the options that the action or resolver has; a test compares them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from splashdown._engine.settings import Settings
    from splashdown.protocols import Listener


class OpenKeywords(TypedDict, total=False):
    """What the built-in resolvers take: of openEO jobs the first three, of STAC sources all but the first two."""

    wait: bool | float
    partial: bool
    alternate: str | None
    datetime: str | None
    bbox: Sequence[float] | str | None
    ids: Sequence[str] | str | None
    collections: Sequence[str] | str | None
    filter: str | None
    limit: int | None
    page_size: int
    method: str | None
    base: str | None
    max_documents: int


class SaveKeywords(TypedDict, total=False):
    """What every download takes."""

    progress: bool
    listeners: Sequence[Listener]
    settings: Settings | None
    executor: object
    sink_options: Mapping[str, Any]


class DownloadKeywords(SaveKeywords, total=False):
    """What ``download_files`` takes."""

    layout: str
    if_exists: str


class FileKeywords(SaveKeywords, total=False):
    """What ``download_file`` takes."""

    layout: str
    if_exists: str | None


class CollectionKeywords(SaveKeywords, total=False):
    """What ``download_collection`` takes."""

    missing: str
    original_hrefs: bool
    output: str
    layout: str | None
    if_exists: str


class SyncKeywords(DownloadKeywords, total=False):
    """What ``sync`` takes: options of ``download_files``, or with ``as_collection`` of ``download_collection``."""

    missing: str
    original_hrefs: bool
    output: str
