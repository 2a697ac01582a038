"""Compares the bytes that came with what was promised, before the file gets its name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from splashdown._engine.decoding import Decoding
from splashdown._engine.settings import Settings
from splashdown.checksums import STRENGTH, Digests, Multihash, digests_for, understood
from splashdown.errors import ChecksumError
from splashdown.model import Asset, RemoteInfo


class Expectation:
    """What the metadata and the server promise of the bytes of one file."""

    def __init__(self, asset: Asset, info: RemoteInfo, settings: Settings) -> None:
        self._label = asset.label
        self._size = asset.size if settings.verify else None
        self._server_size = info.size
        self._checksum = understood(asset.checksum) if settings.verify else None
        # A digest of the server's is the second choice: it may be of bytes that are damaged already.
        self._server_digest = None if self._checksum else _strongest(info.digests)
        self._else_computed = settings.checksum
        if self._size is not None and self._server_size is not None and self._size != self._server_size:
            raise ChecksumError(
                f"{self._label}: file:size says {self._size} bytes, the server has {self._server_size}; "
                "the metadata or the file is out of date; verify=False stores it all the same"
            )

    @property
    def binding(self) -> bool:
        """Whether a digest has to match."""
        return self._checksum is not None or self._server_digest is not None

    def digests(self) -> Digests:
        """Hashers for one pass over the bytes."""
        expected = [one for one in (self._checksum, self._server_digest) if one is not None]
        return digests_for(expected, self._else_computed)

    def check(self, size: int, digests: Digests, decoding: Decoding | None = None) -> tuple[str, ...]:
        """What could be checked. Raises ``ChecksumError`` for bytes that are not what was promised.

        Of a body that was decoded, metadata may describe the encoded bytes (``decoding``) as well.
        """
        verified = []
        if decoding is not None:
            if decoding.is_whole:
                verified.append("length")
            if self._size == decoding.size:
                size = decoding.size
        for promised, name, who in ((self._server_size, "length", "the server"), (self._size, "size", "file:size")):
            if promised is not None:
                if promised != size:
                    raise ChecksumError(f"{self._label}: {size} bytes came, {who} says {promised}; nothing was kept")
                verified.append(name)
        for expected, name, who in (
            (self._checksum, "checksum", "file:checksum"),
            (self._server_digest, "digest", "the server's digest"),
        ):
            if expected is not None and (good := digests.matches(expected)) is not None:
                if not good and not (decoding is not None and decoding.digests.matches(expected)):
                    raise ChecksumError(
                        f"{self._label}: the {expected.name} of the bytes is not that of {who}; nothing was kept"
                    )
                verified.append(name)
        return _checks(*verified)


@cache
def _checks(*names: str) -> tuple[str, ...]:
    """One object for each of the few combinations, which stand in every outcome of a run."""
    return names


def _strongest(digests: Mapping[str, str]) -> Multihash | None:
    if not digests:
        return None
    found = [one for digest in digests.values() if (one := understood(digest)) is not None]
    order = {name: number for number, name in enumerate(STRENGTH)}
    return min(found, key=lambda one: order.get(one.name, len(order)), default=None)
