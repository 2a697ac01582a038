"""URLs: which filesystem one names, with which credentials, and which path in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from splashdown.errors import PluginError, TargetError
from splashdown.redact import redact, safely_shown
from splashdown_fsspec._files import CHUNK
from splashdown_fsspec._options import FsspecOptions

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_EXTRAS = {"sftp": "sftp", "webdav": "webdav", "webdav+http": "webdav"}


@safely_shown
@dataclass(frozen=True, slots=True, repr=False)
class Place:
    """A filesystem and a path in it. ``path`` is taken as it is: ``%``, ``?`` and ``#`` have no meaning there."""

    scheme: str  #: ``sftp``, ``webdav``, ``webdav+http`` or ``fsspec``
    server: str  #: ``user@host:port``; for ``fsspec`` the name of the protocol
    path: str

    @classmethod
    def of(cls, url: str) -> Place:
        """Split a URL. Raises ``TargetError`` where it names no server or holds a password."""
        scheme, _, rest = url.partition("://")
        scheme = scheme.lower()
        server, slash, path = rest.partition("/")
        if not server:
            example = "fsspec://memory/folder/" if scheme == "fsspec" else f"{scheme}://host/folder/"
            raise TargetError(f"{scheme}:// has to name a {'protocol' if scheme == 'fsspec' else 'host'}: {example}")
        # With fsspec://PROTOCOL/ the inner URL's authority is the first segment of the path.
        user = (server if scheme != "fsspec" else path.partition("/")[0]).rpartition("@")[0]
        if ":" in user:
            raise TargetError(
                f"the {scheme}:// URL holds a password; leave it out, and set SPLASHDOWN_FSSPEC_USERNAME and"
                " SPLASHDOWN_FSSPEC_PASSWORD, or use an SSH key"
            )
        return cls(scheme, server, path if scheme == "fsspec" else f"{slash or '/'}{path}")

    @property
    def host(self) -> str:
        """Name or address of the server, empty for ``fsspec``."""
        return "" if self.scheme == "fsspec" else urlsplit(f"//{self.server}").hostname or ""

    def __str__(self) -> str:
        return redact(self.url)

    @property
    def url(self) -> str:
        """The URL as it is; messages have ``str()`` of the place, without a query that an href had."""
        return f"{self.scheme}://{self.server}{'/' if self.scheme == 'fsspec' else ''}{self.path}"


def connect(place: Place, options: FsspecOptions, *, trusted: bool) -> tuple[AbstractFileSystem, str]:
    """The filesystem of a place, and the path there.

    ``trusted`` says that the user has named this place, so that credentials may go there without ``options.host``.
    Raises ``PluginError`` when the package for it is missing.
    """
    try:
        if place.scheme == "sftp":
            return _sftp(place, options, trusted=trusted), place.path
        if place.scheme in {"webdav", "webdav+http"}:
            return _webdav(place, options, trusted=trusted), place.path
        return _other(place, options)
    except ImportError as error:
        extra = _EXTRAS.get(place.scheme)
        needed = f"pip install 'splashdown-fsspec[{extra}]'" if extra else str(error)
        raise PluginError(f"{place.scheme}:// needs another package: {needed}") from error


def _credentials(place: Place, options: FsspecOptions, *, trusted: bool) -> tuple[str | None, str | None]:
    named = unquote(urlsplit(f"//{place.server}").username or "") or None
    allowed = place.host == options.host.lower() if options.host else trusted
    if not allowed or (named and options.username and named != options.username):
        return named, None
    return named or options.username, options.password


def _sftp(place: Place, options: FsspecOptions, *, trusted: bool) -> AbstractFileSystem:
    from sshfs import SSHFileSystem

    user, password = _credentials(place, options, trusted=trusted)
    wanted: Mapping[str, Any] = {
        "port": urlsplit(f"//{place.server}").port,
        "username": user,
        "password": password,
        "client_keys": [options.key_file] if options.key_file else None,
    }
    return SSHFileSystem(
        place.host,
        # The library's own default is to believe every host; an empty tuple stands for ~/.ssh/known_hosts.
        known_hosts=options.known_hosts or (),
        timeout=options.timeout,
        skip_instance_cache=True,
        **{name: value for name, value in wanted.items() if value is not None},
    )


def _webdav(place: Place, options: FsspecOptions, *, trusted: bool) -> AbstractFileSystem:
    import ssl

    from webdav4.fsspec import WebdavFileSystem

    from splashdown_fsspec._webdav import ExactClient

    user, password = _credentials(place, options, trusted=trusted)
    scheme = "http" if place.scheme == "webdav+http" else "https"
    verify = ssl.create_default_context(cafile=options.ca_bundle) if scheme == "https" else True
    base = f"{scheme}://{place.server.rpartition('@')[2]}"
    auth = (user, password) if user and password else None
    client = ExactClient(base, auth=auth, timeout=options.timeout, verify=verify, chunk_size=CHUNK)
    return WebdavFileSystem(base, client=client, skip_instance_cache=True)


def _other(place: Place, options: FsspecOptions) -> tuple[AbstractFileSystem, str]:
    import fsspec

    if "::" in str(place):
        raise TargetError(f"{place}: chained filesystems ('::') are not taken; name one protocol")
    try:
        cls = fsspec.get_filesystem_class(place.server)
    except ValueError as error:
        raise TargetError(f"fsspec knows no protocol {place.server!r}; install the package that brings it") from error
    url = f"{place.server}://{place.path}"
    # What the URL says of the server (host, user) is the class's own affair.
    return cls(**cls._get_kwargs_from_urls(url), **options.storage_options), cls._strip_protocol(url)
