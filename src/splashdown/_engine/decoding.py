"""Bodies that a server sends compressed (``Content-Encoding``) although that was not asked for.

Objects are stored so, and sent so whatever a client accepts. The file is what comes out: the bytes are decoded while
they come, and the metadata may be about either. A file that is compressed by itself (``.gz``) stays as it is.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from splashdown._display.text import readable
from splashdown.checksums import Digests, digests_for, understood
from splashdown.errors import ChecksumError, StoreError, TransferError, TruncatedError
from splashdown.formats import GZIP, promises
from splashdown.model import Asset, Buffer, RemoteInfo

#: Names of the encodings, and the window bits by which zlib knows them (RFC 9110, section 8.4.1).
_BITS: Final = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_RAW = -15  #: some servers call a bare deflate stream ``deflate``
_MOST_AT_ONCE = 1024 * 1024
_MEMBER = b"\x1f\x8b"


def is_kept(asset: Asset, info: RemoteInfo) -> bool:
    """Whether the encoded bytes are the file: one that is compressed by itself, whose server calls that an encoding."""
    return info.encoding in {"gzip", "x-gzip"} and promises(GZIP, asset.media_type, asset.href, info.media_type)


def decoded_info(asset: Asset, info: RemoteInfo) -> RemoteInfo:
    """The file as it will be when it is decoded: its size is unknown, and ranges and digests are of other bytes.

    Raises ``TransferError`` for an encoding that is not decoded here.
    """
    if info.encoding not in _BITS:
        raise TransferError(
            f"{asset.label}: the server sent the file with Content-Encoding {info.encoding} although identity was"
            " requested; gzip and deflate are decoded, this is not"
        )
    return replace(info, size=None, ranges=False, digests={})


class Decoding:
    """One encoded body: what came, and what came out of it."""

    def __init__(self, asset: Asset, encoding: str, length: int | None, *, verify: bool) -> None:
        self._label, self._encoding, self._length = asset.label, encoding, length
        self.size = 0  #: encoded bytes so far
        expected = understood(asset.checksum) if verify else None
        self.digests: Digests = digests_for([expected] if expected is not None else [], None)
        # A size that is not that of the encoded bytes can be only that of the file.
        self._promised = asset.size if verify and length is not None and asset.size != length else None
        self.room: int | None = None  #: bytes that the target can take

    @property
    def is_whole(self) -> bool:
        """Whether as many encoded bytes came as the server had said."""
        return self._length == self.size

    def chunks(self, body: Iterator[Buffer]) -> Iterator[Buffer]:
        """The decoded bytes, a MiB at most at a time. Raises ``ChecksumError`` for damaged ones."""
        decoder = zlib.decompressobj(_BITS[self._encoding])
        done = 0
        for encoded in body:
            data = bytes(encoded)
            self.digests.update(data)
            if not self.size and self._encoding == "deflate" and not _has_zlib_header(data):
                decoder = zlib.decompressobj(_RAW)
            self.size += len(data)
            while data:
                if decoder.eof:  # gzip may have several members (RFC 1952); padding behind them is ignored
                    if not data.startswith(_MEMBER[: len(data)]) or self._encoding == "deflate":
                        break
                    decoder = zlib.decompressobj(_BITS[self._encoding])
                out = self._step(decoder, data)
                while out:
                    done += len(out)
                    self._check_room(done)
                    yield out
                    out = self._step(decoder, decoder.unconsumed_tail) if not decoder.eof else b""
                data = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
        if self.size and not decoder.eof:
            raise TruncatedError(f"{self._label}: the {self._encoding}-encoded body ended early")

    def _step(self, decoder: zlib._Decompress, data: bytes) -> bytes:
        try:
            return decoder.decompress(data, _MOST_AT_ONCE)
        except zlib.error as error:
            raise ChecksumError(
                f"{self._label}: the body cannot be decoded as {self._encoding} ({error}); nothing was kept"
            ) from None

    def _check_room(self, done: int) -> None:
        if self._promised is not None and done > self._promised:
            raise ChecksumError(
                f"{self._label}: more bytes come out of the {self._encoding}-encoded body than file:size says"
                f" ({self._promised}); nothing was kept"
            )
        if self.room is not None and done > self.room:
            raise StoreError(
                f"{self._label}: more comes out of the {self._encoding}-encoded body than the target has free"
                f" ({readable(self.room)}); nothing was kept"
            )


def _has_zlib_header(data: bytes) -> bool:
    """RFC 1950, section 2.2: method 8, and a check value."""
    return len(data) > 1 and data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
