"""The members of a ZIP or TAR file: found by its index, or header by header, with ranges. No member is read here.

:mod:`zipfile` and :mod:`tarfile` read the structure. This module judges what a stranger may have put into it.
"""

from __future__ import annotations

import struct
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import unquote, urlsplit

from splashdown._engine.seekable import SeekableAsset
from splashdown.errors import LoadError, error_text
from splashdown.model import Asset
from splashdown.protocols import AssetHandle
from splashdown.redact import safely_shown

#: How much of the end of a ZIP file the first look takes; the index of a thousand files fits.
_TAIL = 64 * 1024
#: A larger index, or more members, are those of no product.
_MOST_INDEX = 16 * 1024 * 1024
_MOST_MEMBERS = 100_000
#: A member cannot be so many times larger than its coded bytes (DEFLATE, RFC 1951, ends at 1032).
_MOST_RATIO = 1100
_LOCAL_HEADER, _LOCAL_NAME = 30, b"PK\x03\x04"
STORED, DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
_ENCRYPTED = 0x1
_TYPE, _LINK = 0o170000, 0o120000
_ZIP_TYPES = frozenset({"application/zip", "application/x-zip-compressed"})
_TAR_TYPES = frozenset({"application/x-tar", "application/tar"})
_COMPRESSED_TAR = (".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst")


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Entry:
    """One file in an archive. ``start`` is its local header (ZIP) or its first byte (TAR), ``stop`` what follows it."""

    path: str
    size: int
    packed: int  #: bytes that it takes in the archive
    start: int
    stop: int
    method: int = STORED
    crc: int | None = None  #: CRC-32 of its bytes; a TAR file has none

    @property
    def has_header(self) -> bool:
        """Whether a local header stands before the bytes."""
        return self.crc is not None


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Listing:
    """The files of an archive, and why others in it cannot be read, by their paths."""

    entries: Sequence[Entry]
    refused: Sequence[tuple[str, str]] = ()


def kind_of(asset: Asset) -> str:
    """``zip``, ``tar`` or ``compressed-tar`` by media type and extensions; empty for any other file."""
    names = [unquote(_path(asset.href)).lower(), asset.key.lower()]
    media_type = (asset.media_type or "").partition(";")[0].strip().lower()
    if any(name.endswith(_COMPRESSED_TAR) for name in names):
        return "compressed-tar"
    if media_type in _ZIP_TYPES or any(name.endswith(".zip") for name in names):
        return "zip"
    return "tar" if media_type in _TAR_TYPES or any(name.endswith(".tar") for name in names) else ""


def list_archive(handle: AssetHandle, kind: str) -> Listing:
    """The files in an archive. Raises ``LoadError`` for a damaged one, or one whose structure cannot be true."""
    label = handle.asset.label
    if kind == "compressed-tar":
        raise LoadError(f"{label}: a compressed TAR file has to be read from its start to its end: download it whole")
    try:
        return _list_zip(handle) if kind == "zip" else _list_tar(handle)
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        struct.error,
        ValueError,
        OverflowError,
        NotImplementedError,
    ) as error:
        raise LoadError(f"{label}: it cannot be read as a {kind.upper()} file ({error_text(error)})") from error


def _list_zip(handle: AssetHandle) -> Listing:
    with zipfile.ZipFile(_Index(handle)) as archive:
        found, end = archive.infolist(), archive.start_dir
    _refuse_many(handle, len(found))
    refused: list[tuple[str, str]] = []
    entries: list[Entry] = []
    order = sorted(found, key=lambda one: one.header_offset)
    for one, following in pairwise([*order, None]):
        assert one is not None
        stop = end if following is None else following.header_offset
        if one.is_dir():
            continue
        if reason := _refusal(one, stop):
            refused.append((one.filename, reason))
            continue
        entries.append(
            Entry(
                path=one.filename,
                size=one.file_size,
                packed=one.compress_size,
                start=one.header_offset,
                stop=stop,
                method=one.compress_type,
                crc=one.CRC,
            )
        )
    return Listing(entries=_unique(entries), refused=refused)


