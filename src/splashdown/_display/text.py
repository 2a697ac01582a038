"""Formats numbers and strings for people. Pure."""

from __future__ import annotations

from collections.abc import Iterable

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def readable(size: float | None) -> str:
    """Bytes as ``37.9 KiB``; ``?`` for an unknown size."""
    return "?" if size is None else amount(size, None)


def amount(done: float, size: float | None) -> str:
    """``3.1/5.7 MiB``: done of all, or done so far when the size is unknown."""
    most = max(done, size or 0)
    power = next(p for p in range(len(_UNITS)) if most < 1024 ** (p + 1) or p == len(_UNITS) - 1)
    digits, factor = (1 if power else 0), 1024**power
    end = "" if size is None else f"/{size / factor:.{digits}f}"
    return f"{done / factor:.{digits}f}{end} {_UNITS[power]}"


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
