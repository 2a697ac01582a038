"""What GDAL writes into its two private tags: nodata, and an XML list of items (names, scales, offsets, anything).

The XML comes from a stranger: it is capped, and a document type is refused, since entities are how XML explodes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from splashdown.errors import LoadError
from splashdown.redact import safely_shown
from splashdown_geotiff._directory import Directory
from splashdown_geotiff._limits import METADATA_BYTES
from splashdown_geotiff._nodata import parse_nodata

_GDAL_METADATA, _GDAL_NODATA = 42112, 42113
#: The number of a band (TIFF has up to 65,535).
_SAMPLE = re.compile("[0-9]{1,5}")


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True)
class BandItems:
    """What the items say about one band."""

    description: str | None = None
    scale: float = 1.0
    offset: float = 0.0
    color: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True)
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
        name, value, sample = item.get("name", ""), item.text or "", item.get("sample")
        # Items of other domains are not metadata of the pixels, and one of them (OVERVIEWS) names other files.
        if item.get("domain"):
            continue
        if sample is None:
            tags[name] = value
        elif _SAMPLE.fullmatch(sample):
            (roles if item.get("role") else bands).setdefault(int(sample), {})[item.get("role") or name] = value
    found = {number: _band(bands.get(number, {}), roles.get(number, {})) for number in bands.keys() | roles.keys()}
    return Metadata(tags=tags, bands=found, nodata=parse_nodata(directory.text(_GDAL_NODATA, 1024)))


def _items(xml: str, label: str) -> list[ET.Element]:
    if not xml.strip():
        return []
    if "<!" in xml.replace("<!--", ""):
        raise LoadError(f"{label}: its GDAL metadata has a document type declaration: refused")
    try:
        return ET.fromstring(xml).findall("Item")  # noqa: S314 - no document type, so no entities
    except ET.ParseError:
        return []  # metadata that cannot be read do not harm the pixels


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
    try:
        return default if text is None else float(text)
    except ValueError:
        return default
