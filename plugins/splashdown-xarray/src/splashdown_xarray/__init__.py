"""Data cubes for Splashdown: netCDF, Zarr and GRIB as ``xarray.Dataset``, netCDF and Zarr as ``xarray.DataTree`` too.

xarray, h5netcdf, zarr and cfgrib are imported when a loader is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from splashdown.formats import GRIB, NETCDF
from splashdown.hookspecs import hookimpl
from splashdown.protocols import AssetHandle
from splashdown.specs import LoaderSpec
from splashdown_xarray._grib import load_grib
from splashdown_xarray._netcdf import load_netcdf, load_netcdf_tree
from splashdown_xarray._summary import summarise
from splashdown_xarray._zarr import load_zarr, load_zarr_tree

if TYPE_CHECKING:
    from splashdown.clipping import Area, Clip

__all__ = ["load_grib", "load_netcdf", "load_netcdf_tree", "load_zarr", "load_zarr_tree"]


@dataclass(frozen=True, kw_only=True)
class CubeOptions:
    """The options for a file of several groups, on the command line."""

    group: str | None = field(default=None, metadata={"help": "This group; / is the root.", "metavar": "NAME"})


@dataclass(frozen=True, kw_only=True)
class ZarrOptions(CubeOptions):
    """The options for a Zarr store, on the command line."""

    zarr_format: Literal[2, 3] | None = field(
        default=None, metadata={"help": "The version of the format, found out if not given.", "metavar": "N"}
    )


@hookimpl
def splashdown_loaders() -> Iterable[LoaderSpec]:
    """``netcdf``, ``zarr`` and ``grib`` for their media types; trees of groups when they are named."""
    yield LoaderSpec(
        name="netcdf",
        load=load_netcdf,
        media_types=("application/netcdf", "application/x-netcdf", "application/x-netcdf4", "application/x-hdf5"),
        extensions=(".nc", ".nc4", ".cdf", ".h5"),
        magic=NETCDF.first_bytes,
        summarise=_summarise_netcdf,
        clip=_part_of_netcdf,
        options=CubeOptions,
        summary="a netCDF file as an xarray.Dataset",
    )
    yield LoaderSpec(
        name="zarr",
        load=load_zarr,
        media_types=("application/vnd+zarr", "application/x-zarr", "application/vnd.zarr"),
        extensions=(".zarr",),
        summarise=_summarise_zarr,
        clip=_part_of_zarr,
        options=ZarrOptions,
        summary="a Zarr store as an xarray.Dataset, chunks read when they are computed",
    )
    yield LoaderSpec(
        name="netcdf-tree",
        load=load_netcdf_tree,
        options=CubeOptions,
        summary="all groups of a netCDF file as an xarray.DataTree",
    )
    yield LoaderSpec(
        name="zarr-tree",
        load=load_zarr_tree,
        options=ZarrOptions,
        summary="all groups of a Zarr store as an xarray.DataTree",
    )
    yield LoaderSpec(
        name="grib",
        load=load_grib,
        media_types=("application/wmo-grib2", "application/wmo-grib", "application/grib", "application/x-grib"),
        extensions=(".grib2", ".grb2", ".grib", ".grb"),
        magic=GRIB.first_bytes,
        summarise=_summarise_grib,
        summary="a GRIB file as an xarray.Dataset, by cfgrib",
    )


def _part_of_netcdf(asset: AssetHandle, area: Area) -> Clip | None:
    """The cells of a netCDF file in an area, imported when it is wanted."""
    from splashdown_xarray._clip import clip_netcdf

    return clip_netcdf(asset, area)


def _part_of_zarr(asset: AssetHandle, area: Area) -> Clip | None:
    """The cells of a Zarr store in an area, as a netCDF file; imported when it is wanted."""
    from splashdown_xarray._clip import clip_zarr

    return clip_zarr(asset, area)


def _summarise_netcdf(asset: AssetHandle, **options: Any) -> Mapping[str, object]:
    # Its structure is all that is shown.
    return summarise(load_netcdf(asset, **{"lazy": True, **options}))


def _summarise_zarr(asset: AssetHandle, **options: Any) -> Mapping[str, object]:
    return summarise(load_zarr(asset, **options))


def _summarise_grib(asset: AssetHandle, **options: Any) -> Mapping[str, object]:
    return summarise(load_grib(asset, **options))
