"""Clips of rasters: pixels, metadata and what they cost, over a real socket."""

from __future__ import annotations

import json
import sys
import zipfile

import numpy as np
import pytest
import rasterio
import splashdown_geotiff
from executors import Pickling
from faults import Cut, Status
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer
from raster_files import UTM, pixels, write_tiff
from rasterio.windows import from_bounds
from splashdown_geotiff._clip import clip_raster
from stac_item import stac_item

from splashdown import DownloadError, RetryPolicy, Session, Settings
from splashdown.clipping import Area
from splashdown.errors import LoadError, NoAssetError
from splashdown.model import Status as Ended
from splashdown.testing import MemoryHandle, make_asset

NOISE = np.random.default_rng(0).integers(1, 60000, (2, 1500, 1400), "u2")
COG = {"driver": "COG", "blocksize": 128, "compress": "deflate", "resampling": "nearest"}
#: A box in UTM coordinates that does not lie on the grid, and the pixels that it touches.
INSIDE = (503003.0, 5594004.0, 505996.0, 5595995.0)
ROWS, COLUMNS = slice(400, 600), slice(300, 600)


def degrees(bounds, crs="EPSG:32631"):
    return Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform_bounds(*bounds)


@pytest.fixture
def session():
    settings = Settings(retry=RetryPolicy(attempts=3, base=0.01))
    with Session(plugins=(splashdown_geotiff,), discover=False, strict=True, settings=settings) as running:
        yield running


@pytest.fixture
def opened(session, server):
    """Results of an item with these files as its assets."""

    def make(fields=None, **files):
        kinds = {".jp2": "image/jp2", ".tif": "image/tiff; application=geotiff", ".json": "application/json"}
        assets = {}
        for key, content in files.items():
            name = key.replace("_", ".")
            href = server.add(f"/{name}", content)
            assets[key] = {"href": href, "type": kinds[name[name.rindex(".") :]], **(fields or {})}
        item = stac_item(
            assets, bbox=[2.9, 50.0, 4.0, 51.0], links=[{"rel": "self", "href": f"{server.url}/item.json"}]
        )
        return session.open(item)

    return make


def test_processes_clip_files_of_archives_as_this_one_does(server, tmp_path):
    content, assets = write_tiff(tmp_path / "a.tif", NOISE, nodata=0, **COG), {}
    for number in range(3):
        with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(f"{number}.tif", content)
        assets[f"{number}.zip"] = {"href": server.add(f"/{number}.zip", (tmp_path / "a.zip").read_bytes())}
    with Session() as session, Pickling() as pickling:
        clips = session.open(stac_item(assets, bbox=[2.9, 50.0, 4.0, 51.0])).unpack().clip(degrees(INSIDE))
        clips.download_files(tmp_path / "near")
        clips.download_files(tmp_path / "far", executor="processes:2")
        again = clips.transfer(clips.plan(tmp_path / "far"), executor=pickling)
    near, far = ({p.name: p.read_bytes() for p in (tmp_path / one).rglob("*.tif")} for one in ("near", "far"))
    assert len(near) == 3
    assert near == far
    assert {one.status for one in again.outcomes} == {Ended.SKIPPED}


def test_links_of_clips_that_have_expired_are_renewed_for_workers(server, tmp_path):
    content = write_tiff(tmp_path / "a.tif", NOISE, nodata=0, **COG)
    names = [f"{number}.tif" for number in range(3)]
    for name in names:
        server.add(f"/{name}", content, signed=True)

    def answer(handler, answered):
        links = [{"rel": "self", "href": f"{server.url}/item.json"}]
        assets = {name: {"href": server.sign(f"/{name}"), "type": "image/tiff; application=geotiff"} for name in names}
        return Status(200, json.dumps(stac_item(assets, bbox=[2.9, 50.0, 4.0, 51.0], links=links)).encode())(
            handler, answered
        )

    server.add("/item.json", media_type="application/geo+json")
    server.always("/item.json", answer)
    with Session() as session, Pickling() as pickling:
        clips = session.open(f"{server.url}/item.json").clip(degrees(INSIDE))
        clips.download_files(tmp_path / "near")
        server.expire_links()
        before = len(server.ranges("/item.json"))
        report = clips.transfer(clips.plan(tmp_path / "far"), executor=pickling)
        assert len(server.ranges("/item.json")) == before + 1
    assert report.ok, report.failed
    near, far = ({p.name: p.read_bytes() for p in (tmp_path / one).rglob("*.tif")} for one in ("near", "far"))
    assert len(far) == 3
    assert near == far


