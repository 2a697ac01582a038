"""Places of documents (paths, URLs, stores), relative hrefs in them, and how messages show a place.

A document that came from a server never names local files.
"""

from __future__ import annotations

import functools
import os.path
import re
from pathlib import Path
from typing import IO
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from splashdown.errors import ResolveError, UsageError, error_text
from splashdown.redact import redact
from splashdown.sources import at_home, bare_href, is_in_store, is_url, origin_of, path_in_url

#: Control characters, and surrogates, which have no bytes to send.
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
#: Nearly all hrefs are like this, and any document may link them.
_USUAL = re.compile(r"https?://[!-\[\]-~]+")
#: Schemes behind which files or memory of this machine are.
_HERE = frozenset({"file", "local", "memory"})
#: Protocols of fsspec that lead to other machines. Any other may read files here, by a chain for example.
_FSSPEC_REMOTE = frozenset(
    {"abfs", "abfss", "adl", "az", "ftp", "gcs", "gs", "hf", "http", "https", "oci", "oss", "s3", "s3a", "sftp", "ssh"}
)
#: A query with one of these is a presigned URL; object stores refuse it with credentials in a header as well.
_SIGNED = frozenset({"x-amz-signature", "x-goog-signature", "signature", "sig"})
#: How paths of GDAL's virtual file systems begin.
_GDAL = "/vsi"
#: The beginning of a URL with a user, and perhaps a password, where no two parsers differ about the host.
_USER = re.compile(r"(https?://)[^/?#\\@]*@(?=[^/?#\\@]+([/?#]|\Z))", re.IGNORECASE)
#: Absolute paths of Windows.
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")
#: The rest of the path of a signed link to an openEO job's results is the signature.
_SIGNED_RESULTS = re.compile(r"(/jobs/[^/?#]+/results/).+")


def place_of(source: str) -> str:
    """The place that a path or URL names; keys of stores stay as they are."""
    if is_url(source):
        try:
            parts = urlsplit(source)
        except ValueError as error:
            raise ResolveError(f"{redact(source)}: {error}; check the URL") from None
        if parts.username or parts.password:
            raise UsageError(f"{redact(source)}: take user and password out of the URL and pass auth= instead")
        return source.partition("#")[0]
    if is_in_store(source):
        return source
    try:
        path = path_in_url(source) if source[:5].lower() == "file:" else at_home(source)
        return Path(path).absolute().as_uri()
    except ValueError as error:  # half a character of UTF-16, a bracket that is not closed
        raise ResolveError(f"{source!r} is not a valid path or URL ({type(error).__name__})") from None


def is_local(place: str) -> bool:
    """Whether the place is a file of this machine."""
    return place[:5].lower() == "file:"


@functools.lru_cache(64)
def path_of(place: str) -> Path:
    """The path of a local place."""
    return Path(path_in_url(place))


def open_local(place: str) -> IO[bytes]:
    """Open a local document; raises ``ResolveError`` with the reason when that is impossible."""
    path = path_of(place)
    try:
        if path.is_dir():
            raise ResolveError(f"{path} is a folder; name the STAC document in it, for example {_example(path)}")
        return path.open("rb")
    except FileNotFoundError:
        raise ResolveError(f"{path} does not exist; check the path") from None
    except (OSError, ValueError) as error:
        raise ResolveError(f"{path} cannot be read ({error_text(error)})") from None


def _example(folder: Path) -> str:
    known = ("catalog.json", "collection.json", "item.json", "job-results.json", "items.json")
    return str(folder / next((name for name in known if (folder / name).is_file()), known[0]))


def shown(place: str) -> str:
    """A place for messages: local ones as paths, URLs without secrets (the signed part of a link to results is one)."""
    if is_local(place):
        return str(path_of(place))
    return _SIGNED_RESULTS.sub(r"\1...", redact(place)) if place else "the document"


def resolve_href(base: str, href: str) -> str | None:
    """The absolute href; ``None`` when the document at ``base`` may not link it, or it is not valid.

    An href with a scheme other than ``file`` stays as it is (keys of object stores are not URLs), see :func:`may_link`.
    Only a local document may link local files; a document without a place may link files below the current folder.
    Paths of GDAL's virtual file systems are read as the URLs that they mean, and backslashes as slashes.
    """
    if _USUAL.fullmatch(href):
        return _without_user(href) if "@" in href else href
    href = _of_gdal(href.strip())
    if not href or _CONTROL.search(href):
        return None
    if _SCHEME.match(href) and not is_local(href):
        href = _without_user(href)
        return href if may_link(base, href) else None
    if is_local(base):
        if is_local(href):
            return _local_url(href)
        # A percent sign in a path may or may not be an escape: both readings are tried.
        return _local(path_of(base).parent, href)
    if is_local(href):
        own = None if base else _local_url(href)
        return _below_here(str(path_of(own))) if own else None
    if is_in_store(base):
        return _in_bucket(base, href)
    if _WINDOWS.match(href):
        return None
    href = href.replace("\\", "/")
    if not base:
        return _below_here(href)
    try:
        joined = urljoin(base, href)
    except ValueError:
        return None
    return _without_user(joined) if is_url(joined) else None  # a drive letter looks like a scheme


