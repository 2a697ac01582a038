"""Names and numbers in GDAL's metadata: as people wrote them, as leniently as GDAL reads them, or said."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from raster_files import pixels, write_tiff
from rasterio.io import MemoryFile
from splashdown_geotiff import load_geotiff, open_geotiff
from tiff_tags import set_text

from splashdown.errors import LoadError
from splashdown.testing import MemoryHandle, make_asset

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
SCALE = '<Item name="SCALE" sample="0" role="scale">0.01</Item>'


@pytest.fixture
def file_with(tmp_path, handle_of):
    """A file of one band with this metadata: its handle and its path."""

    def make(xml):
        path = tmp_path / "items.tif"
        path.write_bytes(set_text(write_tiff(path, pixels(1, 4, 4, "u1")), 42112, xml))
        return handle_of(path.read_bytes()), path

    return make


def test_names_are_as_people_wrote_them(tiff):
    names = ["NIR & red", "slope < 5", 'the "best"', "a > b's", "&amp;"]
    handle, path = tiff(pixels(5, 4, 4, "u1"), descriptions=names, tags={"TITLE": 'R&D "A" <b>'})
    with rasterio.open(path) as file:
        assert list(file.descriptions) == names
    raster = open_geotiff(handle)
    assert list(raster.bands) == names
    assert raster.tags["TITLE"] == 'R&D "A" <b>'
    assert load_geotiff(handle, bands="NIR & red").shape == (1, 4, 4)


#: GDAL cuts leading blanks and takes no control characters.
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=30)


@given(description=TEXT, value=TEXT)
def test_any_text_comes_back_as_gdal_reads_it(description, value):
    with MemoryFile() as memory:
        with memory.open(driver="GTiff", width=2, height=2, count=1, dtype="uint8") as file:
            file.write(np.zeros((1, 2, 2), "u1"))
            file.set_band_description(1, description)
            file.update_tags(ITEM=value)
        content = bytes(memory.getbuffer())
    with MemoryFile(content) as memory, memory.open() as file:
        expected = (file.descriptions[0], file.tags()["ITEM"])
    raster = open_geotiff(MemoryHandle(content, make_asset("x.tif")))
    assert (raster.bands[0], raster.tags["ITEM"]) == expected


@pytest.mark.parametrize(
    "items",
    [
        SCALE + '<Item name="x">caf&eacute;</Item>',
        SCALE + '<Item name="x">a & b</Item>',
        SCALE + '<Item name="x">a\x01b</Item>',
        "<Item name=SCALE sample=0 role=scale>0.01</Item>",
        "<Item name='SCALE' sample='0' role='scale'>0.01</Item>",
        SCALE.replace("Item", "item"),
        SCALE.replace('"scale"', '"SCALE"'),
        SCALE.replace("0.01", "0,01"),
        SCALE.replace("0.01", " 0.01 m"),
    ],
)
@pytest.mark.parametrize(
    "form",
    ["{}", '<?xml version="1.0" encoding="ISO-8859-1"?>\n{}', "\ufeff{}", "<!-- c -->{}", "{} junk", "{}<more/>"],
)
def test_a_scale_is_found_wherever_gdal_finds_it(file_with, items, form):
    handle, path = file_with(form.format(f"<GDALMetadata>{items}</GDALMetadata>"))
    with rasterio.open(path) as file:
        assert file.scales == (0.01,)
    assert open_geotiff(handle).scales == (0.01,)


def test_sections_of_characters_are_read(file_with):
    handle, _ = file_with(f'<GDALMetadata>{SCALE}<Item name="x"><![CDATA[a & <b>]]></Item></GDALMetadata>')
    raster = open_geotiff(handle)
    assert raster.tags["x"] == "a & <b>"
    assert raster.scales == (0.01,)


@pytest.mark.parametrize("xml", [f"<GDALMetadata>{SCALE}", f'<GDALMetadata>{SCALE}<Item name="x">a < b</Item>'])
def test_metadata_that_nothing_reads_are_said(file_with, xml):
    handle, path = file_with(xml)
    with rasterio.open(path) as file:
        assert file.scales == (1.0,)
    with pytest.warns(UserWarning, match=r"its GDAL metadata \(names, scales, offsets\) cannot be read"):
        assert open_geotiff(handle).scales == (1.0,)


@pytest.mark.parametrize("xml", ["<Other>{}</Other>", "<x><GDALMetadata>{}</GDALMetadata></x>"])
def test_documents_of_another_kind_say_nothing(file_with, xml):
    assert open_geotiff(file_with(xml.format(SCALE))[0]).scales == (1.0,)


def test_a_document_type_is_refused(file_with):
    with pytest.raises(LoadError, match="document type declaration"):
        open_geotiff(file_with(f"<!DOCTYPE x><GDALMetadata>{SCALE}</GDALMetadata>")[0])
