"""Credentials of one API: a token that was given, or one fetched with user and password.

The token is what follows ``Bearer``. It is got when the first request needs it, is renewed at most once after it
was refused, and goes to the API's origin alone.
"""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from splashdown._openeo.client import Anonymous, Authority, Client
from splashdown._openeo.urls import carries_signature, origin
from splashdown.errors import AuthError, UsageError

_TOKEN = re.compile(r"[\x21-\x7e]+")


class TokenAuthority:
    """Sends ``Authorization: Bearer TOKEN`` to one origin; ``obtain`` gets a token whenever one is needed."""

    def __init__(self, api: str, obtain: Callable[[], str], *, renewable: bool = True) -> None:
        self._origin = origin(api)
        self._obtain = obtain
        self._renewable = renewable
        self._token: str | None = None
        self._lock = threading.Lock()

    def headers(self, url: str) -> Mapping[str, str]:
        """The bearer token, for a URL of the API's origin that does not carry its permission in the query."""
        if origin(url) != self._origin or carries_signature(url):
            return {}
        with self._lock:
            if self._token is None:
                self._token = self._obtain()
            return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        """Get another token; ``False`` when the same one would come again."""
        if not self._renewable:
            return False
        with self._lock:
            self._token = self._obtain()
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginSigner:
    """The :class:`~splashdown.protocols.Signer` over an authority, for the assets of a job."""

    authority: Authority = field(repr=False)

    def sign(self, href: str) -> tuple[str, Mapping[str, str]]:
        """The href itself and the headers for it; no headers outside the API's origin."""
        return href, self.authority.headers(href)


def make_authority(api: str, auth: object) -> Authority:
    """The authority for what a user passed as ``auth=``: ``None``, a token, or ``(user, password)``.

    Raises :class:`~splashdown.errors.UsageError` for anything else. Requests nothing yet.
    """
    if auth is None:
        return Anonymous()
    if isinstance(auth, str):
        token = clean_token(auth)
        return TokenAuthority(api, lambda: token, renewable=False)
    if isinstance(auth, tuple) and len(auth) == 2 and all(isinstance(part, str) for part in auth):
        user, password = auth
        return TokenAuthority(api, lambda: basic_token(api, user, password))
    raise UsageError(f"auth= takes a token, (user, password) or None, not {type(auth).__name__}")


def clean_token(text: str) -> str:
    """The token in what a user gave, with or without ``Bearer`` before it."""
    token = re.sub(r"^bearer\s+", "", text.strip(), flags=re.IGNORECASE)
    # A line break in a header would start another one.
    if not _TOKEN.fullmatch(token):
        raise UsageError(
            "the token is empty or holds blanks or characters that no token has; pass what follows 'Bearer '"
        )
    return token


def basic_token(api: str, user: str, password: str) -> str:
    """Sign in with user and password (openEO API, ``GET /credentials/basic``); returns what follows ``Bearer``."""
    pair = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
    client = Client()
    try:
        answer = client.get(f"{api}/credentials/basic", headers={"Authorization": f"Basic {pair}"})
    finally:
        client.close()
    token = answer.body.get("access_token")
    if not isinstance(token, str) or not token:
        raise AuthError(f"{api}/credentials/basic gave no access_token; this back-end may not offer basic sign-in")
    return f"basic//{clean_token(token)}"
