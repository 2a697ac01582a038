"""botocore's signer without its objects for requests and headers, which cost four times what the signature does."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.auth import S3SigV4Auth

from splashdown.redact import safely_shown

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials


@safely_shown
@dataclass(slots=True, repr=False)
class _Request:
    """What the signer looks at, by botocore's names."""

    method: str
    url: str
    headers: dict[str, str]
    payload_hash: str
    names: str = ""  #: of the headers that are signed
    context: dict[str, Any] = field(default_factory=dict)
    params: None = None


@safely_shown
class Signer(S3SigV4Auth):
    """Signs requests of one user to one service in one region, from any thread."""

    def __init__(self, credentials: ReadOnlyCredentials, service: str, region: str) -> None:
        super().__init__(credentials, service, region)
        self._scope = region, service
        self._derived = "", b""  #: a day, and the key that is good for it

    def sign(self, method: str, url: str, headers: Mapping[str, str], payload_hash: str) -> dict[str, str]:
        """The headers with those that AWS Signature Version 4 adds.

        ``headers`` has ``Host``, and no name twice in whatever case; its values hold no line break. Path and query of
        ``url`` are encoded as the signature wants it. ``payload_hash`` is the SHA-256 of the body in hex, or
        ``UNSIGNED-PAYLOAD``.
        """
        request = _Request(method, url, dict(headers), payload_hash)
        self.add_auth(request)  # type: ignore[arg-type]  # looks like one
        return request.headers

    def payload(self, request: Any) -> str:
        """The hash that was given."""
        return request.payload_hash  # type: ignore[no-any-return]

    def signature(self, string_to_sign: str, request: Any) -> str:
        """botocore's, with a key that may have been derived before."""
        day = request.context["timestamp"][:8]
        known, key = self._derived
        if day != known:
            key = derive_key(self.credentials.secret_key or "", day, *self._scope)
            self._derived = day, key
        return hmac.digest(key, string_to_sign.encode(), "sha256").hex()

    def canonical_request(self, request: Any) -> str:
        """botocore's, which takes the URL apart twice, and makes five calls for each header. All headers are signed."""
        url, headers = request.url, request.headers
        path, _, query = url[url.index("/", url.index("://") + 3) :].partition("?")
        if query:
            pairs = sorted(pair.partition("=")[::2] for pair in query.split("&"))
            query = "&".join(f"{name}={value}" for name, value in pairs)
        fields = sorted(zip(map(str.lower, headers), headers.values(), strict=True))
        request.names = ";".join([name for name, _ in fields])
        lines = [f"{name}:{' '.join(value.split())}" for name, value in fields]
        return "\n".join([request.method, path, query, *lines, "", request.names, request.payload_hash])

    def headers_to_sign(self, request: Any) -> Any:
        """The names of those that were signed, which botocore asks for once more."""
        return request.names

    def signed_headers(self, headers_to_sign: Any) -> str:
        """The names, sorted."""
        return headers_to_sign  # type: ignore[no-any-return]


def derive_key(secret: str, day: str, region: str, service: str) -> bytes:
    """The signing key of a day (AWS Signature Version 4, "Derive a signing key")."""
    key = f"AWS4{secret}".encode()
    for scope in (day, region, service, "aws4_request"):
        key = hmac.digest(key, scope.encode(), "sha256")
    return key
