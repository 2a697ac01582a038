"""The rows of the page: one for each file, whatever they were made from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from splashdown.model import Asset
from splashdown.redact import safely_shown

Ring = Sequence[tuple[float, float]]


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Row:
    """One file: its name, how it stands, and what is known of it."""

    name: str
    status: str
    remark: str = ""
    item: str = ""
    key: str = ""
    type: str = ""
    roles: str = ""
    bands: str = ""
    crs: str = ""
    size: int | None = None
    checksum: str = ""
    start: str = ""  #: ISO 8601, empty where it is not known
    end: str = ""
    rings: tuple[Ring, ...] = ()  #: the footprint, in degrees

    def described(self, asset: Asset) -> Row:
        """The same row with what the metadata say of its asset; what the row has already stays."""
        return replace(
            self,
            item=self.item or asset.item or "",
            key=self.key or asset.key,
            type=self.type or (asset.media_type or "").partition(";")[0],
            roles=self.roles or ", ".join(asset.roles),
            bands=", ".join(_bands(asset)),
            crs=_crs(asset),
            size=asset.size if self.size is None else self.size,
            checksum=self.checksum or asset.checksum or "",
            start=_moment(asset.start),
            end=_moment(asset.end),
            rings=_rings(asset),
        )


def _moment(value: dt.datetime | None) -> str:
    return f"{value:%Y-%m-%dT%H:%M:%SZ}" if value is not None else ""


def _bands(asset: Asset) -> list[str]:
    for holder in (asset.metadata, asset.properties):
        for field in ("bands", "eo:bands"):
            found = holder.get(field)
            named = [one.get("name") for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
            if names := [name for name in named if isinstance(name, str)]:
                return names[:12]
    return []


def _crs(asset: Asset) -> str:
    for holder in (asset.metadata, asset.properties):
        code, number = holder.get("proj:code"), holder.get("proj:epsg")
        if isinstance(code, str):
            return code
        if isinstance(number, int):
            return f"EPSG:{number}"
    return ""


def _rings(asset: Asset) -> tuple[Ring, ...]:
    """The outline of a polygon with few points, else the box."""
    geometry: Mapping[str, Any] = asset.geometry or {}
    coordinates = geometry.get("coordinates")
    if geometry.get("type") == "Polygon" and isinstance(coordinates, list) and len(coordinates) == 1:
        ring = _ring(coordinates[0])
        if ring and all(-180 <= x <= 180 for x, _ in ring):
            return (ring,)
    if asset.bbox is None or len(asset.bbox) != 4:
        return ()
    west, south, east, north = asset.bbox
    # RFC 7946, section 5.2: a box over the antimeridian has its west to the east of its east.
    east = east + 360 if east < west else east
    corners = _ring([[west, south], [east, south], [east, north], [west, north]])
    return (corners,) if corners else ()


def _ring(points: object) -> Ring:
    if not isinstance(points, list) or not 3 <= len(points) <= 60:
        return ()
    found = [
        (round(float(p[0]), 4), round(float(p[1]), 4))
        for p in points
        if isinstance(p, list) and len(p) >= 2 and _is_degree(p[0], 540) and _is_degree(p[1], 90)
    ]
    return tuple(found) if len(found) == len(points) else ()


def _is_degree(value: object, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= most
