"""Puts ``requests`` on the connections of :mod:`splashdown.connections`: heads in time, no answer taken for another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3 import HTTPConnectionPool

from splashdown._connections.addresses import Gate
from splashdown._connections.tls import TlsAdapter
from splashdown.connections import make_lean

_OWN_PORTS = {"http": 80, "https": 443}


class DocumentAdapter(TlsAdapter):
    """The adapter over such connections. ``gate`` looks at the addresses."""

    def __init__(self, *, gate: Gate | None = None, **options: Any) -> None:
        self._gate = gate
        super().__init__(**options)

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: Any,
        proxies: Mapping[str, str] | None = None,
        cert: Any = None,
    ) -> Any:
        """The pool for a request."""
        pool = super().get_connection_with_tls_context(request, verify, proxies=proxies, cert=cert)
        assert isinstance(pool, HTTPConnectionPool)  # the adapter's type hints promise less
        if self._gate is not None and pool.proxy is not None:
            self._gate.check_literal(urlsplit(str(request.url)).hostname or "")
        make_lean(pool, full=True, gate=self._gate)
        return pool

    def add_headers(self, request: requests.PreparedRequest, **_: Any) -> None:
        """Say the host: the connections send the headers that they are given, and no others."""
        parts = urlsplit(str(request.url))
        host = parts.netloc.rpartition("@")[2]
        request.headers.setdefault("Host", host.removesuffix(f":{_OWN_PORTS.get(parts.scheme)}"))
