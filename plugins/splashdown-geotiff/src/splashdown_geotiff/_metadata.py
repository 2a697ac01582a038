"""What GDAL writes into its two private tags: nodata, and an XML list of items (names, scales, offsets, anything).

The XML comes from a stranger: it is capped, and a document type is refused, since entities are how XML explodes.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from splashdown.errors import LoadError
from splashdown.redact import safely_shown
from splashdown_geotiff._directory import Directory
from splashdown_geotiff._limits import METADATA_BYTES
from splashdown_geotiff._nodata import leading_number, parse_nodata

_GDAL_METADATA, _GDAL_NODATA = 42112, 42113
#: The number of a band (TIFF has up to 65,535).
_SAMPLE = re.compile("[0-9]{1,5}")
#: A declaration of types or entities: neither a comment nor a section of characters.
_DECLARATION = re.compile(r"<!(?!--|\[CDATA\[)")
#: What XML does not allow and writers produce: characters, ampersands, values without quotes.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_AMPERSAND = re.compile("&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)")
_UNQUOTED = re.compile(r"(<[iI]tem\b[^<>]*?\s[a-zA-Z]+=)([^\s\"'<>/]+)")
_END = re.compile("</GDALMetadata>", re.IGNORECASE)
_ESCAPED = re.compile("&(?:(amp|lt|gt|quot|apos)|#([0-9]{1,7})|#x([0-9a-fA-F]{1,6}));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class BandItems:
    """What the items say about one band."""

    description: str | None = None
    scale: float = 1.0
    offset: float = 0.0
    color: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Metadata:
    """The items of the file and, by number from 0, of its bands."""

    tags: Mapping[str, str] = field(default_factory=dict)
    bands: Mapping[int, BandItems] = field(default_factory=dict)
    nodata: float | None = None

    def band(self, number: int) -> BandItems:
        """The metadata of one band."""
        return self.bands.get(number, BandItems())


def read_metadata(directory: Directory, label: str) -> Metadata:
    """Both tags of a directory. Raises ``LoadError`` for XML that is too large or has a document type."""
    tags: dict[str, str] = {}
    bands: dict[int, dict[str, str]] = {}
    roles: dict[int, dict[str, str]] = {}
    for item in _items(directory.text(_GDAL_METADATA, METADATA_BYTES), label):
        given = {name.lower(): value for name, value in item.attrib.items()}  # GDAL overlooks case
        name, value, sample = given.get("name", ""), _unescape((item.text or "").lstrip()), given.get("sample")
        # Items of other domains are not metadata of the pixels, and one of them (OVERVIEWS) names other files.
        if given.get("domain"):
            continue
        if sample is None:
            tags[name] = value
        elif _SAMPLE.fullmatch(sample):
            role = given.get("role", "").lower()
            if role in {"scale", "offset"} and leading_number(value) is None:
                warnings.warn(
                    f"{label}: the {role} of band {int(sample) + 1} is not a number: {value[:40]!r}", stacklevel=2
                )
            (roles if role else bands).setdefault(int(sample), {})[role or name] = value
    found = {number: _band(bands.get(number, {}), roles.get(number, {})) for number in bands.keys() | roles.keys()}
    return Metadata(tags=tags, bands=found, nodata=parse_nodata(directory.text(_GDAL_NODATA, 1024)))


def _items(xml: str, label: str) -> list[ET.Element]:
    """The items of the document; of one that cannot be read, even leniently, none, with a warning."""
    xml = xml.lstrip("\ufeff \t\r\n")
    if not xml:
        return []
    if _DECLARATION.search(xml):
        raise LoadError(f"{label}: its GDAL metadata has a document type declaration: refused")
    for read in (str, _repaired):
        try:
            root = ET.fromstring(read(xml))  # noqa: S314 - no document type, so no entities
        except ET.ParseError as error:
            reason = error
        else:
            return [item for item in root if _named(item, "item")] if _named(root, "gdalmetadata") else []
    # They do not harm the pixels, but a scale may be among them.
    warnings.warn(f"{label}: its GDAL metadata (names, scales, offsets) cannot be read: {reason}", stacklevel=2)
    return []


def _named(element: ET.Element, name: str) -> bool:
    """Whether it has this name, in whatever case and namespace: GDAL overlooks both."""
    return element.tag.rpartition("}")[2].lower() == name


def _repaired(xml: str) -> str:
    """With what writers forget when they write XML by hand; GDAL reads such documents, too."""
    end = _END.search(xml)
    xml = _CONTROL.sub("", xml[: end.end()] if end else xml)
    xml = _AMPERSAND.sub("&amp;", xml)
    for _ in range(4):  # the attributes of an item
        xml = _UNQUOTED.sub(r'\1"\2"', xml)
    return xml


def _unescape(text: str) -> str:
    """GDAL escapes values once for itself, and once more for XML."""

    def character(found: re.Match[str]) -> str:
        named, decimal, hexadecimal = found.groups()
        if named:
            return _NAMED[named]
        number = int(decimal) if decimal else int(hexadecimal, 16)
        return chr(number) if 0 < number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else found[0]

    return _ESCAPED.sub(character, text)


def _band(tags: Mapping[str, str], roles: Mapping[str, str]) -> BandItems:
    return BandItems(
        # openEO back-ends write the band's name as an ordinary item called DESCRIPTION.
        description=roles.get("description") or tags.get("DESCRIPTION") or None,
        scale=_number(roles.get("scale"), 1.0),
        offset=_number(roles.get("offset"), 0.0),
        color=roles.get("colorinterp", "").lower(),
        tags={**tags, **({"units": roles["unittype"]} if "unittype" in roles else {})},
    )


def _number(text: str | None, default: float) -> float:
    found = None if text is None else leading_number(text)
    return default if found is None else found
