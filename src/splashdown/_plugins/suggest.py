"""Which package offers what this project does not build in, and texts for what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from splashdown.formats import FLATGEOBUF, GEOPACKAGE, GRIB, JPEG2000, NETCDF, PARQUET, PNG, TIFF

_WEBDAV = ("webdav", "webdavs", "webdav+http")
_FSSPEC = ("fsspec", "sftp", "ssh", *_WEBDAV, "ftp", "smb", "hdfs", "github", "dropbox", "box")
_OBSTORE = ("gs", "az", "abfs", "abfss", "adl", "s3+obstore")

#: Package by URL scheme of a target or an href.
BY_SCHEME: Final[Mapping[str, str]] = {
    "s3": "splashdown-s3",
    **dict.fromkeys(_OBSTORE, "splashdown-obstore"),
    **dict.fromkeys(_FSSPEC, "splashdown-fsspec"),
}


class _LoaderPackage(NamedTuple):
    """What a separate distribution would load."""

    name: str
    loaders: Sequence[str]
    media_types: Sequence[str]
    extensions: Sequence[str]
    magic: Sequence[bytes] = ()


_LOADER_PACKAGES: Final = (
    _LoaderPackage(
        "splashdown-geotiff",
        ("geotiff", "cube", "numpy", "geotiff-handle", "jp2", "png"),
        ("image/tiff", "image/vnd.stac.geotiff", "image/geotiff", "image/jp2", "image/png"),
        (".tif", ".tiff", ".geotiff", ".jp2", ".png"),
        (*TIFF.first_bytes, JPEG2000.first_bytes[0], *PNG.first_bytes),
    ),
    _LoaderPackage(
        "splashdown-xarray",
        ("netcdf", "zarr", "netcdf-tree", "zarr-tree", "grib"),
        (
            "application/netcdf", "application/x-netcdf", "application/x-netcdf4", "application/x-hdf5",
            "application/vnd+zarr", "application/x-zarr", "application/vnd.zarr", "application/wmo-grib2",
            "application/wmo-grib", "application/grib", "application/x-grib",
        ),
        (".nc", ".nc4", ".cdf", ".h5", ".zarr", ".grib2", ".grb2", ".grib", ".grb"),
        (*NETCDF.first_bytes, *GRIB.first_bytes),
    ),
    _LoaderPackage(
        "splashdown-tables",
        ("csv", "parquet", "geopackage", "flatgeobuf", "geojson", "timeseries"),
        (
            "text/csv", "application/vnd.apache.parquet", "application/x-parquet", "application/parquet",
            "application/geopackage+sqlite3", *FLATGEOBUF.media_types,
        ),
        (".csv", ".parquet", ".geoparquet", ".gpkg", *FLATGEOBUF.extensions),
        (*PARQUET.first_bytes, *GEOPACKAGE.first_bytes, *FLATGEOBUF.first_bytes),
    ),
)  # fmt: skip

#: Package by the top-level module of a source's class.
BY_MODULE: Final[Mapping[str, str]] = {"openeo": "splashdown-openeo"}
#: Package by the name of an executor, and by the top-level module of its class.
BY_EXECUTOR: Final[Mapping[str, str]] = {"dask": "splashdown-dask", "distributed": "splashdown-dask"}


def package_for_source(source: object) -> str | None:
    """The package of this project whose resolver takes objects of other libraries such as this one, or ``None``."""
    return _by_module(source, BY_MODULE)


def package_for_executor(executor: object) -> str | None:
    """The package of this project that moves files with such an object, or ``None``."""
    return _by_module(executor, BY_EXECUTOR)


def _by_module(thing: object, packages: Mapping[str, str]) -> str | None:
    tops = (each.__module__.partition(".")[0] for each in type(thing).__mro__)
    return next((packages[top] for top in tops if top in packages), None)


def package_for(kind: str, wanted: str) -> str | None:
    """The package of this project that offers ``wanted`` (a scheme, or a loader's name), or ``None``.

    ``kind`` is the plural noun: ``sinks``, ``transports``, ``loaders``, ...
    """
    if kind in {"sinks", "transports"}:
        return BY_SCHEME.get(wanted.lower())
    if kind == "executors":
        return BY_EXECUTOR.get(wanted)
    if kind == "loaders":
        return next((package.name for package in _LOADER_PACKAGES if wanted in package.loaders), None)
    return None


def package_for_file(media_type: str, extensions: Iterable[str], head: bytes) -> str | None:
    """The package of this project that loads such a file, or ``None``.

    ``media_type`` is without parameters and in lower case, as ``extensions`` are; ``head`` are the first bytes.
    """
    for package in _LOADER_PACKAGES:
        by_name = media_type in package.media_types or not set(extensions).isdisjoint(package.extensions)
        if by_name or (package.magic and head.startswith(tuple(package.magic))):
            return package.name
    return None
