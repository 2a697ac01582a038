"""Reading over HTTP, for plugins whose store answers ranged GET requests: the built-in transport and its options.

The options are those of ``[options.http]``::

    http = HttpTransport(HttpOptions(read_timeout=30))
    with http.stream(ReadRequest(href="https://store.example/key", start=0, stop=10)) as stream:
        ...

For requests of another kind, :mod:`splashdown.connections` is one level below.
"""

from __future__ import annotations

from splashdown._connections.options import HttpOptions
from splashdown.builtins.http import HttpTransport

__all__ = ["HttpOptions", "HttpTransport"]
