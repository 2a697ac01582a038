"""What ``splashdown load`` shows of a raster, on a terminal of the usual width and in a pipe."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from raster_files import pixels, write_tiff
from splashdown_geotiff import _summary, load_geotiff, load_numpy, open_geotiff

COMMAND = Path(sys.executable).with_name("splashdown")


@pytest.fixture
def document(tmp_path):
    """A document with one raster of three bands, of which the first has pixels without data."""
    data = pixels(3, 60, 80, "i2")
    data[0, :6] = -32768
    names = {n: {"DESCRIPTION": name} for n, name in enumerate(("B04", "B03", "B02"), 1)}
    write_tiff(tmp_path / "openEO_2023-06-01Z.tif", data, nodata=-32768, band_tags=names)
    asset = {"href": "./openEO_2023-06-01Z.tif", "type": "image/tiff; application=geotiff"}
    item = {
        "type": "Feature", "stac_version": "1.0.0", "id": "x", "geometry": None, "links": [],
        "properties": {"datetime": "2023-06-01T00:00:00Z"}, "assets": {"openEO_2023-06-01Z.tif": asset},
    }  # fmt: skip
    (tmp_path / "item.json").write_text(json.dumps(item))
    return tmp_path / "item.json", data


def test_a_pipe_gets_shape_place_and_statistics(document):
    path, data = document
    run = subprocess.run([COMMAND, "load", path], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    rows = [line.split() for line in run.stdout.splitlines()]
    assert ["shape", "3", "bands,", "60", "x", "80", "pixels", "(y,", "x)"] in rows
    assert ["crs", "EPSG:32631"] in rows
    assert ["bounds", "500000,", "5599400,", "500800,", "5600000"] in rows
    assert ["nodata", "-32768"] in rows
    (first,) = (row for row in rows if row[:1] == ["B04"])
    valid = data[0, 6:]
    assert first[1:] == [str(valid.min()), str(valid.max()), f"{valid.mean():.6g}", f"{valid.std():.6g}", "90"]


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal(document, width):
    reader, writer = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(width), "LINES": "24", "TERM": "dumb"}
    run = subprocess.Popen([COMMAND, "load", document[0]], stdout=writer, env=environment)
    os.close(writer)
    shown = b""
    while chunk := _read(reader):
        shown += chunk
    os.close(reader)
    assert run.wait(60) == 0
    lines = shown.decode().splitlines()
    assert any(line.split()[:1] == ["B02"] for line in lines)
    assert max(map(len, lines)) <= width


def _read(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux ends a terminal so, once nobody writes to it
        return b""


def test_numbers_that_have_no_order_or_no_data_have_no_extremes(tiff):
    complex_, _ = tiff(pixels(1, 20, 20, "c8"))
    (only,) = _summary.summarise(load_geotiff(complex_))["statistics"]
    assert only == {"band": "1", "valid %": 100.0}
    empty, _ = tiff(np.zeros((1, 20, 20), "u1"), nodata=0)
    assert _summary.summarise(load_geotiff(empty))["statistics"] == [{"band": "1", "valid %": 0.0}]
    masked = load_numpy(empty, masked=True)
    assert _summary.summarise_numpy(masked)["statistics"] == [{"band": "1", "valid %": 0.0}]


def test_an_open_raster_tells_what_its_header_says(tiff):
    handle, _ = tiff(pixels(1, 128, 128, "u1"), overviews=(2,), tiled=True, blockxsize=64, blockysize=64)
    facts = _summary.summarise_open(open_geotiff(handle))
    assert facts["overviews"] == "64 x 64"
    assert facts["shape"] == "1 band, 128 x 128 pixels (y, x)"
