"""The part of a netCDF file or a Zarr store that lies in an area, as a netCDF 4 file. No value is resampled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from splashdown.clipping import Area, Clip
from splashdown.errors import LoadError, TransferError
from splashdown.protocols import AssetHandle
from splashdown_xarray._contents import read_contents
from splashdown_xarray._cut import Cut, cut, without_known_crs
from splashdown_xarray._netcdf import failures, is_classic
from splashdown_xarray._write import Cube, check_size, write_netcdf
from splashdown_xarray._zarr import contents_of, store_failures, store_of

if TYPE_CHECKING:
    from splashdown_xarray._file import ExactFile

_MEDIA_TYPE = "application/netcdf"
#: Errors that may stand between that of a transfer and the one that a library makes of it.
_DEEP = 10
#: What STAC says of the grid and the extent of the whole cube.
_STALE = (
    *("proj:shape", "proj:transform", "proj:bbox", "proj:geometry", "proj:centroid"),
    *("cube:dimensions", "cube:variables"),
)


def clip_netcdf(asset: AssetHandle, area: Area) -> Clip | None:
    """The cells of a netCDF file that an area touches; ``None`` where it touches none.

    Its structure and its coordinates are read for that. Raises ``LoadError`` for a file that is not netCDF, or whose
    grid an area in degrees has no place in.
    """
    label = asset.asset.label
    with _as_load_errors(label):
        file = None if is_classic(asset) else _exact(asset)
        with _opened(asset, file) as cube:
            found = cut(cube.variables, area, label)
            if found is None:
                return None
            check_size(cube, found)
    if file is not None:
        file.keep_few()

    def write(path: Path) -> None:
        with _as_load_errors(label), _opened(asset, file) as cube:
            write_netcdf(path, cube, found)

    return _clip_of(asset, found, write)


def clip_zarr(asset: AssetHandle, area: Area) -> Clip | None:
    """The same of a Zarr store, in one netCDF file. Its consolidated metadata and its coordinates are read first."""
    label = asset.asset.label
    with _as_load_errors(label), _opened_store(asset) as cube:
        found = cut(cube.variables, area, label)
        if found is None:
            return None
        check_size(cube, found)

    def write(path: Path) -> None:
        with _as_load_errors(label), _opened_store(asset) as cube:
            write_netcdf(path, cube, found)

    return replace(_clip_of(asset, found, write), store=True)


def _clip_of(asset: AssetHandle, found: Cut, write: Callable[[Path], object]) -> Clip:
    runs = {str(dim): [(run.start, run.stop) for run in runs] for dim, runs in found.runs.items()}
    return Clip(
        media_type=_MEDIA_TYPE,
        extension=".nc",
        recipe=f"netcdf/1 {sorted(runs.items())}",
        write=write,
        bbox=found.bbox,
        metadata=without_known_crs(found.metadata, asset.asset.metadata, asset.asset.properties),
        stale=_STALE,
    )


@contextmanager
def _as_load_errors(label: str) -> Iterator[None]:
    """Errors of the libraries as ``LoadError``; those of a transfer stay what they are, through whatever they came."""
    try:
        with failures(label):
            yield
    except LoadError as error:
        cause: BaseException | None = error
        for _ in range(_DEEP):
            if isinstance(cause, TransferError):
                raise cause from None
            cause = cause and (cause.__cause__ or cause.__context__)
        raise


def _exact(asset: AssetHandle) -> ExactFile:
    from splashdown_xarray._file import ExactFile

    return ExactFile(asset)


@contextmanager
def _opened(asset: AssetHandle, file: ExactFile | None) -> Iterator[Cube]:
    """The variables as they are stored. netCDF 3 has no chunks: it is read whole, into a temporary file."""
    label = asset.asset.label
    if file is None:
        from xarray.backends import ScipyDataStore

        store: object = ScipyDataStore(str(asset.path()))
    else:
        from splashdown_xarray._unwritten import FillingStore

        contents = read_contents(file, label)
        if inner := contents.with_variables:
            raise LoadError(f"{label}: it has variables in groups ({', '.join(inner[:4])}), which clips do not keep")
        if unheld := contents.unheld.get("", []):
            raise LoadError(f"{label}: a clip cannot keep {', '.join(unheld[:4])}: lists of different lengths")
        file.seek(0)
        store = FillingStore.open(file, phony_dims="access")
    try:
        variables, attrs = store.load()  # type: ignore[attr-defined]
        unlimited = frozenset(store.get_encoding().get("unlimited_dims", ()))  # type: ignore[attr-defined]
        yield Cube(label=label, variables=variables, attrs=attrs, unlimited=unlimited)
    finally:
        store.close()  # type: ignore[attr-defined]


@contextmanager
def _opened_store(asset: AssetHandle) -> Iterator[Cube]:
    from xarray.backends import ZarrStore

    label, objects = asset.asset.label, store_of(asset)
    with store_failures(asset, objects):
        if inner := contents_of(objects, label, None).with_variables:
            raise LoadError(f"{label}: it has variables in groups ({', '.join(inner[:4])}), which clips do not keep")
        store = ZarrStore.open_group(objects, mode="r", consolidated=True)
        variables, attrs = store.load()
        yield Cube(label=label, variables=variables, attrs=attrs, unlimited=frozenset())
