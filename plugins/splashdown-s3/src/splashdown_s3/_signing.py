"""botocore's signer without its objects for requests and headers, which cost four times what the signature does."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from botocore.auth import S3SigV4Auth

from splashdown.redact import safely_shown

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials


#: Secret key, day, region and service; see :func:`derive_key`.
DeriveKey: TypeAlias = Callable[[str, str, str, str], bytes]


@safely_shown
@dataclass(slots=True, repr=False)
class _Request:
    """What the signer looks at, by botocore's names."""

    method: str
    url: str
    headers: dict[str, str]
    context: dict[str, Any] = field(default_factory=dict)
    params: None = None


class _Signer(S3SigV4Auth):
    """Signs with a payload hash that is known already."""

    def __init__(
        self, credentials: ReadOnlyCredentials, service: str, region: str, payload_hash: str, key: DeriveKey
    ) -> None:
        super().__init__(credentials, service, region)
        self._scope = region, service
        self._payload_hash = payload_hash
        self._key = key

    def payload(self, request: Any) -> str:  # noqa: ARG002 - the signature is botocore's
        """The hash that was given."""
        return self._payload_hash

    def signature(self, string_to_sign: str, request: Any) -> str:
        """botocore's, with a key that may have been derived before."""
        key = self._key(self.credentials.secret_key or "", request.context["timestamp"][:8], *self._scope)
        return hmac.digest(key, string_to_sign.encode(), "sha256").hex()

    def headers_to_sign(self, request: Any) -> Any:
        """All headers that are there when the request is signed, by their names in lower case, each once."""
        headers = request.headers
        return dict(zip(map(str.lower, headers), headers.values(), strict=True))

    def canonical_request(self, request: Any) -> str:
        """botocore's, which takes the URL apart twice, and makes five calls for each header."""
        url, headers = request.url, self.headers_to_sign(request)
        path, _, query = url[url.index("/", url.index("://") + 3) :].partition("?")
        if query:
            pairs = sorted(pair.partition("=")[::2] for pair in query.split("&"))
            query = "&".join(f"{name}={value}" for name, value in pairs)
        fields = [f"{name}:{' '.join(value.split())}" for name, value in sorted(headers.items())]
        names = self.signed_headers(headers)
        return "\n".join([request.method, path, query, *fields, "", names, self._payload_hash])

    def signed_headers(self, headers_to_sign: Any) -> str:
        """The names, sorted."""
        return ";".join(sorted(headers_to_sign))


def derive_key(secret: str, day: str, region: str, service: str) -> bytes:
    """The signing key of a day (AWS Signature Version 4, "Derive a signing key")."""
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
    key: DeriveKey = derive_key,
) -> dict[str, str]:
    """The headers with those that AWS Signature Version 4 adds.

    ``headers`` has ``Host``, and no name twice in whatever case; its values hold no line break. Path and query of
    ``url`` are encoded as the signature wants it. ``payload_hash`` is the SHA-256 of the body in hex, or
    ``UNSIGNED-PAYLOAD``. ``key`` is :func:`derive_key`, or a cache of it, as the key is good for a day.
    """
    request = _Request(method, url, dict(headers))
    _Signer(credentials, service, region, payload_hash, key).add_auth(request)  # type: ignore[arg-type]  # looks like one
    return request.headers
