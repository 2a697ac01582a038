"""`splashdown retry` repeats what failed, of a report or of the last run to a target, and nothing else."""

import json

import pytest
from fault_server import FaultServer, File
from faults import Status
from stac_item import stac_item

from splashdown._cli.last_run import last_run, remember
from splashdown._cli.main import main
from splashdown.model import Plan, RunReport

NAMES = ["a.bin", "b.bin", "c.bin"]


@pytest.fixture
def server():
    with FaultServer() as running:
        for name in NAMES:
            running.files[f"/{name}"] = File(name.encode())
        yield running


@pytest.fixture
def run(capsys):
    def call(*arguments):
        code = main(["--no-plugins", *map(str, arguments)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def source(server, tmp_path):
    path = tmp_path / "item.json"
    path.write_text(json.dumps(stac_item({name: {"href": f"{server.url}/{name}"} for name in NAMES})))
    return path


@pytest.fixture
def failed(server, source, run, tmp_path):
    """The report of a run in which one of three files failed."""
    server.script("/b.bin", Status(404))
    code, out, _ = run("download", source, tmp_path / "out", "--json")
    assert code == 1
    report = tmp_path / "report.json"
    report.write_text(out)
    return report


def test_only_what_failed_is_fetched_again_under_its_name(failed, server, run, tmp_path):
    before = len(server.seen)
    code, out, _ = run("retry", failed, "--json")
    assert code == 0
    assert [one["key"] for one in json.loads(out)["outcomes"]] == ["b.bin"]
    assert [seen.path for seen in server.seen[before:]] == ["/b.bin"]
    assert len([path for path in (tmp_path / "out").iterdir() if path.read_bytes() == b"b.bin"]) == 1


def test_a_target_remembers_what_failed_until_it_has_landed(failed, server, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = len(server.seen)
    assert run("retry", "out")[0] == 0
    assert [seen.path for seen in server.seen[before:]] == ["/b.bin"]
    assert run("verify", "out")[0] == 0
    code, _, error = run("retry", tmp_path / "out")
    assert code == 2
    assert "no download to" in error


def test_what_fails_again_is_remembered_again(failed, server, run, tmp_path):
    server.script("/b.bin", Status(404), Status(404))
    assert run("retry", tmp_path / "out")[0] == 1
    assert run("retry", tmp_path / "out")[0] == 1
    assert run("retry", tmp_path / "out")[0] == 0


def test_a_whole_download_forgets_what_failed(failed, source, run, tmp_path):
    assert run("download", source, tmp_path / "out")[0] == 0
    assert run("retry", tmp_path / "out")[0] == 2


def test_the_receipt_has_everything_afterwards(failed, run, tmp_path):
    run("retry", failed, "--quiet")
    code, out, _ = run("verify", tmp_path / "out", "--json")
    assert code == 0
    assert len(json.loads(out)["files"]) == 3


def test_a_report_without_failures_asks_for_nothing(source, server, run, tmp_path):
    _, out, _ = run("download", source, tmp_path / "out", "--json")
    (tmp_path / "good.json").write_text(out)
    before = len(server.seen)
    code, out, _ = run("retry", tmp_path / "good.json")
    assert (code, out) == (0, f"0 of 0 files in {tmp_path / 'out'}, 0 B moved in 0.0 s\n")
    assert json.loads(run("retry", tmp_path / "good.json", "--json")[1])["outcomes"] == []
    assert len(server.seen) == before


def test_what_fails_again_has_exit_code_1(failed, server, run):
    server.script("/b.bin", Status(404))
    code, _, error = run("retry", failed, "--quiet")
    assert code == 1
    assert "1 of 1 asset failed" in error


def test_an_asset_that_the_source_has_lost_is_named(failed, source, server, run):
    document = json.loads(source.read_text())
    del document["assets"]["b.bin"]
    source.write_text(json.dumps(document))
    _, _, error = run("retry", failed, "--json")
    assert "does not list 1 asset any more" in error


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"source": "x", "target": "y"}', "[" * 100_000, '{"source": 5}'])
def test_what_is_no_report_is_refused_in_one_line(text, run, tmp_path):
    (tmp_path / "x.json").write_text(text)
    code, _, error = run("retry", tmp_path / "x.json")
    assert code == 2
    assert error.splitlines()[-1].startswith("Error: ")
    assert "is not the report of a download" in error


@pytest.mark.parametrize("name", ["../victim.txt", "/etc/x", "", None, "a\0b", 5])
def test_a_report_that_names_files_outside_the_target_is_refused(name, failed, run, tmp_path):
    report = json.loads(failed.read_text())
    report["outcomes"] = [one | {"name": name, "status": "failed"} for one in report["outcomes"]]
    failed.write_text(json.dumps(report))
    code, _, error = run("retry", failed)
    assert code == 2
    assert "without a safe name" in error


def test_a_signed_source_has_to_be_given_again(failed, run):
    report = json.loads(failed.read_text())
    failed.write_text(json.dumps(report | {"source": "https://host.example/item.json?..."}))
    code, _, error = run("retry", failed)
    assert code == 2
    assert "a report does not hold its signature" in error


def test_a_report_of_a_catalog_is_refused(source, server, run, tmp_path):
    server.script("/b.bin", Status(404))
    _, out, _ = run("download", source, tmp_path / "out", "--as-collection", "--json")
    report = tmp_path / "report.json"
    report.write_text(json.dumps(json.loads(out) | {"metadata": str(tmp_path / "out" / "collection.json")}))
    code, _, error = run("retry", report)
    assert code == 2
    assert "is not the document of a plain download" in error


def test_no_password_of_a_target_is_remembered(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    target = "sftp://user:secret-word@host.example/x"
    remember(RunReport(plan=Plan(target=target, transfers=(), source="s"), outcomes=(), unwritten="no room"), "", ())
    (kept,) = tmp_path.rglob("last-run.json")
    assert "secret-word" not in kept.read_text()
    assert last_run(target)["target"] == f"{target}/"


def test_a_target_of_parts_of_files_is_retried_with_the_same_option(source, server, run, tmp_path):
    server.script("/b.bin", Status(404))
    assert run("download", source, tmp_path / "out", "--unpack")[0] == 1
    code, _, error = run("retry", tmp_path / "out")
    assert code == 2
    assert "the report is of a run with --unpack" in error
    assert run("retry", tmp_path / "out", "--unpack")[0] == 0
