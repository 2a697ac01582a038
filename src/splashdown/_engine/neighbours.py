"""Files that other runs on this machine are storing in the same folder at the moment, from their journals."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from splashdown._engine.records import lines_of
from splashdown._folders import owner
from splashdown._folders.clock import FolderClock
from splashdown._folders.fields import LONGEST_FILE, Fields
from splashdown._folders.folder import LazyFolder

#: How often the folder is looked through for journals of others; a run that has none pays this and no more.
_LOOK_SECONDS = 1.0
#: How long to wait at a time for a file that another run stores.
_WAIT_SECONDS = 0.1


@dataclass(slots=True)
class _Journal:
    """How far a journal was read, and the names under way in it by the numbers of their uploads."""

    at: int = 0
    names: dict[str, str] = field(default_factory=dict)


class Neighbours:
    """Journals of live processes but this one's. Any thread may ask."""

    def __init__(self, folder: LazyFolder, extension: str, clock: FolderClock) -> None:
        self._folder, self._extension, self._clock = folder, extension, clock
        self._lock = threading.Lock()
        self._looked = -_LOOK_SECONDS
        self._journals: dict[str, _Journal] = {}

    def wait_for(self, name: str, own: str, stop: Callable[[float], bool]) -> None:
        """Return when no other run stores a file of this name any more; ``stop`` sleeps, and is true to end."""
        while self.is_under_way(name, own) and not stop(_WAIT_SECONDS):
            pass

    def is_under_way(self, name: str, own: str) -> bool:
        """Whether another run stores a file of this name at the moment."""
        with self._lock:
            now = time.monotonic()
            if not self._journals and now - self._looked < _LOOK_SECONDS:
                return False
            self._looked = now
            self._look(own)
            return any(name in journal.names.values() for journal in self._journals.values())

    def _look(self, own: str) -> None:
        live = set()
        with suppress(OSError):
            for name, found in [*self._folder.get().scan()]:
                if not owner.is_name(name, self._extension) or not stat.S_ISREG(found.st_mode) or name == own:
                    continue
                if found.st_size > LONGEST_FILE:  # no run has written it
                    continue
                # One that was suspended writes nothing, and must not hold up others.
                touched, now = found.st_mtime, self._clock.now
                if owner.is_left_behind(name, touched, now) or now() - touched > owner.STALE_SECONDS:
                    continue
                live.add(name)
                self._read(name, self._journals.setdefault(name, _Journal()))
        self._journals = {name: journal for name, journal in self._journals.items() if name in live}

    def _read(self, name: str, journal: _Journal) -> None:
        with suppress(OSError), os.fdopen(self._folder.get().open(name), "rb") as file:
            file.seek(journal.at)
            for line in lines_of(file):
                if not line.endswith(b"\n"):
                    return
                journal.at += len(line)
                with suppress(ValueError, KeyError):
                    record = Fields(line)
                    kind = record.text("do")
                    if kind in {"open", "begin", "whole"}:
                        journal.names[record.text("id")] = record.name("name")
                    elif kind in {"end", "storing"}:
                        journal.names.pop(record.text("id"), None)