def clip_of(content, box):
    """What the plugin makes of these bytes."""
    return clip_raster(MemoryHandle(content, make_asset("x.tif", media_type="image/tiff")), Area(bbox=box))


def test_a_clip_has_the_pixels_grid_and_description_of_the_source(opened, tmp_path):
    source = tmp_path / "a.tif"
    content = write_tiff(source, NOISE, nodata=0, descriptions=("red", "nir"), tags={"A": "b", "STATISTICS_MEAN": "7"},
                         band_tags={1: {"UNIT_OF": "x"}}, **COG)  # fmt: skip
    done = opened(a_tif=content).clip(degrees(INSIDE)).run("download_files", target=tmp_path / "out")
    with rasterio.open(done.places[0]) as clip, rasterio.open(source) as whole:
        # The box of degrees around the box of metres is a little larger.
        window = from_bounds(*clip.bounds, whole.transform).round_offsets().round_lengths()
        assert (window.col_off, window.row_off) <= (COLUMNS.start, ROWS.start)
        assert window.width <= 300 + 40
        np.testing.assert_array_equal(clip.read(), whole.read(window=window))
        assert clip.crs == whole.crs
        assert clip.transform == whole.window_transform(window)
        assert (clip.nodata, clip.descriptions, clip.dtypes) == (0, ("red", "nir"), ("uint16", "uint16"))
        assert clip.tags()["A"] == "b"
        assert "STATISTICS_MEAN" not in clip.tags()
        assert clip.tags(1)["UNIT_OF"] == "x"
        assert clip.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"


def test_only_the_tiles_of_the_area_are_read_and_counted(opened, server, tmp_path):
    content = write_tiff(tmp_path / "a.tif", NOISE, **COG)
    results = opened(a_tif=content).clip(degrees(INSIDE))
    report = results.run("download_files", target=tmp_path / "out").report
    assert report.bytes_moved == server.sent("/a.tif")
    assert server.sent("/a.tif") < len(content) / 5
    assert results.result_set.origins == {("one", "a_tif"): ("one/a_tif", len(content))}


def test_the_receipt_describes_the_clip_and_names_the_source(opened, server, tmp_path):
    content = write_tiff(tmp_path / "a.tif", NOISE, **COG)
    fields = {"file:size": len(content), "proj:shape": [1500, 1400], "proj:epsg": 32631, "raster:bands": [
        {"nodata": 0, "statistics": {"mean": 1}}]}  # fmt: skip
    done = opened(fields, a_tif=content).clip(degrees(INSIDE)).run("download_files", target=tmp_path / "out")
    receipt = json.loads((tmp_path / "out" / "item.json").read_text())
    entry = receipt["assets"]["a_tif"]
    with rasterio.open(done.places[0]) as clip:
        assert entry["proj:shape"] == [clip.height, clip.width]
        assert entry["proj:transform"] == list(clip.transform)[:6]
        assert entry["proj:bbox"] == list(clip.bounds)
        assert receipt["bbox"] == pytest.approx(degrees(clip.bounds))
    assert entry["raster:bands"] == [{"nodata": 0}]
    assert "proj:code" not in entry, "the catalog has named the CRS in its own way"
    assert entry["file:size"] == done.report.outcomes[0].size < len(content)
    assert entry["type"] == "image/tiff; application=geotiff; profile=cloud-optimized"
    assert {"rel": "derived_from", "href": f"{server.url}/item.json", "type": "application/json"} in receipt["links"]
    assert Session(discover=False).run("verify", tmp_path / "out").ok


def test_a_second_run_reads_headers_alone_and_another_area_replaces(opened, server, tmp_path):
    content = write_tiff(tmp_path / "a.tif", NOISE, **COG)
    results, target = opened(a_tif=content), tmp_path / "out"
    first = results.clip(degrees(INSIDE)).run("download_files", target=target).report.outcomes[0]
    before = server.sent()
    again = results.clip(degrees(INSIDE)).run("download_files", target=target).report.outcomes[0]
    assert (again.status, again.checksum) == (Ended.SKIPPED, first.checksum)
    assert server.sent() - before <= 64 * 1024
    other = results.clip(degrees((506000, 5594000, 507000, 5595000))).run("download_files", target=target)
    assert other.report.outcomes[0].status is Ended.STORED
    whole = results.run("download_files", target=target)
    assert whole.report.outcomes[0].status is Ended.STORED
    assert whole.places[0].read_bytes() == content


