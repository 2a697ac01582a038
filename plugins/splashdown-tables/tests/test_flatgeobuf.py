"""FlatGeobuf: all of it, and by a box the features that geopandas finds, with a part of the bytes."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import splashdown_tables
from fault_server import FaultServer
from hypothesis import given, settings
from hypothesis import strategies as st
from splashdown_tables import load_flatgeobuf

from splashdown.errors import LoadError, OptionError
from splashdown.model import Asset, ResultSet
from splashdown.results import JobResults
from splashdown.session import Session
from splashdown.testing import LoaderContract, MemoryHandle, make_asset

BOX = (20.5, 3, 22, 7)
SPECS = {spec.name: spec for spec in splashdown_tables.splashdown_loaders()}


@pytest.fixture(scope="module")
def places():
    """Squares from west to east, with a column that makes the file large."""
    count = 4000
    x, y = np.linspace(0, 100, count), np.arange(count) % 10
    squares = shapely.box(x, y, x + 0.5, y + 0.5)
    return gpd.GeoDataFrame({"n": range(count), "note": ["x" * 400] * count}, geometry=squares, crs="EPSG:4326")


@pytest.fixture(scope="module")
def written(places, tmp_path_factory):
    return write(places, tmp_path_factory.mktemp("fgb") / "places.fgb")


def write(frame, path, **options):
    frame.to_file(path, driver="FlatGeobuf", **options)
    return path.read_bytes()


def handle(content):
    return MemoryHandle(content, make_asset("places.fgb"))


def in_box(frame, box):
    return sorted(frame[frame.intersects(shapely.box(*box))]["n"])


class TestFlatGeobuf(LoaderContract):
    @pytest.fixture
    def spec(self):
        return SPECS["flatgeobuf"]

    @pytest.fixture
    def good(self, written):
        return written


def test_all_features_are_those_that_were_written(places, written):
    found = load_flatgeobuf(handle(written)).sort_values("n").reset_index(drop=True)
    pd.testing.assert_frame_equal(found[["n", "note"]], places[["n", "note"]], check_dtype=False)
    assert found.crs == "EPSG:4326"


@settings(max_examples=10, deadline=None)
@given(st.floats(-5, 105), st.floats(-2, 12), st.floats(0, 40), st.floats(0, 6))
def test_the_features_of_any_box_are_those_that_touch_it(places, written, x, y, width, height):
    box = (x, y, x + width, y + height)
    assert sorted(load_flatgeobuf(handle(written), bbox=box).get("n", [])) == in_box(places, box)


def test_a_box_fetches_a_part_of_the_file(places, written):
    with FaultServer() as server, Session(plugins=(splashdown_tables,), discover=False) as session:
        server.add("/places.fgb", written)
        asset = Asset(key="places", href=f"{server.url}/places.fgb", media_type="application/vnd.flatgeobuf")
        results = JobResults(session, ResultSet(id="j", kind="job", assets=[asset], document={}))
        found = results.load("places", bbox=BOX)
        assert sorted(found["n"]) == in_box(places, BOX)
        assert server.sent() < len(written) / 4
        assert len(server.seen) < 12


@pytest.mark.parametrize("count", [1, 2, 16, 17, 257])
def test_trees_of_any_depth_are_read(places, tmp_path, count):
    few = places.head(count)
    content = write(few, tmp_path / "few.fgb")
    assert sorted(load_flatgeobuf(handle(content), bbox=(-1, -1, 200, 20))["n"]) == list(range(count))


def test_a_file_without_an_index_is_read_whole(places, tmp_path):
    content = write(places.head(50), tmp_path / "plain.fgb", layer_options={"SPATIAL_INDEX": "NO"})
    assert sorted(load_flatgeobuf(handle(content), bbox=(0, 0, 1, 4))["n"]) == in_box(places.head(50), (0, 0, 1, 4))


def test_what_cannot_be_is_refused(written):
    with pytest.raises(LoadError, match="is not FlatGeobuf: it begins with 50 4b"):
        load_flatgeobuf(handle(b"PK\x03\x04"))
    with pytest.raises(OptionError, match="west is larger than east"):
        load_flatgeobuf(handle(written), bbox=(5, 0, 1, 1))
    with pytest.raises(LoadError, match="more than max_bytes=1,000"):
        load_flatgeobuf(handle(written), max_bytes=1000)
    with pytest.raises(LoadError, match="needs more than max_bytes=100,000; take a smaller one"):
        load_flatgeobuf(handle(written), bbox=(-1, -1, 200, 20), max_bytes=100_000)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(8, 20_000), st.integers(0, 255)), min_size=1, max_size=20))
def test_a_damaged_file_is_an_error_or_a_table(written, changes):
    damaged = bytearray(written)
    for at, value in changes:
        damaged[at] = value
    try:
        load_flatgeobuf(handle(bytes(damaged)), bbox=BOX)
    except LoadError as error:
        assert "places.fgb" in str(error)  # noqa: PT017 - either outcome is right
