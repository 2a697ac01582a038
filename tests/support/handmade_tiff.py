"""TIFF files put together by hand, as no library would write them."""

from __future__ import annotations

import struct

#: numpy-like codes of the field types that are used here, by TIFF's number.
_CODES = {1: "B", 2: "s", 3: "H", 4: "I", 12: "d", 16: "Q"}
_GREY = {256: (4, 16), 257: (4, 16), 258: (3, 8), 259: (3, 1), 262: (3, 1), 277: (3, 1), 322: (4, 16), 323: (4, 16)}


def handmade_tiff(blob=b"", tags=None, *, following=0, directories=1):
    """A classic little-endian TIFF of one grey 16 x 16 tile; ``tags`` (number: (type, value or values)) replace.

    ``blob`` follows the header at byte 8 and is the only tile, unless ``tags`` say otherwise. ``following`` is
    where the directory says that the next one is.
    """
    head_size = 8 + len(blob) + len(blob) % 2
    entries = {**_GREY, 324: (4, 8), 325: (4, len(blob)), **(tags or {})}
    count = len(entries)
    extra_at = head_size + 2 + 12 * count + 4
    body, extra = b"", b""
    for tag in sorted(entries):
        kind, value = entries[tag]
        values = value if isinstance(value, (tuple, list, bytes)) else (value,)
        packed = bytes(values) if kind == 2 else struct.pack(f"<{len(values)}{_CODES[kind]}", *values)
        if len(packed) > 4:
            field = struct.pack("<I", extra_at + len(extra))
            extra += packed + b"\0" * (len(packed) % 2)
        else:
            field = packed.ljust(4, b"\0")
        body += struct.pack("<HHI", tag, kind, len(values)) + field
    directory = struct.pack("<H", count) + body + struct.pack("<I", following)
    padding = b"\0" * (head_size - 8 - len(blob))
    return b"II*\0" + struct.pack("<I", head_size) + blob + padding + directory + extra


def pointing_beyond(tag, kind, count, offset):
    """An entry for ``patched``: a tag whose values are said to lie at ``offset``."""
    return struct.pack("<HHII", tag, kind, count, offset)


def patched(content, tag, entry):
    """The file with one directory entry replaced, byte for byte."""
    start = struct.unpack("<I", content[4:8])[0] + 2
    count = struct.unpack("<H", content[start - 2 : start])[0]
    for at in range(start, start + 12 * count, 12):
        if struct.unpack("<H", content[at : at + 2])[0] == tag:
            return content[:at] + entry + content[at + 12 :]
    raise KeyError(tag)
