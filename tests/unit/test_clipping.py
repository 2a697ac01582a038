"""Areas: what users may write, and which boxes they meet."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splashdown.clipping import Area, area_of, rectangle
from splashdown.errors import OptionError

POLYGON = {"type": "Polygon", "coordinates": [[[3, 50], [5, 50, 12.5], [4, 51], [3, 50]]]}


@pytest.mark.parametrize(
    "bbox", [(3, 50, 5, 51), [3, 50, 0, 5, 51, 9], "3,50,5,51", " 3, 50 ,5.0,51"], ids=["tuple", "3d", "text", "spaces"]
)
def test_a_box_is_four_or_six_numbers_or_a_string_of_them(bbox):
    assert area_of(bbox).bbox == (3, 50, 5, 51)


class Shape:
    __geo_interface__ = POLYGON


@pytest.mark.parametrize(
    "geometry",
    [
        POLYGON,
        json.dumps(POLYGON),
        {"type": "Feature", "geometry": POLYGON},
        {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": POLYGON}]},
        {"type": "GeometryCollection", "geometries": [POLYGON, {"type": "Point", "coordinates": [4, 50.5]}]},
        Shape(),
    ],
)
def test_a_geometry_stands_for_the_box_around_it(geometry):
    assert area_of(geometry=geometry).bbox == (3, 50, 5, 51)


@pytest.mark.parametrize(
    "wrong",
    ["", "3,50,5", "a,b,c,d", (5, 51, 3, 50), (3, 50, float("nan"), 51), (3, 50, 5, 91), 7, None, "3,50,5,1e999"],
)
def test_what_is_not_a_box_is_refused(wrong):
    with pytest.raises(OptionError, match="bbox"):
        area_of(wrong)


@pytest.mark.parametrize("wrong", [{}, "{", "[]", {"type": "Point", "coordinates": ["a", "b"]}, 7, "[" * 100_000])
def test_what_is_not_a_geometry_is_refused(wrong):
    with pytest.raises(OptionError, match="GeoJSON"):
        area_of(geometry=wrong)


def test_a_box_and_a_geometry_exclude_each_other():
    with pytest.raises(OptionError, match="pass one"):
        area_of((3, 50, 5, 51), POLYGON)


def test_a_box_across_the_antimeridian_meets_both_of_its_sides():
    area = area_of((170, -10, -170, 10))
    assert area.meets((175, 0, 176, 1))
    assert area.meets((-175, 0, 0, -174, 1, 0))
    assert area.meets((179, 0, -179, 1))
    assert not area.meets((0, 0, 10, 1))
    assert rectangle(area.bbox)["type"] == "MultiPolygon"


west_east = st.tuples(st.floats(-180, 180), st.floats(-180, 180)).map(sorted)
south_north = st.tuples(st.floats(-90, 90), st.floats(-90, 90)).map(sorted)
boxes = st.tuples(west_east, south_north).map(lambda b: (b[0][0], b[1][0], b[0][1], b[1][1]))


@given(boxes, boxes)
def test_two_boxes_meet_each_other_or_neither(one, other):
    assert Area(bbox=one).meets(other) == Area(bbox=other).meets(one)
    assert Area(bbox=one).meets(one)
    shared = max(one[0], other[0]) <= min(one[2], other[2]) and max(one[1], other[1]) <= min(one[3], other[3])
    assert Area(bbox=one).meets(other) == shared
