"""Counts what a plugin leaves open: files and connections that pile up end a night's run at the limit of the system."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable

import pytest

_ROUNDS = 12


def left_open(work: Callable[[], object]) -> int:
    """How many files and connections stay open with each round of ``work``; a pool that fills up is none."""
    for _ in range(3):
        work()
    before = _open_handles()
    for _ in range(_ROUNDS):
        work()
    return max(0, _open_handles() - before) // _ROUNDS


def _open_handles() -> int:
    gc.collect()
    for folder in ("/proc/self/fd", "/dev/fd"):
        if os.path.isdir(folder):  # noqa: PTH112 - these are no paths of anybody's
            return len(os.listdir(folder))  # noqa: PTH208 - as above
    pytest.skip("this system does not tell which files are open")
