"""Bad input ends in one clear line and the right exit code, never in a traceback."""

import json
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from stac_item import stac_item

_ITEM = stac_item({}, stac_version="1.0.0")
_BINARY = bytes(range(256)) * 8
_PAGES = {
    "/binary": ("application/octet-stream", _BINARY),
    "/empty": ("application/json", b""),
    "/html": ("text/html", b"<!doctype html><html><body>Please log in</body></html>"),
    "/cut.json": ("application/json", b'{"type": "Feature", "assets": {'),
    "/openeo/1.2/jobs/html/results": ("text/html", b"<html>gateway</html>"),
    "/openeo/1.2/jobs/cut/results": ("application/json", b'{"type": "Collection", '),
}


class _Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        media_type, body = _PAGES.get(self.path, ("application/json", None))
        self.send_response(404 if body is None else 200)
        body = b'{"code": "NotFound", "message": "Resource not found."}' if body is None else body
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def pages():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "path",
    [
        "/nothing.json",
        "/html",
        "/cut.json",
        "/binary",
        "/empty",
        "/openeo/1.2/jobs/none",
        "/openeo/1.2/jobs/html/results",
        "/openeo/1.2/jobs/cut/results",
    ],
)
def test_a_source_that_is_no_document_is_one_line_and_exit_code_3(splashdown_command, pages, path):
    result = splashdown_command("ls", pages + path)
    assert result.returncode == 3, result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert result.stderr.startswith("Error: ")
    assert result.stdout == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1, 2",
        '"text"',
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "id": 3, "assets": [1]}]}',
        json.dumps({"type": "Something", "id": "x"}),
    ],
)
def test_a_file_that_is_no_stac_document_is_one_line_and_exit_code_3(splashdown_command, tmp_path, text):
    path = tmp_path / "x.json"
    path.write_text(text)
    result = splashdown_command("ls", path)
    assert result.returncode == 3, (result.stdout, result.stderr)
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_file_that_is_not_there_is_exit_code_3(splashdown_command, tmp_path):
    result = splashdown_command("ls", tmp_path / "none.json")
    assert result.returncode == 3
    assert "none.json" in result.stderr


@pytest.mark.parametrize(
    ("command", "source", "said"),
    [
        ("ls", "folder", "is a folder"),
        ("load", "folder/", "is a folder"),
        ("ls", "binary", "cannot be JSON"),
        ("download", "binary.json", "cannot be JSON"),
        ("ls", "j-2306", "splashdown jobs BACKEND"),
        ("download", "", "is empty"),
        ("ls", "-", "standard input is empty"),
        ("ls", "REFUSING/item.json", "Connection refused"),
        ("download", "REFUSING/openeo/1.2/jobs/JOB", "Connection refused"),
    ],
)
def test_what_leads_to_no_document_is_told_in_one_line(
    splashdown_command, tmp_path, refusing_url, command, source, said
):
    (tmp_path / "folder").mkdir()
    for name in ("binary", "binary.json"):
        (tmp_path / name).write_bytes(_BINARY)
    place = source.replace("REFUSING", refusing_url)
    result = splashdown_command(command, place, cwd=tmp_path, stdin="")
    assert (result.returncode, result.stdout) == (3, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert said in line


@pytest.mark.parametrize(("document", "said"), [("null", "None"), ('"hello"', "'hello'"), ("12", "12")])
def test_json_that_is_no_object_is_not_called_broken(splashdown_command, tmp_path, document, said):
    (tmp_path / "item.json").write_text(document)
    result = splashdown_command("ls", "item.json", cwd=tmp_path)
    assert (result.returncode, len(result.stderr.splitlines())) == (3, 1)
    assert f"not a STAC document: {said};" in result.stderr


@pytest.mark.parametrize("command", [["download"], ["download", "--json"], ["sync"]])
@pytest.mark.parametrize("filters", [[], ["--include", "none*"]])
def test_nothing_to_move_is_not_a_mistake_of_the_call_and_is_told_in_short(
    splashdown_command, tmp_path, command, filters
):
    assets = {f"{n:04}.tif": {"href": f"{n}.tif"} for n in range(2000)} if filters else {}
    (tmp_path / "item.json").write_text(json.dumps({**_ITEM, "assets": assets}))
    result = splashdown_command(*command, "item.json", "out", *filters, cwd=tmp_path)
    assert result.returncode == 3
    assert "JobResults" not in result.stderr
    assert len(result.stderr) < 500
    assert ("and 1997 more" if filters else "lists no assets") in result.stderr


def test_a_closed_output_is_no_error(tmp_path):
    (tmp_path / "item.json").write_text(json.dumps({**_ITEM, "assets": {"a": {"href": "a.tif"}}}))
    program = Path(sys.executable).with_name("splashdown")
    done = subprocess.run(["sh", "-c", f"'{program}' ls item.json >&-"], cwd=tmp_path, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_document_is_read_from_a_file_without_an_ending(splashdown_command, tmp_path):
    (tmp_path / "item").write_text(json.dumps(_ITEM))
    assert splashdown_command("ls", "item", cwd=tmp_path).stdout == "0 assets of item one\n"


def test_an_asset_without_href_is_named(splashdown_command, tmp_path):
    path = tmp_path / "item.json"
    path.write_text(json.dumps({**_ITEM, "assets": {"broken": {"type": "image/tiff"}}}))
    result = splashdown_command("ls", path)
    assert result.returncode == 3
    assert "broken" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_cycle_of_links_is_named(splashdown_command, tmp_path):
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / f"{name}.json").write_text(
            json.dumps(
                {
                    "type": "Catalog",
                    "stac_version": "1.0.0",
                    "id": name,
                    "description": name,
                    "links": [{"rel": "child", "href": f"./{other}.json"}],
                }
            )
        )
    result = splashdown_command("ls", tmp_path / "a.json")
    assert result.returncode == 3
    assert "cycle" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_an_unknown_option_is_exit_code_2(splashdown_command):
    assert splashdown_command("ls", "x.json", "--no-such-option").returncode == 2


def test_no_credential_is_taken_from_an_argument(splashdown_command):
    text = splashdown_command("download", "--help").stdout
    assert not re.search(r"--token(?!-origin URL)", text)
    assert "--password" not in text


@pytest.mark.parametrize(
    ("environment", "options"), [({"SPLASHDOWN_USER": "john"}, []), ({}, ["--login"])], ids=["password", "both"]
)
def test_where_nobody_can_type_a_password_it_is_not_asked_for(splashdown_command, pages, environment, options):
    result = splashdown_command("ls", f"{pages}/openeo/1.2/jobs/j", *options, env=environment, stdin="")
    assert (result.returncode, result.stdout) == (4, "")
    (line,) = result.stderr.splitlines()
    assert "no terminal" in line
    assert "SPLASHDOWN_PASSWORD" in line


def test_a_selection_of_nothing_says_that_filters_dropped_all(splashdown_command, demo_job):
    result = splashdown_command("ls", demo_job, "--include", "*.nc")
    assert (result.returncode, result.stderr) == (3, "")
    assert result.stdout == "0 assets of job j-2306demo; filters dropped 4\n"


def test_a_status_that_no_job_has_is_wrong_usage(splashdown_command):
    result = splashdown_command("jobs", "http://backend.invalid", "--status", "finishd")
    assert result.returncode == 2
    assert "'finished'" in result.stderr
