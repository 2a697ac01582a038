"""Codings that GDAL's wheels do not write or do not read, and those in which it is another judge."""

from __future__ import annotations

import io
import struct

import imagecodecs
import numpy as np
import PIL.Image
import pytest
import rasterio
from raster_files import pixels, write_tiff
from splashdown_geotiff import load_numpy
from tiff_tags import set_tag

from splashdown.errors import LoadError

CODECS = {50002: imagecodecs.jpegxl_encode, 52546: imagecodecs.jpegxl_encode, 34712: imagecodecs.jpeg2k_encode}


@pytest.fixture
def coded(tmp_path, handle_of):
    """A file whose tiles (or strips) of 32 rows are coded with a codec of whole images."""

    def make(data, compression, *, tiled=True, tile=lambda pixels: pixels):
        block = {"blockxsize": 32, "blockysize": 32} if tiled else {"blockysize": 32}
        content = write_tiff(tmp_path / "coded.tif", data, tiled=tiled, interleave="pixel", **block)
        offsets, counts = [], []
        across = range(0, data.shape[2], 32) if tiled else [0]
        for row in range(0, data.shape[1], 32):
            for column in across:
                part = data[:, row : row + 32, column : column + 32 if tiled else None]
                image = np.squeeze(np.moveaxis(part, 0, -1))
                options = {"level": 0} if compression == 34712 else {"lossless": True}
                encoded = CODECS[compression](np.ascontiguousarray(tile(image)), **options)
                offsets.append(len(content))
                counts.append(len(encoded))
                content += encoded
        content = set_tag(content, 259, 3, struct.pack("<H", compression))
        for tag, values in zip((324, 325) if tiled else (273, 279), (offsets, counts), strict=True):
            content = set_tag(content, tag, 4, struct.pack(f"<{len(values)}I", *values))
        return handle_of(content)

    return make


@pytest.mark.parametrize("compression", CODECS)
@pytest.mark.parametrize(("count", "dtype"), [(1, "u1"), (3, "u1"), (1, "u2"), (3, "u2")])
@pytest.mark.parametrize("tiled", [True, False])
def test_coded_pixels_are_those_that_were_written(coded, compression, count, dtype, tiled):
    data = pixels(count, 64 if tiled else 70, 96, dtype)
    handle = coded(data, compression, tiled=tiled)
    np.testing.assert_array_equal(load_numpy(handle), data)
    np.testing.assert_array_equal(load_numpy(handle, window=(20, 30, 40, 20)), data[:, 30:50, 20:60])


@pytest.mark.parametrize("compression", CODECS)
def test_a_tile_of_another_size_is_refused(coded, compression):
    handle = coded(pixels(1, 32, 32, "u1"), compression, tile=lambda image: np.tile(image, (4, 4)))
    with pytest.raises(LoadError, match="a tile or strip cannot be decoded"):
        load_numpy(handle)


def strip_of(tmp_path, data, encoded):
    """A file of one strip, coded as JPEG."""
    content = write_tiff(tmp_path / "x.tif", data, tiled=False, blockysize=data.shape[1], interleave="pixel")
    places = struct.pack("<I", len(content)), struct.pack("<I", len(encoded))
    content += encoded
    content = set_tag(content, 259, 3, struct.pack("<H", 7))
    return set_tag(set_tag(content, 273, 4, places[0]), 279, 4, places[1])


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_lossless_jpeg_is_exact(tmp_path, handle_of, bits):
    data = (pixels(1, 40, 50, "u4") % (1 << bits)).astype("u1" if bits == 8 else "u2")
    content = strip_of(tmp_path, data, imagecodecs.ljpeg_encode(data[0], bitspersample=bits))
    np.testing.assert_array_equal(load_numpy(handle_of(content)), data)


def test_lossless_jpeg_of_three_bands_is_exact(tmp_path, handle_of):
    data = pixels(3, 40, 50, "u1")
    image = np.ascontiguousarray(np.moveaxis(data, 0, -1))
    encoded = imagecodecs.jpeg8_encode(image, lossless=True, colorspace="rgb", outcolorspace="rgb")
    np.testing.assert_array_equal(load_numpy(handle_of(strip_of(tmp_path, data, encoded))), data)


@pytest.mark.parametrize("photometric", ["minisblack", "rgb", "icclab", "itulab"])
@pytest.mark.parametrize("interleave", ["pixel", "band"])
def test_jpeg_bands_that_are_not_ycbcr_stay_as_they_are(tiff, photometric, interleave):
    handle, path = tiff(pixels(3, 64, 64, "u1"), compress="jpeg", photometric=photometric, interleave=interleave)
    with rasterio.open(path) as file:
        np.testing.assert_array_equal(load_numpy(handle), file.read())


