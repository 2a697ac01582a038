"""Unfinished files of the sink for folders: their names, what is written to them, and when they are forgotten."""

from __future__ import annotations

import functools
import io
import os
import re
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from splashdown._folders import owner
from splashdown._folders.clock import FolderClock
from splashdown._folders.folder import Folder
from splashdown.errors import StoreError, error_text
from splashdown.model import Buffer, Part, Upload

_READ_SIZE = 1024 * 1024
#: The engine gives up uploads that no run continued within a week; this is longer, so that the two never disagree.
_FORGOTTEN_SECONDS = 14 * 24 * 3600.0
#: Names of partial files, as they are made here: a journal from elsewhere can name nothing else.
_PARTIAL = re.compile(r"[0-9a-z]{1,32}-[0-9]{1,12}\.part")
#: The extension of those that are named by their owner.
PART = ".part"


def version_of(found: os.stat_result) -> str:
    """The time of a file, and its number: the clock of a file system ticks a few hundred times a second.

    A file that took the place of another one has another number, whatever time it was given. A listing on Windows has
    no numbers.
    """
    return f"{found.st_mtime_ns}" if sys.platform == "win32" else f"{found.st_mtime_ns}-{found.st_ino}"


def is_partial(name: str) -> bool:
    """Whether this is a name as they are made here: a journal from elsewhere can name nothing else."""
    return bool(_PARTIAL.fullmatch(name)) or owner.is_name(name, PART)


def partial_name(upload: Upload) -> str:
    """The name of an upload's file. Raises ``StoreError`` for one that cannot be such a name."""
    name = upload.token.get("part", "")
    if not is_partial(name):
        raise StoreError(f"cannot store {upload.key!r}: {name!r} is not the name of a partial file")
    return name


def write_part(descriptor: int, upload: Upload, part: Part, chunks: Iterable[Buffer]) -> str:
    """Write a part at its place; its tag is how many bytes came. Raises ``StoreError`` where the system refuses."""
    key, total = upload.key, 0
    if part.start:
        with storing(key):
            os.lseek(descriptor, part.start, os.SEEK_SET)
    for chunk in chunks:
        try:
            done = os.write(descriptor, chunk)
            size = len(chunk)
            total += size
            while done < size:  # a full disk or a signal cuts writes short
                done += os.write(descriptor, memoryview(chunk)[done:])
        except OSError as error:
            raise store_error(key, error) from error
    try:
        # The file's own position shows whether the system took all bytes that it said it took.
        end = os.lseek(descriptor, 0, os.SEEK_CUR)
        if end != part.start + total:
            raise StoreError(f"cannot store {key!r}: {part.start + total - end} bytes were lost while writing")
        if "durable" in upload.token:
            os.fsync(descriptor)
    except OSError as error:
        raise store_error(key, error) from error
    return f"{part.start}-{end}"


def chunks_of(file: io.FileIO, left: int | None) -> Iterator[Buffer]:
    """The next ``left`` bytes of a file, or all that is left; each chunk is valid until the next one."""
    buffer = memoryview(bytearray(_READ_SIZE if left is None else min(left, _READ_SIZE)))
    while left is None or left > 0:
        size = file.readinto(buffer if left is None else buffer[:left])
        if not size:
            return
        left = None if left is None else left - size
        yield buffer[:size]


def remove_forgotten(hidden: Folder, clock: FolderClock) -> None:
    """Remove partial files that a kill left, and that no journal lists: those of a dead owner, and very old ones."""
    for name, found in hidden.scan():
        forgotten = time.time() - found.st_mtime > _FORGOTTEN_SECONDS
        if forgotten and _PARTIAL.fullmatch(name) and stat.S_ISREG(found.st_mode):
            hidden.unlink(name)
    owner.remove_left_behind(hidden, PART, clock.now)


@functools.cache
def boot() -> str:
    """A value that changes when the machine restarts; empty where the system has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def store_error(key: str, error: OSError) -> StoreError:
    """The error for a refusal of the system."""
    return StoreError(f"cannot store {key!r}: {error_text(error)}; nothing under its name was changed")


class _Storing(AbstractContextManager[None]):
    """Turns ``OSError`` into ``StoreError``; a class because generator-based managers cost three times as much."""

    __slots__ = ("_key",)

    def __init__(self, key: str) -> None:
        self._key = key

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise store_error(self._key, error) from error


storing = _Storing
