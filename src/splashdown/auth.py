"""Ways to sign in, as values for ``auth=``.

A plain token (without ``Bearer``), a ``(user, password)`` pair and a mapping of origins to these need none of them.
Nothing here sends a request: signing in happens when the first request needs it, at the origin of the source.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType

from splashdown.errors import AuthError, UsageError
from splashdown.redact import safely_shown

__all__ = ["ApiKey", "ClientCredentials", "Netrc", "StoredLogin", "from_environment", "is_name"]

#: RFC 9110, section 5.6.2; a parameter of a query may be called the same.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
#: Headers that say what a request is, and that requests have of their own.
_OF_REQUEST = frozenset(
    {"accept-encoding", "connection", "content-length", "cookie", "host", "range", "trailer", "transfer-encoding"}
)


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ApiKey:
    """A key that goes to a listed origin in a header, or as a parameter of the query.

    Which of both, and under what name, is said by you and not by a document: ``ApiKey(key="...", header="X-API-Key")``.
    """

    key: str = field(repr=False)
    header: str = ""
    query: str = ""

    def __post_init__(self) -> None:
        name = self.header or self.query
        if bool(self.header) == bool(self.query) or not _NAME.fullmatch(name) or name.lower() in _OF_REQUEST:
            raise UsageError("an ApiKey takes the name of a header= or of a parameter of the query=, one of both")
        if type(self.key) is not str or not _VALUE.fullmatch(self.key):
            raise UsageError("the key of an ApiKey is empty or holds a character that no header may hold")


@dataclass(frozen=True, slots=True, kw_only=True)
class Netrc:
    """User and password from a netrc file, for exactly the hosts that have an entry; a ``default`` entry is not used.

    ``path`` is the file; without it ``$NETRC`` or ``~/.netrc``.
    """

    path: Path | None = None

    def login(self, host: str) -> tuple[str, str]:
        """User and password for exactly this host.

        Raises :class:`~splashdown.errors.AuthError` when the file cannot be read or has no entry for it.
        """
        entry = self.entries().get(host)
        if entry is None:
            raise AuthError(
                f"{self._file} has no entry for the host {host!r}; add: machine {host} login USER password PASSWORD"
            )
        return entry

    def entries(self) -> Mapping[str, tuple[str, str]]:
        """User and password for each host that has an entry. Raises as :meth:`login` does for an unreadable file."""
        import netrc

        try:
            hosts = netrc.netrc(str(self._file)).hosts
        except (OSError, netrc.NetrcParseError) as error:
            raise AuthError(f"{self._file} could not be read as a netrc file ({type(error).__name__})") from None
        return {host: (user, password or "") for host, (user, _, password) in hosts.items() if host != "default"}

    @property
    def _file(self) -> Path:
        return self.path or Path(os.environ.get("NETRC") or Path.home() / ".netrc")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """The OIDC client credentials grant (RFC 6749, section 4.4), for machines.

    ``provider`` is the id of one of the back-end's OIDC providers; it may be left out where there is only one.
    """

    client_id: str
    client_secret: str = field(repr=False)
    provider: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLogin:
    """The refresh token that the ``openeo-auth`` tool (or the openEO Python client) has stored on this computer.

    ``provider`` is the id of one of the back-end's OIDC providers; without it, the first one with a stored token.
    """

    provider: str | None = None


def from_environment(environ: Mapping[str, str]) -> object:
    """The value for ``auth=`` that environment variables give, or ``None``.

    In this order: ``SPLASHDOWN_TOKEN`` (without ``Bearer``); ``SPLASHDOWN_USER`` and ``SPLASHDOWN_PASSWORD``;
    ``OPENEO_AUTH_CLIENT_ID``, ``OPENEO_AUTH_CLIENT_SECRET`` and, if set, ``OPENEO_AUTH_PROVIDER_ID``, the names that
    the openEO Python client reads.
    """
    if environ.get("SPLASHDOWN_TOKEN"):
        return environ["SPLASHDOWN_TOKEN"]
    if environ.get("SPLASHDOWN_USER") and environ.get("SPLASHDOWN_PASSWORD"):
        return environ["SPLASHDOWN_USER"], environ["SPLASHDOWN_PASSWORD"]
    if environ.get("OPENEO_AUTH_CLIENT_ID") and environ.get("OPENEO_AUTH_CLIENT_SECRET"):
        return ClientCredentials(
            client_id=environ["OPENEO_AUTH_CLIENT_ID"],
            client_secret=environ["OPENEO_AUTH_CLIENT_SECRET"],
            provider=environ.get("OPENEO_AUTH_PROVIDER_ID") or None,
        )
    return None


def is_name(given: object) -> bool:
    """Whether a value for ``auth=`` only says where credentials are, so that it may be sent to another process.

    That is a function of a module that can be imported there, an entry of a configuration file, and :class:`Netrc`.
    Tokens, passwords and keys stay where they are, and so do functions of ``__main__``, which other processes do not
    have.
    """
    if isinstance(given, Netrc) or getattr(type(given), "names_credentials", False):
        return True
    if not isinstance(given, FunctionType) or given.__module__ == "__main__":
        return False
    import pickle  # late: one process does without

    try:
        pickle.dumps(given)  # by its name, or not at all
    except (pickle.PicklingError, AttributeError):
        return False
    return True


def read_environment() -> object:
    """What :func:`from_environment` finds in this process. Raises :class:`~splashdown.errors.AuthError` for nothing."""
    found = from_environment(os.environ)
    if found is None:
        raise AuthError("this process has no SPLASHDOWN_TOKEN, nor SPLASHDOWN_USER and SPLASHDOWN_PASSWORD")
    return found
