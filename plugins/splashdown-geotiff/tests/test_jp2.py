"""JP2 files, written by GDAL and compared with what GDAL reads."""

from __future__ import annotations

import struct
from contextlib import suppress

import numpy as np
import pytest
import rasterio
import splashdown_geotiff
from rasterio.windows import Window
from splashdown_geotiff import load_geotiff, load_numpy, open_geotiff

from splashdown.errors import LoadError
from splashdown.testing import LoaderContract, MemoryHandle, make_asset

PROFILE = {"crs": "EPSG:32631", "transform": rasterio.Affine(10, 0, 600000, 0, -10, 5700000)}
LOSSLESS = {"QUALITY": 100, "REVERSIBLE": "YES"}
TILED = {"tiled": True, "BLOCKXSIZE": 128, "BLOCKYSIZE": 128, "RESOLUTIONS": 3}


def values(count, height, width, dtype):
    """A slope with noise, so that files have some size."""
    rows = np.arange(height)[:, np.newaxis]
    noise = np.random.default_rng(1).integers(0, 100, (count, height, width))
    return (noise + rows % 50 * 2).astype(dtype)


def write(path, data, **options):
    profile = {**PROFILE, **LOSSLESS, **options}
    count, height, width = data.shape
    with rasterio.open(
        path, "w", driver="JP2OpenJPEG", width=width, height=height, count=count, dtype=data.dtype.name, **profile
    ) as file:
        file.write(data)
    return path.read_bytes()


def handle(content):
    return MemoryHandle(content, make_asset("T31UFS_B04.jp2", media_type="image/jp2"))


@pytest.fixture(scope="module")
def sentinel(tmp_path_factory):
    """A band as Sentinel-2 has it: tiles, lengths of tile-parts in the header, a place in GML."""
    path = tmp_path_factory.mktemp("jp2") / "b.jp2"
    content = write(path, values(1, 500, 700, "u2"), **TILED, TLM="YES", GeoJP2="NO", GMLJP2="YES")
    return content, path


class TestJp2(LoaderContract):
    @pytest.fixture
    def spec(self):
        return next(spec for spec in splashdown_geotiff.splashdown_loaders() if spec.name == "jp2")

    @pytest.fixture
    def good(self, sentinel):
        return sentinel[0]

    def check(self, loaded):
        np.testing.assert_array_equal(loaded, values(1, 500, 700, "u2"))
        assert loaded.rio.crs.to_epsg() == 32631


@pytest.mark.parametrize(("dtype", "count"), [("u1", 3), ("u2", 1), ("i2", 2)])
@pytest.mark.parametrize("progression", ["LRCP", "RLCP", "RPCL", "PCRL", "CPRL"])
def test_pixels_of_every_level_are_those_that_gdal_reads(tmp_path, dtype, count, progression):
    content = write(tmp_path / "x.jp2", values(count, 515, 560, dtype), **TILED, PROGRESSION=progression)
    raster = open_geotiff(handle(content))
    np.testing.assert_array_equal(raster.read_numpy(), values(count, 515, 560, dtype))
    assert len(raster.overviews) == (2 if progression in {"LRCP", "RLCP", "RPCL"} else 0)
    for number, size in enumerate(raster.overviews):
        with rasterio.open(tmp_path / "x.jp2", overview_level=number) as file:
            assert size == (file.width, file.height)
            np.testing.assert_array_equal(raster.read_numpy(overview=number), file.read())
            window = (60, 40, 40, 30)
            np.testing.assert_array_equal(
                raster.read_numpy(overview=number, window=window, bands=[count]),
                file.read([count], window=Window(*window)),
            )


@pytest.mark.parametrize(
    "options",
    [
        {"REVERSIBLE": "NO", "QUALITY": 30},
        {"CODEBLOCK_WIDTH": 32, "CODEBLOCK_HEIGHT": 32, "PRECINCTS": "{128,128},{64,64},{32,32}"},
        {"SOP": "YES", "EPH": "YES", "PLT": "YES"},
        {"TILEPARTS": "RESOLUTIONS"},
        {"YCC": "YES"},
        {"tiled": False},
        {"QUALITY": "20,50,100"},
    ],
)
def test_every_way_to_code_gives_the_pixels_of_gdal(tmp_path, options):
    content = write(tmp_path / "x.jp2", values(3, 515, 560, "u1"), **{**TILED, **options})
    raster = open_geotiff(handle(content))
    levels = [None, *range(len(raster.overviews))]
    for number in levels:
        with rasterio.open(tmp_path / "x.jp2", **({} if number is None else {"overview_level": number})) as file:
            np.testing.assert_array_equal(raster.read_numpy(overview=number), file.read())
    assert (len(levels) == 1) == (options.get("QUALITY") == "20,50,100")


