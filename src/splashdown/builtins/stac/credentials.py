"""Credentials of a STAC source, made of ``auth=``."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from splashdown._documents.authority import clean_token
from splashdown._documents.places import carries_signature
from splashdown.errors import UsageError
from splashdown.sources import is_url, origin_of


class Credentials:
    """A bearer token, or user and password, for the origin of the source alone."""

    def __init__(self, source: str, auth: object) -> None:
        self._origin = origin_of(source) if is_url(source) and auth is not None else None
        self._headers: Mapping[str, str] = {}
        if auth is None:
            return
        if isinstance(auth, str):
            self._headers = {"Authorization": f"Bearer {clean_token(auth)}"}
        elif isinstance(auth, tuple) and len(auth) == 2 and all(isinstance(part, str) for part in auth):
            pair = base64.b64encode(":".join(auth).encode()).decode("ascii")
            self._headers = {"Authorization": f"Basic {pair}"}
        else:
            raise UsageError(f"auth= of a STAC source takes a token or (user, password), not {type(auth).__name__}")

    def headers(self, url: str) -> Mapping[str, str]:
        """The header for a URL of the source's origin, unless the URL is presigned."""
        try:
            own = self._origin is not None and origin_of(url) == self._origin
        except ValueError:
            return {}
        return self._headers if own and not carries_signature(url) else {}

    def serves(self, url: str) -> bool:
        """Whether the URL is of the source's origin, and there are credentials."""
        try:
            return self._origin is not None and origin_of(url) == self._origin
        except ValueError:
            return False

    def renew(self, refused: Mapping[str, str]) -> bool:  # noqa: ARG002 - the protocol's name
        """Always false: there is only one token."""
        return False
