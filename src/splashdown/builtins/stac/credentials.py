"""Credentials of a STAC source, made of ``auth=``."""

from __future__ import annotations

from collections.abc import Mapping

from splashdown._documents.authority import Anonymous, Authority
from splashdown._documents.listed import Credential, listed_of
from splashdown._documents.places import carries_signature, same_origin
from splashdown.auth import Netrc
from splashdown.protocols import ResolveContext
from splashdown.sources import is_url


class OwnOrigin:
    """Credentials for the origin of the source alone."""

    def __init__(self, source: str, credential: Credential) -> None:
        self._source, self._credential = source, credential

    def headers(self, url: str) -> Mapping[str, str]:
        """The header for a URL of the source's origin, unless the URL is presigned."""
        own = same_origin(url, self._source) and not carries_signature(url)
        return self._credential.headers() if own else {}

    def serves(self, url: str) -> bool:
        """Whether the URL is of the source's origin."""
        return same_origin(url, self._source)

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Get other credentials after these were refused; false when there are none."""
        return self._credential.renew(refused)


def authority_of(source: str, context: ResolveContext) -> Authority:
    """The credentials of a source, as far as they are not those of a listed origin.

    Raises :class:`~splashdown.errors.UsageError` for a value of ``auth=`` that a STAC source cannot use.
    """
    auth = context.auth
    if auth is None or isinstance(auth, Netrc | Mapping):
        return Anonymous()
    credential = Credential(auth, "a STAC source")
    if not is_url(source) or listed_of(context).given(source) is not None:
        return Anonymous()
    return OwnOrigin(source, credential)
