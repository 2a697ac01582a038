"""Files that mean harm: each ends in one clear error, or in pixels, within bounded memory."""

from __future__ import annotations

import lzma
import struct
import subprocess
import sys
import textwrap
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import rasterio
from handmade_tiff import handmade_tiff, patched, pointing_beyond
from raster_files import pixels, write_tiff
from splashdown_geotiff import load_geotiff, load_numpy, open_geotiff

from splashdown.errors import LoadError

# Handmade files lie nowhere, of which rasterio warns.
pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

GREY = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)


def refused(handle, match, **options):
    with pytest.raises(LoadError, match=match) as caught:
        load_numpy(handle, **options)
    assert "\n" not in str(caught.value)


def test_the_handmade_file_is_a_good_one(handle_of):
    np.testing.assert_array_equal(load_numpy(handle_of(handmade_tiff(GREY.tobytes()))), GREY)


def test_120_gb_declared_in_a_few_kb_are_refused_but_a_window_is_read(handle_of, tmp_path):
    path = tmp_path / "sparse.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=100_000, height=100_000, count=3, dtype="float32", sparse_ok=True,
        tiled=True, blockxsize=4096, blockysize=4096, compress="deflate", interleave="band", nodata=-1, bigtiff="yes",
    ):  # fmt: skip
        pass
    handle = handle_of(path.read_bytes())
    assert handle.size < 100_000
    refused(handle, r"120,000,000,000 bytes, more than max_bytes=.*bbox=")
    refused(handle, "more than max_bytes=100;", window=(0, 0, 10, 10), max_bytes=100)
    assert (load_numpy(handle, window=(99_000, 99_000, 100, 100), bands=2) == -1).all()


def test_gigabytes_of_zeros_in_one_shared_tile_are_refused(handle_of):
    blob = imagecodecs.zstd_encode(bytes(4096 * 4096))
    tiles = 32 * 32
    size = {256: (4, 4096 * 32), 257: (4, 4096 * 32), 322: (4, 4096), 323: (4, 4096), 259: (3, 50000)}
    content = handmade_tiff(blob, {**size, 324: (4, [8] * tiles), 325: (4, [len(blob)] * tiles)})
    assert len(content) < 20_000
    refused(handle_of(content), "17,179,869,184 bytes")
    assert not load_numpy(handle_of(content), window=(5000, 5000, 64, 64)).any()


def test_one_tile_of_gigabytes_is_refused_for_any_window(handle_of):
    blob = zlib.compress(bytes(1000))
    size = {256: (4, 40_000), 257: (4, 40_000), 322: (4, 40_000), 323: (4, 40_000), 259: (3, 8)}
    refused(handle_of(handmade_tiff(blob, size)), "1,600,000,000 bytes, more than 268,435,456", window=(0, 0, 16, 16))


def test_one_uncompressed_strip_of_any_size_is_read_by_rows(handle_of, tmp_path):
    data = pixels(1, 3000, 400, "u2")
    content = write_tiff(tmp_path / "x.tif", data, tiled=False, blockysize=3000)
    handle = handle_of(content)
    np.testing.assert_array_equal(load_numpy(handle, window=(0, 2000, 400, 10)), data[:, 2000:2010])
    assert sum(stop - start for start, stop in handle.reads) < 65_536 + 2 * 256 * 1024


