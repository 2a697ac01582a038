"""Lists the files in ZIP and TAR archives as assets in place of the archive."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from splashdown._derived.archives import Entry, Listing, kind_of, list_archive
from splashdown._derived.member_transport import MemberTransport
from splashdown._derived.sets import Derivation, Derived, Identity, derive
from splashdown._engine.concurrent import map_ordered
from splashdown._engine.remote import Remote
from splashdown._engine.remote_handle import RemoteHandle, open_asset
from splashdown._naming.names import href_name
from splashdown._stac.hrefs import TAR, ZIP, member_href, without_secrets
from splashdown.errors import LoadError, PluginError, TransferError, error_text
from splashdown.formats import FORMATS
from splashdown.model import Asset, ResultSet, Skipped
from splashdown.safe_names import safe_path, split_suffix

_log = logging.getLogger("splashdown")
_AT_A_TIME = 8
_TYPES = {extension: one.media_types[0] for one in FORMATS for extension in one.extensions if one.media_types}


def unpack_assets(base: ResultSet, assets: Sequence[Asset], remote: Remote) -> Derived:
    """Read the index of each archive, several at a time. One that cannot be read is a failure of the source."""
    archives = [(one, kind) for one in assets if (kind := kind_of(one))]
    found = map_ordered(lambda one: _look(one[0], one[1], remote), archives, _AT_A_TIME)
    transport, made = MemberTransport(), dict[Identity, list[Asset]]()
    origins, skipped, unresolved = dict[Identity, tuple[str, int]](), list[Skipped](), list[str]()
    for (asset, kind), one in zip(archives, found, strict=True):
        made[asset.identity] = []
        if isinstance(one, str):
            _log.warning("%s", one)
            unresolved.append(one)
            continue
        handle, listing = one
        for entry in listing.entries:
            member = _member(asset, entry, kind)
            transport.add(member.href, handle, entry, member.media_type)
            made[asset.identity].append(member)
            origins[member.identity] = (asset.label, handle.size)
        for path, reason in listing.refused:
            skipped.append(Skipped(asset=replace(asset, key=_key(asset, path)), reason=reason))
    how = Derivation(
        word="unpack",
        made=made,
        makers=transport,
        origins=origins,
        rewrite=lambda results, _: results,  # files that documents do not list are added to them in a receipt
        unresolved=tuple(unresolved),
    )
    chosen = [new for asset in assets for new in made.get(asset.identity, (asset,))]
    return Derived(result_set=derive(base, how), assets=chosen, skipped=skipped)


def _look(asset: Asset, kind: str, remote: Remote) -> tuple[RemoteHandle, Listing] | str:
    handle = open_asset(asset, remote)
    assert isinstance(handle, RemoteHandle)
    try:
        listing = list_archive(handle, kind)
        handle.forget_head()  # ten thousand archives would keep 64 KiB each
        return handle, listing
    except (LoadError, PluginError, TransferError, OSError) as error:
        return f"the archive cannot be read: {asset.label}: {error_text(error).removeprefix(f'{asset.label}: ')}"


def _member(asset: Asset, entry: Entry, kind: str) -> Asset:
    """The asset that stands for a file in an archive: it has the times, box and properties of the archive."""
    href, media_type = _href(asset, entry, kind), _TYPES.get(split_suffix(entry.path)[1].lower())
    metadata: dict[str, Any] = {"href": href, "file:size": entry.size}
    if media_type is not None:
        metadata["type"] = media_type
    if asset.roles:
        metadata["roles"] = list(asset.roles)
    return replace(
        asset,
        key=_key(asset, entry.path),
        href=href,
        media_type=media_type,
        size=entry.size,
        checksum=None,
        local_path=safe_path(entry.path),
        listed_as=None if asset.listed_as is None else f"{asset.listed_as}!/{entry.path}",
        metadata=metadata,
    )


def _key(asset: Asset, path: str) -> str:
    """``product.zip!/GRANULE/B04.jp2``: the archive by its file name, where its key is none."""
    named = asset.key if PurePosixPath(asset.key).suffix else href_name(asset.href) or asset.key
    return f"{named}!/{path}"


def _href(asset: Asset, entry: Entry, kind: str) -> str:
    """A name for the file that no transport but ours reads; it holds no signature of the archive's."""
    href = without_secrets(asset.href)
    said = "" if href == asset.href and "?" not in href else asset.href
    mark = hashlib.blake2b(said.encode(errors="backslashreplace"), digest_size=8).hexdigest() if said else ""
    return member_href(href, ZIP if kind == "zip" else TAR, entry.path, mark)
