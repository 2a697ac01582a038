"""Names of journals say whose they are, so that a dead process's journal can be told from a live one's.

Nothing relies on file locks, which several network filesystems ignore. A journal changes hands by one rename: of two
processes that want it only one succeeds.
"""

from __future__ import annotations

import functools
import hashlib
import os
import secrets
import socket
import time
from contextlib import suppress
from pathlib import Path

ENDING = ".journal"
#: Who gave a journal back in good order: anybody may take it.
FREE = "free"
#: A journal of another machine counts as left behind when it was not touched for so long, in seconds.
STALE_SECONDS = 120.0
#: How often a running process touches its journal.
HEARTBEAT_SECONDS = 20.0


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
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return "0"
    # The second field, the program's name in brackets, may itself hold spaces and brackets.
    return stat.rpartition(b")")[2].split()[19].decode()


def new_name() -> str:
    """A journal name of this process."""
    pid = os.getpid()
    return f"{_machine()}-{pid}-{_started(pid)}-{secrets.token_hex(6)}{ENDING}"


def free_name() -> str:
    """A journal name for whoever comes next."""
    return f"{FREE}-{secrets.token_hex(6)}{ENDING}"


def is_left_behind(journal: Path) -> bool:
    """Whether nobody writes this journal any more."""
    if journal.name.startswith(FREE + "-"):
        return True
    try:
        machine, pid, started, _ = journal.name.split("-")
        number = int(pid)
    except ValueError:
        return False
    if machine == _machine():
        return not _lives(number, started)
    with suppress(OSError):
        return time.time() - journal.stat().st_mtime > STALE_SECONDS
    return False


def _lives(pid: int, started: str) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # it lives and is somebody else's
    return _started(pid) == started


def claim(folder: Path) -> list[Path]:
    """Make all journals that were left behind in a folder this process's own, and return them."""
    mine = []
    try:
        found = sorted(folder.glob(f"*{ENDING}"))
    except OSError:
        return []
    for journal in found:
        if is_left_behind(journal):
            with suppress(OSError):  # another process was quicker
                mine.append(journal.rename(folder / new_name()))
    return mine
