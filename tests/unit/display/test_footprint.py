"""Maps of footprints: whatever a document says of places, the drawing is one and stays in its frame."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splashdown._display.footprint import MOST_SHAPES, footprint

SQUARE = {"type": "Polygon", "coordinates": [[[3, 50], [4, 50], [4, 51], [3, 51], [3, 50]]]}


def drawn(html):
    """Width and height of the drawing, and the points of each shape."""
    root = ET.fromstring(html)
    paths = [path.get("d") for path in root.findall("g")[-1]]
    points = [[tuple(map(float, p.split())) for p in re.split("[MLZ]+", d) if p] for d in paths]
    return float(root.get("width")), float(root.get("height")), points


def test_a_polygon_is_drawn_in_its_own_form():
    slanted = {"type": "Polygon", "coordinates": [[[3, 50], [4, 50.5], [4, 51], [3, 50]]]}
    _, _, (points,) = drawn(footprint([((3, 50, 4, 51), slanted)]))
    assert len(points) == 4
    assert len({y for _, y in points}) == 3


def test_a_box_stands_in_for_a_geometry_that_is_not_a_polygon():
    for geometry in (None, {"type": "Point", "coordinates": [3, 50]}, {"type": "Polygon", "coordinates": "all"}):
        assert len(drawn(footprint([((3, 50, 4, 51), geometry)]))[2][0]) == 4


def test_nothing_is_drawn_where_no_place_is_known():
    assert footprint([(None, None), (None, {"type": "Point"})]) == ""


def test_a_box_over_the_antimeridian_is_narrow():
    _, _, (points,) = drawn(footprint([((179.0, -18.0, -179.0, -16.0), None)]))
    assert "182" not in footprint([((179.0, -18.0, -179.0, -16.0), None)]).partition("viewBox")[0]
    xs = [x for x, _ in points]
    assert 0 < min(xs) < max(xs) < 280
    assert "179\N{DEGREE SIGN}W" in footprint([((179.0, -18.0, -179.0, -16.0), None)])


def test_a_polygon_that_is_cut_at_the_antimeridian_is_drawn_as_one():
    def part(*corners):
        return [[list(corner) for corner in corners]]

    east = part((179, 0), (180, 0), (180, 1), (179, 1))
    west = part((-180, 0), (-179, 0), (-179, 1), (-180, 1))
    _, _, (points,) = drawn(footprint([(None, {"type": "MultiPolygon", "coordinates": [east, west]})]))
    xs = sorted({x for x, _ in points})
    assert len(xs) == 3
    assert xs[2] - xs[1] == pytest.approx(xs[1] - xs[0], abs=0.2)


def test_very_many_footprints_are_drawn_in_part():
    boxes = [((float(n % 300), 0.0, n % 300 + 1.0, 1.0), None) for n in range(5000)]
    shapes = drawn(footprint(boxes))[2]
    assert MOST_SHAPES / 2 < len(shapes) <= MOST_SHAPES
    xs = [x for points in shapes for x, _ in points]
    assert min(xs) < 60
    assert max(xs) > 220


NUMBERS = st.one_of(st.floats(-200, 200), st.integers(-100, 100), st.floats(), st.integers(), st.none(), st.text())
POINTS = st.lists(st.lists(NUMBERS, max_size=3), max_size=6)
GEOMETRIES = st.fixed_dictionaries(
    {"type": st.sampled_from(["Polygon", "MultiPolygon", "x"]), "coordinates": st.lists(st.lists(POINTS, max_size=2))}
)


@given(st.lists(st.tuples(st.none() | st.tuples(*[NUMBERS] * 4), st.none() | GEOMETRIES), max_size=4))
def test_whatever_a_document_says_the_drawing_is_whole(places):
    html = footprint(places)
    if html:
        width, height, shapes = drawn(html)
        assert width == 280
        assert 60 <= height <= 210
        assert all(-1 <= x <= width + 1 and -1 <= y <= height + 1 for points in shapes for x, y in points)
