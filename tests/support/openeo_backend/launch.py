"""Sets the back-end's environment up (once, below ``.cache/`` of the checkout) and runs it.

``openeo-driver`` pins an old pystac, so it cannot share the tests' environment. Whatever goes wrong here is raised:
tests that need the back-end fail, they are never skipped.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REQUIREMENTS = ("openeo-driver==0.136.0a4", "gunicorn>=23", "rasterio")
_ROOT = Path(__file__).resolve().parents[3]
_HOME = _ROOT / ".cache" / "openeo-driver-0.136.0a4"
_HERE = Path(__file__).parent
_START_LIMIT = 60.0  # seconds


class JobIds:
    """The jobs that ``app.py`` knows; all are john's."""

    plain = "j-plain"  #: two images, a time series and a thumbnail; the driver links items for the images alone
    single = "j-single"  #: one image
    json = "j-json"  #: one JSON asset, at collection level only
    items = "j-items"  #: items with the images; everything at collection level too
    items_only = "j-items-only"  #: nothing at collection level
    sub_folder = "j-sub"  #: an image in a sub folder, whose item link is broken
    elsewhere = "j-elsewhere"  #: hrefs on another host, see ``Backend.elsewhere``
    many = "j-many"  #: thirty small assets
    created = "j-created"
    queued = "j-queued"
    running = "j-running"
    error = "j-error"
    canceled = "j-canceled"

    @staticmethod
    def finishing(name: str) -> str:
        """A job that is queued at the first look at its status, then running, then finished."""
        return f"j-finishing-{name}"

    @staticmethod
    def failing(name: str) -> str:
        """A job that is running at the first look at its status and fails at the second."""
        return f"j-failing-{name}"


@dataclass(frozen=True)
class Backend:
    """A running back-end."""

    url: str
    files: Path  #: the bytes that its assets have: ``files / job / name``
    elsewhere: str = ""
    auth: tuple[str, str] = ("john", "JOHN!!!")

    def job(self, job_id: str, version: str = "1.2") -> str:
        return f"{self.url}/openeo/{version}/jobs/{job_id}"

    def content(self, job_id: str) -> dict[str, bytes]:
        """Every file of a job, by its path below the job's folder."""
        folder = self.files / job_id
        return {
            str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
        }


def landed(folder: Path) -> dict[str, bytes]:
    """The files of a target by their path in it, without receipts and what the engine remembers."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "job-results.json" and ".splashdown" not in path.parts
    }


@contextmanager
def running_backend(*, expiration: int | None = None, elsewhere: str = "") -> Iterator[Backend]:
    """Run one. ``expiration`` signs asset URLs for so many seconds; without it they need the bearer token."""
    environment = _environment()
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="openeo-backend-") as scratch:
        files = Path(scratch) / "files"
        variables = os.environ | {
            "OPENEO_BACKEND_CONFIG": str(_HERE / "app.py"),
            "BACKEND_FILES": str(files),
            "BACKEND_SAMPLES": str(_ROOT / "src/splashdown/_demo/data"),
            "BACKEND_EXPIRATION": str(expiration or ""),
            "BACKEND_ELSEWHERE": elsewhere,
        }
        variables.pop("PYTHONPATH", None)
        log = Path(scratch) / "log"
        command = [environment / "bin/gunicorn", "-w", "1", "--threads", "8", "-k", "gthread", "--no-control-socket"]
        command += ["-b", f"127.0.0.1:{port}", "--chdir", str(_HERE), "app:create_app()"]
        with log.open("wb") as out, subprocess.Popen(command, env=variables, stdout=out, stderr=out) as process:
            try:
                _wait_until_up(port, process, log)
                yield Backend(url=f"http://127.0.0.1:{port}", files=files, elsewhere=elsewhere)
            finally:
                process.terminate()
                process.wait(20)


def _environment() -> Path:
    _HOME.parent.mkdir(parents=True, exist_ok=True)
    with (_HOME.parent / f"{_HOME.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes set it up once
        done = _HOME / "complete"
        if not done.exists():
            shutil.rmtree(_HOME, ignore_errors=True)
            python = sys.executable if sys.version_info[:2] == (3, 11) else shutil.which("python3.11") or sys.executable
            _run(python, "-m", "venv", str(_HOME))
            _run(str(_HOME / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", *REQUIREMENTS)
            done.touch()
    return _HOME


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise RuntimeError(f"the test back-end could not be set up: {' '.join(command)}\n{done.stdout}{done.stderr}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_up(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_LIMIT
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/openeo/1.2/", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the test back-end did not start:\n{log.read_text(errors='replace')[-4000:]}")
