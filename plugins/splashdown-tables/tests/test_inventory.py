"""The inventory of a source as a table."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import splashdown_tables

from splashdown.errors import OptionError
from splashdown.testing import make_session

ITEM = {
    "type": "Feature",
    "stac_version": "1.1.0",
    "id": "one",
    "collection": "s2",
    "bbox": [5.0, 51.0, 6.0, 52.0],
    "geometry": None,
    "properties": {"datetime": "2024-01-01T00:00:00Z"},
    "links": [],
    "assets": {
        "a.tif": {
            "href": "https://h.example/a.tif?sig=geheim",
            "type": "image/tiff",
            "roles": ["data"],
            "file:size": 7,
        },
        "b.json": {"href": "https://h.example/b.json"},
    },
}


@pytest.fixture
def results():
    with make_session(splashdown_tables) as session:
        yield session.open(ITEM)


@pytest.mark.parametrize(("name", "read"), [("t.csv", pd.read_csv), ("t.parquet", pd.read_parquet)])
def test_each_asset_is_a_row_and_no_secret_is_written(results, tmp_path, name, read):
    written = results.run("inventory", to=tmp_path / name)
    assert (written.path, written.assets) == (tmp_path / name, 2)
    frame = read(tmp_path / name)
    assert frame["key"].tolist() == ["a.tif", "b.json"]
    assert frame["item"].tolist() == ["one", "one"]
    assert frame["size"].tolist()[0] == 7
    assert pd.isna(frame["size"].tolist()[1])
    assert frame["east"].tolist() == [6.0, 6.0]
    assert b"geheim" not in (tmp_path / name).read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_what_was_filtered_out_is_not_in_it(results):
    frame = splashdown_tables.inventory_frame(results.select(types="image/tiff"))
    assert frame["key"].tolist() == ["a.tif"]
    assert str(frame["start"].dtype).endswith("UTC]")
    assert splashdown_tables.inventory_frame(results.select(keys="none")).empty


@pytest.mark.parametrize("to", ["table.xlsx", "missing/table.csv"])
def test_a_file_that_cannot_be_written_is_one_line(results, tmp_path, to):
    with pytest.raises(OptionError) as caught:
        results.run("inventory", to=tmp_path / to)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_it_is_a_command(tmp_path):
    (tmp_path / "item.json").write_text(json.dumps(ITEM))
    program = Path(sys.executable).with_name("splashdown")
    command = [program, "inventory", tmp_path / "item.json", "--to", tmp_path / "t.csv", "--include", "*.tif"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path / 't.csv'}: 1 asset\n"
    as_json = subprocess.run([*command, "--json"], capture_output=True, text=True)
    assert json.loads(as_json.stdout) == {"path": str(tmp_path / "t.csv"), "assets": 1}
    assert len(pd.read_csv(tmp_path / "t.csv")) == 1
    without = subprocess.run(command[:3], capture_output=True, text=True)
    assert without.returncode == 2
    assert "needs the option 'to'" in without.stderr
    shown = subprocess.run([program, "inventory", "--help"], capture_output=True, text=True).stdout
    assert "splashdown inventory https://openeo.example/openeo/1.2/jobs/JOB --to PATH" in shown
