"""Signs blobs of Microsoft's Planetary Computer for Splashdown, with tokens of the ``planetary-computer`` package.

That package is imported when the first blob is signed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from splashdown.hookspecs import hookimpl
from splashdown.specs import SignerSpec
from splashdown_planetary_computer._signer import BlobSigner

__all__ = ["BlobSigner", "PlanetaryComputerOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanetaryComputerOptions:
    """Which blobs are signed."""

    origins: tuple[str, ...] = ("https://*.blob.core.windows.net",)


def _create(options: PlanetaryComputerOptions) -> BlobSigner:  # noqa: ARG001 - a signer spec's signature
    return BlobSigner()


@hookimpl
def splashdown_signers() -> Iterable[SignerSpec]:
    """Blobs of the Planetary Computer."""
    yield SignerSpec(
        name="planetary_computer",
        create=_create,
        options=PlanetaryComputerOptions,
        summary="blobs of Microsoft's Planetary Computer, by SAS tokens",
    )
