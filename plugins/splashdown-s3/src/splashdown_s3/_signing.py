"""botocore's signer without its objects for requests and headers, which cost four times what the signature does."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from botocore.auth import S3SigV4Auth

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials


class _Fields(dict[str, str]):
    """Headers by their names in lower case, each once."""

    def get_all(self, name: str) -> list[str]:
        """What the signer asks of botocore's own kind of headers."""
        return [self[name]]


@dataclass(slots=True)
class _Request:
    """What the signer looks at, by botocore's names."""

    method: str
    url: str
    headers: dict[str, str]
    context: dict[str, Any] = field(default_factory=dict)
    params: None = None


class _Signer(S3SigV4Auth):
    """Signs with a payload hash that is known already."""

    def __init__(self, credentials: ReadOnlyCredentials, service: str, region: str, payload_hash: str) -> None:
        super().__init__(credentials, service, region)
        self._scope = region, service
        self._payload_hash = payload_hash

    def payload(self, request: Any) -> str:  # noqa: ARG002 - the signature is botocore's
        """The hash that was given."""
        return self._payload_hash

    def signature(self, string_to_sign: str, request: Any) -> str:
        """botocore's, with a key that is derived once a day and not once a request."""
        key = _key(self.credentials.secret_key, request.context["timestamp"][:8], *self._scope)
        return hmac.digest(key, string_to_sign.encode(), "sha256").hex()

    def headers_to_sign(self, request: Any) -> Any:
        """All headers that are there when the request is signed."""
        return _Fields((name.lower(), value) for name, value in request.headers.items())


@lru_cache(maxsize=16)
def _key(secret: str, day: str, region: str, service: str) -> bytes:
    """The signing key (AWS Signature Version 4, "Derive a signing key")."""
    key = f"AWS4{secret}".encode()
    for scope in (day, region, service, "aws4_request"):
        key = hmac.digest(key, scope.encode(), "sha256")
    return key


def sign(
    method: str,
    url: str,
    headers: Mapping[str, str],
    *,
    credentials: ReadOnlyCredentials,
    service: str,
    region: str,
    payload_hash: str,
) -> dict[str, str]:
    """The headers with those that AWS Signature Version 4 adds.

    ``headers`` has ``Host``, and no name twice in whatever case; its values hold no line break. Path and query of
    ``url`` are encoded as the signature wants it. ``payload_hash`` is the SHA-256 of the body in hex, or
    ``UNSIGNED-PAYLOAD``.
    """
    request = _Request(method, url, dict(headers))
    _Signer(credentials, service, region, payload_hash).add_auth(request)  # type: ignore[arg-type]  # looks like one
    return request.headers
