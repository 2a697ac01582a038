"""Files of another writer than GDAL: what tifffile writes is read as tifffile wrote it and as GDAL reads it."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from rasterio.io import MemoryFile
from splashdown_geotiff import open_geotiff

from splashdown.testing import MemoryHandle, make_asset

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
COMPRESSIONS = st.sampled_from([None, "packbits", "lzma", "zlib", "lzw", "zstd"])
#: Fractions of integers and text are not among them: GDAL takes those for numbers (docs/explanation/geotiff.md).
NODATA = st.sampled_from(["0", "7", "-1", "255", "256", "nan", "1e1", "-3.4e38", " 5 "])
SIDE = st.integers(1, 70)


@st.composite
def written(draw):
    """A file, and the values in it (band, y, x)."""
    count, height, width = draw(st.integers(1, 4)), draw(SIDE), draw(SIDE)
    dtype = draw(st.sampled_from(["u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8"]))
    values = np.random.default_rng(draw(st.integers(0, 9))).integers(0, 20, (count, height, width)).astype(dtype)
    compression, separate = draw(COMPRESSIONS), draw(st.booleans())
    page = {"compression": compression, "metadata": None, "photometric": "minisblack"}
    if compression in {"zlib", "lzw", "zstd"}:
        page["predictor"] = draw(st.booleans())
    if draw(st.booleans()):
        page["tile"] = (16 * draw(st.integers(1, 3)), 16 * draw(st.integers(1, 3)))
    else:
        page["rowsperstrip"] = draw(st.integers(1, height))
    if draw(st.booleans()):
        page["extratags"] = [(42113, "s", 0, draw(NODATA), True)]
    if count > 1:
        page["planarconfig"] = "separate" if separate else "contig"
    image = values[0] if count == 1 else values if separate else np.moveaxis(values, 0, -1)
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, image, bigtiff=draw(st.booleans()), byteorder=draw(st.sampled_from("<>")), **page)
    return buffer.getvalue(), values


@given(written())
def test_what_tifffile_writes_is_read_as_gdal_reads_it(file):
    content, values = file
    found = open_geotiff(MemoryHandle(content, make_asset("x.tif"))).read_numpy(masked=True)
    np.testing.assert_array_equal(found.data, values)
    with MemoryFile(content) as memory, memory.open(driver="GTiff") as opened:
        assert found.dtype == opened.dtypes[0]
        np.testing.assert_array_equal(found.data, opened.read())
        np.testing.assert_array_equal(np.ma.getmaskarray(found), opened.read_masks() == 0)
