"""The built-in filters keep the contract that every outside filter keeps."""

import datetime as dt

import pytest

from splashdown.builtins.filters import splashdown_filters
from splashdown.testing import FilterContract, make_asset

SPECS = {spec.name: spec for spec in splashdown_filters()}
WEST = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}
EAST = {"type": "Polygon", "coordinates": [[[9, 9], [10, 9], [10, 10], [9, 10], [9, 9]]]}

#: A value for each filter that keeps some of the assets and drops others.
VALUES = {
    "keys": "*.tif",
    "exclude": "*.tif",
    "regex": r"^[ab]\.",
    "types": "image/tiff",
    "roles": "data",
    "items": "one",
    "collections": "left",
    "datetime": "2024-01-01/2024-01-31",
    "bbox": (0, 0, 2, 2),
    "geometry": WEST,
    "min_size": 100,
    "max_size": 100,
    "bands": "B04",
    "cql2": "eo:cloud_cover < 20",
    "latest_per": "key",
    "one_per": "item",
}


class TestBuiltInFilters(FilterContract):
    @pytest.fixture(params=sorted(SPECS))
    def chosen(self, request):
        return SPECS[request.param].create(VALUES[request.param])

    @pytest.fixture
    def assets(self):
        return [
            asset("a.tif", "one", size=10, media_type="image/tiff", roles=("data",), bands=["B04"]),
            asset("b.json", "one", size=20, media_type="application/json", roles=("metadata",)),
            asset("a.tif", "two", size=1000, media_type="image/tiff; application=geotiff", roles=("data",)),
            asset("c.png", "two", size=5000, media_type="image/png", roles=("thumbnail",)),
        ]


def asset(key, item, *, bands=(), **fields):
    first = item == "one"
    moment = dt.datetime(2024, 1 if first else 2, 15, tzinfo=dt.UTC)
    return make_asset(
        key,
        item=item,
        collection="left" if first else "right",
        start=moment,
        end=moment,
        bbox=(0.0, 0.0, 1.0, 1.0) if first else (9.0, 9.0, 10.0, 10.0),
        geometry=WEST if first else EAST,
        metadata={"bands": [{"name": name} for name in bands]},
        properties={"eo:cloud_cover": 10 if first else 90},
        **fields,
    )
