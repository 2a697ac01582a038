"""A seekable binary file over an asset's ranges, with read-ahead that grows while the reading is sequential."""

from __future__ import annotations

import errno
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from splashdown.protocols import AssetHandle

#: How much the first read asks for at least, and each one that does not follow the last.
_FIRST = 64 * 1024
#: The largest read-ahead: beyond it a round trip is short against the time of the bytes.
_LARGEST = 8 * 1024 * 1024


class SeekableAsset(io.RawIOBase):
    """Reads through a window of the file: at least what is asked for, more after each read that follows the last.

    With ``tail`` the first window is that many bytes at the end, for formats that are read from there.
    """

    def __init__(self, handle: AssetHandle, *, tail: int = 0) -> None:
        super().__init__()
        self._handle = handle
        self._pos = 0
        self._start = max(0, handle.size - tail) if tail else 0
        self._window = handle.read_range(self._start, handle.size) if tail else memoryview(b"")
        self._ahead = _FIRST

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """The offset of the next byte."""
        return self._pos

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move; nothing is requested, unless the end has to be found out."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._pos}.get(whence)
        if base is None:
            base = self._handle.size
        if base + offset < 0:
            # As of a file: programs that look for an index at the end look there in short ones.
            raise OSError(errno.EINVAL, f"cannot seek to {base + offset}, before the start of the file")
        self._pos = base + offset
        return self._pos

    def readinto(self, target: WriteableBuffer, /) -> int:
        """Fill ``target`` as far as the window goes; 0 at the end of the file."""
        view = memoryview(target).cast("B")
        at = self._pos - self._start
        if not 0 <= at < len(self._window):
            self._advance(len(view))
            at = 0
        count = min(len(view), len(self._window) - at)
        view[:count] = self._window[at : at + count]
        self._pos += count
        return count

    def _advance(self, wanted: int) -> None:
        # Reading in order soon needs few requests; a reader that jumps (of a ZIP file) does not pay for bytes it skips.
        follows = self._pos == self._start + len(self._window)
        self._ahead = min(self._ahead * 2, _LARGEST) if follows and self._pos else _FIRST
        self._start = self._pos
        self._window = self._handle.read_range(self._pos, self._pos + max(wanted, self._ahead))