#: Codecs that stop when a tile is full, as libtiff does, and leave the rest unread.
STOPPING = {5, 34925}
#: Decodes a bomb in a process that may take 600 MB of address space more than it has.
BOUNDED = """
    import resource, sys
    from splashdown.errors import LoadError
    from splashdown.testing import MemoryHandle, make_asset
    from splashdown_geotiff import load_numpy
    content = open(sys.argv[1], "rb").read()
    used = int(open("/proc/self/statm").read().split()[0]) * 4096
    resource.setrlimit(resource.RLIMIT_AS, (used + 600 * 1024**2,) * 2)
    try:
        print(load_numpy(MemoryHandle(content, make_asset("x.tif"))).max())
    except LoadError as error:
        print(error)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="address space is read from /proc")
@pytest.mark.parametrize(
    ("codec", "encode"),
    [
        (8, lambda zeros: zlib.compress(zeros, 1)),
        (50000, imagecodecs.zstd_encode),
        (34925, lambda zeros: lzma.compress(zeros[: 1 << 27], preset=0)),
        (5, lambda zeros: imagecodecs.lzw_encode(zeros[: 1 << 24])),
        (32773, lambda zeros: b"\x81\0" * (1 << 18)),
        (34887, lambda zeros: imagecodecs.lerc_encode(np.zeros((15_000, 15_000), np.uint8))),
        (7, lambda zeros: imagecodecs.jpeg_encode(np.zeros((15_000, 15_000), np.uint8))),
        (50001, lambda zeros: imagecodecs.webp_encode(np.zeros((2000, 2000, 3), np.uint8), lossless=True)),
    ],
    ids=["deflate", "zstd", "lzma", "lzw", "packbits", "lerc", "jpeg", "webp"],
)
def test_a_tile_that_unpacks_to_more_than_it_should_takes_no_more_memory(tmp_path, codec, encode):
    blob = encode(bytes(1 << 30))
    extra = {258: (3, [8, 8, 8]), 277: (3, 3), 262: (3, 2)} if codec == 50001 else {}
    (tmp_path / "bomb.tif").write_bytes(handmade_tiff(blob, {259: (3, codec), **extra}))
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(BOUNDED), tmp_path / "bomb.tif"], text=True, capture_output=True,
        timeout=60,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    if codec in STOPPING:
        assert run.stdout == "0\n"
    else:
        assert run.stdout.startswith("x.tif: "), run.stdout
        assert run.stdout.count("\n") == 1


@pytest.mark.parametrize("target", [0, 1])
def test_directories_that_form_a_loop_are_refused(handle_of, target):
    content = handmade_tiff(GREY.tobytes())
    first = struct.unpack("<I", content[4:8])[0]
    second = len(content)
    loop = bytearray(content + content[first:])
    entries = struct.unpack("<H", content[first : first + 2])[0]
    struct.pack_into("<I", loop, first + 2 + 12 * entries, second)
    struct.pack_into("<I", loop, second + 2 + 12 * entries, (first, second)[target])
    refused(handle_of(bytes(loop)), "form a loop")


def test_too_many_directories_are_refused(handle_of):
    content = handmade_tiff(GREY.tobytes())
    first = struct.unpack("<I", content[4:8])[0]
    entries = struct.unpack("<H", content[first : first + 2])[0]
    directory = content[first:]
    chain = bytearray(content)
    for number in range(100):
        at = len(chain)
        struct.pack_into("<I", chain, (first if number == 0 else at - len(directory)) + 2 + 12 * entries, at)
        chain += directory
    refused(handle_of(bytes(chain)), "more than 64")


@pytest.mark.parametrize(
    ("tag", "kind", "count", "offset"),
    [(324, 4, 1 << 30, 8), (324, 16, 1 << 29, 8), (325, 4, 4, 1 << 31), (256, 4, 4, 1 << 31)],
)
def test_tags_that_point_beyond_the_file_are_refused(handle_of, tag, kind, count, offset):
    content = patched(handmade_tiff(GREY.tobytes()), tag, pointing_beyond(tag, kind, count, offset))
    refused(handle_of(content), "damaged or incomplete")


def test_a_header_of_more_than_its_budget_is_refused(handle_of):
    tiles = 5_000_000
    content = handmade_tiff(GREY.tobytes())
    content += bytes(tiles * 8)
    side = 16 * 2237
    for tag, kind in ((324, 16), (325, 16)):
        content = patched(content, tag, pointing_beyond(tag, kind, tiles, 300))
    for tag in (256, 257):
        content = patched(content, tag, struct.pack("<HHII", tag, 4, 1, side))
    refused(handle_of(content), "needs more than 33,554,432 bytes", window=(0, 0, 16, 16))


@pytest.mark.parametrize(("start", "size"), [(10_000, 256), (8, 100_000), (0xFFFFFFF0, 256)])
def test_tiles_outside_the_file_are_refused(handle_of, start, size):
    refused(handle_of(handmade_tiff(GREY.tobytes(), {324: (4, start), 325: (4, size)})), "damaged")


def test_an_index_with_too_few_tiles_is_refused(handle_of):
    refused(handle_of(handmade_tiff(GREY.tobytes(), {256: (4, 64)})), "only 1 are indexed")


@pytest.mark.parametrize("tags", [{256: (4, 0)}, {322: (4, 0)}, {277: (3, 0)}, {257: (4, 0)}])
def test_an_image_of_nothing_is_refused(handle_of, tags):
    refused(handle_of(handmade_tiff(GREY.tobytes(), tags)), "damaged")


LAUGHS = (
    '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    '<GDALMetadata><Item name="x">&b;</Item></GDALMetadata>'
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_metadata_with_a_document_type_is_never_expanded(handle_of, encoding):
    handle = handle_of(handmade_tiff(GREY.tobytes(), {42112: (2, LAUGHS.encode(encoding) + b"\0")}))
    if encoding == "utf-8":
        refused(handle, "document type")
    else:
        assert open_geotiff(handle).tags == {}


def test_an_external_entity_is_never_read(handle_of, tmp_path):
    (tmp_path / "secret").write_text("s3cret")
    xml = f'<!DOCTYPE d [<!ENTITY e SYSTEM "file://{tmp_path}/secret">]><GDALMetadata><Item name="x">&e;</Item></GDALMetadata>'
    refused(handle_of(handmade_tiff(GREY.tobytes(), {42112: (2, xml.encode() + b"\0")})), "document type")


def test_a_megabyte_of_metadata_is_refused(handle_of):
    xml = b"<GDALMetadata>" + b" " * (1 << 20) + b"</GDALMetadata>\0"
    refused(handle_of(handmade_tiff(GREY.tobytes(), {42112: (2, xml)})), "more than 1,048,576")


def test_metadata_that_is_no_xml_leaves_the_pixels(handle_of):
    handle = handle_of(handmade_tiff(GREY.tobytes(), {42112: (2, b"<GDALMetadata><Item\0"), 42113: (2, b"none\0")}))
    np.testing.assert_array_equal(load_numpy(handle), GREY)


class Liar:
    """A handle whose answers have another length than was asked for."""

    def __init__(self, handle, change):
        self.asset, self.size, self._handle, self._change = handle.asset, handle.size, handle, change

    def read_range(self, start, stop):
        data = self._handle.read_range(start, stop)
        return data if start == 0 else memoryview(self._change(bytes(data)))

    def read_ranges(self, ranges):
        for index, (start, stop) in enumerate(ranges):
            yield index, self.read_range(start, stop)


@pytest.mark.parametrize("change", [lambda data: data + b"x" * 100, lambda data: data[:-1]], ids=["longer", "shorter"])
def test_reads_of_another_length_are_refused(tiff, change):
    data = np.random.default_rng(0).integers(0, 60000, (1, 300, 300), "u2")
    handle, _ = tiff(data, tiled=True, blockxsize=64, blockysize=64)
    refused(Liar(handle, change), "asked for")
    refused(Liar(handle, change), "asked for", window=(0, 250, 10, 10))


VRT = """<VRTDataset rasterXSize="16" rasterYSize="16"><VRTRasterBand dataType="Byte" band="1">
<SimpleSource><SourceFilename>{path}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"""


@pytest.mark.parametrize("engine", ["native", "gdal", "auto"])
def test_a_vrt_named_tif_is_no_tiff(handle_of, tmp_path, engine):
    write_tiff(tmp_path / "secret.tif", GREY)
    refused(handle_of(VRT.format(path=tmp_path / "secret.tif").encode()), "x.tif", engine=engine)


@pytest.fixture
def with_foreign_overviews(handle_of, tmp_path):
    """A valid file that names another one as its overviews, in the metadata domain that GDAL follows."""
    write_tiff(tmp_path / "secret.tif", np.full((1, 8, 8), 77, np.uint8))
    xml = f'<GDALMetadata><Item name="OVERVIEW_FILE" domain="OVERVIEWS">{tmp_path}/secret.tif</Item></GDALMetadata>'
    return handle_of(handmade_tiff(GREY.tobytes(), {42112: (2, xml.encode() + b"\0")}))


def test_overviews_in_other_files_do_not_exist(with_foreign_overviews):
    raster = open_geotiff(with_foreign_overviews)
    assert raster.overviews == ()
    assert raster.tags == {}
    np.testing.assert_array_equal(raster.read(), GREY)


def test_gdal_never_gets_a_file_that_names_others(with_foreign_overviews):
    refused(with_foreign_overviews, "names other files as its overviews", engine="gdal")


def test_gdal_looks_at_nothing_beside_the_file(tmp_path, tiff):
    data = pixels(1, 64, 64, "u1")
    handle, path = tiff(data)
    write_tiff(tmp_path / "secret.tif", np.full((1, 32, 32), 77, np.uint8))
    Path(f"{path}.ovr").write_text(VRT.format(path=tmp_path / "secret.tif").replace('"16"', '"32"'))
    Path(f"{path}.aux.xml").write_text('<PAMDataset><Metadata><MDI key="leak">77</MDI></Metadata></PAMDataset>')
    handle.path = lambda: path
    raster = open_geotiff(handle, engine="gdal")
    assert raster.overviews == ()
    assert "leak" not in raster.tags
    np.testing.assert_array_equal(raster.read(), data)


@pytest.mark.parametrize(
    "href", ["/vsicurl/http://127.0.0.1:9/x.tif", "GTIFF_DIR:1:/etc/hostname", "vrt:///etc/x?bands=1", "x.tif"]
)
def test_gdal_is_given_a_path_of_our_own_and_one_driver(handle_of, monkeypatch, href):
    opened = []
    monkeypatch.setattr(rasterio, "open", lambda *args, **kwargs: opened.append((args, kwargs)) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        load_geotiff(handle_of(handmade_tiff(GREY.tobytes()), key=href, href=href), engine="gdal")
    ((path,), options) = opened[0]
    assert options["driver"] == "GTiff"
    assert isinstance(path, Path)
    assert path.is_absolute()
    assert not str(path).startswith("/vsi")
