"""Filters that test each asset alone, and say why one does not pass."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from splashdown.builtins.filters import values
from splashdown.errors import OptionError
from splashdown.model import Asset


@dataclass(frozen=True, slots=True)
class Each:
    """A filter by a test of single assets; ``why`` gives the reason when one is dropped."""

    passes: Callable[[Asset], bool]
    why: Callable[[Asset], str]

    def __call__(self, assets: Sequence[Asset]) -> Iterable[Asset]:
        """The assets that pass, in their order."""
        return [asset for asset in assets if self.passes(asset)]


def by_key(value: object) -> Each:
    """Keys by glob; the pattern may also match ``item/key``."""
    patterns = values.strings(value, "keys")
    return Each(lambda a: _named(a, patterns), lambda a: f"its key {a.label!r} matches none of {_listed(patterns)}")


def by_exclude(value: object) -> Each:
    """All but the keys that match."""
    patterns = values.strings(value, "exclude")
    return Each(lambda a: not _named(a, patterns), lambda a: f"its key {a.label!r} matches one of {_listed(patterns)}")


def by_regex(value: object) -> Each:
    """Keys (or ``item/key``) in which a regular expression is found."""
    strings = values.strings(value, "regex")
    try:
        patterns = [re.compile(each) for each in strings]
    except re.error as error:
        raise OptionError(f"the filter 'regex' got {strings!r}, which is not a regular expression: {error}") from None
    return Each(
        lambda a: any(p.search(name) for p in patterns for name in _names(a)),
        lambda a: f"{_listed(strings)} is not found in its key {a.label!r}",
    )


def by_type(value: object) -> Each:
    """Media types, without parameters and in any case; ``image/*`` is a pattern."""
    wanted = [bare_type(each) for each in values.strings(value, "types")]
    return Each(
        lambda a: any(fnmatchcase(bare_type(a.media_type), pattern) for pattern in wanted),
        lambda a: f"its media type {bare_type(a.media_type) or '(none)'} is none of {_listed(wanted)}",
    )


def by_role(value: object) -> Each:
    """Assets that have one of the roles."""
    wanted = frozenset(values.strings(value, "roles"))
    return Each(
        lambda a: not wanted.isdisjoint(a.roles),
        lambda a: f"its roles {_listed(a.roles) or '(none)'} hold none of {_listed(sorted(wanted))}",
    )


def by_item(value: object) -> Each:
    """Assets of the items with these ids (globs)."""
    return _by_id("items", "item", value, lambda a: a.item)


def by_collection(value: object) -> Each:
    """Assets of the collections with these ids (globs)."""
    return _by_id("collections", "collection", value, lambda a: a.collection)


def by_datetime(value: object) -> Each:
    """Assets whose time meets an interval, both ends included; those without a time do not."""
    first, last = values.interval(value)

    def passes(asset: Asset) -> bool:
        start, end = asset.start, asset.end
        if start is None and end is None:
            return False
        return (last is None or start is None or start <= last) and (first is None or end is None or end >= first)

    return Each(passes, lambda a: f"its time {_time(a)} does not meet {value}")


def by_bbox(value: object) -> Each:
    """Assets whose box touches another one (degrees; west may be greater than east across the antimeridian)."""
    wanted = values.box(value)

    def passes(asset: Asset) -> bool:
        own = asset.bbox or bounds(asset.geometry)
        return own is not None and boxes_meet((own[0], own[1], own[-2] if len(own) == 4 else own[3], own[-1]), wanted)

    return Each(passes, lambda a: f"its box {a.bbox or '(none)'} does not touch {value}")


def by_min_size(value: object) -> Each:
    """Assets known to have at least so many bytes."""
    least = values.size(value, "min_size")
    return Each(
        lambda a: a.size is not None and a.size >= least, lambda a: f"{_size(a)}, less than {value} is asked for"
    )


def by_max_size(value: object) -> Each:
    """Assets known to have at most so many bytes."""
    most = values.size(value, "max_size")
    return Each(lambda a: a.size is not None and a.size <= most, lambda a: f"{_size(a)}, at most {value} is asked for")


def by_band(value: object) -> Each:
    """Assets with a band of one of these names or common names (globs)."""
    patterns = values.strings(value, "bands")
    return Each(
        lambda a: any(fnmatchcase(name, p) for name in bands(a.metadata) for p in patterns),
        lambda a: f"its bands {_listed(bands(a.metadata)) or '(none)'} are none of {_listed(patterns)}",
    )


def bands(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """Names and common names of an asset's bands: STAC 1.1 ``bands``, before that ``eo:bands``, ``raster:bands``."""
    found: dict[str, None] = {}
    for field in ("bands", "eo:bands", "raster:bands"):
        for band in metadata.get(field) or ():
            for name in ("name", "common_name", "eo:common_name") if isinstance(band, Mapping) else ():
                if isinstance(band.get(name), str):
                    found[band[name]] = None
    return tuple(found)


def bare_type(media_type: str | None) -> str:
    """The media type without parameters, in lower case."""
    return (media_type or "").partition(";")[0].strip().lower()


def boxes_meet(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether two boxes share a point (RFC 7946, section 5.2: west > east crosses the antimeridian)."""
    if one[1] > other[3] or one[3] < other[1]:
        return False
    return any(a[0] <= b[1] and b[0] <= a[1] for a in spans(one) for b in spans(other))


def spans(box: Sequence[float]) -> list[tuple[float, float]]:
    """West and east of a box; two such pairs where it crosses the antimeridian."""
    west, east = box[0], box[2]
    return [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]


def bounds(geometry: Mapping[str, Any] | None) -> tuple[float, float, float, float] | None:
    """The box of a GeoJSON geometry."""
    points = list(_points(geometry.get("coordinates"))) if geometry else []
    for part in (geometry or {}).get("geometries") or ():
        box = bounds(part) if isinstance(part, Mapping) else None
        points += [(box[0], box[1]), (box[2], box[3])] if box else []
    if not points:
        return None
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _points(coordinates: object) -> Iterable[tuple[float, float]]:
    waiting = [coordinates]
    while waiting:
        each = waiting.pop()
        if not isinstance(each, list | tuple) or not each:
            continue
        if len(each) >= 2 and all(isinstance(n, int | float) for n in each[:2]):
            yield float(each[0]), float(each[1])
        else:
            waiting.extend(each)


def _by_id(name: str, noun: str, value: object, of: Callable[[Asset], str | None]) -> Each:
    patterns = values.strings(value, name)
    return Each(
        lambda a: any(fnmatchcase(of(a) or "", pattern) for pattern in patterns),
        lambda a: f"its {noun} {of(a) or '(none)'} is none of {_listed(patterns)}",
    )


def _names(asset: Asset) -> tuple[str, ...]:
    return (asset.key, f"{asset.item}/{asset.key}" if asset.item else asset.key, asset.listed_as or asset.key)


def _named(asset: Asset, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in _names(asset) for pattern in patterns)


def _listed(strings: Iterable[str]) -> str:
    return ", ".join(strings)


def _time(asset: Asset) -> str:
    ends = [moment.isoformat() if moment else ".." for moment in (asset.start, asset.end)]
    if asset.start is None and asset.end is None:
        return "(none)"
    return ends[0] if asset.start == asset.end else "/".join(ends)


def _size(asset: Asset) -> str:
    return "its size is not known" if asset.size is None else f"it has {asset.size} bytes"
