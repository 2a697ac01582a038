"""Filters choose assets by what their metadata says, and tell why one was dropped."""

import datetime as dt

import pytest

import splashdown
from splashdown.errors import OptionError
from splashdown.model import Asset, ResultSet
from splashdown.results import JobResults


def when(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def asset(key, item=None, day=None, **fields):
    moment = when(day) if day else None
    return Asset(key=key, href=f"https://h/{key}", item=item, start=moment, end=moment, **fields)


ASSETS = [
    asset(
        "B04",
        "a",
        "2024-05-06T10:00",
        media_type="image/tiff; application=geotiff; profile=cloud-optimized",
        roles=("data",),
        size=5_000_000,
        bbox=(0, 0, 10, 10),
        geometry={"type": "Polygon", "coordinates": [[[0, 0], [10, 0], [0, 10], [0, 0]]]},
        collection="s2-l2a",
        properties={"eo:cloud_cover": 5, "grid:code": "T31"},
        metadata={"eo:bands": [{"name": "B04", "common_name": "red"}]},
    ),
    asset(
        "B04",
        "b",
        "2024-06-06T10:00",
        media_type="image/tiff",
        roles=("data", "reflectance"),
        size=100,
        bbox=(170, 0, -170, 10),
        collection="s2-l2a",
        properties={"eo:cloud_cover": 80, "grid:code": "T31"},
        metadata={"bands": [{"name": "B8A", "eo:common_name": "nir08"}]},
    ),
    asset(
        "thumb.png",
        "b",
        "2024-06-06T10:00",
        media_type="image/PNG",
        roles=("thumbnail",),
        properties={"grid:code": "T31"},
    ),
    asset("notes.txt"),
]
LABELS = ["a/B04", "b/B04", "b/thumb.png", "notes.txt"]


def chosen(**filters):
    results = JobResults(
        splashdown.Session(discover=False), ResultSet(id="x", kind="items", assets=tuple(ASSETS), document={})
    ).select(**filters)
    dropped = {s.asset.label for s in results.skipped}
    kept = [a.label for a in results.assets]
    assert dropped == set(LABELS) - set(kept), "every dropped asset is explained"
    assert all(s.reason.startswith("dropped by the filter") and ": " in s.reason for s in results.skipped)
    return kept


@pytest.mark.parametrize(
    ("filters", "kept"),
    [
        ({"keys": "*.png"}, ["b/thumb.png"]),
        ({"keys": "b/*"}, ["b/B04", "b/thumb.png"]),
        ({"keys": ["a/*", "notes.*"]}, ["a/B04", "notes.txt"]),
        ({"exclude": ["B0?", "*.txt"]}, ["b/thumb.png"]),
        ({"regex": r"^B\d+$"}, ["a/B04", "b/B04"]),
        ({"types": "image/tiff"}, ["a/B04", "b/B04"]),
        ({"types": "image/*"}, ["a/B04", "b/B04", "b/thumb.png"]),
        ({"types": ["image/png; x=y"]}, ["b/thumb.png"]),
        ({"roles": ["thumbnail", "reflectance"]}, ["b/B04", "b/thumb.png"]),
        ({"items": "b"}, ["b/B04", "b/thumb.png"]),
        ({"collections": "s2-*"}, ["a/B04", "b/B04"]),
        ({"datetime": "2024-05-01/2024-05-31"}, ["a/B04"]),
        ({"datetime": "../2024-05-06"}, ["a/B04"]),
        ({"datetime": "2024-06/.."}, ["b/B04", "b/thumb.png"]),
        ({"datetime": "2024-06-06"}, ["b/B04", "b/thumb.png"]),
        ({"datetime": "2024-05-06T10:00:00Z"}, ["a/B04"]),
        ({"datetime": "2024"}, ["a/B04", "b/B04", "b/thumb.png"]),
        ({"bbox": "9,9,20,20"}, ["a/B04"]),
        ({"bbox": (-175, 5, -174, 6)}, ["b/B04"]),
        ({"bbox": [179, 5, -179, 6]}, ["b/B04"]),
        ({"min_size": 101}, ["a/B04"]),
        ({"max_size": "1kB"}, ["b/B04"]),
        ({"min_size": "4.7 MiB"}, ["a/B04"]),
        ({"bands": "red"}, ["a/B04"]),
        ({"bands": ["nir*", "zzz"]}, ["b/B04"]),
        ({"cql2": "eo:cloud_cover < 20"}, ["a/B04"]),
        ({"cql2": "eo:cloud_cover > 20 AND grid:code = 'T31'"}, ["b/B04"]),
        ({"geometry": "POINT (1 1)"}, ["a/B04"]),
        ({"geometry": {"type": "Point", "coordinates": [9, 9]}}, []),
        ({"latest_per": "grid:code"}, ["b/B04", "b/thumb.png", "notes.txt"]),
        ({"one_per": "key"}, ["a/B04", "b/thumb.png", "notes.txt"]),
        ({"one_per": ["key", "item"]}, LABELS),
        ({"keys": "B04", "max_size": 200}, ["b/B04"]),
    ],
)
def test_a_filter_keeps_what_its_value_says(filters, kept):
    assert chosen(**filters) == kept


@pytest.mark.parametrize(
    "filters",
    [
        {"keys": 3},
        {"regex": "("},
        {"datetime": "yesterday"},
        {"datetime": "2024-02-30"},
        {"datetime": "../.."},
        {"datetime": "2024/2023"},
        {"bbox": "1,2,3"},
        {"bbox": "0,10,5,0"},
        {"min_size": "big"},
        {"cql2": "nope <<< 3"},
        {"geometry": "POINT (1"},
        {"latest_per": "no:such"},
    ],
)
def test_a_value_without_sense_is_refused(filters):
    with pytest.raises(OptionError) as caught:
        chosen(**filters)
    assert "\n" not in str(caught.value).strip()


def test_a_reason_is_in_the_words_of_the_filter():
    results = JobResults(
        splashdown.Session(discover=False), ResultSet(id="x", kind="items", assets=tuple(ASSETS), document={})
    )
    skipped = {s.asset.label: s.reason for s in results.select(types="image/png", latest_per="item").skipped}
    assert skipped["b/B04"] == "dropped by the filter types='image/png': its media type image/tiff is none of image/png"


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (["--where", "bands=B04"], {"openEO_2023-06-01Z.tif", "openEO_2023-06-11Z.tif"}),
        (["--where", "keys=*01Z.tif", "--where", "keys=*.json"], {"openEO_2023-06-01Z.tif", "timeseries.json"}),
        (["--include", "*01Z.tif", "--where", "keys=*.json"], {"openEO_2023-06-01Z.tif", "timeseries.json"}),
        (["--filter", "file:size > 37000"], {"openEO_2023-06-01Z.tif"}),
        (["--type", "image/tiff", "--latest-per", "collection"], {"openEO_2023-06-11Z.tif"}),
    ],
)
def test_filters_of_the_command_line_are_those_of_the_library(options, kept, tmp_path, capsys):
    import json

    from splashdown._cli.main import main
    from splashdown._demo import documents

    path = tmp_path / "c.json"
    path.write_text(json.dumps({**documents.results("https://h.example", Nowhere()), "links": []}))
    assert main(["ls", str(path), "--json", *options]) == 0
    assert {entry["key"] for entry in json.loads(capsys.readouterr().out)} == kept


class Nowhere:
    def path(self, kind, name):
        return f"{kind}/{name}"
