"""Sets tags of TIFF files that writers would not write: GeoTIFF keys of all kinds, odd nodata, malformed metadata."""

from __future__ import annotations

import struct

_SIZES = {2: 1, 3: 2, 4: 4, 12: 8}


def set_tag(content, tag, kind, value, remove=()):
    """The file (classic, little-endian) with one tag of its first directory set, at the end of the file."""
    content = bytearray(content)
    entries = [e for e in _entries(content) if _number(e) not in {tag, *remove}]
    content += b"\0" * (len(content) % 2)
    place = struct.pack("<I", len(content)) if len(value) > 4 else value.ljust(4, b"\0")
    if len(value) > 4:
        content += value + b"\0" * (len(value) % 2)
    entries.append(struct.pack("<HHI", tag, kind, len(value) // _SIZES[kind]) + place)
    following = content[_after(content) : _after(content) + 4]
    start = len(content)
    content += struct.pack("<H", len(entries)) + b"".join(sorted(entries, key=_number)) + following
    content[4:8] = struct.pack("<I", start)
    return bytes(content)


def set_text(content, tag, text):
    """The file with an ASCII tag."""
    return set_tag(content, tag, 2, text.encode() + b"\0")


def set_keys(content, keys):
    """The file with these GeoTIFF keys and no others."""
    index, doubles, characters = [1, 1, 0, len(keys)], [], b""
    for key, value in sorted(keys.items()):
        if isinstance(value, int):
            index += [key, 0, 1, value]
        elif isinstance(value, str):
            index += [key, 34737, len(value) + 1, len(characters)]
            characters += value.encode() + b"|"
        else:
            numbers = value if isinstance(value, tuple) else (value,)
            index += [key, 34736, len(numbers), len(doubles)]
            doubles += numbers
    content = set_tag(content, 34735, 3, struct.pack(f"<{len(index)}H", *index), remove=(34736, 34737))
    if doubles:
        content = set_tag(content, 34736, 12, struct.pack(f"<{len(doubles)}d", *doubles))
    return set_tag(content, 34737, 2, characters + b"\0") if characters else content


def _entries(content):
    (start,) = struct.unpack("<I", content[4:8])
    (count,) = struct.unpack("<H", content[start : start + 2])
    return [bytes(content[start + 2 + 12 * i : start + 14 + 12 * i]) for i in range(count)]


def _after(content):
    (start,) = struct.unpack("<I", content[4:8])
    return start + 2 + 12 * len(_entries(content))


def _number(entry):
    return struct.unpack("<H", entry[:2])[0]
