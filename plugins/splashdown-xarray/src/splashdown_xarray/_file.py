"""A remote file for h5py, read by exact ranges.

HDF5 makes many small reads of its structure and one read for each chunk of data. The small ones are served from
blocks that are kept; a chunk is asked for as it is. Read-ahead, which other file objects do, would move many times
what is used.
"""

from __future__ import annotations

import io
import os
import threading
from collections import OrderedDict
from typing import Any

from splashdown.errors import LoadError
from splashdown.protocols import AssetHandle

#: Size and number of the blocks that hold structure: 16 MB at most.
_BLOCK, _KEPT = 64 * 1024, 256
#: The same for a file that waits to be read again, as hundreds may do at a time.
_WAITING = 8


class ExactFile(io.RawIOBase):
    """A read-only, seekable file over an asset."""

    def __init__(self, asset: AssetHandle) -> None:
        super().__init__()
        self._asset = asset
        self._blocks: OrderedDict[int, memoryview] = OrderedDict()
        self._lock = threading.RLock()
        self._at = 0
        self._blocks[0] = asset.read_range(0, _BLOCK)
        self._size = asset.size

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle how it was opened: another process reads its own blocks."""
        return ExactFile, (self._asset,)

    def keep_few(self) -> None:
        """Give back most of the memory; what was read last stays."""
        with self._lock:
            while len(self._blocks) > _WAITING:
                self._blocks.popitem(last=False)

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """The position."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position; nothing is read."""
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer from the position on, as far as the file goes."""
        view = memoryview(buffer).cast("B")
        with self._lock:
            count = max(0, min(len(view), self._size - self._at))
            if count:
                view[:count] = self._range(self._at, self._at + count)
                self._at += count
        return count

    def _range(self, start: int, stop: int) -> bytes | memoryview:
        if stop - start >= _BLOCK:
            data = self._asset.read_range(start, stop)
            if len(data) != stop - start:
                raise LoadError(f"{self._asset.asset.label}: asked for {stop - start} bytes and got {len(data)}")
            return data
        parts = []
        for number in range(start // _BLOCK, (stop - 1) // _BLOCK + 1):
            block, first = self._block(number), number * _BLOCK
            parts.append(block[max(start - first, 0) : stop - first])
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _block(self, number: int) -> memoryview:
        if number not in self._blocks:
            self._blocks[number] = self._asset.read_range(number * _BLOCK, (number + 1) * _BLOCK)
            if len(self._blocks) > _KEPT:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(number)
        return self._blocks[number]
