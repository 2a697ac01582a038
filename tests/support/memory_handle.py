"""An asset handle over bytes in memory, for tests of loaders that are not about the network."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from splashdown.errors import LoadError
from splashdown.model import Asset


class MemoryHandle:
    """``AssetHandle`` over ``content``; ``reads`` lists the ranges that were asked for."""

    def __init__(self, content: bytes, name: str = "data.bin", media_type: str | None = None, **fields) -> None:
        href = fields.pop("href", f"https://example.test/{name}")
        self.asset = Asset(key=fields.pop("key", name), href=href, media_type=media_type, **fields)
        self.content = content
        self.reads: list[tuple[int, int]] = []

    @property
    def size(self) -> int:
        return len(self.content)

    def bytes(self, max_bytes: int | None = None) -> bytes:
        if max_bytes is not None and self.size > max_bytes:
            raise LoadError(f"{self.asset.label} has {self.size} bytes, more than {max_bytes}")
        self.reads.append((0, self.size))
        return self.content

    def open(self) -> IO[bytes]:
        return io.BytesIO(self.content)

    def path(self) -> Path:
        folder = Path(tempfile.mkdtemp())
        path = folder / self.asset.key.rpartition("/")[2]
        path.write_bytes(self.content)
        return path

    def read_range(self, start: int, stop: int) -> memoryview:
        self.reads.append((start, stop))
        return memoryview(self.content)[start:stop]

    def read_ranges(self, ranges: Sequence[tuple[int, int]]) -> Iterator[tuple[int, memoryview]]:
        for index, (start, stop) in reversed(list(enumerate(ranges))):
            yield index, self.read_range(start, stop)
