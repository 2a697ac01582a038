"""GeoParquet by a box: the rows that geopandas finds, and the row groups that hold them alone."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import splashdown_tables
from fault_server import FaultServer
from splashdown_tables import load_parquet

from splashdown.errors import LoadError, OptionError
from splashdown.model import Asset, ResultSet
from splashdown.results import JobResults
from splashdown.session import Session
from splashdown.testing import MemoryHandle, make_asset

BOX = (20.5, 3, 22, 7)


@pytest.fixture(scope="module")
def places():
    """Squares from west to east, with a column that makes the file large."""
    count = 4000
    x, y = np.linspace(0, 100, count), np.arange(count) % 10
    noise = np.random.default_rng(0).random(count)
    squares = shapely.box(x, y, x + 0.5, y + 0.5)
    return gpd.GeoDataFrame({"n": range(count), "noise": noise}, geometry=squares, crs="EPSG:4326")


@pytest.fixture(params=[True, False], ids=["covered", "uncovered"])
def written(request, places, tmp_path):
    path = tmp_path / "places.parquet"
    places.to_parquet(path, write_covering_bbox=request.param, row_group_size=200)
    return path.read_bytes()


def handle(content):
    return MemoryHandle(content, make_asset("places.parquet"))


def test_the_rows_in_a_box_are_those_that_touch_it(places, written):
    expected = places[places.intersects(shapely.box(*BOX))].reset_index(drop=True)
    found = load_parquet(handle(written), bbox=BOX)
    assert 0 < len(expected) < len(places)
    pd.testing.assert_frame_equal(found[["n", "noise"]], expected[["n", "noise"]])
    assert found.crs == "EPSG:4326"


def test_columns_without_the_geometry_are_narrowed_too(places, written):
    expected = places[places.intersects(shapely.box(*BOX))]
    found = load_parquet(handle(written), bbox=BOX, columns="n")
    assert list(found.columns) == ["n"]
    assert found["n"].tolist() == expected["n"].tolist()


def test_a_box_beside_all_rows_gives_none(written):
    found = load_parquet(handle(written), bbox=(200, 0, 201, 1))
    assert len(found) == 0
    assert "geometry" in found


def test_an_index_of_its_own_is_kept(places, tmp_path):
    named = places.set_index(places["n"].astype(str).rename("name"))
    named.to_parquet(tmp_path / "x.parquet", write_covering_bbox=True, row_group_size=200)
    found = load_parquet(handle((tmp_path / "x.parquet").read_bytes()), bbox=BOX)
    assert found.index.equals(named.index[named.intersects(shapely.box(*BOX))])


def test_only_the_row_groups_of_the_box_are_read(places, tmp_path):
    path = tmp_path / "places.parquet"
    places.to_parquet(path, write_covering_bbox=True, row_group_size=200)
    with FaultServer() as server, Session(plugins=(splashdown_tables,), discover=False, strict=True) as session:
        asset = Asset(key="p", href=server.add("/places.parquet", path.read_bytes()), media_type="application/parquet")
        results = JobResults(session, ResultSet(id="j", kind="job", assets=[asset], document={}))
        assert len(results.load("p", bbox=BOX)) > 0
        assert server.sent() < path.stat().st_size


@pytest.mark.parametrize("bbox", [(1, 2, 3), (3, 0, 1, 1), (0, 3, 1, 1), "abcd", (0, 0, float("nan"), 1), 7])
def test_what_is_not_a_box_is_said(written, bbox):
    with pytest.raises(OptionError, match="bbox="):
        load_parquet(handle(written), bbox=bbox)


def test_a_table_without_geometry_has_no_box(tmp_path):
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(OptionError, match="is not GeoParquet, so bbox= has no geometry"):
        load_parquet(handle((tmp_path / "x.parquet").read_bytes()), bbox=BOX)


def test_the_cap_counts_the_row_groups_that_are_read(written):
    with pytest.raises(LoadError, match="unpacks to"):
        load_parquet(handle(written), bbox=(0, 0, 100, 10), max_bytes=10_000)
