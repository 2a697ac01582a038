"""Names of files name their process, so that files of a dead process and of a live one can be distinguished.

Nothing relies on file locks, which several network filesystems ignore. A file changes hands by one rename: of two
processes that want it only one succeeds.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import socket
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from splashdown._folders.folder import Folder

#: Who gave a file back in good order: any process may take it.
FREE = "free"
#: A file of another machine counts as left behind when it was not touched for so long, in seconds.
STALE_SECONDS = 120.0
#: The extension of files that are made to ask a file system for its time.
PROBE = ".probe"
#: How often a running process touches its files.
HEARTBEAT_SECONDS = 20.0
#: The names that are made here; what is called otherwise was not made by this tool.
_NAME = re.compile(
    r"(?:free|(?P<machine>[0-9a-f]{12})-(?P<pid>[0-9]{1,10})-(?P<started>[0-9]{1,20}))-[0-9a-f]{12}\.[a-z]+"
)


@functools.cache
def _machine() -> str:
    """This machine since its last start, and this namespace of process numbers."""
    facts = [socket.gethostname()]
    with suppress(OSError):
        facts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"))
    with suppress(OSError):
        facts.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:12]


def _started(pid: int) -> str:
    """When a process started, in the kernel's ticks: a number that was used again belongs to another process."""
    try:
        facts = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return "0"
    # The second field, the program's name in brackets, may itself hold spaces and brackets.
    return facts.rpartition(b")")[2].split()[19].decode()


def new_name(extension: str) -> str:
    """A name of this process; ``extension`` has its dot."""
    pid = os.getpid()
    return f"{_machine()}-{pid}-{_started(pid)}-{os.urandom(6).hex()}{extension}"


def free_name(extension: str) -> str:
    """A name for whoever comes next."""
    return f"{FREE}-{os.urandom(6).hex()}{extension}"


def is_name(name: str, extension: str) -> bool:
    """Whether this tool gives such names to files of this kind."""
    return name.endswith(extension) and _NAME.fullmatch(name) is not None


def is_left_behind(name: str, touched: float, now: Callable[[], float]) -> bool:
    """Whether no process writes this file any more.

    ``touched`` is when it was last written (epoch seconds), and ``now`` the clock that says so: not this machine's.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        return False
    if found["machine"] is None:
        return True
    if found["machine"] == _machine():
        return not _lives(int(found["pid"]), found["started"])
    return now() - touched > STALE_SECONDS


def _lives(pid: int, started: str) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        pass  # it lives and belongs to another user
    return _started(pid) == started


def claim(folder: Folder, extension: str, taken: str, now: Callable[[], float]) -> list[str]:
    """Make all files of a kind that were left behind in a folder this process's own; returns their new names.

    They get the extension ``taken``: what stands in them is not what this process does. Those are claimed as well when
    it has died. ``now`` is the folder's clock.
    """
    remove_left_behind(folder, PROBE, now)
    mine = []
    for name, found in sorted(folder.scan(), key=lambda each: each[0]):
        ours = is_name(name, extension) or is_name(name, taken)
        if ours and stat.S_ISREG(found.st_mode) and is_left_behind(name, found.st_mtime, now):
            own = new_name(taken)
            with suppress(OSError):  # another process was quicker
                folder.rename(name, folder, own)
                mine.append(own)
    return mine


def remove_left_behind(folder: Folder, extension: str, now: Callable[[], float]) -> None:
    """Remove files of a kind that mean nothing once their process is dead."""
    for name, found in [*folder.scan()]:
        if is_name(name, extension) and is_left_behind(name, found.st_mtime, now):
            with suppress(OSError):
                folder.unlink(name)
