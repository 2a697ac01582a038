"""Hrefs for saved documents: without signatures, tokens, user and password, and of whole files. Pure."""

from __future__ import annotations

from urllib.parse import quote

from splashdown.redact import redact
from splashdown.sources import bare_href

#: How the hrefs of parts of files begin; no transport but that of their own result set reads them.
CLIP, ZIP, TAR = "clip+", "zip+", "tar+"
_PARTS = (CLIP, ZIP, TAR)
_INSIDE = "!/"


def public_href(href: str) -> str:
    """The href without its secrets; a signed one then still names the file, but may not be readable.

    Of a part of a file it is that of the whole file.
    """
    while href.startswith(_PARTS):
        href = _whole(href)
    return redact(href).removesuffix("?...")


def without_secrets(href: str) -> str:
    """The href without its secrets, also that of a part of a file."""
    return redact(href).removesuffix("?...")


def is_public(href: str) -> bool:
    """Whether the href holds no secret, so that it stays readable when it is saved."""
    return public_href(href) == href


def clip_href(href: str, name: str, mark: str) -> str:
    """The href of a clip: with the name of the new file, and in its fragment that of the whole file."""
    folder, slash, old = bare_href(href).rpartition("/")
    return f"{CLIP}{folder}{slash}{quote(name, safe='')}#{mark}/{old}"


def member_href(href: str, prefix: str, path: str, mark: str) -> str:
    """The href of a file inside an archive."""
    return f"{prefix}{bare_href(href)}{_INSIDE}{quote(path)}{f'#{mark}' if mark else ''}"


def _whole(href: str) -> str:
    """The href of the file that a part is of."""
    prefix, _, rest = href.partition("+")
    base, _, fragment = rest.partition("#")
    if prefix != CLIP.rstrip("+"):
        return base.partition(_INSIDE)[0]
    return f"{base.rpartition('/')[0]}/{fragment.partition('/')[2]}"
