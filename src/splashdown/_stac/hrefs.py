"""Hrefs for saved documents: without signatures, tokens, user and password. Pure."""

from __future__ import annotations

from splashdown.redact import redact


def public_href(href: str) -> str:
    """The href without its secrets; a signed one then still names the file, but may not be readable."""
    return redact(href).removesuffix("?...")


def is_public(href: str) -> bool:
    """Whether the href holds no secret, so that it stays readable when it is saved."""
    return public_href(href) == href
