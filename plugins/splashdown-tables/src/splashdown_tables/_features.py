"""GeoJSON and GeoPackage to geopandas."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from splashdown.errors import LoadError, error_text
from splashdown.protocols import AssetHandle

if TYPE_CHECKING:
    import geopandas as gpd

MAX_BYTES = 1024**3
#: RFC 7946, section 4: longitude and latitude on WGS 84.
_GEOJSON_CRS = "OGC:CRS84"
_SQLITE = b"SQLite format 3\0"
#: ``application_id`` of the SQLite header (GeoPackage 1.3, requirement 2, and its predecessors).
_GEOPACKAGE_IDS = (b"GPKG", b"GP10", b"GP11")


def load_geojson(asset: AssetHandle, *, max_bytes: int = MAX_BYTES) -> gpd.GeoDataFrame:
    """GeoJSON as a ``geopandas.GeoDataFrame``, one row for each feature.

    The CRS is longitude and latitude (RFC 7946) unless the file names another one, as older files do. Raises
    ``LoadError`` for a file that is not GeoJSON or is larger than ``max_bytes``.
    """
    import geopandas as gpd

    label, content = asset.asset.label, asset.bytes(max_bytes)
    try:
        document = json.loads(content)
        features = _features(document)
        frame = gpd.GeoDataFrame.from_features(features, crs=_crs(document))
        ids = [feature.get("id") for feature in features]
        if "id" not in frame.columns and all(i is not None for i in ids) and ids:
            frame.insert(0, "id", ids)
    except Exception as error:  # what shapely, pyproj and pandas raise for values of other types is not listed anywhere
        raise LoadError(f"{label} is not GeoJSON ({error_text(error)[:200]})") from error
    return frame


def load_geopackage(
    asset: AssetHandle, *, layer: str | int | None = None, max_bytes: int = MAX_BYTES
) -> gpd.GeoDataFrame:
    """A layer of a GeoPackage (the first by default) as a ``geopandas.GeoDataFrame``.

    Raises ``LoadError`` for a file that is not a GeoPackage or is over ``max_bytes``, and for a missing layer.
    """
    label = asset.asset.label
    if asset.size > max_bytes:
        raise LoadError(f"{label} has {asset.size:,} bytes, more than {max_bytes:,}")
    head = bytes(asset.read_range(0, 100))
    # GDAL takes a file for what its bytes say, not for its name: only a GeoPackage may get there.
    if not head.startswith(_SQLITE) or head[68:72] not in _GEOPACKAGE_IDS:
        raise LoadError(f"{label} is not a GeoPackage: it begins with {head[:8].hex(' ') or 'nothing'}")
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError

    try:
        frame: gpd.GeoDataFrame = pyogrio.read_dataframe(asset.path(), layer=layer if layer is not None else 0)
    except DataLayerError as error:
        layers = ", ".join(str(name) for name, _ in pyogrio.list_layers(asset.path()))
        raise LoadError(f"{label} has no layer {layer!r}; there are {layers or 'none'}") from error
    except (DataSourceError, ValueError, RuntimeError) as error:
        raise LoadError(f"{label} cannot be read as a GeoPackage ({error_text(error)})") from error
    return frame


def _features(document: Any) -> list[dict[str, Any]]:
    """The features of a FeatureCollection, of one Feature, or of a bare geometry."""
    kind = document.get("type")
    if kind == "FeatureCollection":
        return [
            {"properties": {}, **f, **({} if f.get("properties") else {"properties": {}})} for f in document["features"]
        ]
    if kind == "Feature":
        return [{**document, "properties": document.get("properties") or {}}]
    if kind in {
        "Point",
        "MultiPoint",
        "LineString",
        "MultiLineString",
        "Polygon",
        "MultiPolygon",
        "GeometryCollection",
    }:
        return [{"type": "Feature", "properties": {}, "geometry": document}]
    raise ValueError(f"type {kind!r}")


def _crs(document: dict[str, Any]) -> str:
    """GeoJSON of 2008 could name its CRS; back-ends still write that for projected results."""
    named = document.get("crs")
    name = named.get("properties", {}).get("name") if isinstance(named, dict) else None
    return str(name) if name else _GEOJSON_CRS
