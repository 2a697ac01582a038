"""An asset that is read from a file of this machine."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from splashdown._engine.settings import MIB
from splashdown.checksums import hash_of, same
from splashdown.errors import LoadError, error_text
from splashdown.model import Asset, Outcome


class LocalHandle:
    """An :class:`~splashdown.protocols.AssetHandle` over a path; it does not remove the file."""

    def __init__(self, asset: Asset, path: Path) -> None:
        self.asset = asset
        self._path = path

    @property
    def size(self) -> int:
        """Bytes of the file."""
        try:
            return self._path.stat().st_size
        except OSError as error:
            raise self._unreadable(error) from error

    def bytes(self, max_bytes: int | None = None) -> builtins.bytes:
        """The whole file."""
        check_size(self.asset, self.size, max_bytes)
        return builtins.bytes(self.read_range(0, self.size))

    def open(self) -> IO[builtins.bytes]:
        """The file, opened for reading."""
        try:
            return self._path.open("rb")
        except OSError as error:
            raise self._unreadable(error) from error

    def path(self) -> Path:
        """Where it is."""
        return self._path

    def read_range(self, start: int, stop: int) -> memoryview:
        """The bytes ``start:stop``, cut at the end of the file."""
        try:
            with self._path.open("rb", buffering=0) as file:
                file.seek(start)
                content = bytearray(max(0, min(stop, self.size) - start))
                view = memoryview(content)
                # One call may give less than was asked for, above 2 GiB always.
                while view and (count := file.readinto(view)):
                    view = view[count:]
                return memoryview(content)[: len(content) - len(view)]
        except OSError as error:
            raise self._unreadable(error) from error

    def read_ranges(self, ranges: Sequence[tuple[int, int]]) -> Iterator[tuple[int, memoryview]]:
        """Several ranges, in their order: a disk gains nothing from more threads."""
        for index, (start, stop) in enumerate(ranges):
            yield index, self.read_range(start, stop)

    def _unreadable(self, error: OSError) -> LoadError:
        return LoadError(f"{self.asset.label}: the local copy cannot be read ({error_text(error)})")


def verified_copy(outcome: Outcome) -> Path | None:
    """Where a run has stored a file, if the file is still what was stored."""
    path = Path(outcome.location)
    if outcome.checksum is None or not path.is_file() or path.stat().st_size != outcome.size:
        return None
    with path.open("rb") as file:
        found = hash_of(iter(lambda: file.read(MIB), b""), outcome.checksum)
    return path if found is not None and same(found, outcome.checksum) else None


def check_size(asset: Asset, size: int | None, max_bytes: int | None) -> None:
    """Raise ``LoadError`` for more bytes than the caller takes."""
    if max_bytes is not None and size is not None and size > max_bytes:
        raise LoadError(
            f"{asset.label} has {size} bytes, more than max_bytes={max_bytes}: download it instead, or raise max_bytes"
        )
