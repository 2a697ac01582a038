"""TIFFs with damage: good files of many layouts, and the same with entries, bytes and lengths changed at random."""

from __future__ import annotations

import random
import struct
from typing import NamedTuple

import numpy as np
from raster_files import pixels, write_tiff

TILES = {"tiled": True, "blockxsize": 16, "blockysize": 16}
#: Each layout: bands, type of the pixels, and how GDAL writes them.
LAYOUTS = {
    "strips": (3, "u1", {"photometric": "rgb", "interleave": "pixel"}),
    "tiles": (2, "u2", {**TILES, "compress": "deflate", "predictor": 2, "nodata": 0}),
    "bigtiff": (1, "i2", {**TILES, "compress": "zstd", "bigtiff": "yes"}),
    "big-endian": (1, "u1", {"compress": "packbits", "endianness": "BIG"}),
    "big-endian bigtiff": (2, "u2", {"compress": "lzw", "predictor": 2, "endianness": "BIG", "bigtiff": "yes"}),
    "float": (1, "f4", {"compress": "lzw", "predictor": 3, "nodata": float("nan")}),
    "double": (2, "f8", {**TILES, "compress": "deflate", "predictor": 3}),
    "jpeg": (3, "u1", {**TILES, "compress": "jpeg", "photometric": "ycbcr"}),
    "overviews": (2, "u2", {**TILES, "compress": "deflate", "overviews": (2, 4)}),
    "mask": (1, "u2", {**TILES, "compress": "deflate", "mask": True}),
    "planar": (3, "i4", {**TILES, "compress": "zstd", "interleave": "band"}),
    "cog": (2, "f4", {"driver": "COG", "compress": "deflate", "blocksize": 128, "overview_count": 1}),
    "complex": (1, "c8", {"compress": "deflate"}),
    "bits": (1, "u2", {"nbits": 12, "compress": "lzw"}),
    "lerc": (1, "f4", {**TILES, "compress": "lerc"}),
    "webp": (3, "u1", {**TILES, "compress": "webp"}),
    "lzma": (1, "u1", {**TILES, "compress": "lzma"}),
}
#: Tags that decide about sizes, places, codecs and coordinates.
TAGS = (
    *(254, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 317, 322, 323, 324, 325, 338, 339, 347),
    *(33550, 33922, 34264, 34735, 34736, 34737, 42112, 42113, 50674),
)
NUMBERS = (0, 1, 2, 3, 5, 7, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1)
BYTES = (0, 1, 2, 3, 4, 16, 0x7F, 0x80, 0xFF)


def good_files(folder) -> dict[str, bytes]:
    """A file of each layout, small, with names, scales and tags."""
    found = {}
    for name, (bands, dtype, options) in LAYOUTS.items():
        options = dict(options)
        data = pixels(bands, 40, 40, dtype)
        if options.pop("mask", False):
            options["mask"] = np.arange(1600).reshape(40, 40) % 3 > 0
        options.setdefault("band_tags", {1: {"DESCRIPTION": "B01"}})
        found[name] = write_tiff(folder / f"{name}.tif", data, tags={"made": "here"}, **options)
    return found


class Directory(NamedTuple):
    """Where the entries of an image directory are, and how they are written."""

    order: str
    big: bool
    first: int
    entries: int

    def entry(self, number: int) -> int:
        """Where an entry begins."""
        return self.first + number * (20 if self.big else 12)


def first_directory(content: bytes) -> Directory | None:
    """The first image directory; ``None`` where it cannot be found any more."""
    if len(content) < 16:
        return None
    order, big = "<" if content[:2] == b"II" else ">", b"+" in content[2:4]
    at = struct.unpack_from(order + ("Q" if big else "I"), content, 8 if big else 4)[0]
    width = 8 if big else 2
    if at + width > len(content):
        return None
    entries = struct.unpack_from(order + ("Q" if big else "H"), content, at)[0]
    found = Directory(order, big, at + width, entries)
    return found if 0 < entries < 100 and found.entry(entries) <= len(content) else None


def mutated(dice: random.Random, content: bytes) -> bytes:
    """The file with one to sixteen changes, nearly half of them in its first directory."""
    changed = bytearray(content)
    for _ in range(dice.choice((1, 1, 1, 2, 4, 16))):
        directory = first_directory(bytes(changed))
        if directory is not None and dice.random() < 0.45:
            _change_entry(dice, changed, directory)
        else:
            dice.choices((_set_byte, _flip_bit, _cut, _overwrite, _insert), (30, 7, 6, 6, 6))[0](dice, changed)
    return bytes(changed)


def _change_entry(dice: random.Random, content: bytearray, directory: Directory) -> None:
    """Another tag, type, count or value. Values are written as one or two shorts, or as a long."""
    order, at = directory.order, directory.entry(dice.randrange(directory.entries))
    value = dice.choice((*NUMBERS, len(content), len(content) - 1, dice.randrange(2**32), dice.randrange(400)))
    field = dice.choice(("tag", "type", "count", "value", "value"))
    if field == "tag":
        struct.pack_into(order + "H", content, at, dice.choice((*TAGS, value & 0xFFFF)))
    elif field == "type":
        struct.pack_into(order + "H", content, at + 2, dice.randrange(20))
    elif field == "count":
        wide = dice.choice((value, 2**63 - 1, 2**64 - 1))
        struct.pack_into(order + ("Q" if directory.big else "I"), content, at + 4, wide if directory.big else value)
    else:
        at += 12 if directory.big else 8
        code = dice.choice("HI")
        struct.pack_into(order + code, content, at, value & (0xFFFF if code == "H" else 0xFFFFFFFF))


def _set_byte(dice: random.Random, content: bytearray) -> None:
    if content:
        content[dice.randrange(len(content))] = dice.choice((*BYTES, dice.randrange(256)))


def _flip_bit(dice: random.Random, content: bytearray) -> None:
    if content:
        content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)


def _cut(dice: random.Random, content: bytearray) -> None:
    if len(content) > 8:
        del content[dice.randrange(8, len(content)) :]


def _overwrite(dice: random.Random, content: bytearray) -> None:
    start = dice.randrange(len(content) + 1)
    stop = min(start + dice.randrange(1, 64), len(content))
    content[start:stop] = dice.randbytes(stop - start)


def _insert(dice: random.Random, content: bytearray) -> None:
    at = dice.randrange(len(content) + 1)
    content[at:at] = dice.randbytes(dice.randrange(1, 20))
