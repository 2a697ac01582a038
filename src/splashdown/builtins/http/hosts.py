"""Prepares what all requests to one host share: the pool of connections, the ``Host`` header, the proxy.

Preparing a request with ``requests`` costs more than sending it, so that is done once a host. The pool is the one
that ``requests``' own adapter would use: proxies are found as it finds them. ``netrc`` is never read: credentials come
from signers alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
import requests.utils
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool

from splashdown._connections.addresses import Gate
from splashdown.connections import MOST_HOSTS, RecentlyUsed, close_idle, make_lean
from splashdown.errors import NetworkError, TransferError, error_text
from splashdown.redact import safely_shown


@safely_shown
@dataclass(frozen=True, slots=True)
class Host:
    """One origin. ``prefix`` goes before the target: empty, but the origin itself for a proxy of plain HTTP."""

    pool: HTTPConnectionPool
    prefix: str
    name: str  #: value of the ``Host`` header


class Hosts:
    """The hosts of one transport, found by origin from any thread; the connections of those used last are kept."""

    def __init__(self, *, pool_size: int, verify: bool | str, gate: Gate | None = None) -> None:
        self._gate = gate
        self._adapter = HTTPAdapter(pool_connections=MOST_HOSTS, pool_maxsize=pool_size, max_retries=0)
        self._verify = verify
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
            pool = self._adapter.get_connection_with_tls_context(request, self._verify, proxies=proxies)
            assert isinstance(pool, HTTPConnectionPool)  # the adapter's type hints promise less
            self._adapter.cert_verify(pool, url, self._verify, None)  # type: ignore[no-untyped-call]
            absolute = self._adapter.request_url(request, proxies).startswith("http")
        except requests.RequestException as error:
            raise TransferError(f"{origin}: cannot be connected to ({error_text(error)})") from None
        except OSError as error:  # a CA bundle that is not there
            raise NetworkError(f"{origin}: {error_text(error)}", retryable=False) from None
        if self._gate is not None and pool.proxy is not None:
            self._gate.check_literal(urlsplit(url).hostname or "")
        make_lean(pool, gate=self._gate)
        return Host(pool, origin if absolute else "", urlsplit(url).netloc)
