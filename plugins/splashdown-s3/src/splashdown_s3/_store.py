"""One endpoint as one user sees it: addresses, signed requests and kept connections, for all threads.

Requests that carry an object's bytes go out here, signed by botocore's signer and sent over lean connections of
urllib3's pools: building and parsing them through its client costs several times the processor time, all of it under
the interpreter lock. Everything else (multipart bookkeeping, lists, copies) is for boto3's client. Retries are the
engine's: nothing here repeats a request, except once in the region that the store names.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

import urllib3
from botocore.exceptions import NoCredentialsError
from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies

from splashdown.connections import (
    MOST_HOSTS,
    Answer,
    RecentlyUsed,
    Whole,
    close_idle,
    glimpse,
    make_lean,
    send,
    send_whole,
)
from splashdown.http import HttpOptions
from splashdown.redact import safely_shown
from splashdown_s3._attributes import fixed
from splashdown_s3._clients import Clients
from splashdown_s3._errors import Refused
from splashdown_s3._options import S3Options
from splashdown_s3._signing import Signer
from splashdown_s3._uri import Location

if TYPE_CHECKING:
    from urllib3.connectionpool import HTTPConnectionPool
    from urllib3.response import BaseHTTPResponse

    from splashdown.model import Buffer

#: The hash that stands for "the payload is not signed"; for https only, where TLS protects it.
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
_EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()

# Characters that a key keeps in the path: the unreserved ones and the slash (AWS Signature Version 4, "UriEncode").
_SAFE = "/-_.~"
_PLAIN_KEY = re.compile(r"[A-Za-z0-9/_.~-]+")
#: A body up to this size is sent with its head by one write, and is answered at once.
_SMALL = 128 * 1024
_ERROR_BODY = 64 * 1024
# Not signed. An encoding would make the bytes others than those that were stored.
_COMMON = {"User-Agent": HttpOptions().user_agent, "Accept-Encoding": "identity"}


@safely_shown
class Address(NamedTuple):
    """Where a bucket is reached, and how requests to it are signed."""

    base: str  #: scheme and host, without a slash
    path: str  #: ``/bucket`` or nothing
    region: str
    service: str  #: empty where requests are not signed
    moved: str | None  #: the region that the store named; ``None`` is the configured one
    host: str  #: what the ``Host`` header says


@dataclass(slots=True)
class Lacks:
    """What an endpoint was found not to have. It is asked for until it is refused, and not again."""

    checksums: bool = False  #: flexible checksums, which it refuses
    conditions: bool = False  #: ``If-None-Match`` on writes

    def note(self, names: Iterable[str]) -> None:
        """Remember what a store could not do."""
        for name in names:
            setattr(self, name, True)


class Store:
    """Clients, addresses and connections. Made without a request; safe for all threads."""

    def __init__(self, options: S3Options) -> None:
        self.options = options
        self.attributes = fixed(options)
        self._common = {**_COMMON, "User-Agent": options.user_agent or _COMMON["User-Agent"]}
        self.lacks = Lacks()
        self.keeps_checksums = False  #: whether its last answer to a put repeated the checksum
        self.encrypts = False  #: whether it has said that it encrypts as was asked
        self.keeps_tags: dict[str, bool] = {}  #: by way of storing, as far as that is known
        self._access = Clients(options)
        # Keys are derived once a day and not once a request. They end with the store, as all that is made of a secret.
        self._signers: dict[tuple[str, str], Signer] = {}  #: by service and region
        self._lock = threading.RLock()
        self._addresses: dict[str, Address] = {}
        self._managers: dict[str, urllib3.PoolManager] = {}
        self._pools = RecentlyUsed(self._make_pool, close_idle)  #: each bucket may have a host of its own
        self._timeout = urllib3.Timeout(connect=options.connect_timeout, read=options.read_timeout)

    @property
    def endpoint(self) -> str:
        """The URL of the endpoint, for messages and to distinguish stores."""
        return str(self._access.client().meta.endpoint_url)

    @property
    def identity(self) -> str:
        """What two objects share that reach the same store: all regions of one AWS partition are one."""
        meta = self._access.client().meta
        host = urlsplit(str(meta.endpoint_url)).netloc.lower()
        return str(meta.partition) if host.endswith((".amazonaws.com", ".amazonaws.com.cn")) else host

    @property
    def payer(self) -> dict[str, str]:
        """The argument of the client's methods that says who pays."""
        return {"RequestPayer": "requester"} if self.options.requester_pays else {}

    def client_for(self, bucket: str) -> Any:
        """The client of the region where a bucket is, as far as that is known; its credentials are good for now."""
        address = self._address(bucket)
        if address.service:
            self._access.credentials()  # renewed here, where what providers of credentials raise is expected
        return self._access.client(address.moved)

    def source_of_credentials(self) -> str:
        """Where the credentials come from, see :meth:`Clients.origin`."""
        return self._access.origin()

    def secrets(self) -> tuple[str, ...]:
        """Values that must not appear in any text."""
        return self._access.secrets()

    def request(
        self,
        method: str,
        where: Location,
        *,
        query: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        body: Buffer | None = None,
        payload_hash: str | None = None,
    ) -> Mapping[str, str]:
        """Send one request about one object; the headers of a success, everything else raises ``Refused``.

        ``payload_hash`` is the body's SHA-256 in hex where it is known. A small ``body`` must not be one that a
        transport has lent.
        """
        response = self._answered(method, where, query, headers or {}, body, payload_hash)
        if not isinstance(response, Whole):
            response.drain_conn()
            response.release_conn()
        return response.headers

    def open(
        self, where: Location, *, query: Sequence[tuple[str, str]] = (), headers: Mapping[str, str] | None = None
    ) -> BaseHTTPResponse | Answer:
        """Ask for one object. The body is left to the caller, who has to release the connection."""
        response = self._answered("GET", where, query, headers or {}, None, None)
        assert not isinstance(response, Whole)  # that is the answer to a small body
        return response

    def _answered(
        self,
        method: str,
        where: Location,
        query: Sequence[tuple[str, str]],
        headers: Mapping[str, str],
        body: Buffer | None,
        payload_hash: str | None,
        *,
        moved: bool = False,
    ) -> BaseHTTPResponse | Answer | Whole:
        address = self._address(where.bucket)
        target = _target(address, where, query)
        digest = self._payload_hash(address, body) if payload_hash is None else payload_hash
        sent = {**self._common, **self._signed(method, address, target, dict(headers), digest)}
        response = self._exchanged(method, address, target, sent, body)
        if response.status < 300:
            return response
        refused = _refused(response)
        region = refused.headers.get("x-amz-bucket-region") or refused.region
        if region and region != address.region and not moved:
            self._move(where.bucket, region)
            return self._answered(method, where, query, headers, body, payload_hash, moved=True)
        raise refused

    def _exchanged(
        self, method: str, address: Address, target: str, headers: dict[str, str], body: Buffer | None
    ) -> BaseHTTPResponse | Answer | Whole:
        pool = self._pools.get(address.base)
        if body and len(body) <= _SMALL:
            sent = _small(method, target, headers, body)
            answer = send_whole(pool, target, sent, self.options.read_timeout, 0)
            if answer is not None:
                return answer
        url = address.base + target if pool.proxy and address.base.startswith("http:") else target
        return send(pool, url, headers, self._timeout, method=method, body=body)

    def signed(
        self, method: str, where: Location, *, query: Sequence[tuple[str, str]] = ()
    ) -> tuple[str, dict[str, str]]:
        """URL and headers of a request without a body, for another client to send now."""
        address = self._address(where.bucket)
        target = _target(address, where, query)
        return address.base + target, self._signed(method, address, target, {}, _EMPTY_SHA256)

    def sealed(self, bucket: str) -> bool:
        """Whether the signature of a request covers its body, so that the store notices what was damaged on the way."""
        address = self._address(bucket)
        return address.base.startswith("http:") and bool(address.service)

    @property
    def ca_bundle(self) -> str | None:
        """The certificates to trust instead of the system's."""
        return self._access.ca_bundle

    def close(self) -> None:
        """Give back all connections."""
        with self._lock:
            for manager in self._managers.values():
                manager.clear()
            self._pools.clear()
        self._access.close()

    def _address(self, bucket: str) -> Address:
        address = self._addresses.get(bucket)
        if address is None:
            with self._lock:
                address = self._addresses[bucket] = self._resolve(bucket, None)
        return address

    def _move(self, bucket: str, region: str) -> None:
        """Remember the region that the store named."""
        with self._lock:
            self._addresses[bucket] = self._resolve(bucket, region)

    def _resolve(self, bucket: str, region: str | None) -> Address:
        """The address of a bucket as botocore builds it (host or path style, access points, dual stack, ...).

        A presigned URL says all of it, and takes no request.
        """
        client = self._access.client(region)
        if not self._access.anonymous:
            with suppress(NoCredentialsError):  # raised below, unless the session says that nothing is to be signed
                self._access.credentials()
        url = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        scope = query.get("X-Amz-Credential", [""])[0].split("/")
        signed_region, service = scope[-3:-1] if len(scope) > 4 else (client.meta.region_name or "", "s3")
        if not {"X-Amz-Signature", "Signature"} & query.keys():
            service = ""
        base = f"{parts.scheme}://{parts.netloc}"
        return Address(base, parts.path.removesuffix("/k"), signed_region, service, region, parts.netloc)

    def _signed(
        self, method: str, address: Address, target: str, headers: dict[str, str], payload_hash: str
    ) -> dict[str, str]:
        if self.options.requester_pays:
            headers["x-amz-request-payer"] = "requester"
        headers["Host"] = address.host
        if not address.service:
            return headers
        credentials, scope = self._access.credentials(), (address.service, address.region)
        signer = self._signers.get(scope)
        if signer is None or signer.credentials is not credentials:
            signer = self._signers[scope] = Signer(credentials, *scope)
        return signer.sign(method, address.base + target, headers, payload_hash)

    def _payload_hash(self, address: Address, body: Buffer | None) -> str:
        if body is None or len(body) == 0:
            return _EMPTY_SHA256
        if address.base.startswith("https:"):
            return UNSIGNED_PAYLOAD
        return hashlib.sha256(body).hexdigest()

    def _make_pool(self, base: str) -> HTTPConnectionPool:
        with self._lock:
            proxy = get_environ_proxies(base).get(urlsplit(base).scheme, "")
            manager = self._managers.setdefault(proxy, self._managers.get(proxy) or self._make_manager(proxy))
            pool = manager.connection_from_url(base)
        make_lean(pool)
        return pool

    def _make_manager(self, proxy: str) -> urllib3.PoolManager:
        options = self.options
        common: dict[str, Any] = {
            "num_pools": MOST_HOSTS,
            "maxsize": options.connections,
            "timeout": self._timeout,
            "cert_reqs": "CERT_REQUIRED",
            "ca_certs": self.ca_bundle or get_cert_path(verify=True),
        }
        return urllib3.ProxyManager(proxy, **common) if proxy else urllib3.PoolManager(**common)


