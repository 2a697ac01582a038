"""A read-only Zarr store over an asset: every key is an object below its href.

There is no listing over HTTP, so the consolidated metadata has to list what is in the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable
from typing import TYPE_CHECKING

from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, Store

from splashdown.errors import HttpStatusError, LoadError, TransferError, UsageError
from splashdown.protocols import SupportsSiblings

if TYPE_CHECKING:
    from zarr.core.buffer import Buffer, BufferPrototype

_NOTHING: tuple[str, ...] = ()
#: One object of a store; chunks are a few MB.
_MAX_BYTES = 2 * 1024**3
#: Statuses that say that there is no such object.
ABSENT = (404, 410)
#: Objects that Zarr tries in order to find out which version a store has.
_PROBED = frozenset({"zarr.json", ".zgroup", ".zattrs", ".zarray", ".zmetadata"})
#: A key of ``.zmetadata`` that kerchunk alone writes, in stores of references.
_REFERENCES = b'"record_size"'


class SiblingStore(Store):
    """Reads keys below an asset; nothing can be written, deleted or listed."""

    supports_writes = False
    supports_deletes = False
    supports_listing = False

    def __init__(self, asset: SupportsSiblings, label: str, absent: Collection[int] = ABSENT) -> None:
        super().__init__(read_only=True)
        self._label = label
        self._asset = asset
        self._absent = frozenset(absent)
        #: The first answer that forbade one of the objects that Zarr tries. Stores that may not be listed answer so
        #: for what is missing, so it is an error only if no version is found.
        self.forbidden: HttpStatusError | None = None

    def __repr__(self) -> str:
        return f"<Zarr store {self._label}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SiblingStore) and other._asset is self._asset

    def __hash__(self) -> int:
        return id(self._asset)

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """The object of this key, or a range of it; ``None`` where there is none, which Zarr reads as fill values."""
        content = await asyncio.to_thread(self._read, key, byte_range)
        return None if content is None else prototype.buffer.from_bytes(content)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Several ranges at once."""
        return list(await asyncio.gather(*(self.get(key, prototype, part) for key, part in key_ranges)))

    async def exists(self, key: str) -> bool:
        """Whether there is an object of this key."""
        return await asyncio.to_thread(self._read, key, RangeByteRequest(0, 1)) is not None

    async def set(self, key: str, value: Buffer) -> None:  # noqa: ARG002 - the names are zarr's
        """Refused: the store is a remote one that is read."""
        raise UsageError("this Zarr store is read-only")

    async def delete(self, key: str) -> None:  # noqa: ARG002 - the names are zarr's
        """Refused: the store is a remote one that is read."""
        raise UsageError("this Zarr store is read-only")

    async def list(self) -> AsyncIterator[str]:
        """Nothing: HTTP has no listing."""
        for name in _NOTHING:
            yield name

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:  # noqa: ARG002 - the names are zarr's
        """Nothing: HTTP has no listing."""
        for name in _NOTHING:
            yield name

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:  # noqa: ARG002 - the names are zarr's
        """Nothing: HTTP has no listing."""
        for name in _NOTHING:
            yield name

    def _read(self, key: str, part: ByteRequest | None) -> bytes | None:
        try:
            handle = self._asset.sibling(key)
            if part is None:
                return self._checked(key, handle.bytes(_MAX_BYTES))
            if isinstance(part, RangeByteRequest):
                return bytes(handle.read_range(part.start, part.end))
            size = handle.size
            start = part.offset if isinstance(part, OffsetByteRequest) else max(0, size - part.suffix)
            return bytes(handle.read_range(start, size))
        except TransferError as error:
            if self._is_missing(key, error):
                return None
            raise

    def _checked(self, key: str, content: bytes) -> bytes:
        if key == ".zmetadata" and _REFERENCES in content:  # its chunks would all count as missing
            raise references(self._label)
        return content

    def _is_missing(self, key: str, error: TransferError) -> bool:
        """Whether there is no such object, as a server or as the disk says it."""
        if not isinstance(error, HttpStatusError):
            return isinstance(error.__cause__, FileNotFoundError | NotADirectoryError)
        if error.status == 403 and key.rpartition("/")[2] in _PROBED:
            self.forbidden = self.forbidden or error
            return True
        return error.status in self._absent


def references(label: str) -> LoadError:
    """The error for a set of references, which a Zarr store is not."""
    return LoadError(
        f"{label} holds references of kerchunk or VirtualiZarr to other files, which are not followed: open it with"
        " xarray.open_dataset(HREF, engine='kerchunk') (pip install kerchunk)"
    )
