"""The engine ``splashdown`` of ``xarray.open_dataset``: assets are opened by the loaders, over the transports.

xarray imports this module with its other engines whenever it opens something, so it has to stay cheap.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from xarray.backends import BackendEntrypoint

if TYPE_CHECKING:
    import xarray as xr

    from splashdown import ResultAsset, Session

#: May stand before a source, so that a string says which engine it is for.
_PREFIX = "splashdown:"
#: Options of xarray that say how stored values are decoded.
_DECODERS = ("mask_and_scale", "decode_times", "concat_characters", "use_cftime", "decode_timedelta")


class SplashdownBackend(BackendEntrypoint):
    """Opens a ``ResultAsset``, or an asset of a source (a URL, a path, a STAC document) by its ``key``."""

    description = "Open assets of openEO results and STAC documents with Splashdown"
    open_dataset_parameters = (
        *("filename_or_obj", "drop_variables", *_DECODERS, "decode_coords"),
        *("key", "loader", "auth", "session", "group", "loader_options"),
    )

    def open_dataset(
        self,
        filename_or_obj: Any,
        *,
        drop_variables: str | Iterable[str] | None = None,
        key: str | None = None,
        loader: str | None = None,
        auth: object = None,
        session: Session | None = None,
        group: str | None = None,
        loader_options: dict[str, Any] | None = None,
        decode_coords: Any = None,
        **decoders: Any,
    ) -> xr.Dataset:
        """The dataset of an asset, read lazily where its loader can.

        ``key`` picks the asset of a source, with ``auth`` and ``session`` as for ``splashdown.open``. ``loader`` and
        ``loader_options`` are for other formats than netCDF and Zarr; an array becomes the variable ``band_data``.
        """
        import xarray as xr

        from splashdown.errors import LoadError
        from splashdown.redact import redact

        asset = _asset(filename_or_obj, key, auth=auth, session=session)
        options = dict(loader_options or {})
        if group is not None:
            options["group"] = group
        name = loader or _lazy_loader(asset)
        if name in {"netcdf", "zarr"}:
            # Stored values: what the caller says of decoding is applied here.
            options |= {"decode": False} | ({"lazy": True} if name == "netcdf" else {})
        loaded: object = asset.load(name, **options)
        if isinstance(loaded, xr.DataArray):
            loaded = loaded.to_dataset(name="band_data")
        if not isinstance(loaded, xr.Dataset):
            raise LoadError(f"{asset.asset.label}: the loader returned {type(loaded).__name__}, not a dataset")
        if name in {"netcdf", "zarr"}:
            coords: Any = "all" if decode_coords is None else decode_coords
            loaded = xr.decode_cf(loaded, decode_coords=coords, drop_variables=drop_variables, **decoders)
        elif drop_variables is not None:
            named = [drop_variables] if isinstance(drop_variables, str) else list(drop_variables)
            loaded = loaded.drop_vars(named, errors="ignore")
        # Else xarray would note what it was given, and a URL may hold a signature.
        loaded.encoding["source"] = redact(asset.href)
        return loaded

    def guess_can_open(self, filename_or_obj: Any) -> bool:
        """Whether this is an asset of ours: then ``engine=`` is not needed."""
        return _is_asset(filename_or_obj)


def _is_asset(given: object) -> bool:
    module = sys.modules.get("splashdown.result_asset")  # imported by whoever has made one
    return module is not None and isinstance(given, module.ResultAsset)


def _asset(given: Any, key: str | None, *, auth: object, session: Session | None) -> ResultAsset:
    import splashdown

    if isinstance(given, splashdown.ResultAsset):
        return given
    if not isinstance(given, splashdown.JobResults):
        source = given.removeprefix(_PREFIX) if isinstance(given, str) else given
        given = (session or splashdown).open(source, auth=auth)
    asset: ResultAsset = given.get_asset(key)
    return asset


def _lazy_loader(asset: ResultAsset) -> str | None:
    """The name of our own loader that reads this asset lazily; ``None`` leaves the choice to the media type."""
    from splashdown.formats import NETCDF
    from splashdown.sources import bare_href

    kind = (asset.media_type or "").partition(";")[0].strip().lower()
    if "zarr" in kind or bare_href(asset.href).rstrip("/").endswith(".zarr"):
        return "zarr"
    if kind in NETCDF.media_types or asset.open().read_range(0, 8).tobytes().startswith(NETCDF.first_bytes):
        return "netcdf"
    return None
