"""Finds what of each asset lies in an area: the assets to read in place of them, and why others are left out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from splashdown._derived.clip_transport import ClipSource, ClipTransport
from splashdown._derived.clipped_documents import rewrite
from splashdown._derived.sets import Derivation, Derived, Identity, derive
from splashdown._engine.concurrent import map_ordered
from splashdown._engine.remote import Remote
from splashdown._naming.names import href_name, openeo_name
from splashdown._plugins.loaders import Loaders
from splashdown._stac.hrefs import clip_href, without_secrets
from splashdown.clipping import Area, Clip, rectangle
from splashdown.errors import LoadError, NoProviderError, OptionError, PluginError, TransferError
from splashdown.model import Asset, ResultSet, Skipped
from splashdown.safe_names import split_suffix

#: Headers that are read at a time: their readers wait for the network.
_AT_A_TIME = 8
#: So many files stay open between the look at their headers and the transfer; a header takes 64 KiB.
_KEPT_OPEN = 200
#: What an asset object says of the whole file, and not of a part of it.
_OF_WHOLE = frozenset({"file:size", "file:checksum", "checksum:multihash", "file:local_path", "alternate", "bbox"})
_BANDS = ("raster:bands", "bands", "eo:bands")
_OF_WHOLE_BAND = frozenset({"statistics", "histogram"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    asset: Asset
    source: ClipSource
    size: int


def clip_assets(base: ResultSet, assets: Sequence[Asset], area: Area, remote: Remote, loaders: Loaders) -> Derived:
    """Look at each asset's header, several at a time; assets whose box is beside the area are not looked at."""
    found = map_ordered(lambda asset: _look(asset, area, remote, loaders), assets, _AT_A_TIME)
    transport = ClipTransport()
    made: dict[Identity, list[Asset]] = {}
    origins: dict[Identity, tuple[str, int]] = {}
    skipped, kept = list[Skipped](), list[Asset]()
    for asset, one in zip(assets, found, strict=True):
        if isinstance(one, str):
            skipped.append(Skipped(asset=asset, reason=one))
            continue
        if len(kept) >= _KEPT_OPEN:
            one.source.forget()
        transport.add(one.asset.href, one.source)
        made[asset.identity] = [one.asset]
        origins[one.asset.identity] = (asset.label, one.size)
        kept.append(one.asset)
    how = Derivation(word="clip", made=made, makers=transport, origins=origins, rewrite=rewrite)
    return Derived(result_set=derive(base, how), assets=kept, skipped=skipped)


def _look(asset: Asset, area: Area, remote: Remote, loaders: Loaders) -> _Found | str:
    """What takes the place of an asset, or why nothing does."""
    if not area.meets(asset.bbox):
        return "its footprint does not meet the area"
    source = ClipSource(asset=asset, area=area, remote=remote, loaders=loaders)
    try:
        opened = source.look()
    except NoProviderError as error:
        _, advice, package = str(error).partition("pip install ")
        return f"it cannot be clipped: no installed plugin reads its format{f'; {advice}{package}' if advice else ''}"
    except (LoadError, OptionError, PluginError) as error:
        return f"it cannot be clipped: {' '.join(str(error).split()).removeprefix(f'{asset.label}: ')}"
    except (TransferError, OSError):
        # The run meets the error again, with its retries, and reports it as that of a transfer.
        return _Found(asset=_described(asset, None, area), source=source, size=asset.size or 0)
    if opened is None:
        return "its pixels do not meet the area"
    handle, clip = opened
    size = (asset.size or 0) if clip.store else handle.size
    return _Found(asset=_described(asset, clip, area), source=source, size=size)


def _described(asset: Asset, clip: Clip | None, area: Area) -> Asset:
    """The asset that stands for a clip; without one, for what could not be looked at."""
    bbox = area.bbox if clip is None or clip.bbox is None else clip.bbox
    extension = split_suffix(href_name(asset.href))[1] if clip is None else clip.extension
    recipe = "" if clip is None else clip.recipe
    media_type = asset.media_type if clip is None else clip.media_type
    href = _href(asset, extension, recipe)
    metadata = {
        **_part_of(asset.metadata, () if clip is None else clip.stale),
        **({} if clip is None else clip.metadata),
    }
    if media_type is not None:
        metadata["type"] = media_type
    return replace(
        asset,
        href=href,
        media_type=media_type,
        size=None,
        checksum=None,
        local_path=_local_path(asset, extension),
        bbox=bbox,
        geometry=rectangle(bbox),
        metadata=metadata,
    )


def _href(asset: Asset, extension: str, recipe: str) -> str:
    """A name for the new file that no transport but ours reads: its path has the extension, and holds no signature."""
    said = repr((asset.identity, asset.href, recipe))
    mark = hashlib.blake2b(said.encode(errors="backslashreplace"), digest_size=8).hexdigest()
    stem = PurePosixPath(href_name(asset.href) or "clip").stem
    return clip_href(without_secrets(asset.href), f"{stem}{extension}", mark)


def _local_path(asset: Asset, extension: str) -> str | None:
    """The name that the file gets where it would otherwise have the extension of the whole file's format."""
    named = asset.local_path or openeo_name(asset.listed_as or asset.key, asset.href, asset.media_type)
    stem, own = split_suffix(named)
    if not extension or not own or own.lower() == extension.lower() or {own.lower(), extension} <= {".tif", ".tiff"}:
        return asset.local_path
    return stem + extension


def _part_of(metadata: Mapping[str, Any], stale: Sequence[str]) -> dict[str, Any]:
    """An asset object without what it says of the whole file."""
    found = {name: value for name, value in metadata.items() if name not in _OF_WHOLE and name not in stale}
    for name in _BANDS:
        bands = found.get(name)
        if isinstance(bands, list | tuple):
            found[name] = [
                {k: v for k, v in band.items() if k not in _OF_WHOLE_BAND} if isinstance(band, Mapping) else band
                for band in bands
            ]
    return found
