"""How many requests and bytes a read takes, over a real socket, and what happens when the network is bad."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from faults import Cut, IgnoreRange, Status, WrongRange
from raster_files import pixels, write_tiff

from splashdown.errors import LoadError, TransferError

NOISE = np.random.default_rng(0).integers(0, 60000, (1, 512, 512), "u2")
TILED = {"tiled": True, "blockxsize": 128, "blockysize": 128, "compress": "deflate"}
#: An incompressible tile of 128 x 128 pixels of two bytes.
TILE = 128 * 128 * 2


@pytest.fixture
def large(tmp_path):
    """0.7 MB: 16 tiles at full resolution, overviews of 1/2 and 1/4."""
    return write_tiff(
        tmp_path / "large.tif", NOISE, driver="COG", blocksize=128, compress="deflate", resampling="nearest"
    )


@pytest.fixture
def asset(server, large, results_of):
    server.add("/large.tif", large, media_type="image/tiff")
    return results_of(large=server.url + "/large.tif").get_asset("large")


def test_a_small_file_is_one_request(server, results_of, tmp_path):
    data = pixels(3, 58, 73, "i2")
    content = write_tiff(tmp_path / "small.tif", data, tiled=True, blockxsize=256, blockysize=256, compress="deflate")
    results = results_of(small=server.add("/small.tif", content))
    np.testing.assert_array_equal(results.get_asset().load_geotiff(), data)
    assert server.ranges("/small.tif") == ["bytes=0-65535"]
    assert server.sent() == len(content)


def test_a_result_as_openeo_writes_it_is_one_request_and_has_its_names(server, results_of, tmp_path):
    data = pixels(3, 58, 73, "i2")
    layout = {"tiled": True, "blockxsize": 256, "blockysize": 256, "interleave": "band"}
    names = {n: {"DESCRIPTION": name} for n, name in enumerate(("B04", "B03", "B02"), 1)}
    content = write_tiff(
        tmp_path / "x.tif", data, compress="deflate", predictor=2, nodata=-32768, band_tags=names, **layout
    )
    results = results_of(**{"openEO_2023-06-01Z.tif": server.add("/x.tif", content)})
    array = results.get_asset().load_geotiff(bands=["B02", "B04"])
    assert array.coords["band"].values.tolist() == ["B02", "B04"]
    np.testing.assert_array_equal(array, data[[2, 0]])
    assert server.ranges("/x.tif") == ["bytes=0-65535"]
    assert server.sent() == len(content)


def test_a_window_of_one_tile_is_two_requests(server, asset):
    array = asset.load_geotiff(window=(140, 270, 50, 60))
    np.testing.assert_array_equal(array, NOISE[:, 270:330, 140:190])
    assert len(server.seen) == 2
    assert server.sent() < 65536 + TILE * 1.05


def test_neighbouring_tiles_are_one_request(server, asset):
    array = asset.load_geotiff(window=(10, 270, 500, 60))
    np.testing.assert_array_equal(array, NOISE[:, 270:330, 10:510])
    assert len(server.seen) == 2


def test_an_overview_is_read_instead_of_the_full_resolution(server, asset):
    array = asset.load_geotiff(resolution=25)
    assert array.shape == (1, 256, 256)
    assert array.x.values[:2].tolist() == [500010.0, 500030.0]
    assert len(server.seen) == 2
    assert server.sent() < 65536 + 4 * TILE * 1.05


def test_a_full_read_asks_for_no_byte_twice(server, asset, large):
    np.testing.assert_array_equal(asset.load_geotiff(), NOISE)
    assert server.sent() < len(large)


def test_an_open_raster_asks_for_its_header_once(server, asset):
    raster = asset.open_geotiff()
    for row in (0, 128, 256):
        np.testing.assert_array_equal(raster.read(window=(0, row, 128, 128)), NOISE[:, row : row + 128, :128])
    assert server.ranges("/large.tif").count("bytes=0-65535") == 1
    assert len(server.seen) <= 4


def test_a_header_at_the_end_costs_one_request_more(server, results_of, tmp_path):
    content = write_tiff(tmp_path / "x.tif", NOISE, **TILED)
    # GDAL writes the header first; moving the directory to the end gives what other writers do.
    moved = _with_directory_at_the_end(content)
    results = results_of(x=server.add("/x.tif", moved))
    np.testing.assert_array_equal(results.get_asset().load_numpy(window=(300, 300, 50, 50)), NOISE[:, 300:350, 300:350])
    assert len(server.seen) == 3


def _with_directory_at_the_end(content):
    start = int.from_bytes(content[4:8], "little")
    size = 2 + 12 * int.from_bytes(content[start : start + 2], "little") + 4
    return content[:4] + len(content).to_bytes(4, "little") + content[8:] + content[start : start + size]


def test_a_server_without_ranges_is_read_once(server, results_of, large):
    results = results_of(x=server.add("/x.tif", large, ranges=False))
    raster = results.get_asset().open_geotiff()
    for row in (0, 300):
        np.testing.assert_array_equal(raster.read(window=(0, row, 128, 128)), NOISE[:, row : row + 128, :128])
    assert len(server.seen) == 2  # the first bytes, whose answer tells that there are no ranges, and the file


def test_a_server_that_ignores_the_second_range_is_read_whole(server, asset, large):
    server.script("/large.tif", None, IgnoreRange(), IgnoreRange(), IgnoreRange())
    np.testing.assert_array_equal(asset.load_geotiff(), NOISE)


def test_a_range_that_breaks_off_is_continued(server, asset):
    server.script("/large.tif", None, Cut(after=10_000))
    np.testing.assert_array_equal(asset.load_geotiff(window=(0, 128, 512, 128)), NOISE[:, 128:256])
    assert len(server.seen) == 3


def test_a_busy_server_is_asked_again(server, asset):
    server.script("/large.tif", Status(503, Retry_After="0"), None, Status(500))
    np.testing.assert_array_equal(asset.load_geotiff(window=(0, 128, 512, 128)), NOISE[:, 128:256])


def test_another_range_than_asked_for_never_becomes_pixels(server, asset):
    server.always("/large.tif", WrongRange())
    with pytest.raises((TransferError, LoadError)):
        asset.load_geotiff()


def test_no_head_request_is_ever_made(server, asset):
    asset.load_geotiff()
    assert {seen.method for seen in server.seen} == {"GET"}


def test_a_downloaded_file_is_read_from_its_copy(server, results_of, large, tmp_path):
    results = results_of(large=server.add("/large.tif", large))
    results.download_files(tmp_path / "out", include_stac_metadata=False)
    before = len(server.seen)
    np.testing.assert_array_equal(results.get_asset().load_geotiff(), NOISE)
    assert len(server.seen) == before


def test_a_copy_that_has_changed_is_not_trusted(server, results_of, large, tmp_path):
    results = results_of(large=server.add("/large.tif", large))
    (path,) = results.download_files(tmp_path / "out", include_stac_metadata=False)
    path.write_bytes(large[:-1000] + bytes(1000))
    before = len(server.seen)
    np.testing.assert_array_equal(results.get_asset().load_geotiff(), NOISE)
    assert len(server.seen) > before


def test_two_hundred_small_files_are_two_hundred_requests_over_few_connections(server, results_of, tmp_path):
    data = pixels(2, 30, 30, "i2")
    content = write_tiff(tmp_path / "x.tif", data, tiled=True, blockxsize=256, blockysize=256, compress="deflate")
    days = np.arange("2020-01-01", 200, dtype="datetime64[D]")
    hrefs = {f"openEO_{day}Z.tif": server.add(f"/{day}.tif", content) for day in days}
    array = results_of(**hrefs).load_geotiffs()
    assert array.sizes == {"t": 200, "band": 2, "y": 30, "x": 30}
    np.testing.assert_array_equal(array.t, days)
    assert len(server.seen) == 200


@pytest.fixture
def series(server, results_of, tmp_path):
    """Twelve files of 0.5 MB with their pixels, by date."""
    found = {}
    for number, day in enumerate(np.arange("2020-01-01", 12, dtype="datetime64[D]")):
        data = np.roll(NOISE, 7 * number)
        content = write_tiff(tmp_path / "x.tif", data, **TILED)
        found[f"openEO_{day}Z.tif"] = server.add(f"/{day}.tif", content, media_type="image/tiff"), data
    results = results_of(**{key: href for key, (href, _) in found.items()})
    return results, np.stack([data for _, data in found.values()])


def test_a_lazy_series_reads_headers_now_and_tiles_when_they_are_computed(server, series):
    results, expected = series
    lazy = results.load_geotiffs(chunks={})
    assert lazy.shape == (12, 1, 512, 512)
    assert len(server.seen) == 12
    assert {seen.range for seen in server.seen} == {"bytes=0-65535"}
    lazy.mean(["y", "x"])
    assert len(server.seen) == 12
    part = lazy[4, :, 140:200, 130:250].compute()
    np.testing.assert_array_equal(part, expected[4, :, 140:200, 130:250])
    assert [seen.path for seen in server.seen[12:]] == ["/2020-01-05.tif"]
    assert server.sent() < 12 * 65536 + TILE * 1.05


def test_a_lazy_series_computed_whole_is_one_request_a_file_more(server, series):
    results, expected = series
    np.testing.assert_array_equal(results.load(chunks={}).compute(), expected)
    assert len(server.seen) == 24
    # The tile that the first 64 KiB end in is asked for again.
    assert server.sent() < expected.nbytes + 12 * TILE * 1.05


def test_the_headers_of_a_lazy_series_are_read_side_by_side(server, series):
    results, _ = series
    everybody = threading.Barrier(12)

    def together(handler, answer):
        everybody.wait(60)
        handler.send(answer)

    for seen in range(1, 13):
        server.script(f"/2020-01-{seen:02}.tif", together)
    assert results.load_geotiffs(chunks={}, jobs=12).sizes["t"] == 12
    assert not everybody.broken


def test_the_loader_is_found_by_media_type_ending_and_first_bytes(server, results_of, large):
    for media_type, path in (("image/tiff", "/a"), (None, "/b.tif"), ("application/octet-stream", "/c")):
        results = results_of(media_type=media_type, x=server.add(path, large))
        np.testing.assert_array_equal(results.load(), NOISE)


class Bearer:
    """A signer whose token is renewed for every attempt."""

    def __init__(self):
        self.calls = 0

    def sign(self, href):
        self.calls += 1
        return href, {"Authorization": "Bearer t"}


def test_every_range_is_signed(server, results_of, large):
    href = server.add("/x.tif", large, needs={"Authorization": "Bearer t"})
    signer = Bearer()
    array = results_of(x=href, signer=signer).load(window=(140, 270, 50, 60))
    np.testing.assert_array_equal(array, NOISE[:, 270:330, 140:190])
    assert signer.calls == len(server.seen) == 2
