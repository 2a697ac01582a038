"""Lists of jobs on a real back-end, by the installed command: each row, waiting, a kill, a signal."""

import json
import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from openeo.extra.job_management import ParquetJobDatabase
from openeo_backend import Backend, JobIds, landed

from splashdown._cli.main import main

COMMAND = str(Path(sys.executable).with_name("splashdown"))


def environment(backend: Backend) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPLASHDOWN_", "OPENEO_"))}
    user, password = backend.auth
    return kept | {"SPLASHDOWN_USER": user, "SPLASHDOWN_PASSWORD": password}


def download(backend: Backend, *arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [COMMAND, "download", *map(str, arguments), "--backend", f"{backend.url}/openeo/1.2"]
    return subprocess.run(
        command, env=environment(backend), capture_output=True, text=True, timeout=100, check=False, **options
    )


@pytest.fixture
def database(tmp_path):
    """A job database of the openEO client."""
    number = secrets.token_hex(4)
    ids = [JobIds.plain, JobIds.finishing(number), JobIds.failing(number), JobIds.error, JobIds.created, "nope", None]
    frame = pd.DataFrame(
        {"id": ids, "backend_name": "vito", "status": ["running"] * 6 + ["not_started"], "start_time": None}
    )
    path = tmp_path / "jobs.parquet"
    ParquetJobDatabase(path).initialize_from_df(frame)
    return path, ids


def test_each_row_of_a_job_database_ends_with_one_line(backend: Backend, database, tmp_path):
    path, ids = database
    done = download(backend, "--jobs-from", path, tmp_path / "out", "--wait", "--interval", 1)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    for job in ids[:2]:
        assert landed(tmp_path / "out" / job) == backend.content(job)
        assert sum(f" {job}: landed, " in line for line in done.stdout.splitlines()) == 1
    for job in ids[2:6]:
        assert sum(f" {job}: " in line for line in done.stderr.splitlines()) == 1
        assert not (tmp_path / "out" / job).exists()
    assert "row 7: its status is 'not_started'" in done.stderr
    assert "2 of 7 jobs landed, 3 failed, 1 unfinished, 1 refused" in done.stdout
    again = download(backend, "--jobs-from", path, tmp_path / "out", "--json")
    states = [one["state"] for one in json.loads(again.stdout)["jobs"]]
    assert sorted(states) == sorted([*["present"] * 2, *["failed"] * 3, "unfinished", "refused"])


def started(backend: Backend, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [COMMAND, "download", *map(str, arguments), "--backend", backend.url],
        env=environment(backend) | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_run_that_was_killed_is_continued_by_the_same_command(backend: Backend, tmp_path):
    jobs = [JobIds.many, JobIds.plain, JobIds.items]
    (tmp_path / "jobs.txt").write_text("\n".join(jobs))
    process = started(backend, "--jobs-from", tmp_path / "jobs.txt", tmp_path / "out")
    assert process.stdout is not None
    assert "landed, 30 files" in process.stdout.readline()
    process.kill()
    process.communicate()
    done = download(backend, "--jobs-from", tmp_path / "jobs.txt", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    first, *_ = json.loads(done.stdout)["jobs"]
    assert (first["state"], first["files"], first["bytes_moved"]) == ("present", 30, 0)
    for job in jobs:
        assert landed(tmp_path / "out" / job) == backend.content(job)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_a_wait_with_its_exit_code_and_a_summary(backend: Backend, tmp_path, number, code):
    (tmp_path / "jobs.txt").write_text(f"{JobIds.single}\n{JobIds.running}\n")
    process = started(backend, "--jobs-from", tmp_path / "jobs.txt", tmp_path / "out", "--wait")
    assert process.stdout is not None
    assert process.stderr is not None
    assert "landed, 1 file" in process.stdout.readline()
    assert "1 job is not finished" in process.stderr.readline()
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert "1 of 2 jobs landed, 1 not tried" in out
    assert "Interrupted; run the same command again" in err


def test_wrong_credentials_have_their_exit_code(backend: Backend, tmp_path):
    done = subprocess.run(
        [COMMAND, "download", "--jobs-from", "-", "--backend", backend.url, str(tmp_path)],
        env=environment(backend) | {"SPLASHDOWN_PASSWORD": "mistaken"},
        input=f"{JobIds.plain}\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 4
    assert "mistaken" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["https://o.example/jobs/j", "--backend", "https://o.example"], "--backend is for --jobs-from"),
        (["https://o.example/jobs/j", "--interval", "5"], "--interval is for --jobs-from"),
        (["--jobs-from", "jobs.csv", "--timeout", "5"], "--timeout is for --wait"),
        (["--jobs-from", "jobs.csv", "--key", "a.tif"], "--key is for one source"),
        (["--jobs-from", "jobs.csv", "https://o.example/jobs/j"], "the only argument is TARGET"),
        (["--jobs-from", "jobs.csv", "--wait", "--interval", "0"], "--interval"),
        ([], "name a SOURCE, or a list of jobs"),
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(capsys, arguments, said):
    assert main(["download", *arguments]) == 2
    assert said in capsys.readouterr().err
