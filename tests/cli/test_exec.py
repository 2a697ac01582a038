"""``--exec``: a program for each file as it lands, without a shell."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fault_server import FaultServer
from faults import Status

from splashdown._cli.main import main

SHOW = f"{shlex.quote(sys.executable)} -c 'import sys; print(*sys.argv[1:])'"
#: Ends with 3 for files whose name has a 1.
FAIL = f"{shlex.quote(sys.executable)} -c 'import sys; sys.exit(3 * (\"1\" in sys.argv[1].split(chr(47))[-1]))' {{}}"


@pytest.fixture
def server():
    with FaultServer() as running:
        yield running


@pytest.fixture
def source(server, tmp_path):
    """Make an item with files of these names; returns its path."""

    def make(*names):
        assets = {}
        for number, name in enumerate(names):
            server.add(f"/{number}", name.encode())
            assets[name] = {"href": f"{server.url}/{number}", "file:local_path": name}
        document = {"type": "Feature", "stac_version": "1.0.0", "id": "i", "geometry": None, "links": []}
        path = tmp_path / "item.json"
        path.write_text(json.dumps({**document, "assets": assets, "properties": {"datetime": "2024-01-01T00:00:00Z"}}))
        return path

    return make


@pytest.fixture
def download(tmp_path, capsys):
    def run(source, *more, verb="download"):
        code = main(["--no-plugins", verb, str(source), str(tmp_path / "out"), *more])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_the_program_gets_the_path_and_its_lines_come_on_stderr(source, download, tmp_path):
    code, out, err = download(source("a.bin", "b.bin"), "--json", "--exec", f"{SHOW} --in={{}} {{}}")
    assert code == 0
    place = tmp_path / "out"
    lines = [f"{name}: --in={place / name} {place / name}" for name in ("a.bin", "b.bin")]
    assert sorted(err.splitlines()) == lines
    report = json.loads(out)
    assert [one["exit_code"] for one in report["outcomes"]] == [0, 0]
    assert report["ok"]


def test_without_a_place_for_it_the_path_comes_last(source, download, tmp_path):
    _, _, err = download(source("a.bin"), "--quiet", "--exec", f"{SHOW} first")
    assert f"a.bin: first {tmp_path / 'out' / 'a.bin'}" in err


@pytest.mark.parametrize("name", ["$(touch owned)", "a b;touch owned", "`touch owned`", "'x' && touch owned", "-rf"])
def test_names_are_arguments_and_never_commands(source, download, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    code = main(["--no-plugins", "download", str(source(name)), "out", "--quiet", "--layout", "flat", "--exec", SHOW])
    assert code == 0
    assert not list(tmp_path.rglob("owned"))


def test_a_target_that_begins_as_an_option_is_none(source, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["--no-plugins", "download", "--exec", SHOW, "--quiet", "--", str(source("a.bin")), "-x"]) == 0
    assert f"a.bin: {Path('.', '-x', 'a.bin')}".replace("-x", "./-x") in capsys.readouterr().err


def test_a_program_that_fails_ends_the_command_with_1(source, download):
    code, out, err = download(source("a0.bin", "a1.bin", "b1.bin"), "--json", "--exec", FAIL)
    assert code == 1
    assert {one["name"]: one["exit_code"] for one in json.loads(out)["outcomes"]} == {
        "a0.bin": 0,
        "a1.bin": 3,
        "b1.bin": 3,
    }
    assert not json.loads(out)["ok"]
    assert "Error: 2 of 3 commands failed: a1.bin: exit code 3 (and 1 more" in err


def test_files_that_failed_or_were_there_get_no_program(source, server, download):
    path = source("a.bin", "b.bin")
    server.script("/0", Status(404))
    code, _, err = download(path, "--quiet", "--exec", SHOW)
    assert code == 1
    assert "b.bin: " in err
    assert "\na.bin: " not in err
    _, _, err = download(path, "--quiet", "--exec", SHOW)
    assert [line.partition(":")[0] for line in err.splitlines()] == ["a.bin"]
    _, _, err = download(path, "--quiet", "--exec", SHOW, "--exec-all", "--exec-jobs", "1")
    assert sorted(line.partition(":")[0] for line in err.splitlines()) == ["a.bin", "b.bin"]


@pytest.mark.parametrize("verb", ["sync", "download --as-collection", "download --key a.bin"])
def test_other_ways_to_land_run_it_too(source, download, tmp_path, verb):
    name, *more = verb.split()
    code, _, err = download(source("a.bin"), *more, "--quiet", "--exec", SHOW, verb=name)
    assert code == 0
    assert f": {tmp_path / 'out'}" in err


@pytest.mark.parametrize(
    ("value", "why"),
    [("", "names no program"), ("{} x", "names no program"), ("'x", "No closing quotation"), ("no-such-x {}", "PATH")],
)
def test_a_program_that_cannot_run_is_refused_before_the_first_byte(source, server, download, value, why):
    code, _, err = download(source("a.bin"), "--exec", value)
    assert code == 2
    assert why in err
    assert server.ranges("/0") == []


def test_the_other_options_go_with_exec_only(source, download):
    code, _, err = download(source("a.bin"), "--exec-jobs", "2")
    assert code == 2
    assert "--exec-jobs goes with --exec only" in err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_programs_and_run_with_a_receipt(source, tmp_path, number, code):
    program = f"{shlex.quote(sys.executable)} -c 'import time; print(1, flush=True); time.sleep(60)'"
    path, target = source("a.bin", "b.bin"), tmp_path / "out"
    command = [sys.executable, "-m", "splashdown", "--no-plugins", "download", str(path), str(target), "--json"]
    restored = "import signal, sys, runpy; signal.signal(signal.SIGINT, signal.default_int_handler); del sys.argv[0]; "
    command = [sys.executable, "-c", restored + "runpy.run_module('splashdown', run_name='__main__')", *command[2:]]
    command += ["--exec", program, "--exec-jobs", "1"]
    begun = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ}) as running:
        assert running.stderr.readline().endswith(b": 1\n")
        running.send_signal(number)
        out, err = running.communicate(timeout=40)
    assert running.returncode == code, err
    assert time.monotonic() - begun < 40
    report = json.loads(out)
    codes = [one.get("exit_code") for one in report["outcomes"]]
    assert sorted(codes, key=str) == [-15, None]
    receipt = json.loads((target / "item.json").read_text())
    assert any("file:checksum" in one for one in receipt["assets"].values())
