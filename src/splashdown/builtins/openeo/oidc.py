"""Access tokens from OpenID Connect providers: client credentials, and refresh tokens (RFC 6749, 4.4 and 6).

The back-end lists its providers (openEO API, ``GET /credentials/oidc``), each provider names its token endpoint (OpenID
Connect Discovery 1.0). Secrets go there alone, and no redirect is followed with them. A back-end of the public web
names no provider in a private network: its client's gate looks at these addresses too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from splashdown._connections.addresses import AddressError
from splashdown._documents.adapter import DocumentAdapter
from splashdown._documents.client import Client, no_ambient_auth
from splashdown._documents.document import parse_object
from splashdown._documents.places import shown
from splashdown.errors import AuthError, error_text

#: Answers with tokens have some kilobytes.
_MOST_BYTES = 2**20
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One OIDC provider of a back-end."""

    id: str
    issuer: str
    scopes: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()  #: ids of clients that may use a refresh token without a secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The tokens that a provider issued."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)


def providers(api: str, client: Client) -> tuple[Provider, ...]:
    """The providers that the back-end lists, in its order. Raises ``AuthError`` when there are none."""
    listed = client.get(f"{api}/credentials/oidc", headers={}).body.get("providers")
    found = tuple(
        Provider(
            id=entry["id"],
            issuer=entry["issuer"].rstrip("/"),
            scopes=tuple(_strings(entry.get("scopes"))),
            clients=tuple(_refreshing_clients(entry.get("default_clients"))),
        )
        for entry in (listed if isinstance(listed, list) else [])
        if isinstance(entry, Mapping) and isinstance(entry.get("id"), str) and isinstance(entry.get("issuer"), str)
    )
    if not found:
        raise AuthError(f"{shown(api)} lists no OIDC providers; sign in with a token or (user, password)")
    return found


def pick(offered: Sequence[Provider], wanted: str | None) -> Provider:
    """The provider of that id; without one, the only provider."""
    names = ", ".join(provider.id for provider in offered)
    if wanted is None:
        if len(offered) > 1:
            raise AuthError(f"the back-end has several OIDC providers ({names}); name one with provider=")
        return offered[0]
    for provider in offered:
        if provider.id == wanted:
            return provider
    raise AuthError(f"the back-end has no OIDC provider {wanted!r}; it has {names}")


def client_credentials(client: Client, provider: Provider, client_id: str, client_secret: str) -> Grant:
    """Sign a machine in. ``client`` is the one that has read the back-end's list."""
    scope = " ".join(dict.fromkeys(("openid", *provider.scopes)))
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret, "scope": scope}
    return _ask(client, provider, form)


def refresh(client: Client, provider: Provider, client_id: str, client_secret: str | None, refresh_token: str) -> Grant:
    """Exchange a refresh token. Providers that rotate refresh tokens issue a new one and revoke the old one."""
    form = {"grant_type": "refresh_token", "client_id": client_id, "refresh_token": refresh_token}
    if client_secret:
        form["client_secret"] = client_secret
    return _ask(client, provider, form)


def _ask(client: Client, provider: Provider, form: Mapping[str, str]) -> Grant:
    endpoint = _token_endpoint(client, provider)
    try:
        status, answer = _post(client, endpoint, form)
    except AddressError as error:
        raise AuthError(f"the OIDC provider {provider.id!r} is not asked: {error}") from None
    except (requests.RequestException, HTTPError) as error:
        raise AuthError(f"the OIDC provider {provider.id!r} did not answer ({type(error).__name__})") from None
    except OSError as error:  # a certificate or a bundle that cannot be used
        raise AuthError(f"the OIDC provider {provider.id!r} is not asked: {error_text(error)}") from None
    if status != 200:
        raise AuthError(_refusal(provider, status, answer), status=status)
    body = parse_object(answer, endpoint)
    access, fresh = body.get("access_token"), body.get("refresh_token")
    if not isinstance(access, str) or not access:
        raise AuthError(f"the OIDC provider {provider.id!r} answered without an access token")
    return Grant(access_token=access, refresh_token=fresh if isinstance(fresh, str) and fresh else None)


def _post(client: Client, endpoint: str, form: Mapping[str, str]) -> tuple[int, bytes]:
    options = client.http.at(urlsplit(endpoint).netloc)
    timeout = (min(10.0, options.connect_timeout), min(30.0, options.read_timeout))
    with requests.Session() as session:
        adapter = DocumentAdapter(gate=client.gate)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        with session.post(
            endpoint,
            data=dict(form),
            headers={"User-Agent": options.user_agent},
            auth=no_ambient_auth,
            timeout=timeout,
            verify=options.authorities,
            cert=options.certificate,  # type: ignore[arg-type]  # the adapter takes it without a key of its own
            allow_redirects=False,
            stream=True,
        ) as answer:
            raw: Any = answer.raw
            raw.end_within(timeout[1])
            return answer.status_code, raw.read(_MOST_BYTES, decode_content=True)


def _refusal(provider: Provider, status: int, answer: bytes) -> str:
    try:
        body = json.loads(answer)
        why = f"{body.get('error', '')} {body.get('error_description', '')}".strip()
    except (ValueError, RecursionError, AttributeError):
        why = ""
    return f"the OIDC provider {provider.id!r} refused: {why[:300] or 'no reason given'} (HTTP {status})"


def _token_endpoint(client: Client, provider: Provider) -> str:
    document = client.get(f"{_safe(provider.issuer)}/.well-known/openid-configuration", headers={}).body
    # The document speaks for the issuer that it names (OpenID Connect Discovery 1.0, section 4.3).
    if str(document.get("issuer", "")).rstrip("/") != provider.issuer:
        raise AuthError(f"the discovery document of {shown(provider.issuer)} belongs to another issuer")
    endpoint = document.get("token_endpoint")
    if not isinstance(endpoint, str):
        raise AuthError(f"{shown(provider.issuer)} names no token_endpoint")
    return _safe(endpoint)


def _safe(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise AuthError(f"an OIDC provider has an invalid URL ({error_text(error)})") from None
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return url
    raise AuthError(f"{shown(url)} is not an https URL; secrets are not sent there")


def _strings(listed: object) -> Iterator[str]:
    yield from (value for value in (listed if isinstance(listed, list) else []) if isinstance(value, str))


def _refreshing_clients(listed: object) -> Iterator[str]:
    for entry in listed if isinstance(listed, list) else []:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("id"), str):
            continue
        # Back-ends add requirements to the names of grants, for example `urn:...:device_code+pkce`.
        if "refresh_token" in _strings(entry.get("grant_types")):
            yield entry["id"]
