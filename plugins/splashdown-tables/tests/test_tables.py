"""Tables and features: what comes out, what is read for it, and what is refused."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import splashdown_tables
from openeo.rest.conversions import timeseries_json_to_pandas
from shapely.geometry import Point, box
from splashdown_tables import load_csv, load_geojson, load_geopackage, load_parquet, load_timeseries

from splashdown.errors import LoadError, OptionError
from splashdown.testing import LoaderContract, MemoryHandle, make_asset

SPECS = {spec.name: spec for spec in splashdown_tables.splashdown_loaders()}
FEATURES = gpd.GeoDataFrame(
    {"id": [1, 2, 3], "mean": [0.5, 1.5, np.nan]},
    geometry=[box(0, 0, 1, 1), box(2, 2, 3, 3), box(4, 4, 5, 5)],
    crs="EPSG:32631",
)
SERIES = {
    "2023-06-11T00:00:00Z": [[1.5, None], [3.0, 4.0], []],
    "2023-06-01T00:00:00Z": [[5.0, 6.0], [], [7.0, 8.0]],
}


def handle(content, key="x"):
    return MemoryHandle(content, make_asset(key))


def written(frame, how, **options):
    buffer = io.BytesIO()
    getattr(frame, how)(buffer, **options)
    return buffer.getvalue()


class TableContract(LoaderContract):
    name = ""

    @pytest.fixture
    def spec(self):
        return SPECS[self.name]


class TestCsv(TableContract):
    name = "csv"

    @pytest.fixture
    def good(self):
        return b"date,feature_index,B04\n2023-06-01T00:00:00.000Z,0,1.5\n2023-06-11T00:00:00.000Z,0,\n"

    def check(self, loaded):
        assert loaded["date"].tolist() == [pd.Timestamp("2023-06-01", tz="UTC"), pd.Timestamp("2023-06-11", tz="UTC")]
        assert loaded["B04"].isna().tolist() == [False, True]

    @pytest.mark.parametrize("how", ["empty", "noise", "page"])  # a table that is cut off is a shorter table
    def test_what_is_no_such_file_is_a_load_error(self, spec, good, how):
        super().test_what_is_no_such_file_is_a_load_error(spec, good, how)


class TestParquet(TableContract):
    name = "parquet"

    @pytest.fixture
    def good(self):
        return written(FEATURES, "to_parquet")

    def check(self, loaded):
        pd.testing.assert_frame_equal(loaded, FEATURES)
        assert loaded.crs == FEATURES.crs


class TestGeoPackage(TableContract):
    name = "geopackage"

    @pytest.fixture
    def good(self, tmp_path):
        FEATURES.to_file(tmp_path / "x.gpkg", layer="fields")
        return (tmp_path / "x.gpkg").read_bytes()

    def check(self, loaded):
        assert loaded["mean"].equals(FEATURES["mean"])
        assert loaded.geometry.geom_equals(FEATURES.geometry).all()
        assert loaded.crs == FEATURES.crs


class TestGeoJson(TableContract):
    name = "geojson"

    @pytest.fixture
    def good(self):
        return FEATURES.to_crs("OGC:CRS84").to_json(drop_id=True).encode()

    def check(self, loaded):
        assert loaded["id"].tolist() == [1, 2, 3]
        assert loaded.to_crs(FEATURES.crs).geometry.geom_equals_exact(FEATURES.geometry, 1e-6).all()


class TestTimeSeries(TableContract):
    name = "timeseries"

    @pytest.fixture
    def good(self):
        return json.dumps(SERIES).encode()

    def check(self, loaded):
        assert loaded.shape == (2, 6)
        assert loaded.loc["2023-06-11", (1, 1)].item() == 4.0
        assert loaded.index.is_monotonic_increasing


@pytest.mark.parametrize(
    "series",
    [SERIES, {"2023-06-01T00:00:00Z": [[1.0]]}, {"2023-06-01": [[1.0, 2.0]]}, {"2023-06-01": [[1.0], [2.0]]}],
    ids=["both", "one", "bands", "polygons"],
)
def test_a_time_series_is_what_openeos_own_helper_makes_of_it(series):
    ours = load_timeseries(handle(json.dumps(series).encode()))
    theirs = timeseries_json_to_pandas(series)
    if isinstance(theirs, pd.Series):
        theirs = theirs.to_frame()
    theirs.index = pd.to_datetime(theirs.index, utc=True)
    assert ours.shape == theirs.shape
    np.testing.assert_array_equal(ours.to_numpy(), theirs.sort_index().to_numpy(dtype=float))


def test_bands_of_a_time_series_get_their_names():
    frame = load_timeseries(handle(json.dumps(SERIES).encode()), bands=["B04", "B08"])
    assert frame.loc["2023-06-01", (2, "B08")].item() == 8.0
    with pytest.raises(OptionError, match="names 1 bands, x has 2"):
        load_timeseries(handle(json.dumps(SERIES).encode()), bands=["B04"])


def test_a_time_series_keeps_its_levels_when_asked():
    frame = load_timeseries(handle(b'{"2023-06-01": [[1.0]]}'), collapse=False)
    assert frame.columns.names == ["polygon", "band"]


@pytest.mark.parametrize("content", [b"[]", b"{}", b'{"a": 1}', b'{"2023": [["x"]]}', b'{"type": [[1]]}', b"[" * 99999])
def test_other_json_is_no_time_series(content):
    with pytest.raises(LoadError, match="not a time series"):
        load_timeseries(handle(content))


def test_parquet_without_geometry_is_a_plain_table():
    frame = pd.DataFrame({"a": [1, 2], "t": pd.to_datetime(["2023-01-01", "2023-01-02"])})
    loaded = load_parquet(handle(written(frame, "to_parquet")))
    assert type(loaded) is pd.DataFrame
    pd.testing.assert_frame_equal(loaded, frame)


def test_columns_of_parquet_are_read_by_ranges():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"c{n}": rng.random(20_000) for n in range(10)})

    class Counting(io.BytesIO):
        count = 0

        def read(self, size=-1):
            data = super().read(size)
            Counting.count += len(data)
            return data

    opened = handle(written(frame, "to_parquet"))
    content = opened.bytes()
    opened.open = lambda: Counting(content)
    pd.testing.assert_frame_equal(load_parquet(opened, columns=["c3"]), frame[["c3"]])
    assert 0 < Counting.count < len(content) / 3


@pytest.mark.parametrize("index", ["dates", "unnamed", "two", "column", "shifted"])
def test_columns_of_parquet_keep_the_index_that_pandas_keeps(index):
    frame = pd.DataFrame({"NDVI": [0.1, 0.2, 0.3], "n": [3, 4, 5]})
    dates = pd.date_range("2023-06-01", periods=3, name="date")
    frame = {
        "dates": frame.set_index(dates),
        "unnamed": frame.set_index(dates.rename(None)),
        "two": frame.set_index(dates).set_index("n", append=True),
        "column": frame.set_index("n"),
        "shifted": frame.iloc[1:],
    }[index]
    content = written(frame, "to_parquet")
    expected = pd.read_parquet(io.BytesIO(content), columns=["NDVI"])
    pd.testing.assert_frame_equal(load_parquet(handle(content), columns="NDVI"), expected)


def test_csv_is_read_with_the_options_that_its_people_need():
    plain = b"id,country\n00123,NA\n"
    assert load_csv(handle(plain), dtype=str, keep_default_na=False).to_numpy().tolist() == [["00123", "NA"]]
    assert load_csv(handle(b"a\n-\n1\n"), na_values=["-"])["a"].isna().tolist() == [True, False]
    assert load_csv(handle(b"a;b\n1.234,5;2\n"), sep=";", decimal=",", thousands=".")["a"].tolist() == [1234.5]
    german = b"# from the field\nname;value\nx;1,5\n"
    for options in ({"comment": "#"}, {"skiprows": 1}):
        assert load_csv(handle(german), sep=";", decimal=",", **options)["value"].tolist() == [1.5]
    with pytest.raises(LoadError, match="cannot be read as CSV"):
        load_csv(handle(plain), dtype="no such type")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_csv_of_wide_characters_is_read(encoding):
    content = "name,b\né,2\n".encode(encoding)
    assert load_csv(handle(content), encoding=encoding).to_numpy().tolist() == [["é", 2]]
    if encoding == "utf-16":
        assert load_csv(handle(content)).to_numpy().tolist() == [["é", 2]]


def test_columns_of_geoparquet_without_its_geometry_are_a_table():
    loaded = load_parquet(handle(written(FEATURES, "to_parquet")), columns=["id", "geometry"])
    assert isinstance(loaded, gpd.GeoDataFrame)
    table = load_parquet(handle(written(FEATURES, "to_parquet")), columns="id")
    assert type(table) is pd.DataFrame
    assert table["id"].tolist() == FEATURES["id"].tolist()


def test_a_column_that_is_not_there_is_said():
    content = written(pd.DataFrame({"date": [1], "place": [{"x": 1, "y": 2}]}), "to_parquet")
    assert load_parquet(handle(content), columns=["place.x"])["place"].tolist() == [{"x": 1}]
    with pytest.raises(OptionError, match="no column 'NDVI'; there are date, place"):
        load_parquet(handle(content), columns=["date", "NDVI"])


def test_a_separator_of_several_characters_is_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_csv(handle(b"a;;b\n1;;2\n"), sep=";;").columns.tolist() == ["a", "b"]


@pytest.mark.parametrize("sep", [",", ", ?"])
def test_a_row_longer_than_the_first_line_moves_no_column(sep):
    with pytest.raises(LoadError, match=r"more fields than its first line has names.*sep"):
        load_csv(handle(b"date;NDVI\n2023-06-01;0,5\n"), sep=sep)
    with pytest.raises(LoadError, match="more fields than its first line"):
        load_csv(handle(b"a,b\n1,2,3\n4\n"), sep=sep)
    trailing = load_csv(handle(b"a,b\n1,2,\n4,5,\n"), sep=sep)
    assert trailing.to_dict("list") == {"a": [1, 4], "b": [2, 5]}


def test_text_in_another_encoding_names_the_option():
    with pytest.raises(LoadError, match=r"not text in utf-8-sig.*say encoding"):
        load_csv(handle("naïve\n1\n".encode("latin-1")))


def test_parquet_that_unpacks_to_far_more_than_it_may_is_refused():
    content = written(pd.DataFrame({"a": np.zeros(2_000_000)}), "to_parquet", compression="zstd", use_dictionary=False)
    assert len(content) < 100_000
    with pytest.raises(LoadError, match="unpacks to 16,"):
        load_parquet(handle(content), max_bytes=100_000)


def test_a_layer_of_a_geopackage_is_picked_by_name(tmp_path):
    FEATURES.to_file(tmp_path / "x.gpkg", layer="fields")
    FEATURES.iloc[:1].to_file(tmp_path / "x.gpkg", layer="one", mode="a")
    content = (tmp_path / "x.gpkg").read_bytes()
    assert len(load_geopackage(handle(content, "x.gpkg"))) == 3
    assert len(load_geopackage(handle(content, "x.gpkg"), layer="one")) == 1
    with pytest.raises(LoadError, match=r"no layer .nowhere.; there are fields, one"):
        load_geopackage(handle(content, "x.gpkg"), layer="nowhere")


def test_only_a_geopackage_gets_to_gdal(tmp_path):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    vrt = f'<OGRVRTDataSource><OGRVRTLayer name="secret"><SrcDataSource>{tmp_path}/secret.csv</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
    for content in (vrt.encode(), b"SQLite format 3\0" + bytes(100)):
        with pytest.raises(LoadError, match=r"x\.gpkg is not a GeoPackage"):
            load_geopackage(handle(content, "x.gpkg"))


@pytest.mark.parametrize(
    ("document", "count"),
    [
        ({"type": "Point", "coordinates": [3, 50]}, 1),
        ({"type": "Feature", "properties": None, "geometry": {"type": "Point", "coordinates": [3, 50]}}, 1),
        ({"type": "FeatureCollection", "features": []}, 0),
    ],
)
def test_every_kind_of_geojson_is_features(document, count):
    frame = load_geojson(handle(json.dumps(document).encode()))
    assert len(frame) == count
    if count:
        assert frame.geometry.iloc[0].equals(Point(3, 50))
        assert frame.crs.to_string() == "OGC:CRS84"


def test_geojson_that_names_its_crs_has_that_one():
    document = json.loads(FEATURES.to_json(drop_id=True)) | {
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32631"}}
    }
    assert load_geojson(handle(json.dumps(document).encode())).crs.to_epsg() == 32631


@pytest.mark.parametrize("load", [load_csv, load_geojson, load_geopackage, load_parquet, load_timeseries])
def test_what_is_over_the_cap_is_refused(load):
    with pytest.raises(LoadError, match="more than"):
        load(handle(b"a,b\n" * 100), max_bytes=100)


def test_columns_of_times_are_named_or_left_alone():
    content = b"date,when,n\nJune,2023-06-01,1\n"
    assert load_csv(handle(content))["date"].tolist() == ["June"]
    assert load_csv(handle(content), dates=["when"])["when"].tolist() == [pd.Timestamp("2023-06-01")]
    assert load_csv(handle(content), dates=False)["when"].tolist() == ["2023-06-01"]
    with pytest.raises(LoadError, match="CSV"):
        load_csv(handle(content), dates=["date"])


def test_importing_the_plugin_loads_nothing_heavy():
    code = (
        "import sys, splashdown_tables as s; list(s.splashdown_loaders());"
        "print([m for m in ('numpy', 'pandas', 'geopandas', 'pyarrow', 'pyogrio') if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_a_summary_has_the_extremes_of_numbers_and_times_and_says_what_it_leaves_out():
    frame = load_csv(handle(b"date,name,v\n2023-06-01T00:00:00Z,a,1\n2023-06-11T00:00:00Z,,\n"))
    facts = splashdown_tables._summary.summarise(frame)
    date, name, value = facts["statistics"]
    assert (date["min"], date["max"], date["missing"]) == ("2023-06-01", "2023-06-11", 0)
    assert name["missing"] == 1
    assert "min" not in name
    assert (value["min"], value["max"], value["mean"], value["missing"]) == (1.0, 1.0, 1.0, 1)
    wide = splashdown_tables._summary.summarise(pd.DataFrame(np.zeros((2, 100))))
    assert wide["columns"] == "100, of which the first 40 are shown"
    assert len(wide["statistics"]) == 40


def test_the_summary_of_features_says_where_they_lie():
    facts = splashdown_tables._summary.summarise(FEATURES)
    assert facts["crs"] == "EPSG:32631"
    assert facts["bounds"] == "0, 0, 5, 5"
