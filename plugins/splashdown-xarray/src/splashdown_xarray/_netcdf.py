"""netCDF to xarray: whole, or lazily over exact ranges."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from splashdown.errors import LoadError, error_text
from splashdown.protocols import AssetHandle
from splashdown.redact import safely_shown
from splashdown_xarray._contents import Contents, empty_root, no_such_group, read_contents

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
    is lazy with Dask. ``group`` picks one group (``"/"`` the root), ``decode=False`` leaves scales, fill values and
    times as stored. Raises ``LoadError`` for a file that is not netCDF, and names the groups of one that has
    variables in groups only.
    """
    label = asset.asset.label
    with failures(label):
        file = _File.open(asset, max_bytes, lazy=lazy or chunks is not None)
        path = file.path_of(group)
        cube = file.dataset(path, chunks=chunks, decode=decode)
        if group is None and not cube.data_vars and file.contents.with_variables:
            raise empty_root(label, file.contents.with_variables, "netcdf-tree")
        return file.loaded([cube], max_bytes)[0]


def load_netcdf_tree(
    asset: AssetHandle,
    *,
    lazy: bool = False,
    chunks: Any = None,
    group: str | None = None,
    decode: bool = True,
    max_bytes: int = MAX_BYTES,
) -> xr.DataTree:
    """All groups of a netCDF file, or those below ``group``, as an ``xarray.DataTree``. Options as ``load_netcdf``."""
    import xarray as xr

    with failures(asset.asset.label):
        file = _File.open(asset, max_bytes, lazy=lazy or chunks is not None)
        top = file.path_of(group)
        paths = [path for path in file.contents.groups if not top or path == top or path.startswith(f"{top}/")]
        cubes = file.loaded([file.dataset(path, chunks=chunks, decode=decode) for path in paths], max_bytes)
        return xr.DataTree.from_dict({path[len(top) :] or "/": cube for path, cube in zip(paths, cubes, strict=True)})


@safely_shown
@dataclass(frozen=True, kw_only=True, repr=False)
class _File:
    """An opened file: its bytes, or where they are read, and what is in it."""

    label: str
    source: Any
    contents: Contents
    classic: bool
    lazy: bool

    @classmethod
    def open(cls, asset: AssetHandle, max_bytes: int, *, lazy: bool) -> _File:
        label, classic = asset.asset.label, is_classic(asset)
        if classic:
            # netCDF 3 has no chunks, so that reading it lazily gains little: it is read whole.
            source: Any = io.BytesIO(asset.bytes(max_bytes))
            return cls(label=label, source=source, contents=Contents(), classic=True, lazy=lazy)
        from splashdown_xarray._file import ExactFile

        source = ExactFile(asset) if lazy else io.BytesIO(asset.bytes(max_bytes))
        contents = read_contents(source, label)
        if contents.longest[0] > max_bytes:  # of it nothing may be stored
            raise LoadError(
                f"{label}: its coordinate {contents.longest[1]!r} takes {contents.longest[0]:,} bytes, more than"
                f" max_bytes={max_bytes:,}"
            )
        source.seek(0)
        return cls(label=label, source=source, contents=contents, classic=False, lazy=lazy)

    def path_of(self, group: str | None) -> str:
        """The group's path as the contents have it."""
        path = (group or "").strip("/")
        if path not in self.contents.groups:
            raise no_such_group(self.label, path, list(self.contents.groups))
        return path

    def dataset(self, path: str, *, chunks: Any, decode: bool) -> xr.Dataset:
        """One group; variables that xarray cannot hold are left out with a warning."""
        import xarray as xr

        options: dict[str, Any] = {"chunks": chunks, "decode_cf": decode, "decode_coords": "all" if decode else False}
        if self.classic:
            return xr.open_dataset(self.source, engine="scipy", **options)
        from splashdown_xarray._unwritten import FillingStore

        unheld = self.contents.unheld.get(path, [])
        if unheld:
            warnings.warn(
                f"{self.label}: {', '.join(unheld)} left out: lists of different lengths, or no value, which xarray"
                " cannot hold",
                stacklevel=4,
            )
        # Plain HDF5 leaves dimensions without names; h5netcdf gives them some as they are met.
        store = FillingStore.open(self.source, group=path or None, phony_dims="access")
        return xr.open_dataset(store, engine="store", drop_variables=unheld, **options)

    def loaded(self, cubes: list[xr.Dataset], max_bytes: int) -> list[xr.Dataset]:
        """The data in memory, unless they are read lazily. Compressed arrays may be far larger than the file."""
        size = sum(cube.nbytes for cube in cubes)
        if self.lazy:
            return cubes
        if size > max_bytes:
            raise LoadError(
                f"{self.label} unpacks to {size:,} bytes, more than max_bytes={max_bytes:,}: read it with lazy=True"
            )
        return [cube.load() for cube in cubes]


def is_classic(asset: AssetHandle) -> bool:
    """Whether the file is netCDF 3; it may be netCDF 4 else, and nothing more."""
    head = bytes(asset.read_range(0, 8))
    if head.startswith(b"CDF\x05"):
        raise LoadError(
            f"{asset.asset.label} is a netCDF file of the format CDF-5, which cannot be read here: convert it to"
            " netCDF 4"
        )
    if not head.startswith((_HDF5, *_CLASSIC)):
        raise LoadError(f"{asset.asset.label} is not a netCDF file: it begins with {head.hex(' ') or 'nothing'}")
    return head != _HDF5


@contextmanager
def failures(label: str) -> Iterator[None]:
    """Raise what h5py, h5netcdf, scipy and xarray raise as ``LoadError``."""
    try:
        yield
    except LoadError:
        raise
    except ImportError as error:
        raise LoadError(
            f"{label}: {error_text(error)}: pip install 'splashdown-xarray[classic]' for netCDF 3"
        ) from error
    except Exception as error:
        raise LoadError(f"{label} cannot be read as netCDF ({error_text(error)})") from error
