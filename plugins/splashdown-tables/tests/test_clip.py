"""Clips of GeoParquet: whole rows, and the row groups that may hold them."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
import splashdown_tables
from fault_server import FaultServer
from splashdown_tables._clip import clip_parquet
from stac_item import stac_item

from splashdown import Session
from splashdown.clipping import Area
from splashdown.errors import LoadError, OptionError
from splashdown.testing import MemoryHandle, make_asset

NUMBERS = np.arange(4000)
FRAME = gpd.GeoDataFrame(
    {"id": NUMBERS, "noise": np.random.default_rng(0).bytes(4000 * 50).hex()},
    geometry=shapely.points(NUMBERS / 100, np.full(4000, 10.0)),
    crs="EPSG:4326",
)


@pytest.fixture
def written(tmp_path):
    def make(frame=FRAME, **options):
        path = tmp_path / "in.parquet"
        frame.to_parquet(path, row_group_size=100, **options)
        return path.read_bytes()

    return make


FRAME["noise"] = [np.random.default_rng(n).bytes(100).hex() for n in NUMBERS]


def clip_of(content, bbox):
    return clip_parquet(MemoryHandle(content, make_asset("x.parquet")), Area(bbox=bbox))


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32631"])
def test_the_rows_in_the_area_are_kept_as_they_are(written, tmp_path, crs):
    frame = FRAME.iloc[:600].to_crs(crs)
    clip_of(written(frame, write_covering_bbox=True), (2.995, 9, 3.205, 11)).write(tmp_path / "out.parquet")
    found, wanted = gpd.read_parquet(tmp_path / "out.parquet"), frame[(frame["id"] >= 300) & (frame["id"] <= 320)]
    assert found.crs == frame.crs
    assert found.drop(columns="bbox", errors="ignore").reset_index(drop=True).equals(wanted.reset_index(drop=True))
    geo = pq.read_schema(tmp_path / "out.parquet").metadata[b"geo"]
    assert b'"covering"' in geo
    assert b'"bbox": [' not in geo.replace(b'"bbox": ["bbox"', b"")


def test_only_the_row_groups_of_the_area_are_read_and_landed(written, tmp_path):
    content = written(write_covering_bbox=True)
    with FaultServer() as server, Session(plugins=(splashdown_tables,), discover=False) as session:
        href = server.add("/x.parquet", content)
        results = session.open(
            stac_item({"x": {"href": href, "type": "application/x-parquet", "table:row_count": 4000}})
        )
        done = results.clip((20, 9, 20.5, 11)).run("download_files", target=tmp_path / "out")
        assert server.sent() < len(content) / 2
        assert done.report.bytes_moved == server.sent()
    assert len(gpd.read_parquet(done.places[0])) == 51
    assert b"row_count" not in (tmp_path / "out/item.json").read_bytes()


def test_a_box_across_the_antimeridian_takes_both_sides(written, tmp_path):
    frame = gpd.GeoDataFrame({"id": [1, 2, 3]}, geometry=shapely.points([-179, 0, 179], [0, 0, 0]), crs="EPSG:4326")
    clip_of(written(frame), (170, -1, -170, 1)).write(tmp_path / "out.parquet")
    assert list(gpd.read_parquet(tmp_path / "out.parquet")["id"]) == [1, 3]


def test_a_file_beside_the_area_is_none(written):
    assert clip_of(written(write_covering_bbox=True), (100, 9, 101, 11)) is None


def test_what_is_not_geoparquet_is_refused_in_one_line(tmp_path):
    pq.write_table(pa.table({"a": [1]}), tmp_path / "x.parquet")
    for content, kind in ((b"PAR1" + bytes(50), LoadError), ((tmp_path / "x.parquet").read_bytes(), OptionError)):
        with pytest.raises(kind) as error:
            clip_of(content, (0, 0, 1, 1))
        assert "\n" not in str(error.value)


def test_geometries_that_are_not_wkb_are_refused(written, tmp_path):
    table = pq.read_table(pa.BufferReader(written()))
    at = table.schema.get_field_index("geometry")
    damaged = table.set_column(at, "geometry", pa.array([b"xx"] * len(table))).replace_schema_metadata(
        table.schema.metadata
    )
    pq.write_table(damaged, tmp_path / "x.parquet")
    with pytest.raises(LoadError, match="not WKB"):
        clip_of((tmp_path / "x.parquet").read_bytes(), (0, 0, 1, 11)).write(tmp_path / "out.parquet")
