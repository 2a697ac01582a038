"""Data cubes for Splashdown: netCDF and Zarr as ``xarray.Dataset``.

xarray, h5netcdf and zarr are imported when a loader is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from splashdown.formats import NETCDF
from splashdown.hookspecs import hookimpl
from splashdown.protocols import AssetHandle
from splashdown.specs import LoaderSpec
from splashdown_xarray._netcdf import load_netcdf
from splashdown_xarray._summary import summarise
from splashdown_xarray._zarr import load_zarr

__all__ = ["load_netcdf", "load_zarr"]


@dataclass(frozen=True, kw_only=True)
class CubeOptions:
    """The options for a file of several groups, on the command line."""

    group: str | None = field(default=None, metadata={"help": "This group of the file.", "metavar": "NAME"})


@hookimpl
def splashdown_loaders() -> Iterable[LoaderSpec]:
    """``netcdf`` and ``zarr``."""
    yield LoaderSpec(
        name="netcdf",
        load=load_netcdf,
        media_types=("application/netcdf", "application/x-netcdf", "application/x-netcdf4", "application/x-hdf5"),
        extensions=(".nc", ".nc4", ".cdf", ".h5"),
        magic=NETCDF.first_bytes,
        summarise=_summarise_netcdf,
        options=CubeOptions,
        summary="a netCDF file as an xarray.Dataset",
    )
    yield LoaderSpec(
        name="zarr",
        load=load_zarr,
        media_types=("application/vnd+zarr", "application/x-zarr", "application/vnd.zarr"),
        extensions=(".zarr",),
        summarise=_summarise_zarr,
        options=CubeOptions,
        summary="a Zarr store as an xarray.Dataset, chunks read when they are computed",
    )


def _summarise_netcdf(asset: AssetHandle, **options: Any) -> Mapping[str, object]:
    # Its structure is all that is shown.
    return summarise(load_netcdf(asset, **{"lazy": True, **options}))


def _summarise_zarr(asset: AssetHandle, **options: Any) -> Mapping[str, object]:
    return summarise(load_zarr(asset, **options))
