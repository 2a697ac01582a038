"""`ls --format`: lists that other programs read, and `ls --sort`."""

import csv
import io
import json
import shlex
import subprocess

import pytest
from fault_server import FaultServer, File

from splashdown._cli.main import main

SIGNATURE = "X-Amz-Signature=abc&X-Amz-Expires=60"


@pytest.fixture
def server():
    with FaultServer() as running:
        running.files |= {"/b/one.tif": File(b"1" * 30), "/b/two.tif": File(b"2" * 10)}
        yield running


@pytest.fixture
def source(server, tmp_path):
    assets = {
        "one": {"href": f"{server.url}/b/one.tif?{SIGNATURE}", "file:size": 30, "type": "image/tiff"},
        "two": {"href": f"{server.url}/b/two.tif", "file:size": 10, "roles": ["data", "visual"]},
        "no size": {"href": f"{server.url}/it's, here.bin"},
        "evil": {"href": "http://host.example/a\n  dir=/etc\nhttp://host.example/b"},
    }
    item = {"type": "Feature", "stac_version": "1.0.0", "id": "i", "links": [], "assets": assets}
    place = {"geometry": {"type": "Point", "coordinates": [7.0, 46.0]}, "bbox": [7.0, 46.0, 7.0, 46.0]}
    path = tmp_path / "item.json"
    path.write_text(json.dumps(item | place | {"properties": {"datetime": "2024-01-01T00:00:00Z"}}))
    return path


@pytest.fixture
def listed(source, capsys):
    def run(*arguments):
        assert main(["--no-plugins", "ls", str(source), *arguments]) == 0
        return capsys.readouterr().out

    return run


def test_urls_are_as_the_source_has_them_one_a_line(listed, server):
    assert listed("--format", "urls").splitlines() == [
        f"{server.url}/b/one.tif?{SIGNATURE}",
        f"{server.url}/b/two.tif",
        f"{server.url}/it's, here.bin",
    ]


def test_aria2_gets_the_names_that_a_download_gives(listed, server):
    lines = listed("--format", "aria2").splitlines()
    assert lines[:2] == [f"{server.url}/b/one.tif?{SIGNATURE}", "  out=one-one.tif"]
    assert not [line for line in lines if "dir=" in line]


#: As much of wget as the script needs: what is under test is the script.
WGET = (
    """wget() { python3 -c 'import sys, urllib.request; urllib.request.urlretrieve(sys.argv[5], sys.argv[3])' "$@"; }"""
)


def test_the_script_for_wget_saves_the_files_in_a_shell(listed, tmp_path):
    script = "\n".join([WGET, *listed("--format", "wget").splitlines()[:2]])
    subprocess.run(["sh", "-e", "-c", script], cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "one-one.tif").read_bytes() == b"1" * 30


def test_the_script_for_wget_quotes_what_a_shell_would_run(listed):
    for line in listed("--format", "wget").splitlines():
        assert shlex.split(line)[0] in {"wget", "mkdir"}
        assert len(shlex.split(line)) == 6 if line.startswith("wget") else True


def test_csv_has_a_head_and_no_secret(listed):
    rows = list(csv.DictReader(io.StringIO(listed("--format", "csv"))))
    assert [row["key"] for row in rows] == ["one", "two", "no size"]
    assert (rows[0]["size"], rows[1]["roles"], rows[2]["size"]) == ("30", "data visual", "")
    assert "abc" not in rows[0]["href"]


def test_geojson_has_a_feature_for_each_asset_and_no_secret(listed):
    found = json.loads(listed("--format", "geojson"))
    assert found["type"] == "FeatureCollection"
    assert [feature["properties"]["key"] for feature in found["features"]] == ["one", "two", "no size"]
    assert found["features"][0]["geometry"] == {"type": "Point", "coordinates": [7.0, 46.0]}
    assert "abc" not in json.dumps(found)


def keys(listed, *arguments):
    return [one["key"] for one in json.loads(listed("--json", *arguments))]


def test_sorting_puts_what_is_unknown_last(listed):
    assert keys(listed, "--sort", "size")[:2] == ["two", "one"]
    assert keys(listed, "--sort", "size", "--reverse")[:2] == ["one", "two"]
    assert keys(listed, "--sort", "key") == ["no size", "one", "two"]
