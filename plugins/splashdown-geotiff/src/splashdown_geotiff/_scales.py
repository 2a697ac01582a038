"""Scales and offsets of bands from the STAC metadata, for files that do not hold them: openEO's often do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from splashdown.model import Asset
from splashdown_geotiff._header import Band, Header

#: Where STAC keeps bands, and what a scale and an offset are called there (raster extension 2.0 and 1.1).
_FORMS = (("bands", "raster:scale", "raster:offset"), ("raster:bands", "scale", "offset"))


def with_scales(asset: Asset, header: Header) -> Header:
    """The header with what STAC says of scales, where the file says nothing and STAC speaks of as many bands."""
    if any((band.scale, band.offset) != (1.0, 0.0) for band in header.bands):
        return header
    for key, scale, offset in _FORMS:
        found = asset.metadata.get(key)
        if isinstance(found, Sequence) and len(found) == len(header.bands):
            own = [_scaled(band, one, scale, offset) for band, one in zip(header.bands, found, strict=True)]
            if own != list(header.bands):
                return replace(header, bands=tuple(own))
    return header


def _scaled(band: Band, one: object, scale: str, offset: str) -> Band:
    if not isinstance(one, Mapping):
        return band
    return replace(band, scale=_number(one.get(scale), 1.0), offset=_number(one.get(offset), 0.0))


def _number(value: Any, default: float) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return default
    try:
        return float(value)
    except OverflowError:  # JSON's whole numbers have any length
        return default
