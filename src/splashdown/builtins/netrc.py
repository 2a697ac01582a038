"""The signer ``netrc``: user and password of a netrc file, only for the origins that the user lists.

Sent as HTTP Basic (RFC 7617). Without ``origins`` it signs nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from splashdown.auth import Netrc
from splashdown.hookspecs import hookimpl
from splashdown.specs import SignerSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class NetrcOptions:
    """The file with the credentials, and the origins that get them."""

    origins: tuple[str, ...] = field(
        default=(), metadata={"help": "scheme://host[:port] to sign for; *. at the start of the host stands for labels"}
    )
    path: Path | None = field(default=None, metadata={"help": "the file; without it $NETRC or ~/.netrc"})


class NetrcSigner:
    """Gives the ``Authorization`` header for exactly the host of an href; the file is read once for each host."""

    def __init__(self, options: NetrcOptions) -> None:
        self._netrc = Netrc(path=options.path)
        self._headers: dict[str, Mapping[str, str]] = {}

    def sign(self, href: str) -> tuple[str, Mapping[str, str]]:
        """The href as it is, and the header. Raises :class:`~splashdown.errors.AuthError` for a host without entry."""
        host = urlsplit(href).hostname or ""
        if host not in self._headers:
            user, password = self._netrc.login(host)
            pair = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
            self._headers[host] = {"Authorization": f"Basic {pair}"}
        return href, self._headers[host]


@hookimpl
def splashdown_signers() -> Iterator[SignerSpec]:
    """Offer the signer."""
    yield SignerSpec(
        name="netrc",
        create=NetrcSigner,
        options=NetrcOptions,
        summary="user and password from a netrc file, for the origins that its options list",
    )