def _target(address: Address, where: Location, query: Sequence[tuple[str, str]]) -> str:
    """Path and query of a request, each character as SigV4 wants it."""
    key = where.key if _PLAIN_KEY.fullmatch(where.key) else quote(where.key, _SAFE)
    if not query:
        return f"{address.path}/{key}"
    suffix = "".join(f"{'&' if at else '?'}{quote(k, '')}={quote(v, '')}" for at, (k, v) in enumerate(query))
    return f"{address.path}/{key}{suffix}"


def _small(method: str, target: str, headers: Mapping[str, str], body: Buffer) -> bytes:
    """A request with its body, as one write."""
    lines = [f"{method} {target} HTTP/1.1", *[f"{name}: {value}" for name, value in headers.items()]]
    head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode("latin-1")
    if not len(lines) + 2 == head.count(b"\n") == head.count(b"\r"):
        raise ValueError("a header holds a line break")
    return b"".join([head, body])


def _refused(response: BaseHTTPResponse | Answer | Whole) -> Refused:
    """The error in an answer; gives the connection back."""
    if isinstance(response, Whole):  # a 304, which no store should give to a PUT
        return Refused(response.status, "", "", response.headers)
    try:
        text = glimpse(response, _ERROR_BODY)
        response.drain_conn()
    finally:
        response.release_conn()
    return Refused.parse(response.status, text.decode(errors="replace"), response.headers)
