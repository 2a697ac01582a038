"""What is read for what a user asks: boxes, windows, levels, bands; and what is said when that makes no sense."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
import rasterio.warp
import rasterio.windows
import rioxarray
from hypothesis import given, settings
from hypothesis import strategies as st
from raster_files import pixels, write_tiff
from splashdown_geotiff import load_geotiff, load_numpy, open_geotiff
from splashdown_geotiff._plan import CONNECTIONS, GAP, LARGEST, SMALLEST, Segment, merge

from splashdown.errors import LoadError, OptionError
from splashdown.testing import MemoryHandle, make_asset

DATA = pixels(2, 200, 300, "i2")
#: The file: 300 x 200 pixels of 10 m, overviews of 20 and 40 m.
LEFT, TOP = 500000, 5600000


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("select") / "x.tif"
    write_tiff(path, DATA, descriptions=["red", "nir"], overviews=(2, 4), tiled=True, blockxsize=64, blockysize=64)
    return path


@pytest.fixture
def handle(written):
    return MemoryHandle(written.read_bytes(), make_asset("x.tif"))


def test_a_box_on_the_pixels_edges_takes_exactly_those(handle, written):
    box = (LEFT + 100, TOP - 500, LEFT + 700, TOP - 200)
    array = load_geotiff(handle, bbox=box)
    assert array.rio.bounds() == box
    np.testing.assert_array_equal(array, rioxarray.open_rasterio(written).rio.clip_box(*box))


def test_a_box_takes_every_pixel_that_it_touches(handle):
    array = load_geotiff(handle, bbox=(LEFT + 101, TOP - 499, LEFT + 699, TOP - 201))
    np.testing.assert_array_equal(array, DATA[:, 20:50, 10:70])


def test_a_point_takes_the_pixel_that_it_is_in(handle):
    array = load_geotiff(handle, bbox=(LEFT + 105, TOP - 205, LEFT + 105, TOP - 205))
    np.testing.assert_array_equal(array, DATA[:, 20:21, 10:11])


def test_a_box_that_sticks_out_is_cut(handle):
    array = load_geotiff(handle, bbox=(LEFT - 1000, TOP - 55, LEFT + 55, TOP + 1000))
    np.testing.assert_array_equal(array, DATA[:, :6, :6])


def test_a_box_in_degrees_covers_what_rasterio_says_it_covers(handle, written):
    box = (3.005, 50.536, 3.02, 50.545)
    with rasterio.open(written) as file:
        expected = rasterio.warp.transform_bounds("EPSG:4326", file.crs, *box)
    for crs in ("EPSG:4326", 4326, "OGC:CRS84"):
        array = load_geotiff(handle, bbox=box, bbox_crs=crs)
        west, south, east, north = array.rio.bounds()
        assert west <= expected[0] < west + 10
        assert east - 10 < expected[2] <= east
        assert south <= expected[1] < south + 10
        assert north - 10 < expected[3] <= north


@settings(max_examples=60)
@given(
    st.tuples(st.integers(0, 299), st.integers(0, 199)).flatmap(
        lambda at: st.tuples(st.just(at[0]), st.just(at[1]), st.integers(1, 300 - at[0]), st.integers(1, 200 - at[1]))
    ),
    st.sampled_from([None, 1, 2, [2, 1]]),
)
def test_any_window_of_any_bands_is_that_part_of_the_whole(written, window, bands):
    handle = MemoryHandle(written.read_bytes(), make_asset("x.tif"))
    column, row, width, height = window
    numbers = [0, 1] if bands is None else [b - 1 for b in (bands if isinstance(bands, list) else [bands])]
    got = load_numpy(handle, window=window, bands=bands)
    np.testing.assert_array_equal(got, DATA[numbers, row : row + height, column : column + width])


@pytest.mark.parametrize(("level", "factor"), [(0, 2), (1, 4)])
def test_an_overview_is_the_one_that_rasterio_opens(handle, written, level, factor):
    array = load_geotiff(handle, overview=level)
    with rasterio.open(written, overview_level=level) as file:
        np.testing.assert_array_equal(array, file.read())
        assert array.rio.transform() == file.transform
    np.testing.assert_array_equal(load_geotiff(handle, resolution=10 * factor), array)


@pytest.mark.parametrize(
    ("resolution", "pixel"), [(1, 10), (10, 10), (19.9, 10), (20, 20), (39, 20), (40, 40), (1000, 40)]
)
def test_a_resolution_takes_the_coarsest_level_that_is_fine_enough(handle, resolution, pixel):
    assert load_geotiff(handle, resolution=resolution).rio.resolution() == (pixel, -pixel)


def test_a_box_at_a_coarser_resolution_is_the_same_area(handle):
    box = (LEFT + 400, TOP - 800, LEFT + 1200, TOP - 400)
    assert load_geotiff(handle, bbox=box, resolution=40).rio.bounds() == box


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"bands": "re"}, OptionError, "did you mean 'red'"),
        ({"bands": "swir22"}, OptionError, "there are red, nir"),
        ({"bands": 3}, OptionError, "no band 3"),
        ({"bands": 0}, OptionError, "no band 0"),
        ({"bands": []}, OptionError, "each wanted band once"),
        ({"bands": ["red", 1]}, OptionError, "each wanted band once"),
        ({"window": (0, 0, 301, 10)}, OptionError, "300 x 200"),
        ({"window": (-1, 0, 10, 10)}, OptionError, "300 x 200"),
        ({"window": (0, 0, 0, 10)}, OptionError, "300 x 200"),
        ({"window": (0, 0, 10)}, OptionError, "column, row, width, height"),
        ({"window": (0, 0, 10, 10), "bbox": (0, 0, 1, 1)}, OptionError, "exclude"),
        ({"overview": 2}, OptionError, "2 overviews"),
        ({"overview": -1}, OptionError, "2 overviews"),
        ({"overview": 0, "resolution": 20}, OptionError, "exclude"),
        ({"resolution": 0}, OptionError, "size of pixels"),
        ({"bbox": (1, 2, 3)}, OptionError, "west, south, east, north"),
        ({"bbox": (3, 0, 1, 1)}, OptionError, "west has to be below east"),
        ({"bbox": (0, float("nan"), 1, 1)}, OptionError, "west has to be below east"),
        ({"bbox": (0, 0, 1, 1)}, LoadError, r'does not touch the raster.*in EPSG:32631; .*bbox_crs="EPSG:4326"'),
        ({"bbox": (0, 0, 1e6, 1)}, LoadError, r"in EPSG:32631$"),
        ({"bbox": (9, 9, 10, 10), "bbox_crs": "EPSG:4326"}, LoadError, r"spans \(3\.0.*, 50\..*\) in EPSG:4326$"),
        ({"bbox": (0, 0, 1, 1), "bbox_crs": "EPSG:0"}, OptionError, "not a coordinate reference system"),
        ({"engine": "gdl"}, OptionError, "'auto', 'native' and 'gdal'"),
        ({"bbox_crs": "EPSG:4326"}, OptionError, "pass that, too"),
        ({"bands": "9"}, OptionError, "no band '9'"),
        ({"chunks": {"z": 1}}, OptionError, "no dimension 'z'"),
    ],
)
def test_what_makes_no_sense_says_why(handle, options, error, match):
    with pytest.raises(error, match=match):
        load_geotiff(handle, **options)


def test_two_bands_of_one_name_are_named_by_number(tmp_path):
    content = write_tiff(tmp_path / "x.tif", DATA, descriptions=["a", "a"])
    handle = MemoryHandle(content, make_asset("x.tif"))
    with pytest.raises(OptionError, match="more than once"):
        load_geotiff(handle, bands="a")
    np.testing.assert_array_equal(load_geotiff(handle, bands=2)[0], DATA[1])


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_raster_without_a_place_says_so(tmp_path):
    content = write_tiff(tmp_path / "x.tif", DATA, crs=None, transform=None)
    raster = open_geotiff(MemoryHandle(content, make_asset("x.tif")))
    with pytest.raises(OptionError, match="pass window="):
        raster.read(bbox=(0, 0, 1, 1))
    with pytest.raises(OptionError, match="pass overview="):
        raster.read(resolution=10)


def segments(sizes_and_gaps):
    found, at = [], 16
    for size, gap in sizes_and_gaps:
        found.append(Segment(at, at + size, 0, 0, None))
        at += size + gap
    return found


@given(st.lists(st.tuples(st.integers(1, 3 * SMALLEST), st.integers(0, 3 * GAP)), max_size=60), st.randoms())
def test_requests_hold_every_segment_once_and_stay_in_bounds(sizes, shuffler):
    wanted = segments(sizes)
    shuffler.shuffle(wanted)
    requests = merge(wanted)
    held = [segment for request in requests for segment in request.segments]
    assert sorted(held, key=lambda s: s.start) == sorted(wanted, key=lambda s: s.start)
    for request in requests:
        assert request.start == min(s.start for s in request.segments)
        assert request.stop == max(s.stop for s in request.segments)
        assert request.stop - request.start <= LARGEST or len(request.segments) == 1
        gaps = request.stop - request.start - sum(s.stop - s.start for s in request.segments)
        assert gaps <= GAP * (len(request.segments) - 1)


@pytest.mark.parametrize(("count", "requests"), [(1, 1), (22, 1), (39, 1), (41, 2), (161, CONNECTIONS), (8000, 100)])
def test_a_run_is_spread_over_connections_as_far_as_each_gets_its_share(count, requests):
    # Segments of 100 KiB in a row: 20 of them are worth a connection, and 81 are too many for one request.
    assert len(merge(segments([(SMALLEST // 20, 0)] * count))) == requests


def test_segments_that_overlap_are_read_once():
    shared = [Segment(100, 200, n, 0, None) for n in range(1000)]
    (request,) = merge(shared)
    assert (request.start, request.stop) == (100, 200)
