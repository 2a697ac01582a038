"""Paths of GDAL's virtual file systems, read as the URLs that they mean (GDAL, "Virtual File Systems")."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

from splashdown.redact import redact_text

#: Handlers of one place each, and the schemes of the same places. Each reads a stream too: ``/vsis3_streaming/``.
_SCHEMES = {"curl": "", "s3": "s3://", "gs": "gs://", "az": "az://", "adls": "abfs://", "oss": "oss://"}
_HANDLER = re.compile(r"/vsi([a-z0-9]+?)(_streaming)?([/?].*)?", re.DOTALL)
#: Handlers that look into a file, and what there is instead.
_UNPACK = "list the archive itself, and take files out of it with unpack() (--unpack)"
_INSTEAD = {
    "zip": _UNPACK,
    "tar": _UNPACK,
    "7z": "list the archive itself",
    "rar": "list the archive itself",
    "gzip": "list the .gz file itself",
    "swift": "list the https URL of the object",
    "hdfs": "list a URL of the file",
    "webhdfs": "list the http URL of the file",
    "subfile": "list the whole file",
    "sparse": "list the files that it is made of",
    "cached": "list the file itself",
    "crypt": "list the file itself",
    "mem": "write the file to a disk or store first",
    "stdin": "write the file to a disk or store first",
    "stdout": "write the file to a disk or store first",
}


def url_of(href: str) -> str:
    """The URL or path that an href means: itself, where it is not a path of GDAL's, and empty for one without a URL."""
    if not href.startswith("/vsi"):
        return href
    found = _HANDLER.fullmatch(href)
    if found is None:
        return ""
    handler, rest = found[1], found[3] or ""
    if handler == "curl" and rest.startswith("?"):
        return _of_options(rest[1:])
    if handler not in _SCHEMES or not rest.startswith("/"):
        return ""
    return _SCHEMES[handler] + rest[1:]


def _of_options(query: str) -> str:
    """The URL among the options of ``/vsicurl?max_retry=3&url=https%3A%2F%2F...``; ``url`` comes last, in full."""
    _, mark, last = f"&{query}".partition("&url=")
    if not mark:
        return ""
    if re.match(r"(https?|ftp)://", last, re.IGNORECASE):  # not encoded, as many write it: the rest is the URL
        return last
    return next(iter(parse_qs(f"url={last}").get("url", [])), "")


def why_refused(href: str) -> str:
    """Why a path of GDAL's has no URL, and what to list instead; empty for any other href."""
    if not href.startswith("/vsi") or url_of(href):
        return ""
    found = _HANDLER.fullmatch(href)
    handler = found[1] if found else ""
    if handler == "curl":
        return (
            f"{redact_text(href)} names no URL: GDAL's form is /vsicurl/https://... or /vsicurl?url=https%3A%2F%2F..."
        )
    instead = _INSTEAD.get(handler, "list a URL of the file")
    return f"it is a path that only GDAL can open (/vsi{handler}/): {instead}"
