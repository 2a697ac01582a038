"""An environment for a real server whose requirements do not go with those of the tests.

It is made once, below ``.cache/`` of the checkout. Whatever goes wrong is raised: tests that need the server
fail, they are never skipped.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_CACHE = Path(__file__).resolve().parents[2] / ".cache"
_INSTALL_LIMIT = 1200.0  # seconds; pip compiles and resolves for minutes on a busy machine


def own_environment(name: str, requirements: Sequence[str]) -> Path:
    """The folder of a virtual environment with these packages."""
    home = _CACHE / name
    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes set it up once
        done = home / "complete"
        if not done.exists():
            shutil.rmtree(home, ignore_errors=True)
            python = sys.executable if sys.version_info[:2] == (3, 11) else shutil.which("python3.11") or sys.executable
            _run(name, python, "-m", "venv", str(home))
            _run(name, str(home / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", *requirements)
            done.touch()
    return home


def _run(name: str, *command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_LIMIT)
    if done.returncode:
        raise RuntimeError(f"{name} could not be set up: {' '.join(command)}\n{done.stdout}{done.stderr}")
