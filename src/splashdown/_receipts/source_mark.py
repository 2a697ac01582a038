"""What the metadata say of a file, in a form that a receipt can keep: a digest, because an href may hold a secret."""

from __future__ import annotations

import hashlib

from splashdown.model import Asset
from splashdown.redact import without_signature


def source_mark(asset: Asset) -> str | None:
    """A digest of the href without its signature, ``updated`` and ``file:size``; equal as long as these are.

    ``updated`` is the asset's, else its item's (STAC common metadata). ``None`` where there is none, because an href
    and a size say nothing about a change, and where the metadata promise a checksum, which says more.
    """
    if asset.checksum is not None:
        return None
    updated = asset.metadata.get("updated") or asset.properties.get("updated")
    if not isinstance(updated, str):
        return None
    said = repr((without_signature(asset.href), updated, asset.size))
    return hashlib.blake2b(said.encode(errors="backslashreplace"), digest_size=16).hexdigest()


def decoded_mark(asset: Asset) -> str | None:
    """A digest of the href, the size and the checksum, which may be of the encoded bytes of a file that was decoded.

    ``None`` where the metadata promise neither.
    """
    if asset.size is None and asset.checksum is None:
        return None
    said = repr((without_signature(asset.href), asset.size, asset.checksum))
    return hashlib.blake2b(said.encode(errors="backslashreplace"), digest_size=16).hexdigest()