def test_a_source_that_changed_is_clipped_again(opened, server, tmp_path):
    target = tmp_path / "out"
    opened(a_tif=write_tiff(tmp_path / "a.tif", NOISE, **COG)).clip(degrees(INSIDE)).download_files(target)
    changed = opened(a_tif=write_tiff(tmp_path / "a.tif", NOISE + 1, **COG)).clip(degrees(INSIDE))
    done = changed.run("download_files", target=target)
    assert done.report.outcomes[0].status is Ended.STORED


def test_what_is_left_out_is_named_with_the_reason(opened, server, tmp_path):
    content = write_tiff(tmp_path / "a.tif", pixels(1, 50, 60, "u1"))
    results = opened(a_tif=content, far_json=b"{}").clip(degrees(INSIDE))
    assert {one.asset.key: one.reason for one in results.skipped} == {
        "a_tif": "its pixels do not meet the area",
        "far_json": "it cannot be clipped: the loader 'json' cannot clip; those of geotiff, jp2 can",
    }
    with pytest.raises(NoAssetError, match="do not meet the area"):
        results.download_files(tmp_path / "out")
    before = len(server.seen)
    beside = opened(a_tif=content).clip((10, 50, 11, 51))
    assert beside.skipped[0].reason == "its footprint does not meet the area"
    assert len(server.seen) == before


def test_a_source_that_fails_is_a_failure_and_not_left_out(opened, server, tmp_path):
    results = opened(a_tif=write_tiff(tmp_path / "a.tif", NOISE, **COG), b_tif=b"")
    server.always("/b.tif", Status(500))
    results = results.clip(degrees(INSIDE))
    assert len(results) == 2
    before = len(server.seen)
    with pytest.raises(DownloadError, match="500") as error:
        results.download_files(tmp_path / "out")
    assert [one.asset.key for one in error.value.report.landed] == ["a_tif"]
    receipt = json.loads((tmp_path / "out" / "item.json").read_text())
    assert receipt["assets"]["b_tif"]["href"] == f"{server.url}/b.tif"
    assert sum(one.path == "/b.tif" for one in server.seen[before:]) == 3


def test_a_broken_connection_goes_on(opened, server, tmp_path):
    results = opened(a_tif=write_tiff(tmp_path / "a.tif", NOISE, **COG)).clip(degrees(INSIDE))
    server.script("/a.tif", Cut(after=1000), Status(503), Cut(after=50_000, reset=True))
    results.download_files(tmp_path / "out")


