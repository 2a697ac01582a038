"""The filter ``crs`` compares systems, not the way they are written."""

import json

import pytest
import splashdown_geotiff
from pyproj import CRS
from stac_item import stac_item

from splashdown.errors import OptionError
from splashdown.testing import FilterContract, make_asset, make_session

UTM = CRS.from_epsg(32631)
ASSETS = [
    make_asset("code.tif", metadata={"proj:code": "EPSG:32631"}),
    make_asset("epsg.tif", metadata={"proj:epsg": 32631}),
    make_asset("projjson.tif", metadata={"proj:projjson": json.loads(UTM.to_json())}),
    make_asset("wkt.tif", metadata={"proj:wkt2": UTM.to_wkt()}),
    make_asset("item.tif", properties={"proj:code": "EPSG:32631"}),
    make_asset("other.tif", metadata={"proj:code": "EPSG:4326"}, properties={"proj:code": "EPSG:32631"}),
    make_asset("wrong.tif", metadata={"proj:code": "EPSG:0"}),
    make_asset("none.tif", metadata={"proj:code": None}),
]


def kept(value):
    return [asset.key for asset in splashdown_geotiff.ByCrs(value)(ASSETS)]


class TestCrs(FilterContract):
    @pytest.fixture
    def chosen(self):
        return splashdown_geotiff.ByCrs("EPSG:32631")

    @pytest.fixture
    def assets(self):
        return ASSETS


@pytest.mark.parametrize("value", ["EPSG:32631", "epsg:32631", 32631, "32631", UTM, UTM.to_wkt(), ["EPSG:32631"]])
def test_a_system_is_recognised_however_it_is_written(value):
    assert kept(value) == ["code.tif", "epsg.tif", "projjson.tif", "wkt.tif", "item.tif"]


def test_several_systems_are_alternatives():
    assert kept(["EPSG:4326", 32631])[-1] == "other.tif"


@pytest.mark.parametrize("value", ["EPSG:0", "somewhere", 3.5, {}])
def test_what_is_no_system_is_one_line(value):
    with pytest.raises(OptionError, match="takes a system such as EPSG:32631") as caught:
        splashdown_geotiff.ByCrs(value)
    assert "\n" not in str(caught.value)


def test_it_is_a_keyword_of_select_and_says_why():
    item = stac_item(
        {
            "a.tif": {"href": "https://h.example/a.tif", "proj:code": "EPSG:32631"},
            "b.tif": {"href": "https://h.example/b.tif", "proj:code": "EPSG:4326"},
            "c.tif": {"href": "https://h.example/c.tif"},
        }
    )
    with make_session(splashdown_geotiff) as session:
        results = session.open(item).select(crs="EPSG:32631")
        assert [asset.key for asset in results] == ["a.tif"]
        reasons = [skipped.reason for skipped in results.plan("out").skipped]
    assert "EPSG:4326" in reasons[0]
    assert "names no CRS" in reasons[1]
