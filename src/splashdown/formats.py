"""Which first bytes a file format has, and whether the bytes of a file can be what its metadata promise.

The one place for first bytes: loaders, their hints and the checks of what came all look here. Judged is only what is
evident: a web page, XML, JSON, plain text or nothing at all, where another format is promised. Two binary formats are
not distinguished, because metadata name the wrong one too often.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from splashdown.errors import ContentError

if TYPE_CHECKING:
    from splashdown.model import Asset, Buffer

__all__ = [
    "CSV", "FLATGEOBUF", "FORMATS", "GEOPACKAGE", "GRIB", "GZIP", "HDF5", "HEAD_BYTES", "JPEG2000", "JSON", "NETCDF",
    "PARQUET", "PNG", "TIFF", "XML", "Format", "check_content", "format_of", "is_single_file", "promised_kind",
    "promises", "unlike_promise",
]  # fmt: skip

#: So many bytes from the beginning of a file show what it is.
HEAD_BYTES = 512
_SHOWN = 80
_BINARY, _JSON, _XML, _CSV = "binary", "json", "xml", "csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A file format: media types without parameters, extensions with their dot, and how its files may begin."""

    name: str
    media_types: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    first_bytes: tuple[bytes, ...] = ()  #: empty where they say nothing
    kind: str = _BINARY


