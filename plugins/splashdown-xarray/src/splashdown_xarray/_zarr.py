"""Zarr to xarray: a store is a folder of objects, each read over the transports when it is needed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from splashdown.errors import LoadError, SplashdownError, error_text
from splashdown.protocols import AssetHandle, SupportsSiblings
from splashdown_xarray._contents import Contents, empty_root, no_such_group

if TYPE_CHECKING:
    import xarray as xr

    from splashdown_xarray._store import SiblingStore

#: Statuses of HTTP that say that there is no such object.
_ABSENT = (404, 410)
#: Most of one coordinate: a year of seconds fits, and one object for each hour of a century.
_COORDINATE_BYTES, _COORDINATE_CHUNKS = 1024**3, 1_000_000
#: Objects of an Icechunk repository, of its versions 2 and 1.
_ICECHUNK = ("repo", "refs/branch.main/ref.json")


def load_zarr(
    asset: AssetHandle,
    *,
    chunks: Any = None,
    group: str | None = None,
    decode: bool = True,
    zarr_format: Literal[2, 3] | None = None,
    absent: Collection[int] = _ABSENT,
) -> xr.Dataset:
    """A Zarr store (version 2 or 3) below the asset's href as a Dataset, with ``crs`` and bounds as coordinates.

    Only metadata is read; chunks follow when they are computed. ``chunks`` (as of xarray) uses Dask. ``group`` picks
    one group (``"/"`` the root). ``zarr_format`` is found out if it is not given. ``absent`` are the statuses that
    mean "there is no such chunk": a store that may not be listed answers 403, which else is an error. Raises
    ``LoadError`` for a store that is not Zarr, and where the href cannot be extended (a signed one is for one object).
    """
    import xarray as xr

    label, store = asset.asset.label, store_of(asset, absent)
    with store_failures(asset, store):
        contents = contents_of(store, label, zarr_format)
        options: dict[str, Any] = {"chunks": chunks, "group": _path_of(contents, label, group)}
        cube: xr.Dataset = xr.open_zarr(store, **options, **_decoding(decode), **_opening(zarr_format))
        if group is None and not cube.data_vars and contents.with_variables:
            raise empty_root(label, contents.with_variables, "zarr-tree")
    return cube


def load_zarr_tree(
    asset: AssetHandle,
    *,
    chunks: Any = None,
    group: str | None = None,
    decode: bool = True,
    zarr_format: Literal[2, 3] | None = None,
    absent: Collection[int] = _ABSENT,
) -> xr.DataTree:
    """All groups of a Zarr store, or those below ``group``, as an ``xarray.DataTree``. Options as ``load_zarr``."""
    import xarray as xr

    label, store = asset.asset.label, store_of(asset, absent)
    with store_failures(asset, store):
        contents = contents_of(store, label, zarr_format)
        options: dict[str, Any] = {"chunks": chunks, "group": _path_of(contents, label, group)}
        source: Any = store  # xarray's types do not name Zarr's stores
        return xr.open_datatree(source, engine="zarr", **options, **_decoding(decode), **_opening(zarr_format))


def store_of(asset: AssetHandle, absent: Collection[int] = _ABSENT) -> SiblingStore:
    """The objects below an asset, as zarr reads them."""
    if not isinstance(asset, SupportsSiblings):
        raise LoadError(f"{asset.asset.label}: a Zarr store needs a source whose objects can be read below its href")
    from splashdown_xarray._store import SiblingStore

    return SiblingStore(asset, asset.asset.label, absent)


def _decoding(decode: bool) -> dict[str, Any]:
    return {"decode_cf": decode, "decode_coords": "all" if decode else False}


def _opening(zarr_format: int | None) -> dict[str, Any]:
    # Without consolidated metadata the store would have to be listed, which HTTP cannot do.
    return {"consolidated": True, "zarr_format": zarr_format}


def _path_of(contents: Contents, label: str, group: str | None) -> str | None:
    """The path of a group that exists, as xarray takes it."""
    path = (group or "").strip("/")
    if path not in contents.groups:
        raise no_such_group(label, path, list(contents.groups))
    return path or None


def contents_of(store: SiblingStore, label: str, zarr_format: int | None) -> Contents:
    """Groups with their arrays. Raises ``LoadError`` for coordinates that would take too long or too much to open."""
    import zarr

    # Typed by hand: zarr takes the format as a literal, and members() yields arrays and groups.
    form: Any = zarr_format
    root = zarr.open_group(store, mode="r", use_consolidated=True, zarr_format=form)
    found = Contents()
    for path, item in root.members(max_depth=None):
        if isinstance(item, zarr.Group):
            found.groups.setdefault(path, [])
            continue
        holder, _, name = path.rpartition("/")
        found.groups.setdefault(holder, []).append(name)
        if _dimensions(item) == [name]:
            _check_coordinate(item, path, label)
    return found


def _dimensions(array: Any) -> list[str]:
    named = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS", ())
    return list(named)


def _check_coordinate(array: Any, path: str, label: str) -> None:
    """Refuse what is too much: xarray reads coordinates of dimensions when it opens a store, missing chunks too."""
    if array.nbytes > _COORDINATE_BYTES or array.nchunks > _COORDINATE_CHUNKS:
        raise LoadError(
            f"{label}: its coordinate {path!r} takes {array.nbytes:,} bytes in {array.nchunks:,} chunks, more than the"
            f" {_COORDINATE_BYTES:,} bytes and {_COORDINATE_CHUNKS:,} chunks that are read at once: refused"
        )


@contextmanager
def store_failures(asset: AssetHandle, store: SiblingStore) -> Iterator[None]:
    """Raise what zarr and xarray raise as ``LoadError``."""
    label = asset.asset.label
    try:
        yield
    except LoadError:
        raise
    except Exception as error:
        _refuse_other_kinds(asset)
        unconsolidated = ".zmetadata" in str(error) or "onsolidated" in str(error)
        if store.forbidden and (unconsolidated or isinstance(error, FileNotFoundError)):
            raise LoadError(
                f"{label}: the server forbids its metadata ({error_text(store.forbidden)}): check the credentials"
            ) from error
        if unconsolidated:
            raise LoadError(
                f"{label} has no consolidated metadata, without which a store would have to be listed, and servers have"
                " no listing: have it written with zarr.consolidate_metadata()"
            ) from error
        raise LoadError(f"{label} cannot be read as Zarr ({error_text(error)})") from error


def _refuse_other_kinds(asset: AssetHandle) -> None:
    """Name what is not a Zarr store but is often called one."""
    from splashdown_xarray._store import references

    label = asset.asset.label
    if b'"refs"' in (head := _peek(asset)) or b'".zgroup"' in head:
        raise references(label)
    if isinstance(asset, SupportsSiblings) and any(_peek(asset, name) for name in _ICECHUNK):
        raise LoadError(
            f"{label} is an Icechunk repository, which keeps versions of a Zarr store: open it with icechunk"
            " (pip install icechunk) and xarray.open_zarr(session.store)"
        )


def _peek(asset: Any, name: str = "") -> bytes:
    """The first bytes of the asset, or of an object below it; none where it cannot be read."""
    try:
        return bytes((asset.sibling(name) if name else asset).read_range(0, 4096))
    except SplashdownError:
        return b""
