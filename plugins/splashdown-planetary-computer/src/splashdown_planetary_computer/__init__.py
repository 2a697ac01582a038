"""Signs blobs of Microsoft's Planetary Computer for Splashdown, with tokens of its service.

The ``planetary-computer`` package, which knows the settings of that service, is imported when the first blob is signed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from splashdown.hookspecs import hookimpl
from splashdown.http import OF_SESSION, HttpOptions
from splashdown.redact import safely_shown
from splashdown.specs import SignerSpec
from splashdown_planetary_computer._signer import BlobSigner

__all__ = ["BlobSigner", "PlanetaryComputerOptions"]


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PlanetaryComputerOptions:
    """Which blobs are signed, and by which service. Without a key and a URL, those of the package hold."""

    origins: tuple[str, ...] = ("https://*.blob.core.windows.net",)
    subscription_key: str | None = field(
        default=None, repr=False, metadata={"secret": True, "help": "else PC_SDK_SUBSCRIPTION_KEY"}
    )
    sas_url: str | None = field(default=None, metadata={"help": "the service of tokens; else PC_SDK_SAS_URL"})
    http: HttpOptions | None = field(default=None, repr=False, compare=False, metadata=OF_SESSION)


def _create(options: PlanetaryComputerOptions) -> BlobSigner:
    return BlobSigner(subscription_key=options.subscription_key, sas_url=options.sas_url, http=options.http)


@hookimpl
def splashdown_signers() -> Iterable[SignerSpec]:
    """Blobs of the Planetary Computer."""
    yield SignerSpec(
        name="planetary_computer",
        create=_create,
        options=PlanetaryComputerOptions,
        summary="blobs of Microsoft's Planetary Computer, by SAS tokens",
    )
