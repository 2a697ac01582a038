"""The log of a command: on stderr with -v, in a file, as text or as JSON, and never with a secret."""

import json
import re

import pytest

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
