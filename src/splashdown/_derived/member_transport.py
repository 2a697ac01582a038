"""Reads files inside archives with ranges over the archive's own connections, unpacked and with their CRC compared."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from splashdown._derived.archives import DEFLATED, Entry, data_offset
from splashdown._derived.streams import ChunkStream, once
from splashdown._engine.recipes import Workshop
from splashdown._engine.remote_handle import RemoteHandle
from splashdown._engine.renew import Origin
from splashdown.errors import ChecksumError, LoadError, NotModifiedError
from splashdown.model import Asset, Buffer, ReadRequest, RemoteInfo
from splashdown.protocols import Stream, Transport
from splashdown.redact import safely_shown

#: Bytes that are unpacked at a time, which bounds the memory whatever is packed.
_PIECE = 1024 * 1024
#: A local header with the longest name and extra field.
_LONGEST_HEADER = 30 + 2 * 65535


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class MemberRecipe:
    """An archive, and where a file is in it, for another process."""

    href: str
    asset: Asset
    entry: Entry
    media_type: str | None
    loader: str = ""

    def transport(self, workshop: Workshop) -> Transport:
        """What reads the file."""
        made = MemberTransport()
        made.add(self.href, workshop.handle(self.asset), self.entry, self.media_type)
        return made


class MemberTransport:
    """Serves the files in the archives of one result set, by their hrefs."""

    def __init__(self) -> None:
        self._members: dict[str, tuple[RemoteHandle, Entry, str | None]] = {}

    def add(self, href: str, handle: RemoteHandle, entry: Entry, media_type: str | None) -> None:
        """Serve a file of an archive under an href."""
        self._members[href] = (handle, entry, media_type)

    def of(self, href: str) -> Transport | None:
        """This transport, for one of its hrefs."""
        return self if href in self._members else None

    def recipe(self, href: str) -> MemberRecipe | None:
        """How another process reads the file of an href."""
        if href not in self._members:
            return None
        handle, entry, media_type = self._members[href]
        return MemberRecipe(href=href, asset=handle.current, entry=entry, media_type=media_type)

    def origin(self, href: str) -> Origin | None:
        """The archive that holds the file of an href."""
        return self._members[href][0].origin if href in self._members else None

    @contextmanager
    def stream(self, request: ReadRequest) -> Iterator[Stream]:
        """A range of a file that is stored, else the whole file from its start.

        A file that is asked for as a whole is sent in one go, so that its CRC can be compared.
        """
        handle, entry, media_type = self._members[request.href]
        etag = once(lambda: _etag(handle, entry))
        if request.unless is not None and request.unless == etag:
            raise NotModifiedError(f"{handle.asset.label}: {entry.path}: not changed since it was stored")
        part = entry.method != DEFLATED and (request.start > 0 or request.stop is not None)
        cost = entry.packed if entry.method == DEFLATED else None
        info = RemoteInfo(size=entry.size, media_type=media_type, etag=etag, ranges=part, cost=cost)
        if part:
            stop = min(entry.size, entry.size if request.stop is None else request.stop)
            begin = min(request.start, stop)
            found, length = _range(handle, entry, begin, stop), stop - begin
            yield ChunkStream(info, found, start=begin, length=length)
        else:
            yield ChunkStream(info, _checked(handle, entry, _whole(handle, entry)), length=entry.size)

    def close(self) -> None:
        """Nothing is open between two streams."""


def _etag(handle: RemoteHandle, entry: Entry) -> str | None:
    """The version of a file: its CRC and size, or where the archive has no CRC, the archive's version and its place."""
    if entry.crc is not None:
        return f'"crc32-{entry.crc:08x}-{entry.size}"'
    if handle.validator is None:
        return None
    said = repr((handle.validator, entry.path, entry.start, entry.size))
    return f'"{hashlib.blake2b(said.encode(errors="backslashreplace"), digest_size=16).hexdigest()}"'


def _range(handle: RemoteHandle, entry: Entry, start: int, stop: int) -> Iterator[Buffer]:
    if start < stop:
        first = entry.start + once(lambda: data_offset(handle, entry))
        yield from _chunks(handle, first + start, first + stop)


def _whole(handle: RemoteHandle, entry: Entry) -> Iterator[Buffer]:
    """The bytes of a file, unpacked; one request brings the local header as well."""
    packed = _packed(handle, entry)
    if entry.method != DEFLATED:
        yield from packed
        return
    unpack, made = zlib.decompressobj(-zlib.MAX_WBITS), 0
    try:
        for chunk in packed:
            rest: Buffer = chunk
            while rest and not unpack.eof:
                piece = unpack.decompress(rest, _PIECE)
                rest, made = unpack.unconsumed_tail, made + len(piece)
                if made > entry.size:
                    raise LoadError(f"{entry.path}: it holds more bytes than the {entry.size} that it promises")
                if piece:
                    yield piece
    except zlib.error as error:
        raise ChecksumError(f"{handle.asset.label}: {entry.path}: damaged ({error}); nothing was kept") from error


def _packed(handle: RemoteHandle, entry: Entry) -> Iterator[Buffer]:
    """The bytes of a file as they are in the archive."""
    if not entry.has_header:
        yield from _chunks(handle, entry.start, entry.stop)
        return
    stop = min(entry.stop, entry.start + _LONGEST_HEADER + entry.packed)
    head, skip, left = b"", -1, entry.packed
    for chunk in _chunks(handle, entry.start, stop):
        if skip < 0:
            head += bytes(chunk)
            if len(head) < 30:
                continue
            skip, chunk = data_offset(handle, entry, head[:30]), head
        view = memoryview(chunk)[skip:]
        skip = max(0, skip - len(chunk))
        view = view[:left]
        left -= len(view)
        if len(view):
            yield view
        if not left:
            return
    if left:
        raise ChecksumError(f"{handle.asset.label}: {entry.path}: {left} of its bytes are missing; nothing was kept")


def _checked(handle: RemoteHandle, entry: Entry, chunks: Iterator[Buffer]) -> Iterator[Buffer]:
    """The same chunks; the last one comes only when all have the size and CRC that the archive promises."""
    crc, size, held = 0, 0, b""
    for chunk in chunks:
        crc, size = zlib.crc32(chunk, crc), size + len(chunk)
        if held:
            yield held
        held = bytes(chunk)  # a chunk is valid until the next one
    if size != entry.size or (entry.crc is not None and crc != entry.crc):
        what = f"{size} bytes instead of {entry.size}" if size != entry.size else "another CRC-32 than the archive says"
        raise ChecksumError(f"{handle.asset.label}: {entry.path} has {what}; nothing was kept")
    if held:
        yield held


def _chunks(handle: RemoteHandle, start: int, stop: int) -> Iterator[Buffer]:
    chunks = handle.chunks(start, stop)
    while (chunk := once(lambda: next(chunks, None))) is not None:
        yield chunk
