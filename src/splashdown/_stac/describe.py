"""Reads one asset object of a STAC document as an :class:`~splashdown.model.Asset`. Pure.

Tolerant: a field of the wrong type counts as absent. The caller makes hrefs absolute.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from splashdown._documents.expiry import parse_datetime
from splashdown._series.documents import PackedObject, Place, View
from splashdown._stac.marks import KEY, below
from splashdown.columns import columns
from splashdown.formats import is_single_file
from splashdown.model import Asset
from splashdown.sources import bare_href

#: Sizes and coordinates beyond 63 bits make no sense; Python's integers have no end, floats overflow.
_LARGEST_NUMBER = 2**63
_TIMES = frozenset({"datetime", "start_datetime", "end_datetime"})


def describe_asset(
    key: str, href: str, metadata: Mapping[str, Any], *, item: str | None, owner: Mapping[str, Any]
) -> Asset:
    """The asset that an asset object of a STAC document describes (STAC 0.6 to 1.1).

    ``key`` and ``metadata`` are the name and the value in ``owner["assets"]``; ``owner`` is the Item, then ``item`` is
    its id, or the Collection, then ``item`` is ``None``. ``href`` is absolute: where it leads is up to the caller.
    Media type, roles, size, checksum, times and box are read from the asset object, else from the owner; a field of a
    wrong type counts as missing.
    """
    return describer(item, owner)(key, href, metadata)


def describer(
    item: str | None, owner: Mapping[str, Any], place: Place | None = None
) -> Callable[[str, str, Mapping[str, Any]], Asset]:
    """:func:`describe_asset` for the assets of one owner: what they get from the owner is read once.

    With a ``place``, where the owner is kept packed, the assets look up there what they say at length.
    """
    properties = owner.get("properties")
    properties = properties if type(properties) is dict or isinstance(properties, Mapping) else {}
    interval = _own_interval(properties) or _own_interval(owner) or _extent_interval(owner)
    collection = text(owner.get("collection")) or _old_collection(owner, item)
    bbox = _bbox(owner.get("bbox")) or _bbox(_extent(owner, "spatial", "bbox"))
    geometry = owner.get("geometry")
    geometry = geometry if geometry and (type(geometry) is dict or isinstance(geometry, Mapping)) else None
    assets = owner.get("assets")
    view = assets.view if type(assets) is PackedObject else None
    if place is not None:
        packed, at = place
        geometry = geometry and View(packed, at, ("geometry",))
        properties = properties and View(packed, at, ("properties",))

        def view(key: str) -> View:
            return View(packed, at, ("assets", key))

    def describe(key: str, href: str, metadata: Mapping[str, Any]) -> Asset:
        get = metadata.get
        checksum = get("file:checksum") or get("checksum:multihash")
        media_type, roles, size, path = get("type"), get("roles"), get("file:size"), get("file:local_path")
        # Most assets have no time and no box of their own: a look costs less than a call.
        own = _own_interval(metadata) if not _TIMES.isdisjoint(metadata) else None
        start, end = own or interval
        return Asset(
            key=key,
            href=href,
            item=item,
            collection=collection,
            media_type=media_type if isinstance(media_type, str) and media_type else None,
            roles=_roles(roles) if roles else (),
            size=size if type(size) is int and 0 <= size < _LARGEST_NUMBER else None,
            checksum=checksum.lower() if isinstance(checksum, str) else None,
            local_path=path if isinstance(path, str) and path else _saved_as(metadata) if KEY in metadata else None,
            bbox=_bbox(metadata["bbox"]) or bbox if "bbox" in metadata else bbox,
            geometry=geometry,
            start=start,
            end=end,
            metadata=metadata if view is None else view(key),
            properties=properties,
        )

    return describe


def _saved_as(metadata: Mapping[str, Any]) -> str | None:
    """The path of an asset in a target, from a receipt: a copy of the target has the same names."""
    return below("", metadata.get("href"))


def advertised_href(metadata: object, alternate: str | None = None) -> str | None:
    """The href of an asset object: of the alternate with this name (STAC extension) if it exists."""
    if type(metadata) is not dict and not isinstance(metadata, Mapping):  # the first is not a call
        return None
    if alternate:
        others = metadata.get("alternate")
        other = others.get(alternate) if isinstance(others, Mapping) else None
        if isinstance(other, Mapping) and isinstance(other.get("href"), str):
            return str(other["href"])
    href = metadata.get("href")
    return href if isinstance(href, str) and href.strip() else None


#: What may name a directory; most hrefs have none of it, which is seen without a call of ours.
_MARK = re.compile(r"\.(?:zarr|icechunk|safe|sen3|gdb)(?:/?(?:[?#]|\Z))|icechunk|/(?:[?#]|\Z)", re.IGNORECASE)
_EXTENSION = re.compile(r"\.(zarr|icechunk|safe|sen3|gdb)/*\Z", re.IGNORECASE)
#: Where a path with a slash at its end is a folder for certain: a web server may send anything for one.
_STORES = frozenset({"s3", "gs", "az", "abfs", "abfss", "file"})
_ADVICE = "copy it with a tool of its store, or take the assets that are files in it"
_REASONS = {
    "zarr": "a Zarr store is a folder of many objects, not a file: open it with load('zarr') where it is",
    "icechunk": "an Icechunk repository is a folder of many objects, not a file: open it with icechunk where it is",
    "gdb": "a file geodatabase is a folder of many files: copy it with a tool of its store, or take a .zip of it",
    "": f"it is a folder, not a file: {_ADVICE}",
}


def directories(assets: Iterable[Asset]) -> dict[int, str]:
    """The positions of assets that are directories of many objects, which cannot be moved as one file, and why not."""
    found = {}
    for number, (href, kind) in enumerate(columns(assets, "href", "media_type")):
        if _MARK.search(href) or (kind and ("zarr" in kind or "icechunk" in kind or "directory" in kind)):
            reason = _directory(href, kind)
            if reason:
                found[number] = reason
    return found


def _directory(href: str, media_type: str | None) -> str:
    """Why an asset is not one file; empty for one that is, or may be."""
    kind = (media_type or "").partition(";")[0].strip().lower()
    if "icechunk" in kind or href.lower().startswith("icechunk"):
        return _REASONS["icechunk"]
    if kind in {"application/vnd+zarr", "application/vnd.zarr", "application/zarr", "application/x-zarr"}:
        return _REASONS["zarr"]
    if kind in {"inode/directory", "application/x-directory"}:
        return _REASONS[""]
    scheme, path = href.partition("://")[0].lower(), bare_href(href)
    named = _EXTENSION.search(path)
    # A server may send a folder as an archive, and its media type then says so.
    if named and not is_single_file(kind):
        extension = named[1].lower()
        return _REASONS.get(extension, f"a .{named[1]} product is a folder of many files: {_ADVICE}")
    return _REASONS[""] if path.endswith("/") and scheme in _STORES else ""


def _old_collection(owner: Mapping[str, Any], item: str | None) -> str | None:
    """A collection's own id; before 1.0, an item had its collection among its properties."""
    if item is None:
        return text(owner.get("id"))
    properties = owner.get("properties")
    return text(properties.get("collection")) if isinstance(properties, Mapping) else None


