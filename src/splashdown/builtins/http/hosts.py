"""Prepares what all requests to one host share: the pool of connections, the ``Host`` header, the proxy.

Preparing a request with ``requests`` costs more than sending it, so that is done once a host. The pool is the one
that ``requests``' own adapter would use: proxies are found as it finds them. ``netrc`` is never read: credentials come
from signers alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
import requests.utils
from urllib3 import HTTPConnectionPool, Timeout

from splashdown._connections.addresses import Gate
from splashdown._connections.options import HttpOptions
from splashdown._connections.proxies import SOCKS_WANTED, wants_socks
from splashdown._connections.tls import TlsAdapter
from splashdown.connections import MOST_HOSTS, RecentlyUsed, close_idle, make_lean
from splashdown.errors import NetworkError, TransferError, error_text
from splashdown.redact import safely_shown

#: The range of a whole file.
_ALL = {"Range": "bytes=0-"}


@safely_shown
@dataclass(frozen=True, slots=True, repr=False)
class Host:
    """One origin. ``prefix`` goes before the target: empty, but the origin itself for a proxy of plain HTTP."""

    pool: HTTPConnectionPool
    prefix: str
    headers: Mapping[str, str]  #: of every request
    of_whole: Mapping[str, str]  #: the same, and the range of a whole file
    whole: str  #: those as lines
    timeout: Timeout
    seconds: float  #: the read timeout


class Hosts:
    """The hosts of one transport, found by origin from any thread; the connections of those used last are kept."""

    def __init__(self, options: HttpOptions, gate: Gate | None = None) -> None:
        self._options, self._gate = options, gate
        self._adapter = TlsAdapter(pool_connections=MOST_HOSTS, pool_maxsize=options.pool_size, max_retries=0)
        self._hosts = RecentlyUsed(self._prepare, lambda host: close_idle(host.pool))
        #: The host of ``scheme://host[:port]``. Raises ``TransferError`` for a host or a proxy that makes no sense.
        self.get = self._hosts.get

    def close(self) -> None:
        """Close all idle connections."""
        self._adapter.close()
        self._hosts.clear()

    def _prepare(self, origin: str) -> Host:
        try:
            request = requests.Request("GET", f"{origin}/").prepare()
            url = request.url or ""
            proxies = requests.utils.get_environ_proxies(url)
            name = urlsplit(url).netloc
            options = self._options.at(name)
            verify, cert = options.authorities, options.certificate
            pool = self._adapter.get_connection_with_tls_context(request, verify, proxies=proxies, cert=cert)  # type: ignore[arg-type]  # the adapter takes it without a key of its own
            assert isinstance(pool, HTTPConnectionPool)  # the adapter's type hints promise less
            self._adapter.cert_verify(pool, url, verify, cert)
            absolute = self._adapter.request_url(request, proxies).startswith("http")
        except requests.RequestException as error:
            why = SOCKS_WANTED if wants_socks(error) else f"cannot be connected to ({error_text(error)})"
            raise TransferError(f"{origin}: {why}") from None
        except OSError as error:  # a CA bundle that is not there
            raise NetworkError(f"{origin}: {error_text(error)}", retryable=False) from None
        if self._gate is not None and pool.proxy is not None:
            self._gate.check_literal(urlsplit(url).hostname or "")
        make_lean(pool, gate=self._gate)
        # With an encoding, sizes, ranges and checksums would not be those of the file.
        headers = {"Host": name, "User-Agent": options.user_agent, "Accept": "*/*", "Accept-Encoding": "identity"}
        of_whole = {**headers, **_ALL}
        return Host(
            pool,
            origin if absolute else "",
            headers,
            of_whole,
            "".join(f"{name}: {value}\r\n" for name, value in of_whole.items()),
            Timeout(connect=options.connect_timeout, read=options.read_timeout),
            options.read_timeout,
        )