TIFF = Format(
    name="TIFF",
    media_types=("image/tiff", "image/vnd.stac.geotiff", "image/geotiff"),
    extensions=(".tif", ".tiff", ".geotiff"),
    first_bytes=(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
)
PNG = Format(name="PNG", media_types=("image/png",), extensions=(".png",), first_bytes=(b"\x89PNG\r\n\x1a\n",))
HDF5 = Format(
    name="HDF5",
    media_types=("application/x-hdf5", "application/hdf5"),
    extensions=(".h5", ".he5", ".hdf5"),
    first_bytes=(b"\x89HDF\r\n\x1a\n",),
)
NETCDF = Format(
    name="netCDF",
    media_types=("application/netcdf", "application/x-netcdf", "application/x-netcdf4"),
    extensions=(".nc", ".nc4", ".cdf"),
    first_bytes=(*HDF5.first_bytes, b"CDF\x01", b"CDF\x02", b"CDF\x05"),
)
PARQUET = Format(
    name="Parquet",
    media_types=("application/vnd.apache.parquet", "application/x-parquet", "application/parquet"),
    extensions=(".parquet", ".geoparquet"),
    first_bytes=(b"PAR1", b"PARE"),
)
GEOPACKAGE = Format(
    name="GeoPackage",
    media_types=("application/geopackage+sqlite3",),
    extensions=(".gpkg",),
    first_bytes=(b"SQLite format 3\0",),
)
FLATGEOBUF = Format(
    name="FlatGeobuf",
    media_types=("application/vnd.flatgeobuf", "application/flatgeobuf"),
    extensions=(".fgb",),
    first_bytes=(b"fgb\x03fgb",),
)
#: First as a file of boxes, then as a code stream alone.
JPEG2000 = Format(
    name="JPEG 2000",
    media_types=("image/jp2",),
    extensions=(".jp2",),
    first_bytes=(b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"),
)
GRIB = Format(
    name="GRIB",
    media_types=("application/grib", "application/x-grib", "application/wmo-grib2", "application/x-grib2"),
    extensions=(".grib", ".grib2", ".grb", ".grb2"),
    first_bytes=(b"GRIB",),
)
JSON = Format(name="JSON", media_types=("application/json",), extensions=(".json", ".geojson"), kind=_JSON)
XML = Format(name="XML", media_types=("application/xml", "text/xml"), extensions=(".xml", ".gml", ".kml"), kind=_XML)
CSV = Format(name="CSV", media_types=("text/csv",), extensions=(".csv",), kind=_CSV)
GZIP = Format(
    name="gzip",
    media_types=("application/gzip", "application/x-gzip"),
    extensions=(".gz", ".tgz"),
    first_bytes=(b"\x1f\x8b",),
)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")

FORMATS: tuple[Format, ...] = (
    TIFF,
    PNG,
    NETCDF,
    HDF5,
    PARQUET,
    GEOPACKAGE,
    FLATGEOBUF,
    Format(
        name="HDF",
        media_types=("application/x-hdf", "application/hdf"),
        extensions=(".hdf",),
        first_bytes=(b"\x0e\x03\x13\x01", *HDF5.first_bytes),
    ),
    Format(
        name="JPEG", media_types=("image/jpeg",), extensions=(".jpg", ".jpeg"), first_bytes=(b"\xff\xd8\xff",)
    ),
    JPEG2000,
    Format(name="WebP", media_types=("image/webp",), extensions=(".webp",), first_bytes=(b"RIFF",)),
    Format(name="GIF", media_types=("image/gif",), extensions=(".gif",), first_bytes=(b"GIF8",)),
    Format(
        name="PDF", media_types=("application/pdf",), extensions=(".pdf",), first_bytes=(b"%PDF-",)
    ),
    Format(
        name="ZIP",
        media_types=("application/zip", "application/x-zip", "application/x-zip-compressed"),
        extensions=(".zip", ".kmz"),
        first_bytes=_ZIP,
    ),
    GZIP,
    Format(
        name="Zstandard",
        media_types=("application/zstd",),
        extensions=(".zst",),
        first_bytes=(b"\x28\xb5\x2f\xfd",),
    ),
    GRIB,
    Format(
        name="LAS",
        media_types=("application/vnd.laszip", "application/vnd.laszip+copc", "application/vnd.las"),
        extensions=(".las", ".laz"),
        first_bytes=(b"LASF",),
    ),
    # The first bytes of these say nothing.
    Format(name="tar", media_types=("application/x-tar",), extensions=(".tar",)),
    JSON,
    XML,
    CSV,
)  # fmt: skip

_BY_TYPE = {media_type: one for one in FORMATS for media_type in one.media_types}
_BY_EXTENSION = {extension: one for one in FORMATS for extension in one.extensions}
#: Other media types of ``application/...`` that are never HTML, XML or JSON, by their subtype.
_BINARY_SUBTYPE = re.compile(
    r"zip|gzip|pdf|.*netcdf|.*hdf5?|.*parquet|.*grib2?|geopackage\+sqlite3|vnd\.laszip.*|.*protobuf|x-tar|x-bzip2|zstd"
)
#: Types that say nothing of the format.
_ANY = frozenset({"", "application/octet-stream", "binary/octet-stream"})
_PAGE, _TEXT, _NOTHING = "a web page (HTML)", "plain text", "an empty file"
#: Finds that cannot be of the promised kind. Plain text is another one where the format has first bytes.
_EXCLUDED = {
    _BINARY: frozenset({_PAGE, "XML", "JSON", _NOTHING}),
    _JSON: frozenset({_PAGE, "XML", _NOTHING}),
    _XML: frozenset({_PAGE, "JSON", _NOTHING}),
    _CSV: frozenset({_PAGE}),
}
_HTML = re.compile(r"<!doctype\s+html|<(html|head|body|title|script)[\s>]", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)
_JSON_START = re.compile(r'\{\s*("|\}\s*$)|\[\s*(["\[{\]]|-?\d)')
#: What any JSON begins with.
_JSON_VALUE = '{["-0123456789tfn'
_XML_START = re.compile(r"<(\?xml\s|[A-Za-z_][\w.-]*(:[\w.-]+)?[\s/>])")
#: First bytes of text: white space, marks of the order of bytes, printable characters, letters beyond ASCII.
_TELLING = frozenset([*b"\t\n\v\f\r\x1c\x1d\x1e\x1f\xfe\xff", *range(0x20, 0x7F), *range(0xC2, 0xF5)])
#: Nor is this a page, XML, JSON or text: a letter that is cut off, or control characters after another beginning.
_BINARY_BYTES = re.compile(rb"[\xc2-\xf4][^\x80-\xbf]|[!-;=-Z\\-z|-~].{0,510}?[\0-\x08\x0e-\x1b\x7f]", re.DOTALL)
#: The beginnings of the known formats: these are not text.
_STARTS = frozenset(start[:4] for one in FORMATS for start in one.first_bytes if len(start) >= 4)


def format_of(head: bytes) -> Format | None:
    """The first known format whose files may begin like this; ``None`` for any other bytes."""
    return next((one for one in FORMATS if one.first_bytes and head.startswith(one.first_bytes)), None)


def check_content(asset: Asset, head: Buffer, size: int, content_type: str | None = None) -> None:
    """Raise :class:`~splashdown.errors.ContentError` where the bytes evidently are of another format than promised.

    ``head`` is the beginning of the file, :data:`HEAD_BYTES` or more where it has as many; it may be empty where
    another run has stored it. ``size`` is that of the whole file, ``content_type`` the server's word.
    """
    # Nearly all files begin with none of the formats that are evident.
    if size and (not len(head) or head[0] not in _TELLING or bytes(head[:4]) in _STARTS or _BINARY_BYTES.match(head)):
        return
    if found := unlike_promise(asset.media_type, asset.href, head, size, content_type):
        raise ContentError(
            f"{asset.label}: {found}; nothing was kept."
            " Check whether the source needs a sign-in; verify=False stores such an answer all the same"
        )


def unlike_promise(media_type: str | None, href: str, head: Buffer, size: int, content_type: str | None = None) -> str:
    """Words for bytes that evidently cannot be what is promised; empty where all may be well.

    ``href`` is a URL or a name: its extension counts where there is no media type, or one that says nothing. Plain
    text is evident only where the server calls it text (``content_type``) as well.
    """
    if size and not len(head):
        return ""
    promised = _promised(media_type, href)
    if promised is None:
        return ""
    kind, has_first_bytes = promised
    found, words = _found(bytes(head[:HEAD_BYTES]))
    if found in _EXCLUDED[kind] or _is_said(kind, found, words, (content_type or "").lower(), has_first_bytes):
        said = f" ({words!r})" if words else ""
        return f"{found} came{said} where the metadata promise {media_type or f'a {_extension(href)} file'}"
    return ""


def _is_said(kind: str, found: str, words: str, content_type: str, has_first_bytes: bool) -> bool:
    """Whether a find that may be of the promised kind is another one by the word of the server."""
    if found == _TEXT and content_type.startswith("text/"):
        return has_first_bytes or (kind == _JSON and words[0] not in _JSON_VALUE)
    # Tables may begin like JSON or XML: some have names of columns in angle brackets.
    return kind == _CSV and ((found == "JSON" and "json" in content_type) or (found == "XML" and "xml" in content_type))


def is_single_file(kind: str) -> bool:
    """Whether a media type (bare, in lower case) is of a known format, each of which is one file."""
    return kind in _BY_TYPE


def promises(one: Format, media_type: str | None, href: str, *others: str | None) -> bool:
    """Whether a media type (one of several), or else the extension of ``href``, says that a file has this format."""
    kinds = {(kind or "").partition(";")[0].strip().lower() for kind in (media_type, *others)}
    return not kinds.isdisjoint(one.media_types) or _extension(href) in one.extensions


def promised_kind(asset: Asset) -> str | None:
    """The kind of file that the metadata promise; ``None`` where any bytes may be right."""
    promised = _promised(asset.media_type, asset.href)
    return promised[0] if promised else None


@lru_cache(256)
def _of_type(media_type: str) -> tuple[str, bool] | None:
    """The kind that a media type promises, and whether its first bytes are known."""
    kind = media_type.partition(";")[0].strip().lower()
    if (known := _BY_TYPE.get(kind)) is not None:
        return known.kind, bool(known.first_bytes)
    family, _, subtype = kind.partition("/")
    if subtype.endswith("+xml"):
        return _XML, False
    if subtype.endswith("json"):
        return _JSON, False
    if family in {"image", "video", "audio"} or (family == "application" and _BINARY_SUBTYPE.fullmatch(subtype)):
        return _BINARY, False
    return None


def _promised(media_type: str | None, href: str) -> tuple[str, bool] | None:
    promised = _of_type(media_type) if media_type else None
    if promised is not None or (media_type or "").partition(";")[0].strip().lower() not in _ANY:
        return promised
    known = _BY_EXTENSION.get(_extension(href))
    return (known.kind, bool(known.first_bytes)) if known else None


def _extension(href: str) -> str:
    try:
        return PurePosixPath(urlsplit(href).path).suffix.lower()
    except ValueError:
        return ""


def _found(head: bytes) -> tuple[str, str]:
    """The format of the first bytes, as far as that is evident, and its first words."""
    if not head:
        return _NOTHING, ""
    if format_of(head) is not None:
        return "", ""
    encoding = "utf-16" if head[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    text = head.decode(encoding, "replace").lstrip()
    words = " ".join(text.split())[:_SHOWN]
    bare = _COMMENT.sub("", text)
    if _HTML.match(bare) or (bare.startswith("<?xml") and _HTML.search(bare)):
        return _PAGE, words
    if _XML_START.match(bare):
        return "XML", words
    if _JSON_START.match(bare):
        return "JSON", words
    text = text.removesuffix("\ufffd")  # the last character may be cut in two
    return (_TEXT, words) if text and _is_text(text) else ("", "")


def _is_text(text: str) -> bool:
    """Whether all of it is made of words and lines."""
    return "\ufffd" not in text and all(one.isprintable() or one in "\t\r\n\f" for one in text)
