"""Where STAC documents are and how they are read: local files, http(s) and stores, relative hrefs, limits.

A document that came from a server never names local files. What documents mean is for ``walk.py``.
"""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit
from urllib.request import url2pathname

from splashdown.errors import LoadError, ResolveError, TransferError, UsageError, describe
from splashdown.redact import redact
from splashdown.sources import at_home, is_in_store, is_url, origin_of

if TYPE_CHECKING:
    from splashdown._openeo.client import Client
    from splashdown.protocols import ResolveContext

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
#: Bytes of one document that has to be in memory as a whole.
MAX_BYTES = 128 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A JSON object and where it was read: a URL, a ``file:`` URL, or ``""`` for one that was in memory."""

    place: str
    body: dict[str, Any]


@dataclass(slots=True)
class Reader:
    """Reads documents for one source; ``authority`` holds the credentials of its origin."""

    authority: Credentials
    context: ResolveContext
    _client: Client | None = field(default=None, repr=False)

    @property
    def client(self) -> Client:
        """The HTTP client, made with the first document on the web."""
        if self._client is None:
            from splashdown._openeo.client import Client

            self._client = Client(self.authority)
        return self._client

    def read(self, place: str) -> Found:
        """The JSON object at a place. Raises :class:`~splashdown.errors.ResolveError` or a subclass."""
        if is_url(place):
            answer = self.client.get(place)
            return Found(place=answer.url, body=answer.body)
        from splashdown._openeo.client import parse_object

        return Found(place=place, body=parse_object(self.read_bytes(place), place))

    def read_bytes(self, place: str) -> bytes:
        """A document that has to be in memory as a whole, up to 128 MiB. Raises as :meth:`read` does."""
        if is_url(place):
            return self.client.get_bytes(place)[1]
        if is_in_store(place):
            return self._of_store(place)
        with open_local(place) as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ResolveError(f"{shown(place)} is larger than {MAX_BYTES // 2**20} MiB, too large for one document")
        return content

    def _of_store(self, place: str) -> bytes:
        try:
            return self.context.open(place).bytes(MAX_BYTES)
        except (TransferError, LoadError) as error:
            raise ResolveError(f"{shown(place)} cannot be read: {error}") from None

    def close(self) -> None:
        """Give back connections."""
        if self._client is not None:
            self._client.close()


class Credentials:
    """What ``auth=`` means for a STAC source: a bearer token or a user and password, for one origin alone."""

    def __init__(self, source: str, auth: object) -> None:
        self._origin = origin_of(source) if is_url(source) and auth is not None else None
        self._headers: Mapping[str, str] = {}
        if auth is None:
            return
        if isinstance(auth, str):
            from splashdown._openeo.auth import clean_token

            self._headers = {"Authorization": f"Bearer {clean_token(auth)}"}
        elif isinstance(auth, tuple) and len(auth) == 2 and all(isinstance(part, str) for part in auth):
            pair = base64.b64encode(":".join(auth).encode()).decode("ascii")
            self._headers = {"Authorization": f"Basic {pair}"}
        else:
            raise UsageError(f"auth= of a STAC source takes a token or (user, password), not {type(auth).__name__}")

    def headers(self, url: str) -> Mapping[str, str]:
        """The header for a URL of the source's origin that is not signed by itself, else nothing."""
        from splashdown._openeo.urls import carries_signature

        try:
            own = self._origin is not None and origin_of(url) == self._origin
        except ValueError:
            return {}
        return self._headers if own and not carries_signature(url) else {}

    def renew(self, refused: Mapping[str, str]) -> bool:  # noqa: ARG002 - the protocol's name
        """There is only one token."""
        return False

    def sign(self, href: str) -> tuple[str, Mapping[str, str]]:
        """As a :class:`~splashdown.protocols.Signer`."""
        return href, self.headers(href)