def test_ycbcr_is_decoded_as_libjpeg_turbo_does(tiff, handle_of):
    noise = np.random.default_rng(0).integers(0, 256, (3, 64, 64)).astype("u1")
    options = {"tiled": True, "blockxsize": 64, "blockysize": 64, "interleave": "pixel", "jpegtablesmode": 0}
    _, path = tiff(noise, compress="jpeg", photometric="ycbcr", **options)
    content = path.read_bytes()
    stream = content[content.index(b"\xff\xd8\xff") :]
    image = np.asarray(PIL.Image.open(io.BytesIO(stream)).convert("RGB"))
    np.testing.assert_array_equal(load_numpy(handle_of(content)), np.moveaxis(image, -1, 0))


@pytest.mark.parametrize("compress", ["none", "deflate", "jpeg"])
def test_cmyk_stays_as_it_is_stored(tiff, compress):
    data = np.repeat(np.arange(0, 256, 4, dtype="u1")[None, None], 4, 0).repeat(64, 1)
    options = {"jpeg_quality": 100} if compress == "jpeg" else {}
    handle, path = tiff(data, compress=compress, photometric="cmyk", interleave="pixel", **options)
    np.testing.assert_allclose(load_numpy(handle), data, atol=1 if compress == "jpeg" else 0)
    with rasterio.open(path) as file:  # GDAL turns it into RGBA
        assert (file.read(4) == 255).all()


@pytest.mark.parametrize("compress", ["lerc", "lerc_deflate", "lerc_zstd"])
@pytest.mark.parametrize("interleave", ["pixel", "band"])
def test_lerc_keeps_nan_of_each_band(tiff, compress, interleave):
    data = pixels(3, 40, 50, "f4")
    data[0, :5] = data[2, -5:] = np.nan
    handle, _ = tiff(data, compress=compress, interleave=interleave, max_z_error=0)
    np.testing.assert_array_equal(load_numpy(handle), data)
    np.testing.assert_array_equal(load_numpy(handle, bands=[3], window=(5, 30, 10, 10)), data[2:, 30:, 5:15])


@pytest.mark.parametrize("compress", ["none", "deflate", "lzw"])
@pytest.mark.parametrize("options", [{"blockysize": 7}, {"tiled": True, "blockxsize": 16, "blockysize": 32}])
@pytest.mark.parametrize("given", ["zeros", "first", "none"])
def test_sizes_that_were_not_written_are_found(tiff, handle_of, compress, options, given):
    data = pixels(2, 40, 50, "u2")
    _, path = tiff(data, compress=compress, interleave="band", **options)
    content, tag = path.read_bytes(), 325 if "tiled" in options else 279
    tiles = len(range(0, 40, 32)) * len(range(0, 50, 16)) if "tiled" in options else len(range(0, 40, 7))
    sizes = [0] * 2 * tiles if given == "zeros" else [0, *sizes_of(path)[1:]]
    if given == "none":
        content = set_tag(content, 65000, 3, b"\1\0", remove=(tag,))
    else:
        content = set_tag(content, tag, 4, struct.pack(f"<{len(sizes)}I", *sizes))
    with pytest.warns(UserWarning, match="come without their sizes, which were computed"):
        np.testing.assert_array_equal(load_numpy(handle_of(content)), data)


@pytest.mark.parametrize("compress", ["packbits", "zstd", "lzma"])
def test_sizes_that_cannot_be_found_are_an_error(tiff, handle_of, compress):
    _, path = tiff(pixels(1, 40, 50, "u2"), compress=compress, blockysize=20)
    content = set_tag(path.read_bytes(), 279, 4, bytes(8))
    with pytest.raises(LoadError, match="compressed tiles or strips without their sizes"):
        load_numpy(handle_of(content))


def sizes_of(path):
    """The sizes of all tiles or strips, band after band."""
    with rasterio.open(path) as file:
        down, across = (-(-size // block) for size, block in zip(file.shape, file.block_shapes[0], strict=True))
        places = [(band, x, y) for band in file.indexes for y in range(down) for x in range(across)]
        names = [(band, f"BLOCK_SIZE_{x}_{y}") for band, x, y in places]
        return [int(file.get_tag_item(name, "TIFF", bidx=band)) for band, name in names]
