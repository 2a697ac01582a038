"""Pictures as values: what ``load("thumbnail.png")`` returns. A notebook shows them; nothing here decodes pixels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

__all__ = ["Picture"]

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
#: A larger picture would make a notebook that is slow to open and to save.
_MOST_SHOWN: Final = 8 * 1024**2
#: Markers of JPEG (ITU-T T.81, table B.1) after which a frame header with the size stands, and those without a length.
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_ALONE = frozenset({0x01, 0xFF, *range(0xD0, 0xD9)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A PNG or JPEG file as it is: ``bytes(picture)`` is the file, ``width`` and ``height`` are in pixels."""

    data: bytes = field(repr=False)
    media_type: str
    width: int
    height: int

    @classmethod
    def of(cls, data: bytes) -> Picture:
        """The picture in the bytes of a file. Raises ``ValueError`` for what begins like neither format."""
        if data.startswith(_PNG) and data[12:16] == b"IHDR" and len(data) >= 24:
            width, height = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
            return cls(data=data, media_type="image/png", width=width, height=height)
        if data.startswith(_JPEG):
            width, height = _size_of_jpeg(data)
            return cls(data=data, media_type="image/jpeg", width=width, height=height)
        raise ValueError(f"it is neither a PNG nor a JPEG file: it begins with {data[:8].hex(' ') or 'nothing'}")

    def __bytes__(self) -> bytes:
        return self.data

    def __repr__(self) -> str:
        kind = "PNG" if self.media_type == "image/png" else "JPEG"
        hint = "" if len(self.data) <= _MOST_SHOWN else ", too large to be shown here"
        return f"<Picture: {kind} of {self.width} x {self.height} pixels, {len(self.data)} bytes{hint}>"

    def _repr_png_(self) -> bytes | None:
        """The file, for a notebook; ``None`` where it is a JPEG or very large."""
        return self._shown("image/png")

    def _repr_jpeg_(self) -> bytes | None:
        """The same of a JPEG."""
        return self._shown("image/jpeg")

    def _shown(self, media_type: str) -> bytes | None:
        return self.data if self.media_type == media_type and len(self.data) <= _MOST_SHOWN else None


def _size_of_jpeg(data: bytes) -> tuple[int, int]:
    """Width and height from the first frame header. Raises ``ValueError`` where there is none."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _FRAMES:
            return int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        if marker == 0xFF:  # a fill byte (B.1.1.2)
            at += 1
        else:
            at += 2 if marker in _ALONE else 2 + int.from_bytes(data[at + 2 : at + 4])
    raise ValueError("it begins like a JPEG file and has no header with its size: it is damaged or incomplete")
