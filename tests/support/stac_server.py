"""A real STAC API for the tests: ``stac-fastapi-static`` over a catalog of files, in an environment of its own."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The server's own requirements are open-ended, and it does not run on a later FastAPI.
REQUIREMENTS = ("stac-fastapi-static==1.0.1", "fastapi==0.115.*", "uvicorn>=0.30")
_HOME = Path(__file__).resolve().parents[2] / ".cache" / "stac-fastapi-static-1.0.1"
_START_LIMIT = 60.0  # seconds


@contextmanager
def running_stac_api(catalog: Path) -> Iterator[str]:
    """Serve a static catalog; yields the URL of the landing page. Raises when it cannot be set up: tests never skip."""
    environment = _environment()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    variables = os.environ | {"catalog_href": catalog.absolute().as_uri()}
    variables.pop("PYTHONPATH", None)
    command = [environment / "bin/python", "-m", "uvicorn", "stac_fastapi.static.app:app"]
    command += ["--port", str(port), "--log-level", "warning"]
    log = catalog.parent / "stac-api.log"
    with log.open("wb") as out, subprocess.Popen(command, env=variables, stdout=out, stderr=out) as process:
        try:
            _wait_until_up(f"http://127.0.0.1:{port}/", process, log)
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.terminate()
            process.wait(20)


def _environment() -> Path:
    _HOME.parent.mkdir(parents=True, exist_ok=True)
    with (_HOME.parent / f"{_HOME.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes set it up once
        if not (_HOME / "complete").exists():
            shutil.rmtree(_HOME, ignore_errors=True)
            python = sys.executable if sys.version_info[:2] == (3, 11) else shutil.which("python3.11") or sys.executable
            _run(python, "-m", "venv", str(_HOME))
            _run(str(_HOME / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", *REQUIREMENTS)
            (_HOME / "complete").touch()
    return _HOME


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise RuntimeError(f"the STAC API could not be set up: {' '.join(command)}\n{done.stdout}{done.stderr}")


def _wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_LIMIT
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the STAC API did not start:\n{log.read_text(errors='replace')[-4000:]}")
