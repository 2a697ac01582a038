"""An environment for a real server whose requirements do not go with those of the tests.

It is made once, below ``.cache/`` of the checkout. Whatever goes wrong is raised: tests that need the server
fail, they are never skipped.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import sysconfig
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
            install = ("install", "--quiet", "--disable-pip-version-check", "--no-compile", *requirements)
            other = None if sys.version_info[:2] == (3, 11) else shutil.which("python3.11")
            if other:
                _run(name, other, "-m", "venv", str(home))
                _run(name, str(home / "bin/pip"), *install)
            else:
                make_borrowing(home)
                # What is borrowed may then need other versions than those here: that is why there is an environment.
                _run(name, sys.executable, "-m", "pip", "--python", str(home / "bin/python"), *install)
            done.touch()
    return home


def make_borrowing(home: Path) -> None:
    """A virtual environment without pip that sees the packages of the tests' own behind those installed there.

    pip installs nothing of them again: what takes a minute and half a gigabyte takes ten seconds.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    paths = {"base": str(home), "platbase": str(home)}
    lender, borrower = sysconfig.get_path("purelib"), sysconfig.get_path("purelib", "venv", paths)
    Path(borrower, "borrowed.pth").write_text(f"import site; site.addsitedir({lender!r})\n")


def _run(name: str, *command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_LIMIT)
    if done.returncode:
        raise RuntimeError(f"{name} could not be set up: {' '.join(command)}\n{done.stdout}{done.stderr}")
