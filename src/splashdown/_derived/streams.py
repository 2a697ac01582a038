"""What the transports of derived assets share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from splashdown.errors import ChecksumError, StoreError, TransferError, error_text
from splashdown.model import Buffer, RemoteInfo

T = TypeVar("T")
_CHUNK = 1024 * 1024


class FileStream:
    """A temporary file as the body of an answer."""

    def __init__(self, info: RemoteInfo, path: Path) -> None:
        self.info, self._path = info, path
        self.start = 0
        self.length: int | None = info.size

    def __iter__(self) -> Iterator[Buffer]:
        with self._path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk


class ChunkStream:
    """Chunks that are made as they are read."""

    def __init__(self, info: RemoteInfo, chunks: Iterator[Buffer], *, start: int = 0, length: int | None) -> None:
        self.info, self._chunks, self.start, self.length = info, chunks, start, length

    def __iter__(self) -> Iterator[Buffer]:
        return self._chunks


def once(read: Callable[[], T]) -> T:
    """Call what reads the origin. Its own reader has done the retries: none of its failures is worth another one."""
    try:
        return read()
    except (ChecksumError, StoreError):
        raise
    except TransferError as error:
        raise TransferError(str(error)) from error
    except OSError as error:
        raise StoreError(f"cannot make the file ({error_text(error)})") from error
