"""Parses http(s) hrefs, once and strictly: connections use the checked parts. Pure functions."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from splashdown.errors import TransferError
from splashdown.redact import redact, safely_shown

# RFC 3986, sections 3.2.2 and 3.2.3; letters beyond ASCII are names that IDNA encodes later.
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:(?P<port>\d{1,5})?)?")
# Characters about which parsers disagree, that could end a header line, or that have no bytes (surrogates). A space in
# a path is common and harmless.
_SUSPECT = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")
#: Almost all hrefs have this form (origin, then target) and need no closer look.
USUAL = re.compile(
    r"(https?://[a-z0-9.-]+(?::(?!80/|443/)(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5]))?)"
    r"(/[!-\"$-\[\]-~]*)"
)
_PORTS = {"http": 80, "https": 443}


@safely_shown
class Address(NamedTuple):
    """The parsed href. Credentials are bound to ``origin`` (RFC 6454)."""

    origin: str  #: ``scheme://host[:port]``, lower-case, without the scheme's own port: signatures cover ``Host``
    target: str  #: path and query, as they go into the request line


def parse(href: str) -> Address:
    """Parse an absolute http(s) href.

    Raises :class:`~splashdown.errors.TransferError` for another scheme, for user and password inside the href,
    for control characters and backslashes, about which parsers disagree, and for surrogates.
    """
    usual = USUAL.fullmatch(href)
    if usual is not None:
        return Address(usual[1], usual[2])
    if _SUSPECT.search(href):
        raise TransferError(f"{redact(href)!r} holds a control character, a backslash or a surrogate; it is refused")
    try:
        scheme, netloc, path, query, _ = urlsplit(href)
    except ValueError as error:
        raise TransferError(f"{redact(href)} is not a URL ({error})") from None
    if scheme not in _PORTS:
        raise TransferError(f"{redact(href)}: not an http(s) URL")
    if "@" in netloc:
        raise TransferError(
            f"{redact(href)}: the href holds a user and a password, which are not sent: take them out of it, and list"
            " the origin with auth="
        )
    found = _AUTHORITY.fullmatch(netloc)
    if found is None:
        raise TransferError(f"{redact(href)} has no valid host")
    port = int(found["port"] or _PORTS[scheme])
    if not 0 < port < 65536:
        raise TransferError(f"{redact(href)} has no valid port")
    # An empty query is a query (RFC 3986, section 3.4), which urlsplit does not distinguish from none.
    target = f"{path or '/'}?{query}" if "?" in href.partition("#")[0] else path or "/"
    host = found["host"].lower()
    return Address(f"{scheme}://{host}" if port == _PORTS[scheme] else f"{scheme}://{host}:{port}", target)
