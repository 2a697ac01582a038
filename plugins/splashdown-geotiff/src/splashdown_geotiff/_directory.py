"""TIFF's image file directories (TIFF 6.0, section 2; BigTIFF): which tags there are, read when they are asked for.

A reader of our own, since only what is asked for may be read (the tile index of an overview that is not needed
costs a request), and since the limits have to hold before a value is read, not after.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from splashdown.errors import LoadError
from splashdown_geotiff._head import Head
from splashdown_geotiff._limits import DIRECTORIES, ENTRIES

#: Field types (TIFF 6.0, page 15, and BigTIFF) as numpy types; rationals are two numbers each.
_TYPES = {
    1: "u1", 2: "S1", 3: "u2", 4: "u4", 5: "2u4", 6: "i1", 7: "u1", 8: "i2", 9: "i4", 10: "2i4", 11: "f4", 12: "f8",
    13: "u4", 16: "u8", 17: "i8", 18: "u8",
}  # fmt: skip

#: Those whose values are whole numbers, and those whose values are numbers at all.
_WHOLE = frozenset({1, 3, 4, 6, 8, 9, 13, 16, 17, 18})
_NUMERIC = _WHOLE | {11, 12}

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class NotATiffError(LoadError):
    """The file is of another format; ``start`` are its first bytes."""

    def __init__(self, message: str, start: bytes) -> None:
        super().__init__(message)
        self.start = start


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How numbers are written in this file: byte order and, for BigTIFF, wider offsets."""

    order: Literal["<", ">"]
    big: bool

    @property
    def offset(self) -> str:
        """The ``struct`` code of an offset."""
        return "Q" if self.big else "I"


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: int
    count: int
    value: bytes  # the value itself, or where it is


class Directory:
    """One image's tags."""

    def __init__(self, head: Head, form: Form, entries: dict[int, _Entry]) -> None:
        self._head = head
        self._entries = entries
        self.form = form

    def __contains__(self, tag: int) -> bool:
        return tag in self._entries

    def whole(self, tag: int, limit: int | None = None) -> NDArray[np.integer[Any]] | None:
        """The whole numbers of a tag; ``None`` where there is no such tag.

        Raises ``LoadError`` when it holds something else, or has more than ``limit`` bytes.
        """
        return self._array(tag, _WHOLE, limit)

    def raw(self, tag: int, limit: int) -> bytes | None:
        """The bytes of a tag, numbers in native byte order; ``None`` where there is no such tag.

        Raises ``LoadError`` when it has more than ``limit`` bytes.
        """
        values = self._array(tag, _TYPES.keys(), limit)
        return None if values is None else values.tobytes()

    def _array(self, tag: int, kinds: Collection[int], limit: int | None) -> NDArray[Any] | None:
        entry = self._entries.get(tag)
        if entry is None or entry.kind not in _TYPES:
            return None
        if entry.kind not in kinds:
            raise LoadError(f"{self._head.label}: tag {tag} has values of type {entry.kind}: the file is damaged")
        dtype = np.dtype(_TYPES[entry.kind])
        size = entry.count * dtype.itemsize
        if limit is not None and size > limit:
            raise LoadError(f"{self._head.label}: tag {tag} has {size:,} bytes, more than {limit:,}: refused")
        if size <= len(entry.value):
            raw: bytes | memoryview = entry.value[:size]
        else:
            (offset,) = struct.unpack(self.form.order + self.form.offset, entry.value)
            raw = self._head.read(offset, size)
        stored = np.frombuffer(raw, dtype.base.newbyteorder(self.form.order))
        return stored.astype(dtype.base, copy=False)

    def number(self, tag: int, default: int) -> int:
        """A tag's first value as an integer."""
        values = self.whole(tag)
        return default if values is None or not len(values) else int(values[0])

    def numbers(self, tag: int, limit: int) -> tuple[float, ...]:
        """A tag's numbers; empty where there is no such tag. Raises ``LoadError`` as :meth:`whole` does."""
        values = self._array(tag, _NUMERIC, limit)
        return () if values is None else tuple(values.tolist())

    def text(self, tag: int, limit: int) -> str:
        """An ASCII tag; GDAL writes UTF-8."""
        raw = self.raw(tag, limit)
        return "" if raw is None else raw.rstrip(b"\0").decode("utf-8", "replace")


def read_directories(head: Head) -> list[Directory]:
    """All directories of the main chain, in order.

    Raises ``LoadError`` for a file that is not a TIFF, and for a chain that loops or is longer than any real one.
    """
    form, offset = _read_form(head)
    found: list[Directory] = []
    seen: set[int] = set()
    while offset:
        if offset in seen:
            raise LoadError(f"{head.label}: its image directories form a loop: the file is damaged or hostile")
        if len(seen) >= DIRECTORIES:
            raise LoadError(f"{head.label}: it has more than {DIRECTORIES} image directories: refused")
        seen.add(offset)
        directory, offset = _read_directory(head, form, offset)
        found.append(directory)
    if not found:
        raise LoadError(f"{head.label}: a TIFF without an image")
    return found


def _read_form(head: Head) -> tuple[Form, int]:
    start = bytes(head.cached(0, min(16, head.size)) or b"")
    if start[:4] not in SIGNATURES or len(start) < 8:
        raise NotATiffError(f"{head.label} is not a TIFF: it begins with {start[:8].hex(' ') or 'nothing'}", start)
    order: Literal["<", ">"] = "<" if start[:2] == b"II" else ">"
    big = b"+" in start[:4]
    if not big:
        return Form(order=order, big=False), int(struct.unpack(order + "I", start[4:8])[0])
    if len(start) < 16 or struct.unpack(order + "HH", start[4:8]) != (8, 0):
        raise LoadError(f"{head.label}: a BigTIFF with offsets of another size than 8 bytes")
    return Form(order=order, big=True), int(struct.unpack(order + "Q", start[8:16])[0])


def _read_directory(head: Head, form: Form, offset: int) -> tuple[Directory, int]:
    count_code, entry_code, width = ("Q", "HHQ8s", 8) if form.big else ("H", "HHI4s", 4)
    entry_size = struct.calcsize(form.order + entry_code)
    (count,) = struct.unpack(form.order + count_code, head.read(offset, struct.calcsize(form.order + count_code)))
    if not 0 < count <= ENTRIES:
        raise LoadError(f"{head.label}: an image directory with {count} entries: the file is damaged")
    body = head.read(offset + struct.calcsize(form.order + count_code), count * entry_size + width)
    entries = {
        tag: _Entry(kind, number, value)
        for tag, kind, number, value in struct.iter_unpack(form.order + entry_code, body[: count * entry_size])
    }
    (following,) = struct.unpack(form.order + form.offset, body[count * entry_size :])
    return Directory(head, form, entries), following
