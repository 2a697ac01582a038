"""Names of the bands of an asset, and its time: from STAC, then from the file, then by number."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

import numpy as np

from splashdown.model import Asset
from splashdown_geotiff._header import Header

#: How openEO back-ends name the file of one date.
_DATED = re.compile(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?:T(\d{2})[:-]?(\d{2})[:-]?(\d{2}))?Z?(?!\d)")


def band_names(asset: Asset, header: Header) -> tuple[str | int, ...]:
    """STAC's names where their number fits, else GDAL's descriptions, else the numbers from 1."""
    count = len(header.bands)
    for key in ("bands", "eo:bands", "raster:bands"):
        bands = asset.metadata.get(key)
        if isinstance(bands, Sequence) and len(bands) == count:
            names = [b["name"] for b in bands if isinstance(b, dict) and isinstance(b.get("name"), str)]
            if len(names) == count and all(names):
                return tuple(names)
    descriptions = [band.description for band in header.bands]
    if any(descriptions):
        return tuple(name or str(number) for number, name in enumerate(descriptions, 1))
    return tuple(range(1, count + 1))


def instant(asset: Asset) -> np.datetime64 | None:
    """When the asset was taken, in UTC: STAC's datetime, else the date in its name, else the start of STAC's interval.

    The interval of a job's results spans all of its files; it only says which dates make sense in a name.
    """
    start, end = _utc(asset.start), _utc(asset.end)
    if start is not None and start == end:
        return start
    found = (date for date in (_date_in(asset.key), _date_in(asset.item or "")) if date is not None)
    named = next(found, None)
    if named is None or (start is not None and named < start.astype("M8[D]")) or (end is not None and named > end):
        return start
    return named


def _utc(moment: dt.datetime | None) -> np.datetime64 | None:
    if moment is not None and moment.tzinfo is not None:
        moment = moment.astimezone(dt.UTC).replace(tzinfo=None)
    return None if moment is None else np.datetime64(moment, "ns")


def _date_in(name: str) -> np.datetime64 | None:
    found = _DATED.search(name)
    if found is None:
        return None
    year, month, day, hour, minute, second = found.groups(default="00")
    try:
        return np.datetime64(f"{year}-{month}-{day}T{hour}:{minute}:{second}", "ns")
    except ValueError:
        return None
