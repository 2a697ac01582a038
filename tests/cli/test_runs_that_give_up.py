"""A host that is down, refused credentials, a target that takes nothing: the run ends after a few files, and says why."""

import json
import socket

import pytest
from fault_server import FaultServer, File
from faults import Status
from stac_item import stac_item

from splashdown._cli.main import main

COUNT = 300


@pytest.fixture
def server():
    with FaultServer() as running:
        yield running


@pytest.fixture
def refused():
    """A port at which nobody listens."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    yield f"http://127.0.0.1:{taken.getsockname()[1]}"
    taken.close()


@pytest.fixture
def download(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SPLASHDOWN_RETRY_BASE", "0.01")

    def run(hrefs, *more, target="out"):
        source = tmp_path / "item.json"
        source.write_text(json.dumps(stac_item({f"{n:04}": {"href": href} for n, href in enumerate(hrefs)})))
        arguments = ["--no-plugins", "download", str(source), str(tmp_path / target), "--json", *more]
        code = main(arguments)
        said = capsys.readouterr()
        return code, json.loads(said.out), said.err

    return run


def statuses(report):
    return [outcome["status"] for outcome in report["outcomes"]]


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_host_that_refuses_every_file_is_asked_a_few_times(server, download, status):
    for n in range(COUNT):
        server.script(f"/{n:04}", *[Status(status)] * 9)
    code, report, error = download([f"{server.url}/{n:04}" for n in range(COUNT)], "--jobs", "4")
    assert code == 5
    assert f"{server.url[7:]} failed for 8 files in a row" in report["stopped"]
    assert f"answered {status} " in report["stopped"]
    assert 8 <= statuses(report).count("failed") < 20
    assert statuses(report).count("not_tried") > COUNT - 20
    assert len([line for line in error.splitlines() if line.startswith("Error: the rest was not tried: ")]) == 1


def test_a_host_that_is_down_does_not_hold_up_the_others(server, download, refused):
    for n in range(20):
        server.files[f"/{n:04}"] = File(b"x")
    hrefs = [f"{(refused, server.url)[n % 2]}/{n // 2:04}" for n in range(40)]
    code, report, _ = download(hrefs, "--jobs", "2")
    assert code == 5
    assert statuses(report)[1::2] == ["stored"] * 20
    assert {"failed", "not_tried"} == set(statuses(report)[0::2])


def test_missing_files_do_not_end_a_run(server, download):
    code, report, _ = download([f"{server.url}/{n:04}" for n in range(40)])
    assert code == 1
    assert statuses(report) == ["failed"] * 40
    assert report["stopped"] == ""


def test_keep_going_tries_every_file(server, download):
    for n in range(40):
        server.script(f"/{n:04}", *[Status(403)] * 9)
    code, report, _ = download([f"{server.url}/{n:04}" for n in range(40)], "--keep-going")
    assert code == 1
    assert statuses(report) == ["failed"] * 40


def test_the_same_command_goes_on_once_the_host_is_back(server, download):
    for n in range(40):
        server.script(f"/{n:04}", *[Status(403)] * 9)
    hrefs = [f"{server.url}/{n:04}" for n in range(40)]
    assert download(hrefs, "--jobs", "1")[0] == 5
    for n in range(40):
        server.forget(f"/{n:04}")
        server.files[f"/{n:04}"] = File(b"x")
    code, report, _ = download(hrefs)
    assert code == 0
    assert statuses(report) == ["stored"] * 40
