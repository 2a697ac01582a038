"""Formats numbers and strings for people. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_FACTORS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?i?)b?\s*", re.IGNORECASE)
#: Of a common beginning, so much stays at least.
_KEPT = 3


def readable(size: float | None) -> str:
    """Bytes as ``37.9 KiB``; ``?`` for an unknown size."""
    return "?" if size is None else amount(size, None)


def amount(done: float, size: float | None) -> str:
    """``3.1/5.7 MiB``: done of all, or done so far when the size is unknown."""
    most = max(done, size or 0)
    power = 0
    while power < len(_UNITS) - 1 and most >= 1024 ** (power + 1):
        power += 1
    digits, factor = (1 if power else 0), 1024**power
    end = "" if size is None else f"/{size / factor:.{digits}f}"
    return f"{done / factor:.{digits}f}{end} {_UNITS[power]}"


def bytes_in(text: str) -> int | None:
    """The bytes that a string such as ``10 MB`` (10^6) or ``10MiB`` (2^20) means; ``None`` for any other string."""
    found = _SIZE.fullmatch(text)
    return None if found is None else int(float(found[1]) * _FACTORS[found[2].lower()])


def shortened(name: str, width: int, common: int = 0) -> str:
    """The name in at most ``width`` characters; what goes is from the middle, where possible from what names share.

    ``common`` is how many characters at its beginning all names of a list have.
    """
    excess = len(name) - width + 1
    if excess <= 1:
        return name
    if common - excess >= _KEPT:
        return f"{name[: common - excess]}\N{HORIZONTAL ELLIPSIS}{name[common:]}"
    if common > _KEPT and len(name) - common + _KEPT < width:  # the beginning goes but for a few characters
        return f"{name[: width - 1 - len(name) + common]}\N{HORIZONTAL ELLIPSIS}{name[common:]}"
    if common > _KEPT and width > 4 * _KEPT:  # what follows the common beginning, and the end
        end = (width - 2) // 2
        start = name[common : common + width - 2 - end]
        return f"\N{HORIZONTAL ELLIPSIS}{start}\N{HORIZONTAL ELLIPSIS}{name[len(name) - end :]}"
    end = (width - 1) // 2
    return f"{name[: width - 1 - end]}\N{HORIZONTAL ELLIPSIS}{name[len(name) - end :]}"


def shared_start(names: Iterable[str]) -> int:
    """How many characters at their beginning all names share; none where there is one name."""
    found = list(names)
    if len(found) < 2:
        return 0
    # Between the first and the last one in order lie all others.
    first, last = min(found), max(found)
    return next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))


def total(sizes: Iterable[int | None]) -> int | None:
    """The sum, or ``None`` as soon as one size is unknown."""
    result = 0
    for size in sizes:
        if size is None:
            return None
        result += size
    return result


def counted(number: int, noun: str, plural: str = "") -> str:
    """``1 file``, ``2 files``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """``42 s``, ``3 min 05 s``, ``2 h 10 min``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {left:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def printable(text: str) -> str:
    """The string without control characters, which a terminal would obey."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def has_items(names: Iterable[tuple[str | None, str]]) -> bool:
    """Whether a column for items adds anything to one for keys: some back-ends make an item of each file, of its name.

    ``names`` are the item and the key of each asset.
    """
    return any(item and item != key for item, key in names)
