"""JPEG XL and JPEG 2000 in TIFF, which GDAL's wheels do not write."""

from __future__ import annotations

import struct

import imagecodecs
import numpy as np
import pytest
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
