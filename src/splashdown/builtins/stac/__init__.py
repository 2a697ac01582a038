"""The resolver ``stac``: Items, Collections, Catalogs, ItemCollections and APIs, from files, the web, stores or memory.

This module decides what counts as a STAC source; ``resolve.py`` reads it.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from splashdown.hookspecs import hookimpl
from splashdown.sources import is_in_store, is_job_url, is_several, is_url
from splashdown.specs import ResolverSpec

if TYPE_CHECKING:
    from splashdown.model import ResultSet
    from splashdown.protocols import ResolveContext

#: A store also holds folders, and sources of other packages look like URLs: only the extension shows a document.
_DOCUMENT = re.compile(r"\.(json|geojson|ndjson|jsonl|parquet|geoparquet|meta4|metalink)$", re.IGNORECASE)
_PATH = re.compile(r"[/\\]|\.[A-Za-z0-9]{1,12}$|^file:|^\.+$", re.IGNORECASE)


class StacResolver:
    """Reads STAC 0.6 to 1.1 (https://github.com/radiantearth/stac-spec) and STAC API 1.0."""

    def accepts(self, source: object) -> bool:
        """A path or URL other than an openEO job's, ``-`` (standard input), a dict, a pystac object, a list of items.

        In a store (``s3://bucket/...``) it has the extension of a document: ``.json``, ``.ndjson``, ``.parquet``, ...
        """
        if isinstance(source, Path):
            return True
        if isinstance(source, str):
            return (is_url(source) and not is_job_url(source)) or _is_path(source)
        if isinstance(source, Mapping) or _of_pystac(source):
            return True
        # Objects of other packages may be iterable too; only lists, tuples and iterators count as items.
        return isinstance(source, list | tuple | Iterator) and not is_several(source)

    def resolve(self, source: Any, context: ResolveContext) -> ResultSet:
        """Read the documents.

        Raises :class:`~splashdown.errors.ResolveError` with one line for a source without assets,
        ``NotFoundError`` or ``AuthError`` where a server says so, ``OptionError`` for an unknown option.
        """
        from splashdown.builtins.stac.resolve import resolve_stac

        return resolve_stac(source, context)


def _is_path(source: str) -> bool:
    # A bare word may belong to another resolver, unless a file has that name; a path has a separator or an extension.
    if is_in_store(source):
        return bool(_DOCUMENT.search(source))
    if "://" in source:
        return source[:5].lower() == "file:"
    return source == "-" or bool(_PATH.search(source)) or _is_there(source)


def _is_there(source: str) -> bool:
    try:
        return os.path.exists(source)  # noqa: PTH110 - not every string makes a Path
    except ValueError:
        return False


def _of_pystac(source: object) -> bool:
    return any(cls.__module__.partition(".")[0] == "pystac" for cls in type(source).__mro__)


@hookimpl
def splashdown_resolvers() -> Iterable[ResolverSpec]:
    """Offer the resolver."""
    yield ResolverSpec(
        name="stac",
        create=StacResolver,
        summary="STAC documents and APIs: path, URL, store, dict, object, stdin",
    )
