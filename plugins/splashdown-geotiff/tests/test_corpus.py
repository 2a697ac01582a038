"""The comparison with rasterio finds what it is for, on a small folder with every kind of file."""

from __future__ import annotations

import importlib.util
import struct
import subprocess
import sys
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import rasterio
from raster_files import pixels, write_tiff
from tiff_tags import set_keys, set_tag, set_text

PROFILE = {"crs": "EPSG:32631", "transform": rasterio.Affine(10, 0, 600000, 0, -10, 5700000)}
SCRIPT = Path(__file__).with_name("corpus.py")


@pytest.fixture(scope="module")
def corpus():
    spec = importlib.util.spec_from_file_location("corpus", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["corpus"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["corpus"]


def _file(change=lambda content: content, data=None, **profile):
    return lambda path: path.write_bytes(
        change(write_tiff(path, pixels(3, 40, 50, "u1") if data is None else data, **{**PROFILE, **profile}))
    )


def _control_points(path):
    points = [rasterio.control.GroundControlPoint(r, c, 3 + c / 50, 51 - r / 50) for r in (0, 30) for c in (0, 30)]
    write_tiff(path, pixels(1, 40, 50, "u2"))
    with rasterio.open(path, "r+") as file:
        file.gcps = (points, rasterio.crs.CRS.from_epsg(4326))


def _coefficients(path):
    write_tiff(path, pixels(1, 40, 50, "u2"))
    line = [1.0, *[0.0] * 19]
    with rasterio.open(path, "r+") as file:
        file.rpcs = rasterio.rpc.RPC(0.0, 100.0, 51.0, 0.1, line, line, 20, 20, 3.0, 0.1, line, line, 25, 25)


def _at_points(path):
    write_tiff(path, pixels(1, 40, 50, "u2"), **PROFILE)
    with rasterio.open(path, "r+") as file:
        file.update_tags(AREA_OR_POINT="Point")


def _without_masks_of_overviews(path):
    data = pixels(1, 256, 256, "u1")
    write_tiff(path, data, **PROFILE, tiled=True, blockxsize=64, blockysize=64, overviews=[2])
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as file:
        file.write_mask((data[0] > 60).astype("u1") * 255)


def _jp2(path):
    profile = {**PROFILE, "driver": "JP2OpenJPEG", "QUALITY": 100, "REVERSIBLE": "YES"}
    tiles = {"tiled": True, "blockxsize": 128, "blockysize": 128, "RESOLUTIONS": 2}
    write_tiff(path, pixels(3, 300, 300, "u2"), **profile, **tiles)


def _with_overviews(path):
    mask = (np.arange(256 * 256).reshape(256, 256) % 7 > 0).astype("u1") * 255
    tiles = {"tiled": True, "blockxsize": 64, "blockysize": 64}
    write_tiff(path, pixels(1, 256, 256, "u1"), **PROFILE, **tiles, mask=mask, overviews=[2, 4])


def _scaled(path):
    write_tiff(path, pixels(2, 40, 50, "i2"), **PROFILE)
    with rasterio.open(path, "r+") as file:
        file.scales, file.offsets, file.descriptions = (0.1, 2), (3, 0), ("NIR & red", "<B08>")


def _coded(compression, encode):
    """One strip, coded with a codec that GDAL's wheels do not have."""

    def change(content):
        coded = encode(ONE[0])
        places = struct.pack("<I", len(content)), struct.pack("<I", len(coded))
        content = set_tag(content + coded, 259, 3, struct.pack("<H", compression))
        return set_tag(set_tag(content, 273, 4, places[0]), 279, 4, places[1])

    return change


def _keys(**keys):
    """A file of these GeoTIFF keys alone."""
    return _file(lambda content: set_keys(content, {int(name[1:]): value for name, value in keys.items()}))


def _colored(*colors):
    """A file whose items say what its bands are, in this order."""

    def write(path):
        write_tiff(path, pixels(len(colors), 40, 50, "u1"), **PROFILE, photometric="minisblack")
        with rasterio.open(path, "r+") as file:
            file.colorinterp = [rasterio.enums.ColorInterp[name] for name in colors]

    return write


def _items(text):
    return _file(lambda content: set_text(content, 42112, f"<GDALMetadata>{text}</GDALMetadata>"))


ONE = pixels(1, 40, 50, "u2")
NOISE = np.random.default_rng(0).integers(0, 256, (3, 64, 64)).astype("u1")
LOWEST = np.where(pixels(1, 40, 50, "f4") > 8, np.finfo("f4").min, 1).astype("f4")
HOLES = np.where(pixels(3, 40, 50, "f4") > 12, np.nan, 1).astype("f4")
DEGREES = {"crs": "EPSG:4326", "transform": rasterio.Affine(7.2, 0, 0, 0, -1, 20)}
SCALE = '<Item name="SCALE" sample="0" role="scale">0.01</Item>'
LAB = np.full((4, 40, 50), 9, "u1")
#: Web Mercator as GDAL wrote it once: Mercator of the ellipsoid, but for its name.
GOOGLE = {1024: 1, 1026: "Google Maps Global Mercator", 2048: 4326, 3072: 32767, 3074: 32767, 3075: 7, 3076: 9001}
GOOGLE |= {3080: 0.0, 3081: 0.0, 3082: 0.0, 3083: 0.0, 3092: 1.0}
#: Oblique Mercator without the angle of its grid, and Lambert's conic with one parallel.
OBLIQUE = {1024: 1, 2048: 4326, 3072: 32767, 3074: 32767, 3075: 3, 3076: 9001, 3088: 115.0, 3089: 4.0}
OBLIQUE |= {3090: 10.0, 3091: 20.0, 3093: 0.99984, 3094: 53.0}
LAMBERT = {1024: 1, 2048: 4275, 3072: 32767, 3074: 32767, 3075: 9, 3076: 9001, 3080: 3.0, 3081: 46.5}
LAMBERT |= {3082: 700000.0, 3083: 6600000.0, 3092: 0.99987742}


def _xl(data):
    return imagecodecs.jpegxl_encode(data, lossless=True)


def _2k(data):
    return imagecodecs.jpeg2k_encode(data, level=0)


#: How to write each file, and what becomes of it.
FILES = {
    "tiled": (_file(tiled=True, blockxsize=16, blockysize=32, compress="deflate", predictor=2), "equal"),
    "float": (_file(data=pixels(2, 40, 50, "f4"), compress="zstd", predictor=3, nodata=-3.4e38), "equal"),
    "nan": (_file(data=np.where(pixels(1, 40, 50, "f4") > 5, np.nan, 1).astype("f4"), nodata=float("nan")), "equal"),
    "complex": (_file(data=pixels(1, 40, 50, "c8")), "equal"),
    "plain": (lambda path: write_tiff(path, ONE), "equal"),
    "rotated": (_file(transform=rasterio.Affine(10, 1, 600000, 2, -10, 5700000)), "equal"),
    "south-up": (_file(transform=rasterio.Affine(10, 0, 600000, 0, 10, 5700000)), "equal"),
    "negative height": (_file(lambda c: set_tag(c, 33550, 12, struct.pack("<3d", 10, -10, 0))), "equal"),
    "geographic": (_file(crs="EPSG:4326", transform=rasterio.Affine(1, 0, 0, 0, -1, 90)), "equal"),
    "0 to 360": (_file(**DEGREES), "equal"),
    "feet": (_file(crs="EPSG:2263"), "equal"),
    "feet for a code": (_keys(k1024=1, k3072=32631, k3076=9003), "equal"),
    "Google's citation": (_file(lambda content: set_keys(content, GOOGLE)), "equal"),
    "ESRI's citation": (_file(crs="ESRI:102032", geotiff_keys_flavor="esri_pe"), "equal"),
    "ESRI's code": (_file(crs="ESRI:102032"), "equal"),
    "user-defined model": (_keys(k1024=32767, k3072=32631), "equal"),
    "local": (_keys(k1024=32767, k1026="Site grid", k3076=9001), "equal"),
    "compound": (_file(crs="EPSG:32631+5773"), "equal"),
    "heights of 1.0": (_keys(k1024=1, k3072=32631, k4096=5703, k4099=9003), "documented: heights of GeoTIFF 1.0"),
    "heights of WGS 84": (_keys(k1024=1, k3072=32631, k4096=5030, k4099=9001), "equal"),
    "withdrawn code": (_keys(k1024=1, k3072=3785), "equal"),
    "gradians": (_keys(k1024=2, k2048=4807, k2054=9105), "equal"),
    "gradians from Paris": (_keys(k1024=2, k2048=32767, k2050=6807, k2051=8903, k2054=9105), "equal"),
    "no grid angle": (_file(lambda content: set_keys(content, OBLIQUE)), "equal"),
    "one parallel with a scale": (_file(lambda content: set_keys(content, LAMBERT)), "equal"),
    "points of pixels": (_at_points, "equal"),
    "RPCs": (_coefficients, "equal"),
    "points": (_control_points, "equal"),
    "masks": (_with_overviews, "equal"),
    "no masks of overviews": (_without_masks_of_overviews, "documented: overview without a mask"),
    "alpha": (_file(data=pixels(4, 40, 50, "u1"), photometric="rgb", alpha="yes"), "equal"),
    "alpha of gray": (_file(data=pixels(2, 40, 50, "u1"), alpha="yes"), "equal"),
    "alpha by an item": (_colored("red", "green", "blue", "alpha"), "equal"),
    "alpha before colors": (_colored("alpha", "red", "green", "blue"), "equal"),
    "two alphas": (_colored("red", "green", "alpha", "alpha"), "equal"),
    "alpha of five": (_file(data=pixels(5, 40, 50, "u1"), alpha="yes"), "equal"),
    "alpha and nodata": (_file(data=pixels(4, 40, 50, "u1"), photometric="rgb", alpha="yes", nodata=7), "equal"),
    "nodata out of range": (_file(lambda c: set_text(c, 42113, "-9999")), "equal"),
    "nodata values": (_file(lambda c: set_text(c, 42112, _ITEM), data=np.zeros((3, 40, 50), "u1")), "equal"),
    "fewer digits": (_file(lambda c: set_text(c, 42113, "-3.40282e+38"), data=LOWEST), "equal"),
    "scales": (_scaled, "equal"),
    "escapes": (_items(f'{SCALE}<Item name="x">a &amp;amp; b</Item>'), "equal"),
    "CDATA": (_items(f'{SCALE}<Item name="x"><![CDATA[a & <b>]]></Item>'), "equal"),
    "malformed": (_items("<Item name=SCALE sample=0 role=scale>0.01</Item><Item>a & b</Item>"), "equal"),
    "unreadable": (_items(f'{SCALE}<Item name="x">a < b</Item>'), "equal"),
    "cases": (_items('<item NAME="SCALE" Sample="0" ROLE="scale">0.5</item>'), "equal"),
    "namespace": (_file(lambda c: set_text(c, 42112, f'<GDALMetadata xmlns="x">{SCALE}</GDALMetadata>')), "equal"),
    "no number": (_items('<Item name="SCALE" sample="0" role="scale">abc</Item>'), "different: scales"),
    "jpeg": (_file(compress="jpeg", photometric="minisblack", interleave="pixel"), "equal"),
    "lerc": (_file(data=pixels(3, 40, 50, "f4"), compress="lerc", interleave="pixel", max_z_error=0), "equal"),
    "bits": (_file(data=pixels(1, 40, 50, "u1") % 2, nbits=1), "equal"),
    "big": (_file(bigtiff="yes", endianness="big"), "equal"),
    "lerc of NaN": (_file(data=HOLES, compress="lerc", interleave="pixel", max_z_error=0), "equal"),
    "JPEG XL": (_file(_coded(50002, _xl), data=ONE, blockysize=40), "refused by GDAL"),
    "JPEG 2000": (_file(_coded(34712, _2k), data=ONE, blockysize=40), "refused by GDAL"),
    "ycbcr": (_file(data=NOISE, compress="jpeg", photometric="ycbcr", interleave="pixel"), "documented: YCbCr"),
    "CIELab": (_file(data=NOISE, photometric="cielab", interleave="pixel"), "documented: CIELab"),
    "cmyk": (_file(data=LAB, photometric="cmyk", interleave="pixel"), "documented: CMYK"),
    "no sizes": (_file(lambda c: set_tag(c, 279, 4, bytes(8)), data=ONE, blockysize=20), "different: pixels"),
    "lossless": (
        _file(_coded(7, lambda data: imagecodecs.ljpeg_encode(data, bitspersample=16)), data=ONE, blockysize=40),
        "refused by GDAL",
    ),
    "no end": (_file(lambda c: set_tag(c, 279, 4, bytes(8)), data=ONE, compress="zstd", blockysize=20), "refused"),
    "junk": (lambda path: path.write_bytes(b"II*\0" + bytes(40)), "refused by both"),
}
_ITEM = '<GDALMetadata><Item name="NODATA_VALUES">0 0 0</Item></GDALMetadata>'


@pytest.mark.parametrize("name", FILES)
def test_each_kind_of_file_gets_its_verdict(corpus, tmp_path, name):
    write, expected = FILES[name]
    write(tmp_path / "x.tif")
    verdict = corpus.compare(str(tmp_path / "x.tif"))
    assert verdict.kind == expected, verdict
    assert not verdict.fails


def test_a_jp2_is_compared_too(corpus, tmp_path):
    _jp2(tmp_path / "x.jp2")
    verdict = corpus.compare(str(tmp_path / "x.jp2"))
    assert verdict.kind == "equal", verdict


def test_an_overview_that_differs_is_named(corpus, tmp_path, monkeypatch):
    _with_overviews(tmp_path / "x.tif")
    right = corpus.open_geotiff
    monkeypatch.setattr(corpus, "open_geotiff", lambda handle: Altered(right(handle), "overview"))
    assert corpus.compare(str(tmp_path / "x.tif")).kind == "different: overviews"


class Altered:
    """An open raster of which one thing is wrong."""

    def __init__(self, raster, what):
        self._raster, self._what = raster, what

    def __getattr__(self, name):
        value = getattr(self._raster, name)
        if name != self._what:
            return value
        return {
            "transform": lambda: value._replace(c=value.c + 1e-3),
            "crs": lambda: None,
            "nodata": lambda: 7,
            "scales": lambda: (2.0,) * 3,
            "offsets": lambda: (2.0,) * 3,
            "bands": lambda: ("a", "b", "c"),
        }[name]()

    def read_numpy(self, **options):
        values = self._raster.read_numpy(**options)
        if self._what == "pixels" and options.get("masked"):
            values.data[0, 0, 0] ^= 1
        if self._what == "window" and "window" in options:
            values = values + 1
        if self._what == "overview" and "overview" in options:
            values.data[0, 0, 0] ^= 1
        if self._what == "mask" and options.get("masked"):
            values[0, 0, 0] = np.ma.masked
        return values


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        *((same, same) for same in ("transform", "nodata", "scales", "pixels", "window", "mask")),
        ("crs", "CRS"),
        ("offsets", "scales"),
        ("bands", "names"),
    ],
)
def test_what_is_wrong_is_named(corpus, tmp_path, monkeypatch, what, kind):
    write_tiff(tmp_path / "x.tif", pixels(3, 40, 50, "u1"), **PROFILE)
    with rasterio.open(tmp_path / "x.tif", "r+") as file:
        file.descriptions = ("B02", "B03", "B04")
    right = corpus.open_geotiff
    monkeypatch.setattr(corpus, "open_geotiff", lambda handle: Altered(right(handle), what))
    verdict = corpus.compare(str(tmp_path / "x.tif"))
    assert verdict.kind.startswith("different: ")
    assert kind in verdict.detail
    assert verdict.fails


def test_any_other_exception_is_a_crash(corpus, tmp_path, monkeypatch):
    write_tiff(tmp_path / "x.tif", ONE, **PROFILE)

    def fail(handle):
        raise ZeroDivisionError

    monkeypatch.setattr(corpus, "open_geotiff", fail)
    assert corpus.compare(str(tmp_path / "x.tif")).kind == "crashed"


@pytest.mark.slow
def test_the_command_counts_the_files_of_a_folder(tmp_path):
    for name in ("tiled", "cmyk", "junk"):
        FILES[name][0](tmp_path / f"{name}.tif")
    done = subprocess.run([sys.executable, SCRIPT, tmp_path], capture_output=True, text=True, check=False)
    counts = dict(reversed(line.split(maxsplit=1)) for line in done.stdout.splitlines() if line.startswith(" "))
    assert counts == {"equal": "1", "documented: CMYK": "1", "refused by both": "1"}
    assert done.returncode == 0
