"""Items of a large search take little memory, and say what they said before."""

import copy
import json
import pickle
import subprocess
import sys
import zlib
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_api import Answer, scripted_api

import splashdown
from splashdown._series.documents import Documents, View

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=50)
@given(st.lists(st.dictionaries(st.text(), VALUES, max_size=4), max_size=200), st.data())
def test_objects_come_out_as_they_went_in(objects, data):
    packed = Documents()
    for each in copy.deepcopy(objects):
        packed.append(each)
    assert len(packed) == len(objects)
    assert list(packed) == objects
    if objects:
        at = data.draw(st.integers(-len(objects), len(objects) - 1))
        assert packed[at] == objects[at]
        assert packed[at:] == objects[at:]
    with pytest.raises(IndexError):
        packed[len(objects)]


def test_a_view_is_a_mapping_and_travels_as_a_plain_dict():
    packed = Documents()
    for n in range(100):
        packed.append({"properties": {"n": n}})
    view = View(packed, 3, ("properties",))
    assert view == {"n": 3}
    assert (len(view), list(view), view.get("m"), repr(view)) == (1, ["n"], None, "{'n': 3}")
    for other in (pickle.loads(pickle.dumps(view)), copy.deepcopy(view)):
        assert type(other) is dict
        assert other == {"n": 3}


def item(n):
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": f"S2A_MSIL2A_20240506_{n:06d}",
        "collection": "sentinel-2-l2a",
        "geometry": {"type": "Polygon", "coordinates": [[[n % 90, 1], [n % 90 + 1, 1], [n % 90, 2], [n % 90, 1]]]},
        "bbox": [n % 90, 1, n % 90 + 1, 2],
        "properties": {"datetime": "2024-05-06T10:11:12Z", "eo:cloud_cover": n % 100, "platform": "sentinel-2a"},
        "links": [{"rel": "self", "href": f"https://api.example/collections/s2/items/{n:06d}"}],
        "assets": {
            "B04": {
                "href": f"https://files.example/sentinel-2/31/U/FS/2024/5/{n:06d}/B04.tif",
                "type": "image/tiff; application=geotiff; profile=cloud-optimized",
                "roles": ["data"],
                "file:size": 1000 + n,
            }
        },
    }


def test_assets_of_packed_items_say_all_that_their_items_said(tmp_path):
    features = [item(n) for n in range(150)]
    path = tmp_path / "items.json"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    results = splashdown.open(path)
    assert results.get_metadata() == {"type": "FeatureCollection", "features": features}
    for n, asset in enumerate(results):
        assert asset.metadata == features[n]["assets"]["B04"]
        assert asset.asset.properties == features[n]["properties"]
        assert asset.asset.geometry == features[n]["geometry"]
    assert len(results.select(cql2="eo:cloud_cover < 20 AND S_INTERSECTS(geometry, POINT(5.5 1.2))")) == 1
    again = pickle.loads(pickle.dumps(results.assets[70]))
    assert again == results.assets[70]


def test_an_item_that_comes_twice_is_listed_and_saved_once(tmp_path):
    path = tmp_path / "items.json"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [item(1), item(2), item(1)]}))
    results = splashdown.open(path)
    assert len(results) == len(results.result_set.items) == 2


MEASURE = """
import re, sys, splashdown
results = splashdown.open(sys.argv[1], page_size=1000)
assert len(results) == 100_000, len(results)
assert len(results.select(datetime="2024-05", types="image/tiff", keys="B0*")) == 100_000
# Not ru_maxrss: that counts what the tests had when they started this.
print(int(re.search(r"VmHWM:\\s*([0-9]+) kB", open("/proc/self/status").read())[1]) / 2**10)
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_search_of_a_hundred_thousand_items_takes_less_than_200_mb():
    page = 1000

    def answer(asked):
        start = int(asked.path.rpartition("token=")[2] or 0) if "token=" in asked.path else 0
        links = [{"rel": "next", "href": f"{api.url}/search?limit={page}&token={start + page}"}]
        features = [item(n) for n in range(start, start + page)]
        return Answer(
            {"type": "FeatureCollection", "features": features, "links": links if start + page < 100_000 else []}
        )

    with scripted_api() as api:
        api.script["/search"] = answer
        command = [sys.executable, "-c", MEASURE, f"{api.url}/search"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 200, f"{done.stdout} MB"


def test_sorting_decodes_each_block_a_few_times_only(monkeypatch):
    items = ({**item(n), "assets": {"a": {"href": f"/{n}.tif", "file:size": n * 7919 % 5000}}} for n in range(5000))
    results = splashdown.open({"type": "FeatureCollection", "features": list(items)})
    decoded = []

    def decompress(data):
        decoded.append(data)
        return zlib.decompress(data)

    monkeypatch.setattr(
        "splashdown._series.blocks.zlib", SimpleNamespace(compress=zlib.compress, decompress=decompress)
    )
    for reverse in (False, True):
        found = results.sorted_by("size", reverse=reverse)
        assert [asset.size for asset in found] == sorted((n * 7919 % 5000 for n in range(5000)), reverse=reverse)
        assert found.assets[7].metadata["file:size"] == found.assets[7].size
    assert len(decoded) < 3 * 2 * 3 * 5000 / 64
