"""The time as the file system of a folder has it, which several machines may share.

Times of files are compared with this clock and never with the machine's own: a machine whose clock is two hours off
would take the files of active runs for abandoned ones, or wait for those of dead ones.
"""

from __future__ import annotations

import math
import os
import threading
import time

from splashdown._folders import owner
from splashdown._folders.folder import LazyFolder


class FolderClock:
    """Asks the file system once, when the time is first needed: by making a file, which is removed at once."""

    def __init__(self, folder: LazyFolder) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._ahead: float | None = None  #: seconds that this clock is ahead of the monotonic one

    def now(self) -> float:
        """Epoch seconds; minus infinity where no file can be made, so that every file there counts as new."""
        with self._lock:
            if self._ahead is None:
                try:
                    self._ahead = self._asked() - time.monotonic()
                except OSError:
                    return -math.inf
            return time.monotonic() + self._ahead

    def _asked(self) -> float:
        folder, name = self._folder.get(), owner.new_name(owner.PROBE)
        descriptor = folder.create(name, mode=0o600)
        try:
            return os.fstat(descriptor).st_mtime
        finally:
            os.close(descriptor)
            folder.unlink(name)
