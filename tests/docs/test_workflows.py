"""The recipes for workflow engines and timers do what they say, as those programs run them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from doc_pages import ROOT
from machine import need
from own_environment import own_environment

OPERATE = (ROOT / "docs/how-to/operate.md").read_text()
WORKFLOWS = (ROOT / "docs/how-to/workflows.md").read_text()


@pytest.fixture
def source(tmp_path):
    """An item of this disk with one asset."""
    (tmp_path / "a.bin").write_bytes(b"content")
    item = {"type": "Feature", "stac_version": "1.0.0", "id": "i", "geometry": None, "links": []}
    item |= {"properties": {"datetime": "2024-01-01T00:00:00Z"}, "assets": {"a.bin": {"href": "a.bin"}}}
    (tmp_path / "item.json").write_text(json.dumps(item))
    return tmp_path / "item.json"


def test_the_line_for_cron_lands_the_files_as_cron_runs_it(source, tmp_path):
    (line,) = re.findall(r"^17 2 \* \* \*  (.*)$", OPERATE, re.MULTILINE)
    assert "%" not in line  # cron makes it the end of a line
    (tmp_path / "variables").write_text("SPLASHDOWN_TOKEN=t0ken\n")
    (tmp_path / "program").write_text(
        f'#!/bin/sh\n[ "$SPLASHDOWN_TOKEN" = t0ken ] && exec {sys.executable} -m splashdown "$@"\n'
    )
    (tmp_path / "program").chmod(0o755)
    for old, new in {
        "/etc/splashdown.env": tmp_path / "variables",
        "/opt/splashdown/bin/splashdown": tmp_path / "program",
        "/data/job": tmp_path / "job",
        "SOURCE": source,
    }.items():
        assert old in line
        line = line.replace(old, str(new))
    bare = {"HOME": str(tmp_path), "LOGNAME": "me", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["/bin/sh", "-c", line], cwd=tmp_path, env=bare, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "job/a.bin").read_bytes() == b"content"


@pytest.mark.slow
def test_systemd_takes_the_unit_and_the_timer(tmp_path):
    known = subprocess.run(["sh", "-c", "command -v systemd-analyze"], capture_output=True).returncode == 0
    need(known, "systemd-analyze (the Debian package systemd)")
    service, timer = re.findall(r"```ini\n(.*?)```", OPERATE, re.DOTALL)
    program = "/opt/splashdown/bin/splashdown"
    assert program in service
    files = {"splashdown.service": service.replace(program, "/bin/true"), "splashdown.timer": timer}
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *files], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.timeout(900)  # pip installs Prefect
def test_the_flow_of_prefect_lands_the_files(source, tmp_path):
    python = own_environment("prefect", ["prefect==3.*"]) / "bin/python"
    flow, _ = re.findall(r"```python\n(.*?)```", WORKFLOWS, re.DOTALL)
    (tmp_path / "flow.py").write_text(flow)
    quiet = {
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300",  # of its own server, on a busy machine
    }
    done = subprocess.run(
        [python, "flow.py", "out", source], cwd=tmp_path, env={**os.environ, **quiet}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "2 files are there" in done.stdout + done.stderr  # the asset and its item
    assert Path(tmp_path, "out/0/a.bin").read_bytes() == b"content"


@pytest.mark.airflow
@pytest.mark.timeout(600)
def test_the_dag_of_airflow_lands_the_files(source, tmp_path):
    python = ROOT / ".cache/airflow/bin/python"
    need(python.exists(), "an environment with Airflow, see docs/how-to/test.md")
    _, dag = re.findall(r"```python\n(.*?)```", WORKFLOWS, re.DOTALL)
    home = tmp_path / "airflow"
    (home / "dags").mkdir(parents=True)
    (home / "dags/night.py").write_text(dag)
    said = ""
    given = json.dumps({"folder": str(tmp_path / "out"), "sources": [str(source)]})
    for command in (["db", "migrate"], ["dags", "test", "night", "--conf", given]):
        done = subprocess.run(
            [python, "-m", "airflow", *command],
            cwd=tmp_path,
            env={**os.environ, "AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"},
            capture_output=True,
            text=True,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, said
    assert "2 files are there" in said  # the asset and its item
    assert (tmp_path / "out/0/a.bin").read_bytes() == b"content"
