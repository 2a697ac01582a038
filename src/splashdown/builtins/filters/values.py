"""Reads the values of filters: lists, sizes, intervals, boxes. Pure; raises ``OptionError`` for invalid ones."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Mapping

from splashdown._display.text import bytes_in
from splashdown.errors import OptionError

#: Degrees. Longitudes beyond 180 are used for boxes across the antimeridian, latitudes end at the poles.
_FULL_CIRCLE, _POLE = 360, 90
_DATE = re.compile(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?")


def strings(value: object, name: str) -> tuple[str, ...]:
    """One string or several."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, Iterable) and not isinstance(value, Mapping | bytes):
        found = tuple(value)
        if found and all(isinstance(each, str) for each in found):
            return found
    raise OptionError(f"the filter {name!r} takes a string or a list of strings, not {value!r}")


def size(value: object, name: str) -> int:
    """Bytes, from a number or from a string such as ``10 MB`` (10^6) or ``10MiB`` (2^20)."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    found = bytes_in(value) if isinstance(value, str) else None
    if found is None:
        raise OptionError(f"the filter {name!r} takes a number of bytes, or a string such as 10MB, not {value!r}")
    return found


def interval(value: object) -> tuple[dt.datetime | None, dt.datetime | None]:
    """First and last instant of ``A/B``, ``A``, ``A/..``, ``../B`` (RFC 3339, or a date, month or year as a whole).

    ``None`` is an open end. A pair of strings or datetimes works too.
    """
    if isinstance(value, str):
        parts: list[object] = list(value.split("/"))
    elif isinstance(value, list | tuple):
        parts = list(value)
    else:
        parts = [value]
    if len(parts) not in {1, 2}:
        raise _no_interval(value)
    start, end = _span(parts[0], value)[0], _span(parts[-1], value)[1]
    if start is None and end is None:
        raise _no_interval(value)
    if start is not None and end is not None and start > end:
        raise OptionError(
            f"the filter 'datetime' goes from the earlier to the later time, {value!r} ends before it begins"
        )
    return start, end


def _span(part: object, whole: object) -> tuple[dt.datetime | None, dt.datetime | None]:
    if part is None or part in {"", ".."}:
        return None, None
    if isinstance(part, dt.datetime):
        moment = part if part.tzinfo else part.replace(tzinfo=dt.UTC)
        return moment, moment
    if isinstance(part, dt.date):
        part = part.isoformat()
    text = str(part).strip()
    try:
        if found := _DATE.fullmatch(text):
            return _calendar(found)
        moment = dt.datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise _no_interval(whole) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return moment, moment


def _calendar(found: re.Match[str]) -> tuple[dt.datetime, dt.datetime]:
    year, month, day = int(found[1]), int(found[2] or 1), int(found[3] or 1)
    start = dt.datetime(year, month, day, tzinfo=dt.UTC)
    if found[3]:
        last = dt.datetime(year, month, day, tzinfo=dt.UTC)
    elif found[2]:
        following = dt.datetime(year + month // 12, month % 12 + 1, 1, tzinfo=dt.UTC)
        last = following - dt.timedelta(days=1)
    else:
        last = dt.datetime(year, 12, 31, tzinfo=dt.UTC)
    return start, last.replace(hour=23, minute=59, second=59, microsecond=999_999)


def _no_interval(value: object) -> OptionError:
    return OptionError(
        f"the filter 'datetime' takes A/B with RFC 3339 date-times or dates, '..' for an open end, not {value!r}"
    )


def box(value: object) -> tuple[float, float, float, float]:
    """West, south, east, north, from numbers or from ``W,S,E,N``; of six numbers the heights are ignored."""
    parts = value.split(",") if isinstance(value, str) else value
    try:
        numbers = [float(part) for part in parts]  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) == 6:
        numbers = [numbers[0], numbers[1], numbers[3], numbers[4]]
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        raise OptionError(f"the filter 'bbox' takes four numbers: west, south, east, north; not {value!r}")
    west, south, east, north = numbers
    if max(abs(west), abs(east)) > _FULL_CIRCLE or max(abs(south), abs(north)) > _POLE:
        raise OptionError(f"the filter 'bbox' takes degrees: west, south, east, north; not {value!r}")
    if south > north:
        raise OptionError(f"the filter 'bbox' takes west, south, east, north; in {value!r} south lies north of north")
    return west, south, east, north
