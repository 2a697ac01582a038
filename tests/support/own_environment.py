"""Runs a real server whose requirements do not go with those of the tests: in an environment of its own.

The environment is made once, below ``.cache/`` of the checkout. Whatever goes wrong is raised: tests that need the server
fail, they are never skipped.
"""

from __future__ import annotations

import fcntl
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_CACHE = Path(__file__).resolve().parents[2] / ".cache"
_INSTALL_LIMIT = 1200.0  # seconds; pip compiles and resolves for minutes on a busy machine
_START_LIMIT = 60.0


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


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: Sequence[str | Path], *, url: str, variables: Mapping[str, str], log: Path) -> Iterator[None]:
    """Run a server for the time of the block, which begins when ``url`` answers."""
    own = {name: value for name, value in variables.items() if name != "PYTHONPATH"}
    with log.open("wb") as out, subprocess.Popen(command, env=own, stdout=out, stderr=out) as process:
        try:
            _wait_until_up(url, process, log)
            yield
        finally:
            process.terminate()
            process.wait(20)


def _wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_LIMIT
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with direct.open(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"nothing answers at {url}:\n{log.read_text(errors='replace')[-4000:]}")
