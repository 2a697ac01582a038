"""Remembers, for the next run, what an unfinished run has stored: an append-only file beside the partial data.

``records`` defines the records; ``owner`` decides which journals may be taken over.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from splashdown._engine import records
from splashdown._engine.neighbours import Neighbours
from splashdown._engine.records import Entry, Replayed
from splashdown._folders import owner
from splashdown._folders.clock import FolderClock
from splashdown._folders.fields import LONGEST_FILE
from splashdown._folders.folder import Folder, LazyChild, OddFileError
from splashdown.errors import StoreError, error_text
from splashdown.model import StoredPart, Upload

_log = logging.getLogger("splashdown")

#: Uploads that no run continued within a week are removed.
_OLDEST_SECONDS = 7 * 24 * 3600.0
#: A journal, and one of an earlier run that this one has taken over.
_EXTENSION, _TAKEN = ".journal", ".taken"


class Journal:
    """One run's journal. That it cannot be written costs the resuming of this run, never the run.

    ``folder`` is where journals are; the ones that were left behind there are taken over. With ``keep=False`` no upload
    is noted for a later run to go on with. Uploads under way are noted all the same, so that after a kill the next run
    can remove it. With ``take=False`` what was left behind is for others to take over.
    """

    def __init__(self, folder: Path | None, *, keep: bool, take: bool = True) -> None:
        self._folder = LazyChild(str(folder.parent), folder.name) if folder is not None else None
        self._clock = FolderClock(self._folder) if self._folder is not None else None
        self._neighbours = Neighbours(self._folder, _EXTENSION, self._clock) if self._folder and self._clock else None
        self._keep = keep
        self._writable = folder is not None
        self._lock = threading.Lock()
        self._file: _File | None = None
        self._count = 0
        self._begun: set[str] = set()  #: uploads under way that the next run can go on with
        self._loose: dict[str, Upload] = {}  #: uploads under way that no later run can go on with
        self._ended: list[bytes] = []  #: what can wait for the next record to be written with it
        self._taken = self._claim() if take else []
        self._old = records.merge(self._read(name) for name in self._taken)

    @property
    def keeps(self) -> bool:
        """Whether what is begun now can be found again by the next run."""
        return self._keep and self._writable

    @property
    def loose(self) -> list[tuple[str, Upload]]:
        """Uploads under way, with their numbers, that no run will continue once this one ends."""
        with self._lock:
            return list(self._loose.items())

    def find(self, of: str) -> Entry | None:
        """The unfinished upload of an asset."""
        return self._old.entries.get(of)

    @property
    def unfinished(self) -> bool:
        """Whether earlier runs have left uploads to go on with."""
        return bool(self._old.entries)

    def take(self, of: str) -> Entry | None:
        """The unfinished upload of an asset, for the caller to continue or to abort."""
        return self._old.entries.pop(of, None)

    def surplus(self) -> list[Upload]:
        """Uploads of earlier runs that no run can continue, for the caller to abort."""
        dead, self._old.surplus = self._old.surplus, []
        return dead

    def leftovers(self, landed: Iterable[str]) -> list[Upload]:
        """Uploads that no run will continue, for the caller to abort.

        They are too old, replaced, of a name that has landed, or any when this run keeps nothing.
        """
        dead, names = self.surplus(), frozenset(landed if self._old.entries else ())
        for of, entry in tuple(self._old.entries.items()):
            if not self._keep or entry.upload.key in names or time.time() - entry.at > _OLDEST_SECONDS:
                dead.append(self._old.entries.pop(of).upload)
        return dead

    def open(self, upload: Upload) -> str:
        """Note an upload that only this run can end; returns the number to call it by."""
        number = self._number()
        with self._lock:
            self._loose[number] = upload
        self._write(records.line(records.opened(number, upload)))
        return number

    def announce(self, name: str) -> str:
        """Let other runs know that a file of this name is under way, of which a kill leaves nothing to go on with."""
        with self._lock:
            self._count += 1
            number = str(self._count)
        self._write(records.whole(number, name))
        return number

    def retract(self, number: str) -> None:
        """Take that back; it is written with the next record."""
        self._ended.append(records.ENDED % number.encode("ascii"))

    def begin(self, entry: Entry) -> str:
        """Note an upload of several parts that the next run can go on with; returns the number to call it by."""
        number = self._number()
        with self._lock:
            self._begun.add(number)
        self._write(records.line(records.begin(number, entry)))
        for one in entry.parts:
            self._write(records.line(records.part(number, one)))
        return number

    def part(self, number: str, stored: StoredPart) -> None:
        """Note a part that the sink has taken."""
        self._write(records.line(records.part(number, stored)))

    def end(self, number: str) -> None:
        """Note that an upload is no more: committed or aborted."""
        with self._lock:
            if self._loose.pop(number, None) is not None:
                # To abort it once more would do no harm, so this is not worth a write of its own for each small file.
                if self._writable:
                    self._ended.append(records.ended(number))
                return
            if number not in self._begun:
                return
            self._begun.remove(number)
        self._write(records.ended(number))

    def touch(self) -> None:
        """Show other machines that this run is alive."""
        if self._file is not None:
            self._file.touch()

    def is_awaited(self, name: str) -> bool:
        """Whether :meth:`wait_for_others` would wait now."""
        own = self._file.name if self._file is not None else ""
        return self._neighbours is not None and self._neighbours.is_under_way(name, own)

    def wait_for_others(self, name: str, stop: Callable[[float], bool]) -> None:
        """Return when no other run on this machine stores a file of this name; ``stop`` sleeps, and is true to end."""
        if self._neighbours is not None:
            self._neighbours.wait_for(name, self._file.name if self._file is not None else "", stop)

    def close(self) -> None:
        """End the run. The next run takes over the rest; the folder goes when it is empty."""
        with self._lock:
            self._writable = False  # a thread that is late writes nothing any more
            file, self._file = self._file, None
            worth = bool(self._loose or self._begun)
        if file is not None:
            if worth:
                with suppress(OSError):
                    file.write(b"".join(self._ended))
            file.close()
        written = [*self._taken, *([file.name] if file is not None else [])]
        if self._folder is None:
            return
        with suppress(OSError):
            folder = self._folder.get()
            if worth:
                for name in written:
                    with suppress(OSError):
                        folder.rename(name, folder, owner.free_name(_EXTENSION))
            else:
                self._drop(folder, written)
        self._folder.drop()

    def _drop(self, folder: Folder, written: list[str]) -> None:
        """Remove journals; what others may still come back for, or has to be removed, is written again first."""
        if self._old.entries or self._old.surplus:
            with suppress(OSError):
                file = _File(folder, owner.free_name(_EXTENSION))
                file.write(b"".join(map(records.line, records.rewritten(self._old))))
                file.close()
        for name in written:
            with suppress(OSError):
                folder.unlink(name)

    def _claim(self) -> list[str]:
        """Take over what earlier runs have left. Raises ``StoreError`` where the folder is a link or a file."""
        if self._folder is None or self._clock is None:
            return []
        try:
            return owner.claim(self._folder.get(), _EXTENSION, _TAKEN, self._clock.now)
        except OddFileError as error:
            raise StoreError(f"unfinished files cannot be kept: {error.strerror}") from None
        except OSError:
            return []

    def _read(self, name: str) -> Replayed:
        assert self._folder is not None
        try:
            with os.fdopen(self._folder.get().open(name), "rb") as file:
                if os.fstat(file.fileno()).st_size > LONGEST_FILE:
                    _log.warning("the journal %s is too long: what its run has left unfinished is not continued", name)
                    return Replayed()
                return records.replay(records.lines_of(file))
        except OSError:
            return Replayed()

    def _number(self) -> str:
        with self._lock:
            self._count += 1
            return str(self._count)

    def _write(self, line: bytes) -> None:
        if not self._writable:
            return
        with self._lock:
            ended, self._ended = self._ended, []
        try:
            (self._file or self._create()).write(b"".join(ended) + line)
        except OSError as error:
            if self.keeps:
                _log.warning("this run cannot be resumed, its journal is not writable: %s", error_text(error))
            self._writable = False

    def _create(self) -> _File:
        assert self._folder is not None
        with self._lock:
            if self._file is None:
                try:
                    self._file = _File(self._folder.get(make=True), owner.new_name(_EXTENSION))
                except FileNotFoundError:  # another process has finished just now and taken the folder with it
                    self._folder.close()
                    self._file = _File(self._folder.get(make=True), owner.new_name(_EXTENSION))
            return self._file


class _File:
    """Appends lines; one ``write`` for each call, so that threads do not mix and a crash tears the last at most."""

    def __init__(self, folder: Folder, name: str) -> None:
        self.name = name
        self._folder = folder
        self._lock = threading.Lock()
        self._descriptor: int | None = folder.create(name, os.O_APPEND, 0o600)

    def write(self, data: bytes) -> None:
        with self._lock:  # a late thread must not write to a descriptor that has been closed and given to others
            if self._descriptor is not None and os.write(self._descriptor, data) != len(data):
                os.write(self._descriptor, b"\n")  # the torn record must not spoil the next one
                raise OSError("only a part of a record was written")

    def touch(self) -> None:
        with suppress(OSError):
            self._folder.touch(self.name)

    def close(self) -> None:
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None


def user_state_dir(target: str) -> Path:
    """Where journals of a target go that has no place for them: the user's state folder, as the system has it."""
    from platformdirs import user_state_path

    base = user_state_path("splashdown", appauthor=False)
    return base / hashlib.sha256(target.encode()).hexdigest()[:20]
