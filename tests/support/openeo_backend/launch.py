"""Runs the back-end. ``openeo-driver`` pins an old pystac, so it cannot share the tests' environment."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from own_environment import own_environment
from server_process import free_port, running

REQUIREMENTS = ("openeo-driver==0.136.0a4", "gunicorn>=23", "rasterio")
_ROOT = Path(__file__).resolve().parents[3]
_HERE = Path(__file__).parent


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
    environment = own_environment("openeo-driver-0.136.0a4", REQUIREMENTS)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [environment / "bin/gunicorn", "-w", "1", "--threads", "8", "-k", "gthread", "--no-control-socket"]
    command += ["-b", f"127.0.0.1:{port}", "--chdir", str(_HERE), "app:create_app()"]
    with tempfile.TemporaryDirectory(prefix="openeo-backend-") as scratch:
        files = Path(scratch) / "files"
        variables = os.environ | {
            "OPENEO_BACKEND_CONFIG": str(_HERE / "app.py"),
            "BACKEND_FILES": str(files),
            "BACKEND_SAMPLES": str(_ROOT / "src/splashdown/_demo/data"),
            "BACKEND_EXPIRATION": str(expiration or ""),
            "BACKEND_ELSEWHERE": elsewhere,
        }
        with running(command, url=f"{url}/openeo/1.2/", variables=variables, log=Path(scratch) / "log"):
            yield Backend(url=url, files=files, elsewhere=elsewhere)
