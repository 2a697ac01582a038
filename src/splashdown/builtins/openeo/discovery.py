"""Finds the API behind the address of a back-end, and reads its abilities (openEO API, "API Versioning")."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from splashdown._documents.document import Document
from splashdown._documents.places import shown
from splashdown.errors import ResolveError, SplashdownError
from splashdown.sources import origin_of

_VERSION = re.compile(r"(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?(?:-([0-9A-Za-z.-]+))?(?:\+.*)?$")
#: Major version of the API that this package supports.
_MAJOR = 1
#: Conformance class of back-ends that expect the bare token, without `basic//` or `oidc/PROVIDER/` before it.
JWT_CLASS = "/authentication/jwt"

Get = Callable[[str], Document]


def discover(backend: str, get: Get, *, bound: bool) -> str:
    """The base URL of the API version to use, without a slash at the end.

    ``.well-known/openeo`` lists them: of the supported production versions (else of all supported
    ones), the highest by SemVer counts. A back-end without such a list is its own API. Raises
    :class:`~splashdown.errors.ResolveError` when it lists only other major versions.

    ``bound`` says that credentials are set: they are for the origin that the user named, so the API has to be there
    (or at its host by https instead of http). Raises ``ResolveError`` for one that is elsewhere.
    """
    base = backend.rstrip("/")
    try:
        document = get(f"{base}/.well-known/openeo")
    except SplashdownError:
        return base
    versions = document.body.get("versions")
    listed = [entry for entry in versions if isinstance(entry, Mapping)] if isinstance(versions, list) else []
    candidates = [entry for entry in listed if _usable(entry, document.place)]
    if listed and not candidates:
        names = ", ".join(str(entry.get("api_version")) for entry in listed)
        raise ResolveError(f"{base} offers the openEO API in the versions {names}; version {_MAJOR}.x is needed")
    production = [entry for entry in candidates if entry.get("production", True)]
    best = max(production or candidates, key=lambda entry: semver(entry["api_version"]), default=None)
    api = urljoin(document.place, best["url"]).rstrip("/") if best else base
    if bound and not _within(api, base):
        raise ResolveError(
            f"{shown(base)} says that its API is {shown(api)}, which is another origin: the credentials are not sent"
            " there; if you trust it, use that address instead"
        )
    return api


def _within(api: str, backend: str) -> bool:
    """Whether an API has the origin of its back-end, or its host with TLS."""
    try:
        own, given = origin_of(api), origin_of(backend)
    except ValueError:
        return False
    return own == given or (own[0] == "https" and given[0] == "http" and own[1] == given[1] and given[2] == 80)


def speaks_jwt(capabilities: Mapping[str, Any]) -> bool:
    """Whether the back-end accepts bare JWTs as bearer tokens (openEO API 1.3, conformance classes)."""
    classes = capabilities.get("conformsTo")
    return isinstance(classes, list) and any(
        isinstance(name, str) and name.startswith("https://api.openeo.org/") and name.endswith(JWT_CLASS)
        for name in classes
    )


def semver(text: str) -> tuple[int, int, int, bool, tuple[tuple[int, int, str], ...]]:
    """A key that sorts versions as SemVer 2.0 (section 11) does; anything else sorts first."""
    match = _VERSION.match(text)
    if match is None:
        return (-1, 0, 0, False, ())
    # A release comes after its pre-releases; numbers come before words.
    identifiers = tuple(
        (0, int(part), "") if part.isascii() and part.isdigit() and len(part) < 19 else (1, 0, part)
        for part in (match[4] or "").split(".")
    )
    return int(match[1]), int(match[2]), int(match[3] or 0), match[4] is None, identifiers


def _usable(entry: Mapping[str, Any], listed_at: str) -> bool:
    url, version = entry.get("url"), entry.get("api_version")
    if not isinstance(url, str) or not isinstance(version, str) or semver(version)[0] != _MAJOR:
        return False
    try:
        scheme = urlsplit(urljoin(listed_at, url)).scheme.lower()
    except ValueError:
        return False
    # Credentials will go there: a list that came over https does not lead to http.
    return scheme == "https" or (scheme == "http" and urlsplit(listed_at).scheme.lower() == "http")
