"""What users write for time and place means the same as what other libraries understand."""

import datetime as dt

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from splashdown.builtins.filters import values
from splashdown.builtins.filters.each import boxes_meet, spans
from splashdown.errors import OptionError

LONGITUDES, LATITUDES = st.integers(-180, 180), st.integers(-90, 90)
BOXES = st.tuples(LONGITUDES, LATITUDES, LONGITUDES, LATITUDES).map(lambda b: (b[0], min(b[1::2]), b[2], max(b[1::2])))
# Shapes of no area are no valid polygons; no box ends at the antimeridian, which is two lines on the plane.
SOLID = BOXES.filter(lambda b: b[1] < b[3] and b[0] != b[2] and not {b[0], b[2]} & {-180, 180})
MOMENTS = st.integers(0, 3_000_000 * 86_400).map(
    lambda s: dt.datetime(1000, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=s)
)


def shape(box):
    return shapely.union_all([shapely.box(west, box[1], east, box[3]) for west, east in spans(box)])


@given(SOLID, SOLID)
def test_boxes_meet_where_their_shapes_do_also_across_the_antimeridian(one, other):
    assert boxes_meet(one, other) == shapely.intersects(shape(one), shape(other)) == boxes_meet(other, one)


@given(BOXES)
def test_a_box_is_the_same_as_text_as_numbers_and_with_heights(box):
    west, south, east, north = box
    assert values.box(f"{west}, {south},{east},{north}") == values.box(box) == values.box([*box[:2], 0, *box[2:], 9])


@given(st.tuples(MOMENTS, MOMENTS).map(sorted))
def test_an_interval_is_read_back_as_it_was_written(ends):
    start, end = ends
    assert values.interval(f"{start.isoformat()}/{end.isoformat()}") == (start, end) == values.interval((start, end))
    assert values.interval(f"../{end.isoformat()}") == (None, end)
    assert values.interval(f"{start.isoformat()}/..") == (start, None)


@given(MOMENTS)
def test_a_day_a_month_and_a_year_hold_every_moment_of_theirs(moment):
    year = f"{moment.year:04d}"
    for text in (year, f"{year}-{moment:%m}", f"{year}-{moment:%m-%d}"):
        start, end = values.interval(text)
        assert start <= moment <= end


@pytest.mark.parametrize(
    ("box", "said"),
    [
        ("641000,5674000,642000,5675000", "takes degrees"),
        ("4,60,6,52", "south lies north of north"),
        ("nan,1,2,3", "takes four numbers"),
    ],
)
def test_a_box_that_cannot_be_meant_says_what_is_wrong(box, said):
    with pytest.raises(OptionError, match=said):
        values.box(box)


def test_an_interval_that_ends_before_it_begins_says_so():
    with pytest.raises(OptionError, match="ends before it begins"):
        values.interval("2023-12-31/2022-01-01")
