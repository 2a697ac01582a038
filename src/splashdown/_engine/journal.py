"""Remembers, for the next run, what an unfinished run has stored: an append-only file beside the partial data.

What the records say is the business of ``records``; which journals may be taken over, of ``owner``.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from splashdown._engine import owner, records
from splashdown._engine.records import Entry, Record, Replayed
from splashdown.errors import error_text
from splashdown.model import StoredPart, StoredRecord, Upload

_log = logging.getLogger("splashdown")

#: What nobody came back for within a week is removed.
_OLDEST_SECONDS = 7 * 24 * 3600.0


class Journal:
    """One run's journal. That it cannot be written costs the resuming of this run, never the run.

    ``folder`` is where journals are; the ones that were left behind there are taken over. With ``keep=False`` no upload
    is noted for a later run to go on with. What is under way and what has landed is noted all the same, so that after a
    kill the next run can remove the one and knows the other for ours.
    """

    def __init__(self, folder: Path | None, *, keep: bool) -> None:
        self._folder = folder
        self._keep = keep
        self._writable = folder is not None
        self._lock = threading.Lock()
        self._file: _File | None = None
        self._count = 0
        self._begun: set[str] = set()  #: uploads under way that the next run can go on with
        self._stored = 0  #: files that this run has stored
        self._loose: dict[str, Upload] = {}  #: uploads under way that no later run can go on with
        self._ended: list[Record] = []  #: what can wait for the next record to be written with it
        self._taken = owner.claim(folder) if folder is not None else []
        self._old = records.merge(_read(path) for path in self._taken)

    @property
    def stored(self) -> Mapping[str, StoredRecord]:
        """What earlier, unfinished runs have stored, by name."""
        return self._old.stored

    @property
    def keeps(self) -> bool:
        """Whether what is begun now can be found again by the next run."""
        return self._keep and self._writable

    @property
    def loose(self) -> list[tuple[str, Upload]]:
        """Uploads under way, with their numbers, that nobody will go on with once this run ends."""
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
        """Uploads of earlier runs that nobody could go on with, for the caller to abort."""
        dead, self._old.surplus = self._old.surplus, []
        return dead

    def leftovers(self, landed: Iterable[str]) -> list[Upload]:
        """Uploads that nobody will continue, for the caller to abort.

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
        self._write(records.opened(number, upload))
        return number

    def begin(self, entry: Entry) -> str:
        """Note an upload of several parts that the next run can go on with; returns the number to call it by."""
        number = self._number()
        with self._lock:
            self._begun.add(number)
        self._write(records.begin(number, entry))
        for one in entry.parts:
            self._write(records.part(number, one))
        return number

    def part(self, number: str, stored: StoredPart) -> None:
        """Note a part that the sink has taken."""
        self._write(records.part(number, stored))

    def end(self, number: str) -> None:
        """Note that an upload is no more: committed or aborted."""
        with self._lock:
            if self._loose.pop(number, None) is not None:
                # To abort it once more would do no harm, so this is not worth a write of its own for each small file.
                if self._writable:
                    self._ended.append(records.end(number))
                return
            if number not in self._begun:
                return
            self._begun.remove(number)
        self._write(records.end(number))

    def storing(self, name: str, record: StoredRecord) -> None:
        """Note, just before a file gets its name, what it will be."""
        self._write(records.stored(name, record))
        with self._lock:
            self._stored += 1

    def unstored(self, name: str) -> None:
        """Note that it did not get its name."""
        self._write(records.unstored(name))
        with self._lock:
            self._stored -= 1

    def touch(self) -> None:
        """Show other machines that this run is alive."""
        if self._file is not None:
            self._file.touch()

    def close(self, finished: Iterable[str] | None) -> None:
        """End the run. ``finished`` are files that need no memory any more; ``None`` keeps everything.

        What is left belongs to whoever comes next; the folder goes when nothing is left in it.
        """
        with self._lock:
            self._writable = False  # a thread that is late writes nothing any more
            file, self._file = self._file, None
            worth = bool(self._loose or self._begun or (finished is None and self._stored))
        if file is not None:
            if worth:
                with suppress(OSError):
                    file.write(self._ended)
            file.close()
        written = [*self._taken, *([file.path] if file is not None else [])]
        if worth:
            for path in written:
                with suppress(OSError):
                    path.rename(path.with_name(owner.free_name()))
        else:
            self._drop(written, frozenset(finished or () if self._old.stored else ()))
        if self._folder is not None:
            with suppress(OSError):
                self._folder.rmdir()

    def _drop(self, written: list[Path], finished: frozenset[str]) -> None:
        """Remove journals; what others may still come back for, or has to be removed, is written anew first."""
        rest = Replayed(
            entries=self._old.entries,
            stored={name: k for name, k in self._old.stored.items() if name not in finished and not _is_old(k)},
            surplus=self._old.surplus,
        )
        if self._folder is not None and (rest.entries or rest.stored or rest.surplus):
            with suppress(OSError):
                file = _File(self._folder / owner.free_name())
                file.write(list(records.rewritten(rest)))
                file.close()
        for path in written:
            with suppress(OSError):
                path.unlink()

    def _number(self) -> str:
        with self._lock:
            self._count += 1
            return str(self._count)

    def _write(self, record: Record) -> None:
        if not self._writable:
            return
        with self._lock:
            ended, self._ended = self._ended, []
        try:
            (self._file or self._create()).write([*ended, record])
        except OSError as error:
            if self.keeps:
                _log.warning("this run cannot be resumed, its journal is not writable: %s", error_text(error))
            self._writable = False

    def _create(self) -> _File:
        assert self._folder is not None
        with self._lock:
            if self._file is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                try:
                    self._file = _File(self._folder / owner.new_name())
                except FileNotFoundError:  # another process has finished just now and taken the folder with it
                    self._folder.mkdir(parents=True, exist_ok=True)
                    self._file = _File(self._folder / owner.new_name())
            return self._file


class _File:
    """Appends lines; one ``write`` for each call, so that threads do not mix and a crash tears the last at most."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._descriptor: int | None = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)

    def write(self, lines: Sequence[Record]) -> None:
        data = b"".join(map(records.line, lines))
        with self._lock:  # a late thread must not write to a descriptor that has been closed and given to others
            if self._descriptor is not None and os.write(self._descriptor, data) != len(data):
                os.write(self._descriptor, b"\n")  # the torn record must not spoil the next one
                raise OSError("only a part of a record was written")

    def touch(self) -> None:
        with suppress(OSError):
            os.utime(self.path)

    def close(self) -> None:
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None


def _is_old(record: StoredRecord) -> bool:
    return record.written_at is not None and time.time() - record.written_at > _OLDEST_SECONDS


def _read(path: Path) -> Replayed:
    try:
        with path.open("rb") as file:
            return records.replay(file)
    except OSError:
        return Replayed()


def user_state_dir(target: str) -> Path:
    """Where journals of a target go that has no place for them: the user's state folder, as the system has it."""
    from platformdirs import user_state_path

    base = user_state_path("splashdown", appauthor=False)
    return base / hashlib.sha256(target.encode()).hexdigest()[:20]
