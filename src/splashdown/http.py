"""Reading over HTTP, for plugins whose store answers ranged GET requests: the built-in transport and its options.

The options are those of ``[options.http]``::

    http = HttpTransport(HttpOptions(read_timeout=30))
    with http.stream(ReadRequest(href="https://store.example/key", start=0, stop=10)) as stream:
        ...

A plugin whose library sends requests itself has the session's options, and can ask for the profile of a host
(``options.http.hosts.of("store.example")``), where its own options have the field::

    http: HttpOptions | None = field(default=None, repr=False, compare=False, metadata=OF_SESSION)

For requests of another kind, :mod:`splashdown.connections` is one level below.
"""

from __future__ import annotations

from splashdown._connections.options import OF_SESSION, HttpOptions
from splashdown.builtins.http import HttpTransport

__all__ = ["OF_SESSION", "HttpOptions", "HttpTransport"]
