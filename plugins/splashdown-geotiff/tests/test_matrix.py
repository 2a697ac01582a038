"""Every layout, codec and type, written by GDAL and compared value for value with what GDAL reads."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import rasterio
from raster_files import pixels
from rasterio.windows import Window as RasterioWindow
from splashdown_geotiff._native import NativeEngine
from splashdown_geotiff._plan import Window

LAYOUTS = {
    "tiled-pixel": {"tiled": True, "blockxsize": 32, "blockysize": 16, "interleave": "pixel"},
    "tiled-band": {"tiled": True, "blockxsize": 16, "blockysize": 32, "interleave": "band"},
    "strip-pixel": {"tiled": False, "blockysize": 7, "interleave": "pixel"},
    "strip-band": {"tiled": False, "blockysize": 7, "interleave": "band"},
}
PREDICTORS = {"u1": (1, 2), "i2": (1, 2), "u2": (1, 2), "i4": (1, 2), "f4": (1, 2, 3), "f8": (1, 2, 3)}
PREDICTING = ("deflate", "lzw", "zstd")
PLAIN = ("none", "packbits", "lzma", "lerc", "lerc_deflate", "lerc_zstd")


def combinations():
    for layout, (dtype, predictors) in itertools.product(LAYOUTS, PREDICTORS.items()):
        for codec, predictor in itertools.product(PREDICTING, predictors):
            yield layout, codec, dtype, {"predictor": predictor}
        for codec in PLAIN:
            yield layout, codec, dtype, {}


def extras():
    for layout in LAYOUTS:
        for dtype in ("i1", "u4", "i8", "u8", "c8", "c16", "complex_int16"):
            yield layout, "deflate", dtype, {}
        for endianness, dtype in itertools.product(("big", "little"), ("u2", "f4", "f8", "c8")):
            predictor = {"predictor": 3} if dtype[0] == "f" else {"predictor": 2} if dtype == "u2" else {}
            yield layout, "deflate", dtype, {"endianness": endianness, **predictor}
            yield layout, "none", dtype, {"endianness": endianness}
        for dtype, bits in (("u1", 1), ("u1", 2), ("u1", 4), ("u1", 5), ("u2", 12), ("u4", 20), ("f4", 16)):
            yield layout, "deflate", dtype, {"nbits": bits}
        yield layout, "deflate", "f4", {"nbits": 16, "predictor": 3}
        yield layout, "deflate", "u2", {"bigtiff": "yes", "predictor": 2}
        yield layout, "none", "f4", {"bigtiff": "yes", "endianness": "big"}
        yield layout, "jpeg", "u1", {}
        yield layout, "deflate", "u2", {"count": 13, "predictor": 2}
        yield layout, "deflate", "i2", {"count": 1, "predictor": 2}
        yield layout, "deflate", "i2", {"sparse_ok": True, "nodata": -1}
    yield "tiled-pixel", "jpeg", "u1", {"photometric": "ycbcr"}
    yield "strip-pixel", "jpeg", "u1", {"photometric": "ycbcr"}
    yield "tiled-pixel", "jpeg", "u1", {"count": 1}
    yield "tiled-pixel", "jpeg", "u1", {"count": 4}
    yield "tiled-pixel", "webp", "u1", {"webp_lossless": True}
    yield "tiled-pixel", "webp", "u1", {"webp_lossless": True, "count": 4}
    yield "strip-pixel", "webp", "u1", {"webp_lossless": True}


CASES = [*combinations(), *extras()]


def name_of(case):
    layout, codec, dtype, options = case
    return "-".join([layout, codec, dtype, *(f"{k}={v}" for k, v in options.items())])


def make(path, layout, codec, dtype, options):
    """Write one file and return what GDAL reads from it."""
    options = dict(options)
    count = options.pop("count", 3)
    bits = options.get("nbits")
    profile = {**LAYOUTS[layout], **({} if codec == "none" else {"compress": codec}), **options}
    if codec in {"jpeg", "webp"}:
        profile.update({"blockxsize": 32, "blockysize": 32} if profile["tiled"] else {"blockysize": 16})
    if codec.startswith("lerc"):
        profile["max_z_error"] = 0
    kind = "complex64" if dtype == "complex_int16" else dtype
    data = pixels(count, 53, 71, kind)
    if bits and np.dtype(kind).kind == "u":
        data = (data.astype("u8") * 37 % (1 << bits)).astype(kind)
    if options.get("sparse_ok"):
        data[:, 16:48, 16:64] = -1
    stored = dtype if dtype == "complex_int16" else np.dtype(dtype).name
    with rasterio.open(path, "w", driver="GTiff", width=71, height=53, count=count, dtype=stored, **profile) as file:
        if options.get("sparse_ok"):
            file.write(data[:, :10, :20], window=RasterioWindow(0, 0, 20, 10))
        else:
            file.write(data)
    with rasterio.open(path) as file:
        return file.read()


def test_the_matrix_is_as_large_as_it_claims():
    assert len({name_of(c) for c in CASES}) == len(CASES) >= 240


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_pixels_are_those_that_gdal_reads(case, tmp_path, handle_of):
    expected = make(tmp_path / "x.tif", *case)
    engine = NativeEngine(handle_of((tmp_path / "x.tif").read_bytes()))
    count, height, width = expected.shape
    assert engine.header.dtype == expected.dtype
    full = np.empty(expected.shape, engine.header.dtype)
    engine.read_into(full, 0, Window(0, 0, width, height), tuple(range(count)))
    # How chroma is spread over its pixels is left to the decoder (ITU T.81); GDAL's copy of libjpeg rounds
    # otherwise than libjpeg-turbo does. Everything else is exact.
    tolerance = 4 if case[3].get("photometric") == "ycbcr" else 0
    np.testing.assert_allclose(full, expected, rtol=0, atol=tolerance)

    column, row, across, down = 13, 11, 41, 29
    bands = (count - 1, 0) if count > 1 else (0,)
    part = np.empty((len(bands), down, across), engine.header.dtype)
    engine.read_into(part, 0, Window(column, row, across, down), bands)
    wanted = expected[list(bands), row : row + down, column : column + across]
    np.testing.assert_allclose(part, wanted, rtol=0, atol=tolerance)
