"""The value that marks pixels without data: from the text of its tag to the pixels that GDAL takes for it."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_WHOLE = re.compile("[+-]?[0-9]{1,20}")
#: The number that a text begins with; GDAL reads as far as that, too.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
#: GDAL's tolerance, for wider floats too: nodata is often written with the digits of a float32.
_TOLERANCE = 2 * float(np.finfo("f4").eps)
#: Elements compared at a time, so that what is between needs little memory.
_PIECE = 1 << 20


def parse_nodata(text: str) -> float | None:
    """GDAL_NODATA as a number: an ``int`` where it is one, since 64-bit values do not fit a float."""
    text = text.strip().replace(",", ".")
    if _WHOLE.fullmatch(text) and -(2**63) <= int(text) < 2**64:
        return int(text)
    if "#" in text:
        # Visual C++ once printed NaN as "1.#QNAN" and "-1.#IND", and infinity as "1.#INF".
        return math.copysign(math.inf if "#INF" in text.upper() else math.nan, -1 if text.startswith("-") else 1)
    if text.lstrip("+-").lower() in {"nan", "inf", "infinity"}:
        return float(text)
    return leading_number(text)


def leading_number(text: str) -> float | None:
    """The number that a text begins with, with a point or a comma; ``None`` where it begins with another thing."""
    found = _NUMBER.match(text.strip().replace(",", "."))
    return None if found is None else float(found[0])


def held_nodata(nodata: float | None, dtype: np.dtype[Any]) -> float | None:
    """Nodata as pixels of this type hold it; ``None`` where they cannot, so that it marks none of them."""
    if nodata is None:
        return None
    if dtype.kind in "iu":
        limits = np.iinfo(dtype.name)
        if not math.isfinite(nodata) or nodata != int(nodata) or not limits.min <= nodata <= limits.max:
            return None
        return int(nodata)
    if dtype == np.float32:
        with np.errstate(over="ignore"):
            return float(np.float32(nodata))
    if dtype == np.complex64 and math.isfinite(nodata) and abs(nodata) > np.finfo("f4").max:
        return None
    return float(nodata)


def read_nodata_values(
    tags: Mapping[str, str], bands: int, dtype: np.dtype[Any], label: str
) -> tuple[float | None, ...]:
    """GDAL's item ``NODATA_VALUES``: one value for each band. Empty, with a warning, where it is not that."""
    text = tags.get("NODATA_VALUES")
    if text is None:
        return ()
    numbers = [parse_nodata(part) for part in text.split()]
    if len(numbers) != bands or None in numbers:
        warnings.warn(
            f"{label}: NODATA_VALUES is {text[:80]!r}, not one number for each of {bands} bands: it is ignored",
            stacklevel=5,
        )
        return ()
    return tuple(held_nodata(number, dtype) for number in numbers)


def equals_nodata(nodata: float, stored: NDArray[Any]) -> NDArray[np.bool_]:
    """Where values are nodata, as GDAL compares: exact for integers, nearly for floats, the real part of complex."""
    if stored.dtype.kind == "c":
        stored = stored.real.astype("f8", copy=False)
    if nodata != nodata:  # noqa: PLR0124 - NaN
        return np.isnan(stored) if stored.dtype.kind == "f" else np.zeros(stored.shape, bool)
    value = stored.dtype.type(nodata)
    found: NDArray[np.bool_] = stored == value
    if stored.dtype.kind == "f" and nodata != 0 and math.isfinite(nodata):
        _add_near(found, stored, value)
    return found


def _add_near(found: NDArray[np.bool_], stored: NDArray[Any], value: Any) -> None:
    """Add what GDAL takes for equal: a difference below a share of the sum, which overflows for the largest floats."""
    tolerance = stored.dtype.type(_TOLERANCE)
    large = abs(value) > np.finfo(stored.dtype).max * 1e-8
    flat, hidden = stored.reshape(-1), found.reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = sorted((value * (1 - 4 * _TOLERANCE), value * (1 + 4 * _TOLERANCE)))
        for start in range(0, flat.size, _PIECE):
            piece = flat[start : start + _PIECE]
            places = slice(None) if large else np.flatnonzero((piece > low) & (piece < high))
            near = piece[places]
            if near.size:
                equal = np.abs(near - value) < np.abs(near + value) * tolerance
                # Infinities are equal to themselves alone, which was found before.
                hidden[start : start + _PIECE][places] |= equal & np.isfinite(near)
