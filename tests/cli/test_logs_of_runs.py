"""The log of a command: on stderr with -v, in a file, as text or as JSON, and never with a secret."""

import json
import re

import pytest
from fault_server import FaultServer
from faults import Status

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (INFO|WARNING|ERROR|DEBUG) \S.*")


@pytest.fixture
def source(tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    item = {"type": "Feature", "stac_version": "1.0.0", "id": "i", "geometry": None, "properties": {}, "links": []}
    gone = "http://user:hidden-word@127.0.0.1:9/gone?X-Amz-Signature=hidden-word"
    assets = {"a": {"href": "./a.txt"}, "b": {"href": "./gone.txt"}, "c": {"href": gone}}
    path = tmp_path / "item.json"
    path.write_text(json.dumps(item | {"assets": assets}))
    return path


def download(run, source, *before):
    at_once = {"SPLASHDOWN_RETRY_BASE": "0"}
    return run(*before, "download", source, source.parent / "out", "--quiet", env=at_once)


def test_verbose_shows_a_line_for_each_file_with_its_time(splashdown_command, source):
    done = download(splashdown_command, source, "-v")
    lines = [line for line in done.stderr.splitlines() if LINE.fullmatch(line)]
    assert any("INFO run begins: 3 files" in line for line in lines)
    assert any("INFO a-a.txt: stored: 5 bytes" in line for line in lines)
    assert any("ERROR b-gone.txt: failed: " in line for line in lines)


def test_without_the_option_there_is_no_log(splashdown_command, source):
    done = download(splashdown_command, source)
    assert not any(LINE.fullmatch(line) for line in done.stderr.splitlines())


def test_a_log_file_grows_with_each_run(splashdown_command, source, tmp_path):
    log = tmp_path / "runs.log"
    for _ in range(2):
        download(splashdown_command, source, "--log-file", log)
    lines = log.read_text().splitlines()
    assert all(LINE.fullmatch(line) for line in lines)
    assert sum("run begins" in line for line in lines) == 2


def test_json_logs_have_a_field_for_each_fact(splashdown_command, source, tmp_path):
    log = tmp_path / "runs.log"
    download(splashdown_command, source, "--log-file", log, "--log-format", "json")
    records = [json.loads(line) for line in log.read_text().splitlines()]
    stored = next(record for record in records if record.get("event") == "stored")
    assert (stored["level"], stored["name"], stored["size"]) == ("INFO", "a-a.txt", 5)
    failed = next(record for record in records if record.get("event") == "failed")
    assert failed["error"]
    assert {"time", "level", "message"} <= set(records[0])


def test_no_secret_is_in_any_log(splashdown_command, source, tmp_path):
    log = tmp_path / "runs.log"
    done = download(splashdown_command, source, "-vv", "--log-file", log)
    assert "127.0.0.1:9" in log.read_text()
    assert "hidden-word" not in log.read_text() + done.stderr + done.stdout


def test_a_log_file_that_cannot_be_written_is_refused_first(splashdown_command, source, tmp_path):
    done = download(splashdown_command, source, "--log-file", tmp_path / "none" / "runs.log")
    assert done.returncode == 2
    assert "cannot be written: No such file or directory" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_format_without_a_log_is_refused(splashdown_command, source):
    done = download(splashdown_command, source, "--log-format", "json")
    assert done.returncode == 2
    assert "--log-file and -v" in done.stderr


@pytest.mark.parametrize("logged", [[], ["--log-file", "runs.log"], ["-v"]])
def test_a_wait_for_a_document_is_on_the_screen_once_wherever_the_log_goes(
    splashdown_command, source, tmp_path, logged
):
    with FaultServer() as server:
        server.add("/item.json", source.read_bytes())
        server.script("/item.json", Status(503, Retry_After="1.01"))
        done = splashdown_command(*logged, "ls", f"{server.url}/item.json", cwd=tmp_path)
    said = f"{server.url}/item.json: the server answered 503; trying again in 1.0 s"
    assert done.stderr.count(said) == 1
    if "--log-file" in logged:
        assert said in done.stderr.splitlines()
        assert f"WARNING {said}" in (tmp_path / "runs.log").read_text()


def test_the_display_of_a_run_shows_its_retries_and_the_log_file_does_not_repeat_them(splashdown_command, tmp_path):
    with FaultServer() as server:
        server.add("/a.txt", b"a")
        server.script("/a.txt", Status(503))
        item = {"type": "Feature", "stac_version": "1.0.0", "id": "i", "geometry": None, "properties": {}, "links": []}
        (tmp_path / "item.json").write_text(json.dumps(item | {"assets": {"a": {"href": f"{server.url}/a.txt"}}}))
        done = splashdown_command("--log-file", "runs.log", "download", "item.json", "out", cwd=tmp_path)
    assert done.stderr.count("503 Service Unavailable") == 1
    assert (tmp_path / "runs.log").read_text().count("503 Service Unavailable") == 1
