"""Bands, reference system and dates of assets, in words. Pure; a value of a wrong type counts as absent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

#: A list of bands or systems with more entries is cut.
_MOST = 12
#: Longer names of bands are of no use in a cell.
_LONGEST = 40


def bands(metadata: Mapping[str, Any], properties: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the bands: of STAC 1.1 (``bands``), else of the extensions ``eo``, ``sar`` and ``raster``."""
    for holder in (metadata, properties):
        for field in ("bands", "eo:bands", "raster:bands"):
            listed = holder.get(field)
            if isinstance(listed, list) and (found := _names(listed)):
                return found
    return ()


def crs(metadata: Mapping[str, Any], properties: Mapping[str, Any]) -> str:
    """The reference system as the projection extension gives it: ``EPSG:32631``; empty where it does not."""
    for holder in (metadata, properties):
        code, number = holder.get("proj:code"), holder.get("proj:epsg")
        if isinstance(code, str) and code:
            return code[:_LONGEST]
        if isinstance(number, int) and not isinstance(number, bool):
            return f"EPSG:{number}"
    return ""


def dates(start: dt.datetime | None, end: dt.datetime | None) -> str:
    """``2023-06-01``, or ``2023-06-01 to 2023-06-30``; with the time of day where a moment is meant."""
    if start is None and end is None:
        return ""
    if start == end and start is not None:
        return _moment(start)
    first, last = (f"{one:%Y-%m-%d}" if one is not None else ".." for one in (start, end))
    return first if first == last else f"{first} to {last}"


def span(moments: Iterable[tuple[dt.datetime | None, dt.datetime | None]]) -> str:
    """The first and the last day of all."""
    known = [one for pair in moments for one in pair if one is not None]
    return dates(min(known), max(known)) if known else ""


def listed(names: Iterable[str]) -> str:
    """Different names in their order, cut where they are very many."""
    found = list(dict.fromkeys(filter(None, names)))
    more = f", and {len(found) - _MOST} more" if len(found) > _MOST else ""
    return ", ".join(found[:_MOST]) + more


def _names(found: list[Any]) -> tuple[str, ...]:
    named = [one.get("name") or one.get("common_name") for one in found if isinstance(one, Mapping)]
    return tuple(name[:_LONGEST] for name in named if isinstance(name, str) and name)


def _moment(moment: dt.datetime) -> str:
    midnight = (moment.hour, moment.minute, moment.second, moment.microsecond) == (0, 0, 0, 0)
    return f"{moment:%Y-%m-%d}" if midnight else f"{moment:%Y-%m-%d %H:%M}"
