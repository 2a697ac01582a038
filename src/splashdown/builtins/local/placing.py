"""Gives a finished file its name in one step, in place of another file or only where there is none."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import time
from contextlib import suppress

from splashdown._folders.folder import Folder
from splashdown.errors import ExistsError

_COPY_SIZE = 1024 * 1024
#: Waits before another try of a rename that a virus scanner or indexer on Windows holds up, in seconds.
_RENAME_WAITS = (0.05, 0.1, 0.2, 0.4, 0.8) if sys.platform == "win32" else ()


def place(hidden: Folder, part: str, folder: Folder, name: str, *, replacing: bool) -> None:
    """Give the unfinished file ``part`` of the hidden folder its name; a file of that name is only replaced if asked.

    Raises ``ExistsError`` for one that may not be.
    """
    (_replace if replacing else _place_new)(hidden, part, folder, name)


def _replace(hidden: Folder, part: str, folder: Folder, name: str) -> None:
    for wait in _RENAME_WAITS:
        try:
            hidden.rename(part, folder, name)
            return
        except PermissionError:
            time.sleep(wait)
    try:
        hidden.rename(part, folder, name)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _replace_across(hidden, part, folder, name)


def _replace_across(hidden: Folder, part: str, folder: Folder, name: str) -> None:
    """A folder of the target is another filesystem: copy beside the final name, then rename there."""
    beside = f".{os.urandom(12).hex()}.part"
    try:
        with os.fdopen(folder.create(beside), "wb") as out, os.fdopen(hidden.open(part), "rb") as source:
            shutil.copyfileobj(source, out, _COPY_SIZE)
            out.flush()
            os.fsync(out.fileno())
        folder.rename(beside, folder, name)
    except OSError:
        with suppress(FileNotFoundError):
            folder.unlink(beside)
        raise
    hidden.unlink(part)


def _place_new(hidden: Folder, part: str, folder: Folder, name: str) -> None:
    """Give the final name only when it is free: a hard link never replaces."""
    taken = ExistsError(f"{folder.path}{os.sep}{name} exists already; choose --if-exists overwrite or rename")
    try:
        hidden.link(part, folder, name)
    except FileExistsError:
        raise taken from None
    except OSError:  # no hard links in this filesystem
        with suppress(FileNotFoundError):
            folder.stat(name)
            raise taken from None
        _replace(hidden, part, folder, name)
        return
    hidden.unlink(part)
