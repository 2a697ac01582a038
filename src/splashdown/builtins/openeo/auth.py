"""Credentials of one API: from the user's ``auth=`` to the header that goes to the API's origin alone.

The first request fetches the token, and it is renewed once after it was refused.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

from splashdown._documents.authority import Anonymous, Authority, clean_token
from splashdown._documents.client import Client
from splashdown._documents.listed import Listed
from splashdown._documents.places import carries_signature, same_origin
from splashdown.auth import ClientCredentials, Netrc, StoredLogin
from splashdown.builtins.openeo.discovery import speaks_jwt
from splashdown.errors import AuthError, ResolveError, UsageError

_PREFIXED = re.compile(r"(basic/|oidc/[^/]+)/(?P<token>.+)")
_JWT = re.compile(r"eyJ[\w-]*\.[\w-]+\.[\w-]*")  # a JWT starts with the base64 of `{"` (RFC 7519)


class TokenAuthority:
    """Sends ``Authorization: Bearer TOKEN`` to one origin; ``obtain`` fetches a token with a client of its own."""

    def __init__(
        self,
        api: str,
        obtain: Callable[[Client], str],
        *,
        renewable: bool = True,
        make_client: Callable[[], Client] = Client,
    ) -> None:
        self._api = api
        self._obtain = obtain
        self._renewable = renewable
        self._make_client = make_client
        self._token: str | None = None
        self._lock = threading.Lock()

    def headers(self, url: str) -> Mapping[str, str]:
        """The bearer token, for a URL of the API's origin that is not presigned."""
        if not same_origin(url, self._api) or carries_signature(url):
            return {}
        with self._lock:
            if self._token is None:
                self._token = self._new_token()
            return self._header()

    def serves(self, url: str) -> bool:
        """Whether the URL is of the API's origin."""
        return same_origin(url, self._api)

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Get another token in place of the one that was refused; ``False`` when it would be the same one."""
        if not self._renewable or not refused:
            return False
        with self._lock:
            # If requests of several threads were refused, one thread signs in.
            if self._header() == refused:
                self._token = self._new_token()
        return True

    def _header(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def _new_token(self) -> str:
        with closing(self._make_client()) as client:
            return self._obtain(client)


def make_authority(api: str, auth: object, make_client: Callable[[], Client] = Client) -> Authority:
    """The authority for the user's ``auth=``.

    It is ``None``, a token, ``(user, password)``, a callable that gives one of these, a value of
    :mod:`splashdown.auth`, one of these for each origin, or an existing authority. ``make_client`` makes a client
    for each sign-in. Raises :class:`~splashdown.errors.UsageError` for anything else. Sends no request yet.
    """
    if auth is None:
        return Anonymous()
    if isinstance(auth, Anonymous | TokenAuthority):
        return auth
    if isinstance(auth, Mapping):
        return make_authority(api, Listed(auth).given(api), make_client)
    obtain = _sign_in(api, auth)
    return TokenAuthority(api, obtain, renewable=not isinstance(auth, str), make_client=make_client)


def _sign_in(api: str, auth: object) -> Callable[[Client], str]:
    """How to get a token for what the user gave."""
    if callable(auth):
        ask: Callable[[], object] = auth
        return lambda client: _given(api, client, ask())
    if isinstance(auth, str):
        clean_token(auth)  # a mistake is reported now
        return lambda client: _given(api, client, auth)
    if isinstance(auth, Netrc):
        auth = auth.login(urlsplit(api).hostname or "")
    if isinstance(auth, tuple) and len(auth) == 2 and all(isinstance(part, str) for part in auth):
        return lambda client: _given(api, client, auth)
    if isinstance(auth, ClientCredentials):
        return lambda client: _client_credentials(api, client, auth)
    if isinstance(auth, StoredLogin):
        return lambda client: _stored(api, client, auth.provider)
    raise UsageError(
        f"auth= takes a token, (user, password), a value of splashdown.auth or None, not {type(auth).__name__}"
    )


def _given(api: str, client: Client, credential: object) -> str:
    """The token for what the user gave: a token, or user and password."""
    if isinstance(credential, str):
        return _fitting(api, client, clean_token(credential))
    if isinstance(credential, tuple) and len(credential) == 2:
        return _basic(api, client, *credential)
    raise UsageError(f"a callable as auth= gives a token or (user, password), not {type(credential).__name__}")


def _basic(api: str, client: Client, user: str, password: str) -> str:
    """Sign in with user and password (openEO API, ``GET /credentials/basic``)."""
    pair = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
    answer = client.get(f"{api}/credentials/basic", headers={"Authorization": f"Basic {pair}"})
    token = answer.body.get("access_token")
    if not isinstance(token, str) or not token:
        raise AuthError(f"{api}/credentials/basic gave no access_token; this back-end may not offer basic sign-in")
    return _in_form(api, client, "basic/", token)


def _client_credentials(api: str, client: Client, auth: ClientCredentials) -> str:
    from splashdown.builtins.openeo import oidc  # late, as all that signing in needs

    provider = oidc.pick(oidc.providers(api, client), auth.provider)
    grant = oidc.client_credentials(client, provider, auth.client_id, auth.client_secret)
    return _in_form(api, client, f"oidc/{provider.id}", grant.access_token)


def _stored(api: str, client: Client, wanted: str | None) -> str:
    from splashdown.builtins.openeo import oidc, stored

    offered = oidc.providers(api, client)
    for provider in offered if wanted is None else [oidc.pick(offered, wanted)]:
        login = stored.find_token(api, provider.id, provider.issuer, provider.clients)
        if login is None:
            continue
        grant = oidc.refresh(client, provider, login.client_id, login.client_secret, login.refresh_token)
        if grant.refresh_token and grant.refresh_token != login.refresh_token:
            stored.store_token(provider.issuer, login.client_id, grant.refresh_token)
        return _in_form(api, client, f"oidc/{provider.id}", grant.access_token)
    names = ", ".join(provider.id for provider in offered)
    raise AuthError(
        f"openeo-auth has no refresh token for {wanted or names}; sign in with: openeo-auth oidc-auth {api}"
    )


def _in_form(api: str, client: Client, prefix: str, token: str) -> str:
    """A token in the form that this back-end expects: bare if it says so (API 1.3), else with a prefix."""
    return clean_token(token) if _takes_jwt(api, client) else f"{prefix}/{clean_token(token)}"


def _fitting(api: str, client: Client, token: str) -> str:
    """A user's token in the form that this back-end expects, as far as that is known."""
    prefixed = _PREFIXED.fullmatch(token)
    bare = prefixed["token"] if prefixed else token
    # Only JWTs have several forms; any other token is sent unchanged.
    if not _JWT.fullmatch(bare):
        return token
    if _takes_jwt(api, client):
        return bare
    return token if prefixed else _with_provider(api, client, token)


def _with_provider(api: str, client: Client, token: str) -> str:
    from splashdown.builtins.openeo import oidc

    try:
        issuer = str(_claims(token).get("iss", "")).rstrip("/")
        matching = [provider.id for provider in oidc.providers(api, client) if provider.issuer == issuer]
    except (ResolveError, ValueError):
        return token
    return f"oidc/{matching[0]}/{token}" if matching else token


def _claims(token: str) -> Mapping[str, Any]:
    # Read, not trusted: the claims only select one of the back-end's own providers.
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims if isinstance(claims, dict) else {}


def _takes_jwt(api: str, client: Client) -> bool:
    try:
        return speaks_jwt(client.get(f"{api}/", headers={}).body)
    except ResolveError:
        return False