def _refusal(one: zipfile.ZipInfo, stop: int) -> str:
    """Why a member is not read; empty for a good one."""
    if one.external_attr >> 16 & _TYPE == _LINK:
        return "it is a symbolic link"
    if one.flag_bits & _ENCRYPTED:
        return "it is encrypted"
    if one.compress_type not in {STORED, DEFLATED}:
        return f"it is packed in a way that is not read here (method {one.compress_type})"
    # Members that overlap are how a small file holds petabytes.
    if one.header_offset < 0 or one.header_offset + _LOCAL_HEADER + one.compress_size > stop:
        return "it overlaps what follows it: damaged, or made to fill disks"
    if one.compress_type == STORED and one.file_size != one.compress_size:
        return "its two sizes differ although it is not compressed: damaged"
    if one.file_size > one.compress_size * _MOST_RATIO + 1024:
        return f"{one.compress_size} bytes cannot hold the {one.file_size} that it promises"
    return ""


def _list_tar(handle: AssetHandle) -> Listing:
    refused: list[tuple[str, str]] = []
    entries: list[Entry] = []
    size = handle.size
    with tarfile.open(fileobj=handle.open(), mode="r:") as archive:
        for number, one in enumerate(archive, 1):
            _refuse_many(handle, number)
            if one.isdir():
                continue
            if not one.isreg() or one.issparse():
                refused.append((one.name, "it is a link, a device or a sparse file"))
            elif one.offset_data + one.size > size:
                refused.append((one.name, "it goes on behind the end of the archive: damaged"))
            else:
                stop = one.offset_data + one.size
                entries.append(Entry(path=one.name, size=one.size, packed=one.size, start=one.offset_data, stop=stop))
    return Listing(entries=_unique(entries), refused=refused)


def _unique(entries: Sequence[Entry]) -> list[Entry]:
    """Of files with one path the last one counts, as for every program that unpacks them one after the other."""
    return list({one.path: one for one in entries}.values())


def _refuse_many(handle: AssetHandle, count: int) -> None:
    if count > _MOST_MEMBERS:
        raise LoadError(f"{handle.asset.label}: more than {_MOST_MEMBERS:,} files in one archive")


def data_offset(handle: AssetHandle, entry: Entry, head: memoryview | bytes | None = None) -> int:
    """How many bytes after its ``start`` the bytes of a file begin. Raises ``LoadError`` for a damaged header."""
    if not entry.has_header:
        return 0
    raw = handle.read_range(entry.start, entry.start + _LOCAL_HEADER) if head is None else head
    if len(raw) < _LOCAL_HEADER or bytes(raw[:4]) != _LOCAL_NAME:
        raise LoadError(f"{handle.asset.label}: {entry.path}: its header is not where the index says: damaged")
    name, extra = struct.unpack("<HH", raw[26:30])
    offset = _LOCAL_HEADER + int(name) + int(extra)
    if entry.start + offset + entry.packed > entry.stop:
        raise LoadError(f"{handle.asset.label}: {entry.path}: it overlaps what follows it: damaged")
    return offset


class _Index(SeekableAsset):
    """The end of a ZIP file, which comes in one request, and as much before it as an index may take."""

    def __init__(self, handle: AssetHandle) -> None:
        super().__init__(handle, tail=_TAIL)

    def read(self, count: int = -1, /) -> bytes:
        """All of the bytes, at once: an index says itself how large it is."""
        wanted = self._handle.size - self.tell() if count < 0 else min(count, self._handle.size - self.tell())
        if wanted > _MOST_INDEX:
            raise LoadError(f"{self._handle.asset.label}: its index has {wanted:,} bytes, more than any needs")
        parts = bytearray()
        while len(parts) < wanted and (found := super().read(wanted - len(parts))):
            parts += found
        return bytes(parts)


def _path(href: str) -> str:
    try:
        return urlsplit(href).path
    except ValueError:
        return ""