def _without_user(url: str) -> str:
    """The URL without user and password: those of a document are not the user's word, and are never sent."""
    found = _USER.match(url)
    return url if found is None else found[1] + url[found.end() :]


def is_relative(href: str) -> bool:
    """Whether what the href means depends on the place of its document."""
    return not _SCHEME.match(href) and not _WINDOWS.match(href)


def _of_gdal(href: str) -> str:
    if not href.startswith(_GDAL):
        return href
    from splashdown._documents.gdal import url_of  # late: few documents have such paths

    return url_of(href)


def may_link(base: str, href: str) -> bool:
    """Whether a document may link an href with a scheme.

    A plugin is picked (``distribution:scheme://``) by users alone. Only local documents link what is on this
    machine, but a document in a store may link what is in that store.
    """
    scheme, separator, rest = href.partition("://")
    scheme = scheme.lower()
    if not separator or ":" in scheme:
        return False
    if scheme not in _HERE | {"fsspec"} or is_local(base):
        return True
    protocol = rest.partition("/")[0].lower()
    if not base and protocol == "memory" and ".." not in rest.split("/"):
        return True  # the caller holds the document, and what it names, in this process
    return (scheme == "fsspec" and protocol in _FSSPEC_REMOTE) or _store_of(href) == _store_of(base)


def why_refused(base: str, href: str) -> str:
    """The reason to give for an href for which :func:`resolve_href` gives ``None``."""
    if href.strip().startswith(_GDAL):
        from splashdown._documents.gdal import why_refused as why_gdal  # late: few documents have such paths

        if why := why_gdal(href.strip()):
            return why
        href = _of_gdal(href.strip())
    if _CONTROL.search(href):
        return "it holds control characters or surrogates"
    scheme, separator, _ = href.partition("://")
    if separator and ":" in scheme:
        return "only the user may pick a plugin, a document may not"
    if _SCHEME.match(href) and not separator and not is_local(href):
        return "it is not the URL of a file"
    if not base and (is_local(href) or not _SCHEME.match(href)):
        return (
            "a document in memory may come from anywhere, so it may name local files only below the current folder:"
            " pass base= (a folder or a file) to say where it belongs"
        )
    return "a document on the web may not name local files"


def _store_of(place: str) -> str:
    """Scheme and bucket, or scheme and protocol."""
    return "/".join(place.split("/")[:3]).lower()


def _local_url(href: str) -> str | None:
    """A ``file:`` URL in its usual form; ``None`` for one of another machine, or of a relative path."""
    try:
        parts = urlsplit(href)
        path = Path(path_in_url(href))
        return path.as_uri() if parts.netloc in {"", "localhost"} else None
    except ValueError:
        return None


def _local(folder: Path, href: str) -> str:
    decoded = unquote(bare_href(href))
    readings = dict.fromkeys(_joined(folder, each) for each in (href, decoded, decoded.replace("\\", "/")))
    *others, last = readings
    return Path(next((path for path in others if is_there(path)), last)).as_uri()


def is_there(path: str | Path) -> bool:
    """Whether a path leads to something; false for one that the file system does not take."""
    return os.path.exists(path)  # noqa: PTH110 - Path.exists() raises for a name that is too long


def _in_bucket(base: str, href: str) -> str | None:
    """Keys are opaque: only dot segments of a relative href are resolved, and none may leave the bucket."""
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
    """A document of unknown origin may link files below the current folder, and no other local files."""
    here = Path.cwd()
    path = Path(_joined(here, href))
    return path.as_uri() if path.is_relative_to(here) else None


def _joined(folder: Path, href: str) -> str:
    return os.path.normpath(folder / href)


def same_origin(one: str, other: str) -> bool:
    """Whether two URLs have one scheme, host and port (RFC 6454); an ambiguous URL matches none."""
    try:
        return origin_of(one) == origin_of(other)
    except ValueError:
        return False


def carries_signature(url: str) -> bool:
    """Whether the query of a URL holds a signature, as in presigned URLs of object stores."""
    return any(name.lower() in _SIGNED for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True))
