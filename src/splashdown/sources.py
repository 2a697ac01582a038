"""Forms of sources that several resolvers distinguish, without I/O."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from splashdown.errors import OptionError

# openEO API, /jobs/{job_id} and /jobs/{job_id}/results, plus what back-ends append for signed canonical links.
_JOB_PATH = re.compile(r"/jobs/[^/]+(/results(/.*)?)?/?$")


def is_url(source: object) -> bool:
    """Whether the source is an http(s) URL."""
    return isinstance(source, str) and source.lower().startswith(("http://", "https://"))


def is_in_store(place: object) -> bool:
    """Whether it is the URL of something that only a plugin's transport reads: ``s3://``, ``sftp://``, ..."""
    return isinstance(place, str) and scheme_of(place) not in {"", "file", "http", "https"}


def is_job_url(source: object) -> bool:
    """Whether the source is the URL of an openEO job, of its results, or a signed link to them."""
    if not is_url(source):
        return False
    try:
        path = urlsplit(str(source)).path
    except ValueError:
        return False
    return bool(_JOB_PATH.search(path)) and not path.lower().endswith((".json", ".geojson"))


def is_several(source: object) -> bool:
    """Whether the source is a list of sources (URLs, paths, jobs), not of STAC objects."""
    if not isinstance(source, list | tuple) or not source:
        return False
    return not any(isinstance(each, Mapping) or hasattr(each, "stac_extensions") for each in source)


def scheme_of(place: str) -> str:
    """The URL scheme of a target or href, lower-case; ``""`` for a path (a drive letter is not a scheme)."""
    if place[3:4] == ":" and is_archive(place):
        return place[:3].lower()
    scheme, separator, _ = place.partition("://")
    if not separator:
        return "file" if place.lower().startswith("file:") else ""
    return scheme.lower() if len(scheme) > 1 else ""


def is_archive(target: str | Path) -> bool:
    """Whether a target is one archive, ``zip:PLACE`` or ``tar:PLACE``; a file of such a name is ``./zip:PLACE``."""
    return isinstance(target, str) and target[:4].lower() in {"zip:", "tar:"} and not target[4:].startswith("//")


def bare_href(href: str) -> str:
    """An href without its query and fragment: what its file is called, whoever signs it."""
    return href.partition("#")[0].partition("?")[0]


def at_home(place: str | Path) -> str:
    """A path with ``~`` at its start replaced by the home folder, as sources are read; a URL as it is."""
    text = str(place)
    if not text.startswith("~") or scheme_of(text):
        return text
    try:
        # As in shells, ``~NAME`` of an unknown user stays as it is; a path object would raise RuntimeError.
        return os.path.expanduser(text)  # noqa: PTH111
    except ValueError:  # no user's name has a null character or half a character of UTF-16
        return text


def path_in_url(url: str) -> str:
    """The path on this machine that a ``file:`` URL names, whatever its host. Raises ``ValueError`` for no URL."""
    path = urlsplit(url).path
    if os.name != "nt":
        return unquote(path)
    from urllib.request import url2pathname  # it brings a client for HTTP, which most commands do not need

    return url2pathname(path)


def without_pick(place: str) -> str:
    """The target without the distribution that picks its plugin: ``s3://b/k`` for ``splashdown-s3:s3://b/k``."""
    if is_archive(place):
        return place
    scheme, separator, rest = place.partition("://")
    return f"{scheme.rpartition(':')[2]}{separator}{rest}" if separator else place


_DEFAULT_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of a URL, with the scheme's own port filled in (RFC 6454, section 4).

    Raises ``ValueError`` for a URL that two parsers could read differently: a backslash, a control character
    or white space before the path.
    """
    scheme, separator, rest = url.partition("://")
    authority = rest.partition("/")[0]
    if "\\" in url:
        raise ValueError("the URL holds a backslash")
    return _origin_before_path(f"{scheme}{separator}{authority}" if separator else url)


@lru_cache(1024)  # asked once a file, of a handful of hosts
def _origin_before_path(url: str) -> tuple[str, str, int | None]:
    if any(c <= " " or c == "\x7f" for c in url.partition("://")[2]):
        raise ValueError("the URL holds a control character or white space")
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    port = parts.port
    return scheme, normal_host(parts.hostname or ""), _DEFAULT_PORTS.get(scheme) if port is None else port


def origin_text(url: str) -> str:
    """The origin of a URL as people write it: ``https://data.example:8443``. Raises as :func:`origin_of` does."""
    scheme, host, port = origin_of(url)
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}" if port in {_DEFAULT_PORTS.get(scheme), None} else f"{scheme}://{host}:{port}"


def normal_host(host: str) -> str:
    """A host as it is sent and resolved: lower case, in ASCII (IDNA), without a dot at the end."""
    host = host.lower()
    if not host.isascii():
        import idna  # late: hardly any host needs it

        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except idna.IDNAError as error:
            raise ValueError(f"the host is not a valid international name ({error})") from None
    return host.removesuffix(".")


def matches_origin(url: str, pattern: str) -> bool:
    """Whether a URL belongs to an origin; ``*.`` at the start of the pattern's host stands for one or more labels."""
    try:
        scheme, host, port = origin_of(url)
        wanted_scheme, wanted, wanted_port = origin_of(pattern)
    except ValueError:
        return False
    if (scheme, port) != (wanted_scheme, wanted_port):
        return False
    return host.endswith(wanted[1:]) if wanted.startswith("*.") else host == wanted


def refuse_no_origin(text: str, whose: str) -> None:
    """Raise :class:`~splashdown.errors.OptionError` unless the string is ``scheme://host[:port]``."""
    try:
        scheme, host, _ = origin_of(text)
        parts = urlsplit(text)
        fine = bool(scheme and host) and not (parts.path.strip("/") or parts.query or parts.username)
    except ValueError:
        fine = False
    if not fine:
        shown = text.rpartition("@")[2]
        raise OptionError(f"{whose} takes origins such as https://data.example, not {shown!r}")
