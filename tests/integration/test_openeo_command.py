"""The installed command on a real back-end: byte for byte, exit codes, and what it prints."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from openeo_backend import Backend, JobIds, landed

COMMAND = str(Path(sys.executable).with_name("splashdown"))


def splashdown(backend: Backend, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPLASHDOWN_", "OPENEO_"))}
    user, password = backend.auth
    variables = kept | {"SPLASHDOWN_USER": user, "SPLASHDOWN_PASSWORD": password} | environment
    return subprocess.run([COMMAND, *arguments], env=variables, capture_output=True, text=True, timeout=100)


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_download_lands_a_job_byte_for_byte(backend: Backend, tmp_path, version):
    done = splashdown(backend, "download", backend.job(JobIds.plain, version), str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert landed(tmp_path / "out") == backend.content(JobIds.plain)


@pytest.mark.parametrize("job", [JobIds.items, JobIds.items_only, JobIds.elsewhere, JobIds.many])
def test_download_lands_every_shape(backend: Backend, tmp_path, job):
    done = splashdown(backend, "download", backend.job(job), str(tmp_path), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ok"] is True
    assert landed(tmp_path) == backend.content(job)


def test_a_token_from_the_environment_is_what_follows_bearer(backend: Backend, tmp_path):
    import requests

    token = requests.get(f"{backend.url}/openeo/1.2/credentials/basic", auth=backend.auth, timeout=10).json()
    environment = {
        "SPLASHDOWN_TOKEN": f"basic//{token['access_token']}",
        "SPLASHDOWN_USER": "",
        "SPLASHDOWN_PASSWORD": "",
    }
    done = splashdown(backend, "download", backend.job(JobIds.single), str(tmp_path), "--quiet", **environment)
    assert done.returncode == 0
    assert landed(tmp_path) == backend.content(JobIds.single)


def test_a_netrc_entry_is_used_when_asked_for(backend: Backend, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login john password JOHN!!!\n")
    netrc.chmod(0o600)
    environment = {"SPLASHDOWN_USER": "", "SPLASHDOWN_PASSWORD": "", "NETRC": str(netrc)}
    assert splashdown(backend, "ls", backend.job(JobIds.single), **environment).returncode == 4
    assert splashdown(backend, "ls", backend.job(JobIds.single), "--netrc", **environment).returncode == 0


def test_ls_lists_the_assets_as_json(backend: Backend):
    done = splashdown(backend, "ls", backend.job(JobIds.plain), "--json")
    assert {record["key"] for record in json.loads(done.stdout)} == set(backend.content(JobIds.plain))


def test_a_signed_link_needs_no_credentials(signed_backend: Backend, tmp_path):
    import splashdown as library

    document = library.open(signed_backend.job(JobIds.plain), auth=signed_backend.auth).get_metadata()
    canonical = next(link["href"] for link in document["links"] if link["rel"] == "canonical")
    environment = {"SPLASHDOWN_USER": "", "SPLASHDOWN_PASSWORD": ""}
    done = splashdown(signed_backend, "download", canonical, str(tmp_path), **environment)
    assert done.returncode == 0, done.stderr
    assert landed(tmp_path) == signed_backend.content(JobIds.plain)
    assert "expires=" not in done.stdout + done.stderr


def test_wait_watches_the_job_until_it_finishes(backend: Backend, tmp_path):
    job = JobIds.finishing("command")
    done = splashdown(backend, "download", backend.job(job), str(tmp_path), "--wait")
    assert done.returncode == 0, done.stderr
    assert f"job {job}: running (50 %)" in done.stderr
    assert landed(tmp_path) == backend.content(job)


def test_quiet_is_quiet_while_it_waits(backend: Backend, tmp_path):
    job = JobIds.finishing("quiet")
    done = splashdown(backend, "download", backend.job(job), str(tmp_path), "--wait", "--quiet")
    assert (done.returncode, len(done.stdout.splitlines()), done.stderr) == (0, 1, "")


def test_wait_ends_with_the_errors_of_the_log_when_the_job_fails(backend: Backend, tmp_path):
    done = splashdown(backend, "download", backend.job(JobIds.failing("command")), str(tmp_path), "--wait")
    assert done.returncode == 3
    assert "ran out of memory" in done.stderr


@pytest.mark.parametrize(
    ("job", "code", "said"),
    [
        (JobIds.running, 3, "running"),
        (JobIds.created, 3, "created"),
        (JobIds.error, 3, "ran out of memory"),
        (JobIds.canceled, 3, "canceled"),
        ("j-nowhere", 3, "JobNotFound"),
    ],
)
def test_what_has_no_results_is_one_line_and_exit_code_3(backend: Backend, tmp_path, job, code, said):
    done = splashdown(backend, "download", backend.job(job), str(tmp_path))
    assert done.returncode == code
    (line,) = done.stderr.splitlines()
    assert said in line


def test_partial_takes_what_is_there(backend: Backend):
    done = splashdown(backend, "ls", backend.job(JobIds.running), "--partial", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (3, [])  # as for every list of nothing
    assert "running" in done.stderr


@pytest.mark.parametrize("environment", [{"SPLASHDOWN_PASSWORD": "wrong"}, {"SPLASHDOWN_TOKEN": "basic//wrong"}])
def test_refused_credentials_are_exit_code_4(backend: Backend, tmp_path, environment):
    done = splashdown(backend, "download", backend.job(JobIds.plain), str(tmp_path), **environment)
    assert done.returncode == 4
    assert "wrong" not in done.stderr


def test_jobs_lists_ids_with_their_status(backend: Backend):
    done = splashdown(backend, "jobs", backend.url, "--status", "error")
    assert done.returncode == 0, done.stderr
    assert JobIds.error in done.stdout
    assert JobIds.plain not in done.stdout
    records = json.loads(splashdown(backend, "jobs", backend.url, "--json", "--limit", "4").stdout)
    assert len(records) == 4
    assert all(record["url"].endswith(record["id"]) for record in records)


def test_logs_prints_the_log_of_a_job(backend: Backend):
    done = splashdown(backend, "logs", backend.job(JobIds.error), "--level", "error")
    assert done.stdout == "error  OutOfMemory  The worker ran out of memory.\n"
    records = json.loads(splashdown(backend, "logs", backend.job(JobIds.error), "--json").stdout)
    assert [record["level"] for record in records] == ["info", "error"]


def test_several_jobs_land_in_a_folder_each_and_the_unfinished_one_is_reported(backend: Backend, tmp_path):
    jobs = [JobIds.plain, JobIds.items, JobIds.running]
    done = splashdown(backend, "download", *map(backend.job, jobs), str(tmp_path / "out"))
    assert done.returncode == 1
    assert "JobNotFinished" in done.stderr
    for job in jobs[:2]:
        assert landed(tmp_path / "out" / job) == backend.content(job)
        assert (tmp_path / "out" / job / "job-results.json").exists()
    again = splashdown(backend, "download", *map(backend.job, jobs[:2]), str(tmp_path / "out"), "--json")
    assert (again.returncode, json.loads(again.stdout)["bytes_moved"]) == (0, 0)


@pytest.mark.parametrize("more", [[], [JobIds.queued]])
def test_ctrl_c_ends_a_wait_with_exit_code_130(backend: Backend, tmp_path, more):
    user, password = backend.auth
    process = subprocess.Popen(
        [COMMAND, "download", *map(backend.job, [JobIds.running, *more]), str(tmp_path), "--wait"],
        env=os.environ | {"SPLASHDOWN_USER": user, "SPLASHDOWN_PASSWORD": password},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "running" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert "Traceback" not in process.stderr.read()
