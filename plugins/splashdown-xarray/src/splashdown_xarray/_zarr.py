"""Zarr to xarray: a store is a folder of objects, each read over the transports when it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from splashdown.errors import LoadError, error_text
from splashdown.protocols import AssetHandle, SupportsSiblings

if TYPE_CHECKING:
    import xarray as xr


def load_zarr(asset: AssetHandle, *, chunks: Any = None, group: str | None = None, decode: bool = True) -> xr.Dataset:
    """A Zarr store (version 2 or 3) below the asset's href as a Dataset, with ``crs`` and bounds as coordinates.

    Only metadata is read; chunks follow when they are computed. ``chunks`` (as of xarray) uses Dask. Raises
    ``LoadError`` for a store that is not Zarr, and where the href cannot be extended (a signed one is for one object).
    """
    import xarray as xr

    label = asset.asset.label
    if not isinstance(asset, SupportsSiblings):
        raise LoadError(f"{label}: a Zarr store needs a source whose objects can be read below its href")
    from splashdown_xarray._store import SiblingStore

    try:
        coords: Any = "all" if decode else False
        store = SiblingStore(asset, label)
        # Without consolidated metadata the store would have to be listed, which HTTP cannot do.
        options: dict[str, Any] = {"chunks": chunks, "group": group, "consolidated": True}
        cube: xr.Dataset = xr.open_zarr(store, decode_cf=decode, decode_coords=coords, **options)
    except LoadError:
        raise
    except Exception as error:
        if ".zmetadata" in str(error) or "onsolidated" in str(error):
            raise LoadError(
                f"{label} has no consolidated metadata, without which a store would have to be listed, and servers have"
                " no listing: have it written with zarr.consolidate_metadata()"
            ) from error
        raise LoadError(f"{label} cannot be read as Zarr ({error_text(error)})") from error
    return cube
