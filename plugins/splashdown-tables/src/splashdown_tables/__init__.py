"""Tables and features for Splashdown: CSV, Parquet, FlatGeobuf, GeoPackage, GeoJSON and openEO's time series.

Registers one loader for each, and the action ``inventory``. pandas, geopandas and pyarrow are imported when
they are used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from splashdown.formats import FLATGEOBUF, GEOPACKAGE, PARQUET
from splashdown.hookspecs import hookimpl
from splashdown.protocols import AssetHandle
from splashdown.specs import ActionSpec, LoaderOptions, LoaderSpec
from splashdown_tables._features import load_geojson, load_geopackage
from splashdown_tables._flatgeobuf import load_flatgeobuf
from splashdown_tables._frames import load_csv, load_parquet
from splashdown_tables._inventory import InventoryOptions, WrittenInventory, inventory, inventory_frame
from splashdown_tables._options import (
    CsvOptions,
    FlatgeobufOptions,
    GeopackageOptions,
    ParquetOptions,
    TimeseriesOptions,
)
from splashdown_tables._summary import summarise
from splashdown_tables._timeseries import load_timeseries

if TYPE_CHECKING:
    from splashdown.clipping import Area, Clip

__all__ = [
    "WrittenInventory",
    "inventory",
    "inventory_frame",
    "load_csv",
    "load_flatgeobuf",
    "load_geojson",
    "load_geopackage",
    "load_parquet",
    "load_timeseries",
]


@hookimpl
def splashdown_loaders() -> Iterable[LoaderSpec]:
    """``csv``, ``parquet``, ``geopackage`` and ``flatgeobuf`` by type, ``geojson`` and ``timeseries`` by name."""
    yield LoaderSpec(
        name="csv",
        load=load_csv,
        media_types=("text/csv",),
        extensions=(".csv",),
        summarise=_summary_of(load_csv),
        options=CsvOptions,
        summary="a CSV table as a pandas.DataFrame",
    )
    yield LoaderSpec(
        name="parquet",
        load=load_parquet,
        media_types=("application/vnd.apache.parquet", "application/x-parquet", "application/parquet"),
        extensions=(".parquet", ".geoparquet"),
        magic=PARQUET.first_bytes,
        summarise=_summary_of(load_parquet),
        clip=_rows_of_parquet,
        options=ParquetOptions,
        summary="a (Geo)Parquet table as a DataFrame, with geometry a GeoDataFrame",
    )
    yield LoaderSpec(
        name="geopackage",
        load=load_geopackage,
        media_types=("application/geopackage+sqlite3",),
        extensions=(".gpkg",),
        magic=GEOPACKAGE.first_bytes,
        summarise=_summary_of(load_geopackage),
        options=GeopackageOptions,
        summary="a layer of a GeoPackage as a geopandas.GeoDataFrame",
    )
    yield LoaderSpec(
        name="flatgeobuf",
        load=load_flatgeobuf,
        media_types=FLATGEOBUF.media_types,
        extensions=FLATGEOBUF.extensions,
        magic=FLATGEOBUF.first_bytes,
        summarise=_summary_of(load_flatgeobuf),
        options=FlatgeobufOptions,
        summary="a FlatGeobuf file, or what lies in a box, as a geopandas.GeoDataFrame",
    )
    yield LoaderSpec(
        name="geojson",
        load=load_geojson,
        summarise=_summary_of(load_geojson),
        options=LoaderOptions,
        summary="GeoJSON features as a geopandas.GeoDataFrame",
    )
    yield LoaderSpec(
        name="timeseries",
        load=load_timeseries,
        summarise=_summary_of(load_timeseries),
        options=TimeseriesOptions,
        summary="openEO's JSON of an aggregated time series as a pandas.DataFrame",
    )


def _rows_of_parquet(asset: AssetHandle, area: Area) -> Clip | None:
    """The rows of GeoParquet in an area, imported when it is wanted."""
    from splashdown_tables._clip import clip_parquet

    return clip_parquet(asset, area)


def _summary_of(load: Callable[..., Any]) -> Callable[..., Mapping[str, object]]:
    """The summary of what a loader makes of an asset."""

    def facts(asset: AssetHandle, **options: Any) -> Mapping[str, object]:
        return summarise(load(asset, **options))

    return facts


@hookimpl
def splashdown_actions() -> Iterable[ActionSpec]:
    """``inventory``, also as a command."""
    yield ActionSpec(
        name="inventory",
        run=inventory,
        options=InventoryOptions,
        command=True,
        summary="Write a table of the assets to a .csv or .parquet file.",
    )
