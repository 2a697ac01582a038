"""How to connect over HTTP, for documents and assets alike. Importing this costs nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass

from splashdown._version import __version__
from splashdown.redact import safely_shown

_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """Options of connections. Times are in seconds."""

    connect_timeout: float = 20.0
    #: For the head of an answer, and longest silence in its body; a document gets ten times that.
    read_timeout: float = 60.0
    pool_size: int = 64  #: idle connections that are kept for each host
    #: Check certificates; a path names the bundle of authorities to trust.
    verify: bool | str = True
    max_redirects: int = 10
    allow_private: bool = False  #: let documents of the public web lead to loopback, link-local and private addresses
    user_agent: str = f"splashdown/{__version__}"

    @property
    def authorities(self) -> bool | str:
        """The authorities to trust: ``verify``, else the bundle that the environment names.

        The variables are those of requests, curl and OpenSSL, in this order; ``True`` means the bundle of ``certifi``.
        """
        if self.verify is not True:
            return self.verify
        return next((path for name in _BUNDLES if (path := os.environ.get(name))), True)
