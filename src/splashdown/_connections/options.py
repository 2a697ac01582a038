"""How to connect over HTTP, for documents and assets alike. Importing this costs nothing."""

from __future__ import annotations

from dataclasses import dataclass

from splashdown._version import __version__


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """Options of connections. Times are in seconds."""

    connect_timeout: float = 20.0
    #: For the head of an answer, and longest silence in its body; a document gets ten times that.
    read_timeout: float = 60.0
    pool_size: int = 64  #: idle connections that are kept for each host
    verify: bool | str = True  #: check certificates; a path names the bundle of authorities to trust
    max_redirects: int = 10
    user_agent: str = f"splashdown/{__version__}"