def test_a_damaged_tile_leaves_nothing_behind(opened, tmp_path):
    content = bytearray(write_tiff(tmp_path / "a.tif", NOISE, **COG))
    at = len(content) // 3
    content[at:] = bytes(len(content) - at)
    results = opened(a_tif=bytes(content)).clip(degrees((500500, 5585500, 513500, 5599500)))
    with pytest.raises(DownloadError, match="a_tif"):
        results.download_files(tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.tif"))


def test_a_jp2_becomes_a_geotiff_with_its_extension(opened, tmp_path):
    path = tmp_path / "b.jp2"
    data = pixels(1, 300, 400, "u2")
    content = write_tiff(path, data, driver="JP2OpenJPEG", reversible="yes", quality=100, blockxsize=64, blockysize=64)
    done = (
        opened(b_jp2=content)
        .clip(degrees((500005, 5599005, 501995, 5599995)))
        .run("download_files", target=tmp_path / "o")
    )
    assert done.places[0].suffix == ".tif"
    whole = opened(b_jp2=content)
    root = whole.clip(degrees((500005, 5599005, 501995, 5599995))).download_collection(
        tmp_path / "c", original_hrefs=True
    )
    original = json.loads(root.read_text())["assets"]["b_jp2"]["alternate"]["original"]["href"]
    assert original == whole.assets[0].href
    with rasterio.open(done.places[0]) as clip:
        window = from_bounds(*clip.bounds, UTM["transform"]).round_offsets().round_lengths()
        rows, columns = window.toslices()
        np.testing.assert_array_equal(clip.read(), data[:, rows, columns])


def test_masks_alpha_colours_and_palettes_are_kept(tmp_path):
    box = degrees((500100, 5599500, 500400, 5599900))
    mask = np.zeros((80, 90), "u1")
    mask[:, 20:] = 255
    palette = {0: (0, 0, 0, 255), 1: (10, 20, 30, 255), 255: (255, 0, 1, 255)}

    def clipped(data, colormap=None, **profile):
        source = tmp_path / "in.tif"
        content = write_tiff(source, data, **profile)
        if colormap:
            with rasterio.open(source, "r+") as file:
                file.write_colormap(1, colormap)
            content = source.read_bytes()
        clip_of(content, box).write(tmp_path / "out.tif")
        return rasterio.open(tmp_path / "out.tif")

    with clipped(pixels(3, 80, 90, "u1"), photometric="RGB", mask=mask) as file:
        assert [one.name for one in file.colorinterp] == ["red", "green", "blue"]
        window = from_bounds(*file.bounds, UTM["transform"]).round_offsets().round_lengths()
        rows, columns = window.toslices()
        np.testing.assert_array_equal(file.read_masks(1), mask[rows, columns])
    with clipped(pixels(4, 80, 90, "u1"), photometric="RGB", alpha="yes") as file:
        assert file.colorinterp[3].name == "alpha"
    with clipped(pixels(1, 80, 90, "u1"), colormap=palette) as file:
        assert {n: file.colormap(1)[n] for n in palette} == palette


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8", "c8", "c16"])
def test_every_type_of_pixel_is_kept(tmp_path, dtype):
    data = pixels(2, 70, 90, dtype)
    clip = clip_of(write_tiff(tmp_path / "in.tif", data), degrees((499000, 5590000, 520000, 5610000)))
    clip.write(tmp_path / "out.tif")
    with rasterio.open(tmp_path / "out.tif") as file:
        np.testing.assert_array_equal(file.read(), data)
        assert file.dtypes[0] == data.dtype.name


def test_scales_and_offsets_are_kept(tmp_path):
    with rasterio.open(
        tmp_path / "in.tif", "w", driver="GTiff", count=2, height=9, width=9, dtype="int16", **UTM
    ) as file:
        file.scales, file.offsets = (0.1, 2.0), (-3.0, 0.0)
    clip = clip_of((tmp_path / "in.tif").read_bytes(), degrees((499000, 5590000, 520000, 5610000)))
    clip.write(tmp_path / "out.tif")
    with rasterio.open(tmp_path / "out.tif") as file:
        assert (file.scales, file.offsets) == ((0.1, 2.0), (-3.0, 0.0))


WHOLE = pixels(1, 64, 48, "i2")


@given(
    left=st.floats(499_900, 500_500), bottom=st.floats(5_599_300, 5_600_050),
    width=st.floats(0, 500), height=st.floats(0, 600),
)  # fmt: skip
def test_any_box_gives_exactly_the_pixels_that_it_touches(tmp_path_factory, left, bottom, width, height):
    folder = tmp_path_factory.mktemp("clip")
    content = write_tiff(folder / "in.tif", WHOLE, tiled=True, blockxsize=16, blockysize=16)
    clip = clip_of(content, degrees((left, bottom, left + width, bottom + height)))
    if clip is None:
        beside = left + width < 500_001 or left > 500_479 or bottom + height < 5_599_361 or bottom > 5_599_999
        assert beside
        return
    clip.write(folder / "out.tif")
    with rasterio.open(folder / "out.tif") as file:
        place = ~UTM["transform"] * (file.transform.c, file.transform.f)
        column, row = round(place[0]), round(place[1])
        assert place == pytest.approx((column, row), abs=1e-6)
        np.testing.assert_array_equal(file.read(), WHOLE[:, row : row + file.height, column : column + file.width])


def test_a_large_area_is_copied_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr("splashdown_geotiff._clip._PIECE_BYTES", 1)
    content = write_tiff(tmp_path / "in.tif", NOISE, **COG)
    clip_of(content, degrees((499000, 5580000, 520000, 5610000))).write(tmp_path / "out.tif")
    with rasterio.open(tmp_path / "out.tif") as file:
        np.testing.assert_array_equal(file.read(), NOISE)
        assert file.overviews(1) == [2, 4], "GDAL wants them for more than a tile"


def test_a_raster_without_a_place_is_refused_in_words(tmp_path):
    content = write_tiff(tmp_path / "x.tif", pixels(1, 9, 9, "u1"), crs=None)
    with pytest.raises(LoadError, match="does not name its CRS"):
        clip_of(content, (3, 50, 4, 51))


def test_without_rasterio_the_reason_says_what_to_install(opened, tmp_path, monkeypatch):
    results = opened(a_tif=write_tiff(tmp_path / "a.tif", pixels(1, 9, 9, "u1")))
    monkeypatch.setitem(sys.modules, "rasterio", None)
    skipped = results.clip(degrees((500000, 5599950, 500050, 5600000))).skipped
    assert skipped[0].reason.endswith("pip install 'splashdown-geotiff[gdal]'")
