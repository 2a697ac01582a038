"""ResultAsset: one asset of some results, with the methods that openEO users know."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from splashdown._naming.names import assign_names
from splashdown._plugins.keyword_types import FileKeywords
from splashdown._plugins.signatures import describes, loaders_of, options_of_loaders, shows
from splashdown.redact import redact

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from splashdown.model import Asset
    from splashdown.protocols import AssetHandle
    from splashdown.results import JobResults

__all__ = ["ResultAsset", "ResultAssets"]


class ResultAsset:
    """One asset of some results, and what can be done with it."""

    def __init__(self, results: JobResults, asset: Asset) -> None:
        self.results = results
        self.asset = asset

    @property
    def key(self) -> str:
        """The asset's key in its item or collection."""
        return self.asset.key

    @property
    def href(self) -> str:
        """Where the asset is read; may hold a signature."""
        return self.asset.href

    @property
    def item(self) -> str | None:
        """The id of the item that it belongs to, if any."""
        return self.asset.item

    @property
    def media_type(self) -> str | None:
        """The advertised media type."""
        return self.asset.media_type

    @property
    def roles(self) -> tuple[str, ...]:
        """The asset's roles: ``data``, ``metadata``, ``thumbnail``, ..."""
        return self.asset.roles

    @property
    def size(self) -> int | None:
        """Bytes, where the metadata says."""
        return self.asset.size

    @property
    def checksum(self) -> str | None:
        """The multihash of the file in hex, where the metadata says."""
        return self.asset.checksum

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The asset object of the STAC document."""
        return self.asset.metadata

    @property
    def name(self) -> str:
        """The file name that the asset gets when it is saved by itself; safe on every system."""
        return assign_names((self.asset,))[0].rpartition("/")[2]

    def __repr__(self) -> str:
        kind = f" type {self.media_type}" if self.media_type else ""
        return f"<ResultAsset {self.asset.label!r}{kind} at {redact(self.href)}>"

    def _repr_html_(self) -> str:
        """The asset in a notebook."""
        from splashdown._display.values import asset_html

        return asset_html(self.asset, self.results._thumbnails([self.asset]))  # noqa: SLF001 - the results are ours

    @shows(FileKeywords)
    def download(self, target: str | Path | None = None, **options: Unpack[FileKeywords]) -> Path | str:
        """Save the asset to a file, or into an existing folder; returns the path (or URL).

        Options are those of :meth:`JobResults.download_file`.
        """
        return self.results.of(self.asset).download_file(target, **options)

    def open(self) -> AssetHandle:
        """A handle that reads the asset piece by piece, over the session's own connections."""
        return self.results.handle(self.asset)

    @describes("results.session.registry", options_of_loaders, loaders_of)
    def load(self, loader: str | None = None, **options: Any) -> Any:
        """Make a Python object of the asset: by its media type, its file extension or its first bytes.

        ``loader`` names one instead. Raises :class:`~splashdown.errors.NoProviderError` when nothing installed
        fits, and :class:`~splashdown.errors.LoadError` when the file cannot be read as what it claims to be.
        """
        from splashdown._plugins.loaders import load

        # The handle is not closed here: a lazy object goes on reading through it.
        loaded = load(self.open(), self.results.session.registry, loader, **options)
        self.results._copies.keep(self.asset.identity, loaded)  # noqa: SLF001 - the results are ours
        return loaded

    def load_json(self, **options: Any) -> Any:
        """The asset as parsed JSON."""
        return self.load("json", **options)

    def load_bytes(self, **options: Any) -> bytes:
        """The asset's bytes, all in memory."""
        return bytes(self.load("bytes", **options))

    def load_text(self, **options: Any) -> str:
        """The asset as text (UTF-8 unless ``encoding`` says otherwise)."""
        return str(self.load("text", **options))

    def load_geotiff(self, **options: Any) -> xr.DataArray:
        """A GeoTIFF, or a part of it, as an ``xarray.DataArray`` (band, y, x); needs ``splashdown-geotiff``.

        Options: ``bands``, ``bbox`` with ``bbox_crs``, ``window``, ``overview`` or ``resolution``, ``masked``,
        ``scaled``, ``chunks`` (lazy, with Dask), ``max_bytes``, ``engine``.
        """
        array: xr.DataArray = self.load("geotiff", **options)
        return array

    def load_numpy(self, **options: Any) -> NDArray[Any]:
        """The pixels of a GeoTIFF as a numpy array, with ``masked=True`` a masked one; options as for GeoTIFF."""
        array: NDArray[Any] = self.load("numpy", **options)
        return array

    def open_geotiff(self, **options: Any) -> Any:
        """A GeoTIFF opened for many reads: ``.shape``, ``.bands``, ``.crs``, ..., and ``.read(...)``."""
        return self.load("geotiff-handle", **options)


class ResultAssets(list[ResultAsset]):
    """The assets of some results: a list, which in a notebook is a table."""

    def _repr_html_(self) -> str:
        """The assets in a notebook."""
        from splashdown._display.values import assets_html

        return assets_html([one.asset for one in self])
