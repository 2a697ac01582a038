"""How to connect over HTTP, for documents and assets alike. Importing this costs nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from splashdown._connections.hosts import NO_PROFILE, Profiles
from splashdown._version import __version__
from splashdown.redact import safely_shown

_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class HttpOptions:
    """Options of connections. Times are in seconds."""

    connect_timeout: float = 20.0
    #: For the head of an answer, and longest silence in its body; a document gets ten times that.
    read_timeout: float = 60.0
    pool_size: int = 64  #: idle connections that are kept for each host
    #: Check certificates; a path names the bundle of authorities to trust, ``system`` the system's certificate store.
    verify: bool | str = True
    cert: str | None = None  #: a client certificate, which any server gets that asks for one; see ``HostProfile``
    key: str | None = None
    max_redirects: int = 10
    allow_private: bool = False  #: let documents of the public web lead to loopback, link-local and private addresses
    user_agent: str = f"splashdown/{__version__}"
    #: What holds for single hosts instead.
    hosts: Profiles = field(default=Profiles(), metadata={"python_only": "the profiles of a session's hosts"})
    #: Gets the events of waits for documents (:mod:`splashdown.events`).
    emit: Callable[[Any], object] | None = field(
        default=None, repr=False, compare=False, metadata={"python_only": "a function that gets events"}
    )

    def __post_init__(self) -> None:
        if not self.user_agent.isprintable():
            raise ValueError("user_agent holds a character that cannot be printed")
        if self.key is not None and self.cert is None:
            raise ValueError("key is the key of a certificate: name that with cert")

    def at(self, host: str) -> HttpOptions:
        """The options for ``host`` or ``host:port``, as it stands in a URL."""
        found = self.hosts.of(host)
        if found is NO_PROFILE:
            return self
        own: dict[str, Any] = {name: getattr(found, name) for name in found.set_fields() if name in _OF_PROFILE}
        if found.ca:
            own["verify"] = found.ca
        if found.cert:
            own["key"] = found.key
        return replace(self, **own)

    @property
    def certificate(self) -> tuple[str, str | None] | None:
        """The client certificate, with the file of its key where that is another one."""
        return None if self.cert is None else (_expanded(self.cert), self.key and _expanded(self.key))

    @property
    def authorities(self) -> bool | str:
        """The authorities to trust: ``verify``, else the bundle that the environment names.

        The variables are those of requests, curl and OpenSSL, in this order; ``True`` means the bundle of ``certifi``.
        """
        if self.verify is not True:
            return _expanded(self.verify) if isinstance(self.verify, str) else self.verify
        return next((path for name in _BUNDLES if (path := os.environ.get(name))), True)


#: The metadata of a field of a plugin's options that the session fills with its own options of HTTP.
OF_SESSION: Final[Mapping[str, Any]] = {
    "python_only": "a splashdown.http.HttpOptions",
    "help": "filled in by the session: profiles of hosts",
    "of_session": True,
}
#: The fields of a profile that have the same name here.
_OF_PROFILE = frozenset({"connect_timeout", "read_timeout", "user_agent", "cert", "key"})


def _expanded(path: str) -> str:
    return os.path.expanduser(path)  # noqa: PTH111 - "system" and relative paths stay as they are