@pytest.mark.parametrize("how", [{"GeoJP2": "NO", "GMLJP2": "YES"}, {"GeoJP2": "YES", "GMLJP2": "NO"}])
@pytest.mark.parametrize("crs", ["EPSG:32631", "EPSG:4326", "EPSG:3035"])
def test_the_place_is_read_from_gml_and_from_geojp2(tmp_path, how, crs):
    transform = rasterio.Affine(0.01, 0, 3, 0, -0.02, 51) if crs == "EPSG:4326" else PROFILE["transform"]
    content = write(tmp_path / "x.jp2", values(1, 64, 64, "u1"), crs=crs, transform=transform, **how)
    raster = open_geotiff(handle(content))
    assert tuple(raster.transform) == pytest.approx(tuple(transform)[:6], abs=1e-9)
    assert raster.crs.to_epsg() == int(crs[5:])


def test_a_box_takes_its_tiles_alone(sentinel, server, results_of):
    content, path = sentinel
    asset = results_of(media_type="image/jp2", x=server.add("/x.jp2", content)).get_asset("x")
    with rasterio.open(path) as file:
        expected = file.read(window=Window(260, 390, 100, 50))
    found = asset.load(bbox=(602600, 5695600, 603600, 5696100))
    np.testing.assert_array_equal(found, expected)
    # The header, and one of 24 tiles.
    assert len(server.seen) == 2
    assert server.sent() < 65536 + len(content) / 20


def test_a_stream_without_lengths_is_read_whole(tmp_path, server, results_of):
    content = write(tmp_path / "x.jp2", values(1, 500, 700, "u2"), **TILED, TLM="NO")
    asset = results_of(media_type="image/jp2", x=server.add("/x.jp2", content)).get_asset("x")
    np.testing.assert_array_equal(
        asset.load(window=(260, 390, 100, 50))[0], values(1, 500, 700, "u2")[0, 390:440, 260:360]
    )
    assert server.sent() <= len(content) + 2 * 65536


def test_a_resolution_and_lazy_blocks_work_as_for_geotiffs(sentinel):
    content, path = sentinel
    coarse = load_geotiff(handle(content), resolution=20)
    with rasterio.open(path, overview_level=0) as file:
        np.testing.assert_array_equal(coarse, file.read())
    assert float(coarse.x[1] - coarse.x[0]) == 20
    lazy = load_geotiff(handle(content), chunks={})
    np.testing.assert_array_equal(lazy[0, 100:200, 300:301].compute(), values(1, 500, 700, "u2")[0, 100:200, 300:301])


def test_a_file_that_lists_tiles_it_does_not_have_is_an_error(sentinel):
    content = sentinel[0]
    with pytest.raises(LoadError):
        load_numpy(handle(content[: len(content) - 60_000]))
    at = content.index(b"\xff\x90")
    wrong = content[: at + 4] + struct.pack(">H", 5) + content[at + 6 :]
    with pytest.raises(LoadError, match="expected tile 0 of JPEG 2000, found 5: damaged"):
        load_numpy(handle(wrong))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (8, 2**31, "takes .* bytes, more than|tiles of JPEG 2000"),  # width
        (24, 0, "in tiles of"),  # width of tiles
    ],
)
def test_sizes_that_no_image_has_are_refused_before_memory_is_taken(sentinel, field, value, message):
    content = sentinel[0]
    at = content.index(b"\xff\x4f\xff\x51") + field
    with pytest.raises(LoadError, match=message):
        open_geotiff(handle(content[:at] + struct.pack(">I", value) + content[at + 4 :]))


def test_damaged_bytes_are_a_load_error_or_pixels(sentinel):
    content, random = sentinel[0], np.random.default_rng(3)
    for _ in range(150):
        damaged = bytearray(content)
        for place in random.integers(0, 3000, 4):
            damaged[place] = random.integers(0, 256)
        with suppress(LoadError):
            assert load_numpy(handle(bytes(damaged)), window=(0, 0, 64, 64)).shape[1:] == (64, 64)
