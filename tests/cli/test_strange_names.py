"""Keys and ids of documents may hold any text; no command, receipt or terminal may break on it."""

import json

import pytest

KEYS = ["half \ud800 a pair", "\x1b]0;title\x07 escape", "[bold]markup[/bold]", "\N{GRINNING FACE}", "a\u202eb"]


@pytest.fixture
def source(tmp_path):
    (tmp_path / "x.txt").write_text("x")
    item = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": "i\x1b[31m",
        "geometry": None,
        "properties": {},
        "links": [],
    }
    path = tmp_path / "item.json"
    path.write_text(json.dumps(item | {"assets": {key: {"href": "./x.txt"} for key in KEYS}}))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_they_are_listed_in_every_encoding(splashdown_command, source, encoding):
    environment = {"PYTHONIOENCODING": encoding}
    told = splashdown_command("ls", source, "--json", env=environment)
    assert [record["key"] for record in json.loads(told.stdout)] == KEYS
    shown = splashdown_command("ls", source, env=environment)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "\x1b" not in shown.stdout
    assert "[bold]markup[/bold]" in shown.stdout


def test_they_land_with_a_receipt_that_keeps_them(splashdown_command, source, tmp_path):
    done = splashdown_command("download", source, tmp_path / "out", env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert set(json.loads((tmp_path / "out/item.json").read_bytes())["assets"]) == set(KEYS)
    again = splashdown_command("download", source, tmp_path / "out", "--json")
    assert json.loads(again.stdout)["bytes_moved"] == 0
