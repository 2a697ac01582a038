"""The command ``watch`` on a real back-end: once, as a service, and after a file is lost."""

import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from openeo_backend import Backend, JobIds, landed

import splashdown

COMMAND = str(Path(sys.executable).with_name("splashdown"))
#: Jobs of which the back-end lists files that its items repeat, that only items have, in folders, elsewhere.
SHAPES = (JobIds.plain, JobIds.single, JobIds.json, JobIds.items, JobIds.many, JobIds.elsewhere)


def environment(backend: Backend) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPLASHDOWN_", "OPENEO_"))}
    user, password = backend.auth
    return kept | {"SPLASHDOWN_USER": user, "SPLASHDOWN_PASSWORD": password, "PYTHONUNBUFFERED": "1"}


def watch(backend: Backend, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [COMMAND, "watch", *map(str, arguments)]
    return subprocess.run(command, env=environment(backend), capture_output=True, text=True, timeout=100, check=False)


def test_every_finished_job_of_a_backend_lands_once(backend: Backend, tmp_path):
    first = watch(backend, backend.url, tmp_path, "--once")
    lines = first.stdout.splitlines()
    for job in SHAPES:
        assert landed(tmp_path / job) == backend.content(job)
        assert sum(f"{job} (Test job {job}): landed" in line for line in lines) == 1
    assert not (tmp_path / JobIds.running).exists()
    again = watch(backend, backend.url, tmp_path, "--once")
    assert again.stdout == ""
    (tmp_path / JobIds.single / "openEO_2023-06-01Z.tif").unlink()
    third = watch(backend, backend.url, tmp_path, "--once")
    assert [line.split()[0] for line in third.stdout.splitlines()] == [JobIds.single]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_service_lands_what_finishes_and_ends_with_a_signal(backend: Backend, tmp_path, number, code):
    watch(backend, backend.url, tmp_path, "--once", "--quiet")
    process = subprocess.Popen(
        [COMMAND, "watch", backend.url, str(tmp_path), "--interval", "1"],
        env=environment(backend),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    job = JobIds.finishing(secrets.token_hex(4))
    handle = splashdown.connect(backend.url, auth=backend.auth).job(job)
    while handle.status() != "finished":
        pass
    assert f"{job} (Test job {job}): landed, 1 file" in process.stdout.readline()
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (code, "")
    assert "Traceback" not in err
    assert landed(tmp_path / job) == backend.content(job)
