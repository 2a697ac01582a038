"""Judges whether what came can be what the metadata promise: a login page under the name of a raster is a failure.

Only what is evident is judged: HTML, XML, JSON, or nothing at all, where another format was promised.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from splashdown.errors import ContentError
from splashdown.model import Asset, Buffer

#: So many bytes from the beginning of a file show what it is.
HEAD_BYTES = 512
_SHOWN = 80
_BINARY, _JSON, _XML, _CSV = "binary", "json", "xml", "csv"
#: Formats that are never HTML, XML or JSON, by the subtype of ``application/...``.
_BINARY_SUBTYPE = re.compile(
    r"zip|gzip|pdf|.*netcdf|.*hdf5?|.*parquet|.*grib2?|geopackage\+sqlite3|vnd\.laszip.*|.*protobuf|x-tar|x-bzip2|zstd"
)
_EXTENSIONS = {
    **dict.fromkeys(("tif", "tiff", "png", "jpg", "jpeg", "jp2", "nc", "nc4", "h5", "he5", "hdf", "hdf5"), _BINARY),
    **dict.fromkeys(("zip", "gz", "tgz", "tar", "parquet", "grib", "grib2", "grb", "grb2", "gpkg"), _BINARY),
    **dict.fromkeys(("laz", "las", "pdf", "webp", "gif"), _BINARY),
    **dict.fromkeys(("json", "geojson"), _JSON),
    **dict.fromkeys(("xml", "gml", "kml"), _XML),
    "csv": _CSV,
}
#: Finds that cannot be the promised kind.
_EXCLUDED = {
    _BINARY: frozenset({"a web page (HTML)", "XML", "JSON", "an empty file"}),
    _JSON: frozenset({"a web page (HTML)", "XML", "an empty file"}),
    _XML: frozenset({"a web page (HTML)", "JSON", "an empty file"}),
    _CSV: frozenset({"a web page (HTML)"}),
}
_HTML = re.compile(r"<!doctype\s+html|<(html|head|body|title|script)[\s>]", re.IGNORECASE)
#: First bytes of HTML, XML and JSON, of white space (of Unicode too), and of marks of the order of bytes.
_TELLING = frozenset(b"<{[\t\n\v\f\r\x1c\x1d\x1e\x1f \xc2\xe1\xe2\xe3\xef\xfe\xff")
_COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)
_JSON_START = re.compile(r'\{\s*("|\}\s*$)|\[\s*(["\[{\]]|-?\d)')
_XML_START = re.compile(r"<(\?xml\s|[A-Za-z_][\w.-]*(:[\w.-]+)?[\s/>])")


def check_content(asset: Asset, head: Buffer, size: int) -> None:
    """Raise :class:`~splashdown.errors.ContentError` where the bytes evidently are of another format than promised.

    ``head`` is the beginning of the file, which may be empty where another run has stored it.
    """
    if size and (not len(head) or head[0] not in _TELLING):
        return  # nearly all files: what they begin with is none of the formats that are evident
    promised = promised_kind(asset)
    if promised is None:
        return
    head = bytes(head[:HEAD_BYTES])
    found, words = _found(head)
    if found in _EXCLUDED[promised]:
        said = f" ({words!r})" if words else ""
        raise ContentError(
            f"{asset.label}: {found} came{said} where the metadata promise {_promise_text(asset)}; nothing was kept."
            " Check whether the source needs a sign-in; verify=False stores such an answer all the same"
        )


def promised_kind(asset: Asset) -> str | None:
    """The kind of file that the metadata promise; ``None`` where any bytes may be right."""
    kind = (asset.media_type or "").partition(";")[0].strip().lower()
    family, _, subtype = kind.partition("/")
    if subtype.endswith("+xml") or kind in {"application/xml", "text/xml"}:
        return _XML
    if subtype.endswith("json"):
        return _JSON
    if family in {"image", "video", "audio"} or (family == "application" and _BINARY_SUBTYPE.fullmatch(subtype)):
        return _BINARY
    if kind == "text/csv":
        return _CSV
    if kind not in {"", "application/octet-stream", "binary/octet-stream"}:
        return None
    return _EXTENSIONS.get(_extension(asset.href))


def _extension(href: str) -> str:
    try:
        return PurePosixPath(urlsplit(href).path).suffix.lower().removeprefix(".")
    except ValueError:
        return ""


def _promise_text(asset: Asset) -> str:
    return asset.media_type or f"a .{_extension(asset.href)} file"


def _found(head: bytes) -> tuple[str, str]:
    """The format of the first bytes, as far as that is evident, and its first words."""
    if not head:
        return "an empty file", ""
    encoding = "utf-16" if head[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    text = head.decode(encoding, "replace").lstrip()
    words = " ".join(text.split())[:_SHOWN]
    bare = _COMMENT.sub("", text)
    if _HTML.match(bare) or (bare.startswith("<?xml") and _HTML.search(bare)):
        return "a web page (HTML)", words
    if _XML_START.match(bare):
        return "XML", words
    return ("JSON", words) if _JSON_START.match(bare) else ("", "")
