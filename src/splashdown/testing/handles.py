"""Counts the files and connections that a plugin leaves open: a long run would reach the limit of the system."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable

import pytest

_ROUNDS = 12


def left_open(work: Callable[[], object]) -> int:
    """The files and connections that each round of ``work`` leaves open; those of a filling pool do not count."""
    for _ in range(3):
        work()
    before = _open_handles()
    for _ in range(_ROUNDS):
        work()
    return max(0, _open_handles() - before) // _ROUNDS


def _open_handles() -> int:
    gc.collect()
    for folder in ("/proc/self/fd", "/dev/fd"):
        if os.path.isdir(folder):  # noqa: PTH112 - folders of the system
            return len(os.listdir(folder))  # noqa: PTH208 - as above
    pytest.skip("this system does not list open files")
