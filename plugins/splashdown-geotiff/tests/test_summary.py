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
import rasterio
from raster_files import pixels, write_tiff
from splashdown_geotiff import _summary
from stac_item import stac_item

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


def loaded(document, *options):
    """What the command prints as JSON."""
    run = subprocess.run([COMMAND, "load", document, "--json", *options], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_a_box_and_bands_are_what_is_described(document):
    path, data = document
    facts = loaded(path, "--bbox", "500100,5599700,500300,5599800", "--bands", "B02,1")
    assert facts["shape"] == "2 bands, 10 x 20 pixels (y, x)"
    assert facts["bounds"] == "500100, 5599700, 500300, 5599800"
    part = data[[2, 0], 20:30, 10:30]
    assert [band["band"] for band in facts["statistics"]] == ["B02", "B04"]
    assert [band["mean"] for band in facts["statistics"]] == pytest.approx(part.mean((1, 2)))
    degrees = loaded(path, "--bbox", "3.001,50.548,3.004,50.55", "--bbox-crs", "EPSG:4326", "--bands", "B03")
    assert degrees["shape"].startswith("1 band, ")
    west, south, east, north = map(float, degrees["bounds"].split(","))
    assert 500000 < west < east < 500400
    assert 5598400 < south < north < 5600000


def test_json_has_null_for_what_is_no_number(tmp_path):
    data = np.full((1, 20, 20), np.inf, "f4")
    write_tiff(tmp_path / "x.tif", data)
    (tmp_path / "item.json").write_text(json.dumps(stac_item({"x": {"href": "x.tif"}})))
    (only,) = loaded(tmp_path / "item.json")["statistics"]
    assert (only["min"], only["mean"], only["valid %"]) == (None, None, 100.0)


def test_repeated_options_are_one_list(document):
    facts = loaded(document[0], "--bands", "B04", "--bands", "B02", "--window", "0,0,5,4", "--loader", "numpy")
    assert facts["shape"] == "2 bands, 4 x 5 pixels (y, x)"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--bbox", "1,2,x,4"], "option 'bbox' of 'geotiff' has to be a list of numbers, not '1,2,x,4'"),
        (["--bbox", "1,2,3"], "--bbox 1.0, 2.0, 3.0: pass (west, south, east, north)"),
        (["--bands", "B99"], "no band 'B99'; there are B04, B03, B02"),
        (["--overview", "fine"], "option 'overview' of 'geotiff' has to be a whole number, not 'fine'"),
        (["--engine", "gdl"], "option 'engine' of 'geotiff' has to be one of auto, native, gdal, not 'gdl'"),
        (
            ["--max-depth", "3"],
            "the loader 'geotiff' has no option --max-depth; it has: --engine, --max-bytes, --bands,",
        ),
        (["--overview", "0", "--resolution", "5"], "--overview and --resolution exclude each other"),
    ],
)
def test_a_value_that_makes_no_sense_is_one_line(document, options, said):
    run = subprocess.run([COMMAND, "load", document[0], *options], capture_output=True, text=True, timeout=60)
    assert run.returncode == 2
    assert run.stdout == ""
    (line,) = run.stderr.splitlines()
    assert said in line


def _masked(data):
    return np.where(np.arange(data.shape[2]) % 3 == 0, 0, 255).astype("u1") * np.ones(data.shape[1:], "u1")


PROFILES = {
    "nodata": {"nodata": 7},
    "nan": {"nodata": np.nan},
    "internal mask": {"mask": True},
    "alpha": {"photometric": "RGB", "alpha": "yes"},
    "nothing": {},
}


@pytest.mark.parametrize("options", [{}, {"window": (5, 3, 40, 20)}, {"bands": [2], "overview": 0}])
@pytest.mark.parametrize("kind", PROFILES)
def test_statistics_are_those_of_the_pixels_that_gdal_calls_valid(tiff, kind, options):
    profile = dict(PROFILES[kind])
    data = pixels(4 if kind == "alpha" else 3, 60, 80, "u1").astype("f4" if kind == "nan" else "u1")
    if kind == "nan":
        data[:, ::5] = np.nan
    if kind == "alpha":
        data[3] = _masked(data)
    if profile.pop("mask", None):
        profile["mask"] = _masked(data)
    handle, path = tiff(data, tiled=True, blockxsize=16, blockysize=16, overviews=(2,), **profile)
    facts = _summary.summarise(handle, **options)
    level = {"overview_level": options["overview"]} if "overview" in options else {}
    with rasterio.open(path, **level) as file:
        window = rasterio.windows.Window(*options["window"]) if "window" in options else None
        expected = file.read(options.get("bands", file.indexes), window=window, masked=True)
    for found, band in zip(facts["statistics"], expected, strict=True):
        valid = band.compressed()
        assert found["valid %"] == round(100 * valid.size / band.size, 1)
        assert (found["min"], found["max"]) == (valid.min(), valid.max())
        assert (found["mean"], found["std"]) == pytest.approx((valid.mean(dtype="f8"), valid.std(dtype="f8")))
    assert facts.get("mask") == {"internal mask": "internal", "alpha": "alpha"}.get(kind)
    if kind != "nothing":
        assert any(found["valid %"] < 100 for found in facts["statistics"])


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
    (only,) = _summary.summarise(complex_)["statistics"]
    assert only == {"band": "1", "valid %": 100.0}
    empty, _ = tiff(np.zeros((1, 20, 20), "u1"), nodata=0)
    assert _summary.summarise(empty)["statistics"] == [{"band": "1", "valid %": 0.0}]


def test_an_open_raster_tells_what_its_header_says(tiff):
    handle, _ = tiff(pixels(1, 128, 128, "u1"), overviews=(2,), tiled=True, blockxsize=64, blockysize=64)
    facts = _summary.summarise_open(handle)
    assert facts["overviews"] == "64 x 64"
    assert facts["shape"] == "1 band, 128 x 128 pixels (y, x)"
