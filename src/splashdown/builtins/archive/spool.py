"""Files that wait for their turn: small ones in memory, up to a bound for all of them, the others in a folder."""

from __future__ import annotations

import io
import shutil
import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path
from typing import BinaryIO, cast

from splashdown.errors import StoreError, error_text
from splashdown.model import Buffer, Part

#: A larger file waits on disk.
_SMALL = 256 * 1024
#: All that wait in memory have no more bytes together.
_MOST_MEMORY = 32 * 1024 * 1024
_READ_SIZE = 1024 * 1024


class Spool:
    """Makes the places for files; a temporary folder holds those on disk, and is made with the first."""

    def __init__(self) -> None:
        self._folder: str | None = None
        self._names = count()
        self._memory = 0
        self._lock = threading.Lock()

    def place(self, size: int | None) -> Held:
        """A place for one file."""
        with self._lock:
            if size is not None and size <= _SMALL and self._memory + size <= _MOST_MEMORY:
                self._memory += size
                return InMemory(self, size)
            with _refused():
                if self._folder is None:
                    self._folder = tempfile.mkdtemp(prefix="splashdown-")
                return OnDisk(Path(self._folder, str(next(self._names))))

    def give_back(self, size: int) -> None:
        """Take the memory of a file back."""
        with self._lock:
            self._memory -= size

    def free_space(self) -> int:
        """Bytes that the file system of the folder can take."""
        return shutil.disk_usage(self._folder or tempfile.gettempdir()).free

    def close(self) -> None:
        """Remove everything."""
        with self._lock:
            folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


class Held(ABC):
    """One file. Its parts come in any order, from any thread, and may come again: the last one counts."""

    def __init__(self) -> None:
        self._ends: dict[int, int] = {}

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return max(self._ends.values(), default=0)

    def put(self, part: Part, chunks: Iterable[Buffer]) -> None:
        """Write a part to its place."""
        at = part.start
        with self._writing() as file:
            for chunk in chunks:
                with _refused():
                    self._write(file, at, chunk)
                at += len(chunk)
        self._ends[part.number] = at

    @abstractmethod
    def read(self) -> BinaryIO:
        """The bytes, from the first one."""

    def seal(self) -> None:
        """Cut off what a part that came again, and was shorter, has left behind the end: no more parts come."""
        with self._writing() as file, _refused():
            file.truncate(self.size)

    @abstractmethod
    def remove(self) -> None:
        """Give the place back."""

    def chunks(self, start: int, stop: int | None) -> Iterator[bytes]:
        """Some of the bytes."""
        left = (self.size if stop is None else stop) - start
        with self.read() as file:
            file.seek(start)
            while left > 0 and (chunk := file.read(min(left, _READ_SIZE))):
                left -= len(chunk)
                yield chunk

    @abstractmethod
    def _writing(self) -> AbstractContextManager[BinaryIO]:
        """The file that parts are written to."""

    def _write(self, file: BinaryIO, at: int, chunk: Buffer) -> None:
        file.seek(at)
        file.write(chunk)


class InMemory(Held):
    """A small file, whose memory is counted."""

    def __init__(self, spool: Spool, reserved: int) -> None:
        super().__init__()
        self._spool, self._reserved = spool, reserved
        self._data = io.BytesIO()
        self._lock = threading.Lock()

    def read(self) -> BinaryIO:
        """The bytes, from the first one."""
        return io.BytesIO(self._data.getbuffer())

    def remove(self) -> None:
        """Give the memory back."""
        self._spool.give_back(self._reserved)
        self._reserved = 0

    @contextmanager
    def _writing(self) -> Iterator[BinaryIO]:
        yield self._data

    def _write(self, file: BinaryIO, at: int, chunk: Buffer) -> None:
        with self._lock:
            super()._write(file, at, chunk)


class OnDisk(Held):
    """A file of the spool's folder."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        path.touch()

    def read(self) -> BinaryIO:
        """The bytes, from the first one."""
        with _refused():
            return self._path.open("rb")

    def remove(self) -> None:
        """Remove the file."""
        self._path.unlink(missing_ok=True)

    @contextmanager
    def _writing(self) -> Iterator[BinaryIO]:
        with _refused():
            file = self._path.open("r+b", buffering=0)
        with file:
            yield cast("BinaryIO", file)

    def _write(self, file: BinaryIO, at: int, chunk: Buffer) -> None:
        file.seek(at)
        left = memoryview(chunk)
        while left:
            left = left[file.write(left) :]


@contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"a file that waits for its place in the archive cannot be kept ({error_text(error)}); set TMPDIR to a"
            " folder with enough room"
        ) from error
