"""What tests need of the machine beyond Python. Under CI a missing thing is a failure, never a silent skip."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess

import pytest


def need(works: bool, what: str) -> None:
    """Skip while editing on a machine that cannot do it; fail where everything has to be there."""
    if not works:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"this needs {what}")


@functools.cache
def _runs(*command: str) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, timeout=30).returncode == 0


def need_strace() -> None:
    need(_runs("strace", "-f", "-qq", "-o", "/dev/null", "true"), "strace (the Debian package), and leave to trace")


def own_mounts() -> list[str]:
    """The command to put before another one so that it may mount file systems which nobody else sees."""
    ways = (["unshare", "-m"], ["unshare", "-rm"])  # as root, or as a user whom the kernel lets be root in a namespace
    works = [way for way in ways if _runs(*way, "mount", "-t", "tmpfs", "tmpfs", "/mnt")]
    need(bool(works), "leave to make a mount namespace (as root, or unprivileged user namespaces)")
    return works[0]
