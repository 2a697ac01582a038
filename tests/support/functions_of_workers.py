"""Functions that run in other processes for tests: here, because those processes import them by this module's name."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path


def die_in_the_middle_of_the_answer(size: int) -> bytes:
    """Answer, and be killed when half of the answer is written."""
    from multiprocessing.connection import Connection

    def send(self: Connection, data: bytes) -> None:
        os.write(self.fileno(), bytes(data[: len(data) // 2]))
        os.kill(os.getpid(), signal.SIGKILL)

    Connection._send = send
    return b"x" * size


def die_in_the_middle_of_the_first_batch(mark: str) -> None:
    """Let the first of the processes that answers with more than a word be killed when half of that is written."""
    from multiprocessing.connection import Connection

    whole = Connection._send

    def send(self: Connection, data: bytes) -> None:
        if len(data) > 300 and not Path(mark).exists():
            Path(mark).touch()
            os.write(self.fileno(), bytes(data[: len(data) // 2]))
            os.kill(os.getpid(), signal.SIGKILL)
        whole(self, data)

    Connection._send = send


def sleep_on(path: str) -> None:
    """Say that it runs, and end for nothing but a kill."""
    Path(path).touch()
    threading.Event().wait()


def pid_of(_: int) -> int:
    """The process that answers."""
    return os.getpid()


def unpicklable(_: int) -> object:
    """An answer that does not pickle."""
    return threading.Lock()


class OddError(Exception):
    """An exception that pickles, and cannot be made again."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(one)


def raise_odd(_: int) -> None:
    """Raise it."""
    raise OddError("why", "not")
