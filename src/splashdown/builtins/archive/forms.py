"""The two forms of archives. The same entries give the same bytes: times and modes are fixed, nothing is compressed."""

from __future__ import annotations

import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from typing import BinaryIO, ClassVar, Protocol

_COPY_SIZE = 1024 * 1024
_MODE = 0o644
#: The earliest time that ZIP has.
_EPOCH = (1980, 1, 1, 0, 0, 0)


class Writable(Protocol):
    """The place to which an archive is written, from its start to its end."""

    def write(self, data: bytes, /) -> int:
        """Take bytes."""

    def tell(self) -> int:
        """How many there are."""

    def flush(self) -> None:
        """Nothing: the bytes are on their way."""


class Form(Protocol):
    """An archive that is being written."""

    name: ClassVar[str]

    def __init__(self, out: Writable) -> None: ...

    def add(self, name: str, size: int, read: Callable[[], BinaryIO]) -> None:
        """Add an entry."""

    def finish(self) -> None:
        """Write what comes after the last entry."""


class Zip:
    """Stored entries, whose size and CRC stand before them, so that readers of streams need no index; ZIP64."""

    name: ClassVar[str] = "zip"

    def __init__(self, out: Writable) -> None:
        self._out = out
        self._zip = zipfile.ZipFile(out, "w")  # type: ignore[call-overload]  # it writes to what cannot seek

    def add(self, name: str, size: int, read: Callable[[], BinaryIO]) -> None:
        """Add an entry."""
        info = zipfile.ZipInfo(name, _EPOCH)
        info.create_system = 3  # Unix, whatever wrote it
        info.external_attr = (stat.S_IFREG | _MODE) << 16
        info.file_size = info.compress_size = size
        info.CRC = _crc(read)
        info.header_offset = self._out.tell()
        # ZipFile.open() knows neither beforehand, and puts them after the entry where it cannot seek. Java's reader of
        # streams, for one, takes no stored entry of that kind.
        self._out.write(info.FileHeader())
        with read() as file:
            shutil.copyfileobj(file, self._out, _COPY_SIZE)
        self._zip.filelist.append(info)
        self._zip.NameToInfo[name] = info
        self._zip.start_dir = self._out.tell()

    def finish(self) -> None:
        """Write the index."""
        self._zip.close()


class Tar:
    """POSIX (pax), which has room for any size and name."""

    name: ClassVar[str] = "tar"

    def __init__(self, out: Writable) -> None:
        self._tar = tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT, encoding="utf-8")  # type: ignore[call-overload]  # noqa: SIM115

    def add(self, name: str, size: int, read: Callable[[], BinaryIO]) -> None:
        """Add an entry."""
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, _MODE  # time, owner and group are zero
        with read() as file:
            self._tar.addfile(info, file)

    def finish(self) -> None:
        """Write the two empty blocks."""
        self._tar.close()


def _crc(read: Callable[[], BinaryIO]) -> int:
    found = 0
    with read() as file:
        while chunk := file.read(_COPY_SIZE):
            found = zlib.crc32(chunk, found)
    return found