def place_of(source: str) -> str:
    """The place that a path or URL names; the keys of stores are taken as they are."""
    if is_url(source):
        try:
            parts = urlsplit(source)
        except ValueError as error:
            raise ResolveError(f"{redact(source)}: {error}; check the URL") from None
        if parts.username or parts.password:
            raise UsageError(f"{redact(source)}: take user and password out of the URL and pass auth= instead")
        return source.partition("#")[0]
    if source[:5].lower() == "file:":
        return Path(url2pathname(urlsplit(source).path)).absolute().as_uri()
    if is_in_store(source):
        return source
    return Path(at_home(source)).absolute().as_uri()


def is_local(place: str) -> bool:
    """Whether the place is a file of this machine."""
    return place[:5].lower() == "file:"


@functools.lru_cache(64)
def path_of(place: str) -> Path:
    """The path of a local place."""
    return Path(url2pathname(urlsplit(place).path))


def open_local(place: str) -> IO[bytes]:
    """Open a local document; raises ``ResolveError`` that says why it cannot be read."""
    path = path_of(place)
    try:
        if path.is_dir():
            raise ResolveError(f"{path} is a folder; name the STAC document in it, for example {_example(path)}")
        return path.open("rb")
    except FileNotFoundError:
        raise ResolveError(f"{path} does not exist; check the path") from None
    except (OSError, ValueError) as error:
        raise ResolveError(f"{path} cannot be read ({describe(error)})") from None


def _example(folder: Path) -> str:
    known = ("catalog.json", "collection.json", "item.json", "job-results.json", "items.json")
    return str(folder / next((name for name in known if (folder / name).is_file()), known[0]))


def shown(place: str) -> str:
    """A place for messages: local ones as paths, URLs without secrets."""
    if is_local(place):
        return str(path_of(place))
    return redact(place) if place else "the document"


def resolve_href(base: str, href: str) -> str | None:
    """The absolute href, or ``None`` where the document at ``base`` must not, or cannot, say this.

    Schemes other than ``file`` are left as they are (object stores' keys are not URLs). A local file may be named by
    a local document only; one without a place may name relative paths in the current folder.
    """
    href = href.strip()
    if not href or _CONTROL.search(href):
        return None
    if _SCHEME.match(href) and not is_local(href):
        return href
    if is_local(base):
        if is_local(href):
            return (
                Path(url2pathname(urlsplit(href).path)).as_uri() if urlsplit(href).netloc in {"", "localhost"} else None
            )
        # Paths in documents may hold any character, and percent signs that mean themselves or not: both are tried.
        return _local(path_of(base).parent, href)
    if is_local(href):
        return None
    if is_in_store(base):
        return _in_bucket(base, href)
    if "\\" in href:
        return None
    if not base:
        return _below_here(href)
    try:
        return urljoin(base, href)
    except ValueError:
        return None


def _local(folder: Path, href: str) -> str:
    from urllib.parse import unquote

    literal = Path(_joined(folder, href))
    decoded = Path(_joined(folder, unquote(href.partition("?")[0].partition("#")[0])))
    return (literal if literal == decoded or literal.exists() else decoded).as_uri()


def _in_bucket(base: str, href: str) -> str | None:
    """Keys are opaque: of a relative href only the dot segments mean anything, and none leads out of the bucket."""
    scheme, _, rest = base.partition("://")
    bucket, *folders = rest.split("/")[:-1] or [rest]
    if href.startswith("/"):
        folders, href = [], href[1:]
    for step in href.split("/"):
        if step == ".." and not folders:
            return None
        if step == "..":
            folders.pop()
        elif step != ".":
            folders.append(step)
    return f"{scheme}://{'/'.join([bucket, *folders])}"


def _below_here(href: str) -> str | None:
    """A document of unknown origin may name what is in the current folder, and nothing else of this machine."""
    here = Path.cwd()
    path = Path(_joined(here, href))
    return path.as_uri() if path.is_relative_to(here) else None


def _joined(folder: Path, href: str) -> str:
    import os.path

    return os.path.normpath(folder / href)
