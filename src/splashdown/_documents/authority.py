"""Credentials of one origin, for requests of documents."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from splashdown.errors import UsageError

_TOKEN = re.compile(r"[\x21-\x7e]+")


class Authority(Protocol):
    """Knows the credentials of one origin."""

    def headers(self, url: str) -> Mapping[str, str]:
        """The headers to send to ``url``; empty for an origin that is not its own."""

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Get a new token after the one in these headers was refused; false when there is none."""

    def serves(self, url: str) -> bool:
        """Whether there may ever be headers for URLs of this origin."""


class Anonymous:
    """No credentials."""

    def headers(self, url: str) -> Mapping[str, str]:  # noqa: ARG002 - the protocol's name
        """Nothing, for any URL."""
        return {}

    def serves(self, url: str) -> bool:  # noqa: ARG002 - the protocol's name
        """Never."""
        return False

    def renew(self, refused: Mapping[str, str]) -> bool:  # noqa: ARG002 - the protocol's name
        """Nothing to renew."""
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginSigner:
    """The :class:`~splashdown.protocols.Signer` over an authority, for the assets of the same origin."""

    authority: Authority = field(repr=False)

    def sign(self, href: str) -> tuple[str, Mapping[str, str]]:
        """The href itself and the headers for it; no headers outside the API's origin."""
        return href, self.authority.headers(href)

    def serves(self, href: str) -> bool:
        """Whether hrefs of this origin may need credentials."""
        return self.authority.serves(href)

    def renew(self, href: str, refused: Mapping[str, str]) -> Mapping[str, str]:
        """Other headers for an href after these were refused; empty when there are none."""
        return renewed(self.authority, href, refused)


def renewed(authority: Authority, url: str, refused: Mapping[str, str]) -> Mapping[str, str]:
    """The headers of an authority in place of those that were refused; empty when it has no others for this URL."""
    own = authority.headers(url)
    if not own or (own == refused and not authority.renew(refused)):
        return {}
    own = authority.headers(url)
    return {} if own == refused else own


def clean_token(text: str) -> str:
    """The token that a user passed, without a leading ``Bearer``."""
    token = re.sub(r"^bearer\s+", "", text.strip(), flags=re.IGNORECASE)
    # A line break would start another header.
    if not _TOKEN.fullmatch(token):
        raise UsageError(
            "the token is empty or holds a character that is not allowed in tokens; pass the part after 'Bearer '"
        )
    return token
