"""The filter ``crs``: rasters in a coordinate reference system, as the metadata says it (STAC projection extension)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from splashdown.errors import OptionError
from splashdown.model import Asset

if TYPE_CHECKING:
    from pyproj import CRS

#: Fields of the extension, the surest first; ``proj:epsg`` is that of versions before 2.0.
_FIELDS = ("proj:code", "proj:epsg", "proj:projjson", "proj:wkt2")


class ByCrs:
    """Keeps assets whose own or whose item's metadata names one of these systems, however it is written."""

    def __init__(self, value: object) -> None:
        values = value if isinstance(value, list | tuple | set) else [value]
        self._wanted = [_asked(one) for one in values]

    def __call__(self, assets: Sequence[Asset]) -> Iterable[Asset]:
        """The assets in these systems."""
        return [asset for asset in assets if self._is_wanted(asset)]

    def why(self, asset: Asset) -> str:
        """The system that the asset has, or that none is named."""
        found = _stated(asset)
        return f"it is in {found.to_string()[:60]}" if found is not None else "its metadata names no CRS"

    def _is_wanted(self, asset: Asset) -> bool:
        found = _stated(asset)
        return found is not None and any(found.equals(one, ignore_axis_order=True) for one in self._wanted)


def _asked(value: object) -> CRS:
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        return CRS.from_user_input(int(value) if isinstance(value, str) and value.isdigit() else value)
    except (CRSError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise OptionError(f"the filter 'crs' takes a system such as EPSG:32631, not {value!r} ({reason})") from None


def _stated(asset: Asset) -> CRS | None:
    for holder in (asset.metadata, asset.properties):
        for field in _FIELDS:
            if holder.get(field):
                return _parsed(_text(holder[field]))
    return None


def _text(value: Any) -> str:
    if isinstance(value, int):
        return f"EPSG:{value}"
    return json.dumps(value) if isinstance(value, Mapping) else str(value)


@lru_cache(maxsize=256)
def _parsed(text: str) -> CRS | None:
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        return CRS.from_user_input(text)
    except CRSError:
        return None  # metadata that names no real system names none
