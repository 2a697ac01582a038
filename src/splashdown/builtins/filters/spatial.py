"""The filter by geometry, on shapely (extra ``filters``)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from splashdown.builtins.filters.each import Each, spans
from splashdown.errors import NoProviderError, OptionError, error_text
from splashdown.model import Asset


def by_geometry(value: object) -> Each:
    """Assets of items whose geometry intersects another one: GeoJSON (dict, string or file) or WKT, in degrees."""
    try:
        import shapely
    except ImportError:
        raise NoProviderError("the filter 'geometry' needs shapely: pip install 'splashdown[filters]'") from None
    wanted = _shape(value, shapely)
    shapely.prepare(wanted)

    def passes(asset: Asset) -> bool:
        if asset.geometry is not None:
            return bool(wanted.intersects(shapely.geometry.shape(dict(asset.geometry))))
        if asset.bbox is None:
            return False
        _, south, _, north = asset.bbox[:4]
        return any(wanted.intersects(shapely.box(west, south, east, north)) for west, east in spans(asset.bbox))

    return Each(passes, lambda a: "its geometry does not intersect" if a.geometry or a.bbox else "it has no geometry")


def _shape(value: object, shapely: Any) -> Any:
    if hasattr(value, "__geo_interface__"):
        value = value.__geo_interface__
    try:
        if isinstance(value, str | Path):
            text = str(value).strip()
            if not text.startswith(("{", "[")) and Path(text).is_file():
                text = Path(text).read_text(encoding="utf-8")
            if not text.lstrip().startswith("{"):
                return shapely.from_wkt(text)
            value = json.loads(text)
        if isinstance(value, Mapping):
            return _union(value, shapely)
    except Exception as error:  # shapely raises many kinds for invalid geometries
        raise OptionError(f"the filter 'geometry' cannot read its value ({error_text(error)})") from None
    raise OptionError("the filter 'geometry' takes GeoJSON (a dict, a string or a file) or WKT")


def _union(value: Mapping[str, Any], shapely: Any) -> Any:
    if value.get("type") == "Feature":
        value = value["geometry"]
    if value.get("type") == "FeatureCollection":
        return shapely.union_all([shapely.geometry.shape(feature["geometry"]) for feature in value["features"]])
    return shapely.geometry.shape(dict(value))
