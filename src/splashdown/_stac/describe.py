"""Reads one asset object of a STAC document as an :class:`~splashdown.model.Asset`. Pure.

Tolerant: a field of the wrong type counts as absent. The caller makes hrefs absolute.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from splashdown._documents.expiry import parse_datetime
from splashdown._series.documents import member
from splashdown._stac.marks import KEY, below
from splashdown.columns import columns
from splashdown.model import Asset

#: Sizes and coordinates beyond 63 bits make no sense; Python's integers have no end, floats overflow.
_LARGEST_NUMBER = 2**63


def describe_asset(
    key: str, href: str, metadata: Mapping[str, Any], *, item: str | None, owner: Mapping[str, Any]
) -> Asset:
    """The asset that an asset object of a STAC document describes (STAC 0.6 to 1.1).

    ``key`` and ``metadata`` are the name and the value in ``owner["assets"]``; ``owner`` is the Item, then ``item`` is
    its id, or the Collection, then ``item`` is ``None``. ``href`` is absolute: where it leads is up to the caller.
    Media type, roles, size, checksum, times and box are read from the asset object, else from the owner; a field of a
    wrong type counts as missing.
    """
    assets = owner.get("assets")
    properties = owner.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    start, end = _interval(metadata, properties, owner)
    checksum = metadata.get("file:checksum") or metadata.get("checksum:multihash")
    geometry = owner.get("geometry")
    return Asset(
        key=key,
        href=href,
        item=item,
        collection=text(owner.get("collection")) or _old_collection(owner, item),
        media_type=text(metadata.get("type")),
        roles=_roles(metadata.get("roles")),
        size=_size(metadata.get("file:size")),
        checksum=checksum.lower() if isinstance(checksum, str) else None,
        local_path=text(metadata.get("file:local_path")) or _saved_as(metadata),
        bbox=_bbox(metadata.get("bbox")) or _bbox(owner.get("bbox")) or _bbox(_extent(owner, "spatial", "bbox")),
        geometry=geometry if isinstance(geometry, Mapping) and geometry else None,
        start=start,
        end=end,
        metadata=member(assets, key, metadata) if isinstance(assets, Mapping) else metadata,
        properties=properties,
    )


def _saved_as(metadata: Mapping[str, Any]) -> str | None:
    """The path of an asset in a target, from a receipt: a copy of the target has the same names."""
    return below("", metadata.get("href")) if KEY in metadata else None


def advertised_href(metadata: object, alternate: str | None = None) -> str | None:
    """The href of an asset object: of the alternate with this name (STAC extension) if it exists."""
    if not isinstance(metadata, Mapping):
        return None
    others = metadata.get("alternate")
    other = others.get(alternate) if alternate and isinstance(others, Mapping) else None
    if isinstance(other, Mapping) and isinstance(other.get("href"), str):
        return str(other["href"])
    href = metadata.get("href")
    return href if isinstance(href, str) and href.strip() else None


def directories(assets: Iterable[Asset]) -> list[int]:
    """The positions of hrefs that name a directory of many objects (Zarr), which cannot be moved as one file."""
    return [n for n, one in enumerate(columns(assets, "href", "media_type")) if _is_directory(*one)]


def _is_directory(href: str, media_type: str | None) -> bool:
    kind = (media_type or "").partition(";")[0].strip().lower()
    path = href.partition("?")[0]
    named = path.endswith((".zarr", ".zarr/"))
    return named or kind in {"application/vnd+zarr", "application/vnd.zarr", "application/zarr"}


def _old_collection(owner: Mapping[str, Any], item: str | None) -> str | None:
    """A collection's own id; before 1.0, an item had its collection among its properties."""
    if item is None:
        return text(owner.get("id"))
    properties = owner.get("properties")
    return text(properties.get("collection")) if isinstance(properties, Mapping) else None


def _interval(*holders: Mapping[str, Any]) -> tuple[Any, Any]:
    for holder in holders:
        moment = parse_datetime(holder.get("datetime"))
        if moment is not None:
            return moment, moment
        start, end = parse_datetime(holder.get("start_datetime")), parse_datetime(holder.get("end_datetime"))
        if start is not None or end is not None:
            return start, end
    interval = _extent(holders[-1], "temporal", "interval")
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
    if not all(isinstance(number, int | float) and abs(number) < _LARGEST_NUMBER for number in value):
        return None
    # Six numbers are west, south, lowest, east, north, highest (RFC 7946, section 5).
    flat = value if len(value) == 4 else [value[0], value[1], value[3], value[4]]
    return tuple(float(number) for number in flat)


def _roles(value: object) -> tuple[str, ...]:
    return tuple(role for role in value if isinstance(role, str)) if isinstance(value, list) else ()


def _size(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST_NUMBER else None


def text(value: object) -> str | None:
    """The value if it is a non-empty string, else ``None``."""
    return value if isinstance(value, str) and value else None
