"""Which package offers what this project does not build in, and texts for what is missing."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Final

_FSSPEC = ("sftp", "ssh", "webdav", "webdavs", "ftp", "smb", "hdfs", "github", "dropbox", "box")
_OBSTORE = ("gs", "az", "abfs", "abfss", "adl", "s3+obstore")

#: Package by URL scheme of a target or an href.
BY_SCHEME: Final[Mapping[str, str]] = {
    "s3": "splashdown-s3",
    **dict.fromkeys(_OBSTORE, "splashdown-obstore"),
    **dict.fromkeys(_FSSPEC, "splashdown-fsspec"),
}
#: Package by media type (without parameters) or name of a loader.
BY_LOADER: Final[Mapping[str, str]] = {
    "image/tiff": "splashdown-geotiff",
    "image/vnd.stac.geotiff": "splashdown-geotiff",
    "geotiff": "splashdown-geotiff",
    "application/x-netcdf": "splashdown-xarray",
    "application/netcdf": "splashdown-xarray",
    "application/x-hdf5": "splashdown-xarray",
    "application/vnd+zarr": "splashdown-xarray",
    "application/vnd.zarr": "splashdown-xarray",
    "netcdf": "splashdown-xarray",
    "zarr": "splashdown-xarray",
    "xarray": "splashdown-xarray",
    "text/csv": "splashdown-tables",
    "application/vnd.apache.parquet": "splashdown-tables",
    "application/x-parquet": "splashdown-tables",
    "application/geo+json": "splashdown-tables",
    "csv": "splashdown-tables",
    "parquet": "splashdown-tables",
}

#: Package by the top-level module of a source's class.
BY_MODULE: Final[Mapping[str, str]] = {"openeo": "splashdown-openeo"}


def package_for_source(source: object) -> str | None:
    """The package of this project whose resolver takes objects of other libraries such as this one, or ``None``."""
    return next(
        (BY_MODULE[top] for each in type(source).__mro__ if (top := each.__module__.partition(".")[0]) in BY_MODULE),
        None,
    )


def package_for(kind: str, wanted: str) -> str | None:
    """The package of this project that offers ``wanted`` (a scheme, media type or name), or ``None``.

    ``kind`` is the plural noun: ``sinks``, ``transports``, ``loaders``, ...
    """
    if kind in {"sinks", "transports"}:
        return BY_SCHEME.get(wanted.lower())
    if kind == "loaders":
        return BY_LOADER.get(wanted.partition(";")[0].strip().lower())
    return None


def close_match(wanted: str, known: Iterable[str]) -> str | None:
    """The known name that ``wanted`` is most likely a slip of."""
    found = difflib.get_close_matches(wanted, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(wanted: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?``, or nothing."""
    found = close_match(wanted, known)
    return f"; did you mean '{found}'?" if found else ""
