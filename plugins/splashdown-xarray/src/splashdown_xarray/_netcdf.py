"""netCDF to xarray: whole, or lazily over exact ranges."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from splashdown.errors import LoadError, error_text
from splashdown.protocols import AssetHandle

if TYPE_CHECKING:
    import xarray as xr

MAX_BYTES = 4 * 1024**3
_HDF5 = b"\x89HDF\r\n\x1a\n"
_CLASSIC = (b"CDF\x01", b"CDF\x02")


def load_netcdf(
    asset: AssetHandle,
    *,
    lazy: bool = False,
    chunks: Any = None,
    group: str | None = None,
    decode: bool = True,
    max_bytes: int = MAX_BYTES,
) -> xr.Dataset:
    """A netCDF file as an ``xarray.Dataset``, with ``crs`` and bounds as coordinates.

    The whole file is read into memory (at most ``max_bytes``, and as much for the arrays), unless ``lazy`` is set:
    then only its structure is read, and data when it is used, by the ranges that hold it. ``chunks`` (as of xarray)
    is lazy with Dask. ``group`` picks one group, ``decode=False`` leaves scales, fill values and times as stored.
    Raises ``LoadError`` for a file that is not netCDF.
    """
    import xarray as xr

    label = asset.asset.label
    head = bytes(asset.read_range(0, 8))
    if head.startswith(b"CDF\x05"):
        raise LoadError(
            f"{label} is a netCDF file of the format CDF-5, which cannot be read here: convert it to netCDF 4"
        )
    if not head.startswith((_HDF5, *_CLASSIC)):
        raise LoadError(f"{label} is not a netCDF file: it begins with {head.hex(' ') or 'nothing'}")
    lazy = lazy or chunks is not None
    options: dict[str, Any] = {"engine": "h5netcdf" if head == _HDF5 else "scipy", "chunks": chunks}
    if head == _HDF5:
        # Plain HDF5 leaves dimensions without names; h5netcdf gives them some as they are met.
        options.update(group=group, phony_dims="access")
    try:
        source = _source(asset, max_bytes, lazy=lazy, hdf5=head == _HDF5)
        cube = xr.open_dataset(source, decode_cf=decode, decode_coords="all" if decode else False, **options)
        if not lazy:
            _check_arrays(cube, max_bytes, label)
            cube = cube.load()
    except LoadError:
        raise
    except ImportError as error:
        raise LoadError(
            f"{label}: {error_text(error)}: pip install 'splashdown-xarray[classic]' for netCDF 3"
        ) from error
    except Exception as error:
        raise LoadError(f"{label} cannot be read as netCDF ({error_text(error)})") from error
    return cube


def _source(asset: AssetHandle, max_bytes: int, *, lazy: bool, hdf5: bool) -> Any:
    """The file for xarray. netCDF 3 has no chunks, so that reading it lazily gains little: it is read whole."""
    if not hdf5:
        return io.BytesIO(asset.bytes(max_bytes))
    from splashdown_xarray._file import ExactFile
    from splashdown_xarray._references import refuse_references

    source: Any = ExactFile(asset) if lazy else io.BytesIO(asset.bytes(max_bytes))
    refuse_references(source, asset.asset.label)
    source.seek(0)
    return source


def _check_arrays(cube: xr.Dataset, max_bytes: int, label: str) -> None:
    """Compressed arrays may be far larger than the file."""
    if cube.nbytes > max_bytes:
        raise LoadError(
            f"{label} unpacks to {cube.nbytes:,} bytes, more than max_bytes={max_bytes:,}: read it with lazy=True"
        )