def _own_interval(holder: Mapping[str, Any]) -> tuple[Any, Any] | None:
    """The times that an object itself gives; ``None`` where it gives none."""
    moment = parse_datetime(holder.get("datetime"))
    if moment is not None:
        return moment, moment
    start, end = parse_datetime(holder.get("start_datetime")), parse_datetime(holder.get("end_datetime"))
    return (start, end) if start is not None or end is not None else None


def _extent_interval(owner: Mapping[str, Any]) -> tuple[Any, Any]:
    interval = _extent(owner, "temporal", "interval")
    if isinstance(interval, list) and len(interval) == 2:
        return parse_datetime(interval[0]), parse_datetime(interval[1])
    return None, None


def _extent(owner: Mapping[str, Any], kind: str, name: str) -> object:
    extent = owner.get("extent")
    part = extent.get(kind) if isinstance(extent, Mapping) else None
    values = part.get(name) if isinstance(part, Mapping) else None
    return values[0] if isinstance(values, list) and values else None


def _bbox(value: object) -> tuple[float, ...] | None:
    if not isinstance(value, list) or len(value) not in {4, 6}:
        return None
    for number in value:  # no generator: each item has a box
        if not isinstance(number, (int, float)) or not -_LARGEST_NUMBER < number < _LARGEST_NUMBER:
            return None
    # Six numbers are west, south, lowest, east, north, highest (RFC 7946, section 5).
    return tuple(map(float, value if len(value) == 4 else [value[0], value[1], value[3], value[4]]))


def _roles(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    if len(value) == 1 and type(value[0]) is str:  # as nearly all are
        return (value[0],)
    return tuple([role for role in value if isinstance(role, str)])


def text(value: object) -> str | None:
    """The value if it is a non-empty string, else ``None``."""
    return value if isinstance(value, str) and value else None
