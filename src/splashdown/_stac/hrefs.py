"""What of an href may be written down: never a signature, a token, or user and password. Pure."""

from __future__ import annotations

from splashdown.redact import redact


def public_href(href: str) -> str:
    """The href without its secrets; what is left of a signed one names the file, but may not be readable any more."""
    return redact(href).removesuffix("?...")


def is_public(href: str) -> bool:
    """Whether the href holds no secret, so that it stays readable as it is written down."""
    return public_href(href) == href
