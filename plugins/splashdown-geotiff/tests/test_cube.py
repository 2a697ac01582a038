"""Rasters of several grids as one cube: the one that odc-stac makes of them, now, lazily, and by a box."""

from __future__ import annotations

import datetime as dt

import numpy as np
import odc.geo.xr
import odc.stac
import pystac
import pytest
import rioxarray
import shapely
import xarray as xr
from raster_files import write_tiff
from rasterio.transform import from_origin
from splashdown_geotiff import load_cube
from tiff_tags import set_text

from splashdown.errors import LoadError, NoAssetError, OptionError
from splashdown.model import Asset, ResultSet
from splashdown.results import JobResults

RNG = np.random.default_rng(0)
UTM31, UTM32 = "EPSG:32631", "EPSG:32632"


class Scene:
    """Files of one STAC item, for us and for odc-stac."""

    def __init__(self, folder, name, when, west=600_000.0, crs=UTM31, north=5_700_000.0, size=64, resolution=10.0):
        self.folder, self.name, self.crs = folder, name, crs
        self.when = dt.datetime.fromisoformat(when).replace(tzinfo=dt.UTC)
        self.transform = from_origin(west, north, resolution, resolution)
        self.size, self.paths = size, {}

    def add(self, key, nodata=0, holes=0.3, dtype="u2", **profile):
        values = RNG.integers(1, 4000, (1, self.size, self.size)).astype(dtype)
        values[RNG.random(values.shape) < holes] = nodata
        path = self.folder / f"{self.name}_{key}.tif"
        fields = {"tiled": True, "blockxsize": 16, "blockysize": 16, "nodata": nodata, **profile}
        write_tiff(path, values, crs=self.crs, transform=self.transform, **fields)
        self.paths[key] = path
        return values[0]

    def assets(self):
        kind = "image/tiff; application=geotiff"
        return [
            Asset(key=key, item=self.name, href=path.as_uri(), media_type=kind, start=self.when, end=self.when)
            for key, path in self.paths.items()
        ]

    def item(self):
        # Its box decides what odc-stac reads of it.
        area = shapely.box(4.4, 51.4, 4.5, 51.5)
        item = pystac.Item(self.name, shapely.geometry.mapping(area), area.bounds, self.when, {})
        for key, path in self.paths.items():
            item.add_asset(key, pystac.Asset(str(path), media_type=pystac.MediaType.COG, roles=["data"]))
        return item


@pytest.fixture
def cube_of(results_of, tmp_path):
    session = results_of().session

    def make(*scenes, more=(), **options):
        assets = [asset for scene in scenes for asset in scene.assets()] + list(more)
        return JobResults(session, ResultSet(id="j", kind="job", assets=assets, document={})).load_cube(**options)

    return make


@pytest.fixture
def scenes(tmp_path):
    """Two days, the first of two tiles that overlap, of one CRS and of another."""
    made = [
        Scene(tmp_path, "a", "2023-06-01T10:40:00"),
        Scene(tmp_path, "b", "2023-06-01T10:40:20", west=600_320.0, north=5_699_900.0),
        Scene(tmp_path, "c", "2023-06-11T10:40:00", west=600_100.0),
    ]
    for scene in made:
        scene.add("red")
        scene.add("nir", dtype="i2", nodata=-1)
    return made


def by_odc(scenes, bands=("red", "nir"), **options):
    items = [scene.item() for scene in scenes]
    kinds = {"red": {"dtype": "uint16", "nodata": 0}, "nir": {"dtype": "int16", "nodata": -1}}
    return xr.merge([odc.stac.load(items, bands=[band], **kinds[band], **options) for band in bands])


def same(ours, theirs):
    assert ours.sizes["time"] == theirs.sizes["time"]
    assert ours.indexes["time"].equals(theirs.indexes["time"])
    assert ours.odc.geobox == theirs.odc.geobox
    for name in theirs.data_vars:
        np.testing.assert_array_equal(ours[name], theirs[name])


BOX = (600_050.0, 5_699_300.0, 600_900.0, 5_700_020.0)


@pytest.mark.parametrize("groupby", ["time", "solar_day"])
def test_a_cube_is_that_of_odc_stac(cube_of, scenes, groupby):
    grid = odc.geo.geobox.GeoBox.from_bbox(BOX, UTM31, resolution=10)
    theirs = by_odc(scenes, geobox=grid, groupby=groupby)
    ours = cube_of(*scenes, crs=UTM31, resolution=10, bbox=BOX, groupby=groupby)
    same(ours, theirs)
    assert ours["red"].dtype == "uint16"
    assert ours["nir"].attrs["_FillValue"] == -1
    assert ours["red"].dims == ("time", "y", "x")


def test_another_crs_and_resolution_are_warped_as_odc_stac_does(cube_of, scenes):
    grid = odc.geo.geobox.GeoBox.from_bbox((4.44, 51.43, 4.452, 51.441), "EPSG:4326", resolution=0.0002)
    theirs = by_odc(scenes, ["red"], geobox=grid).rename({"latitude": "y", "longitude": "x"})
    ours = cube_of(*scenes, bands="red", crs=4326, resolution=0.0002, bbox=(4.44, 51.43, 4.452, 51.441))
    assert (ours["red"] > 0).sum() > 500
    np.testing.assert_array_equal(ours["red"], theirs["red"])
    assert ours.rio.crs.to_epsg() == 4326


def test_without_options_the_cube_covers_all_on_the_grid_of_the_files(cube_of, scenes):
    ours = cube_of(*scenes)
    assert set(ours.data_vars) == {"red", "nir"}
    assert ours.rio.bounds() == (600_000.0, 5_699_260.0, 601_000.0 - 40, 5_700_000.0)
    with rioxarray.open_rasterio(scenes[2].paths["red"]) as stored:
        part = ours["red"].isel(time=2).sel(x=stored.x, y=stored.y)
        np.testing.assert_array_equal(part, stored[0])


def test_rasters_of_two_zones_need_a_crs_and_then_meet(cube_of, tmp_path):
    east = Scene(tmp_path, "east", "2023-06-01T10:40:00", west=182_000.0, crs=UTM32, north=5_706_000.0)
    west = Scene(tmp_path, "west", "2023-06-01T10:40:00")
    for scene in (east, west):
        scene.add("red", holes=0)
    with pytest.raises(OptionError, match=r"several CRS \(EPSG:326\d\d, EPSG:326\d\d\): choose .* crs="):
        cube_of(east, west)
    with pytest.raises(OptionError, match="no raster is in EPSG:3857: say how large a pixel is with resolution="):
        cube_of(east, west, crs="EPSG:3857")
    cube = cube_of(east, west, crs=UTM31, resolution=20)
    assert cube.sizes["time"] == 1
    assert (cube["red"] > 0).sum() > 1.8 * 32 * 32


def test_a_lazy_cube_has_the_same_pixels_and_reads_only_what_is_used(cube_of, scenes):
    now = cube_of(*scenes, masked=True)
    lazy = cube_of(*scenes, masked=True, chunks={"x": 30, "y": 50})
    assert lazy["red"].data.chunksize == (1, 50, 30)
    assert lazy["red"].dtype == "float32"
    assert np.isnan(now["red"]).any()
    np.testing.assert_array_equal(lazy["red"].compute(scheduler="threads"), now["red"])
    np.testing.assert_array_equal(lazy["nir"][1, 5:70, 11:90].compute(scheduler="threads"), now["nir"][1, 5:70, 11:90])


def test_pixels_are_mixed_without_those_that_hold_no_data(cube_of, tmp_path):
    scene = Scene(tmp_path, "flat", "2023-06-01T10:40:00")
    path = tmp_path / "flat_red.tif"
    values = np.full((1, 64, 64), 1000, "u2")
    values[0, 20:40, 20:40] = 0
    write_tiff(path, values, crs=UTM31, transform=scene.transform, nodata=0)
    scene.paths["red"] = path
    cube = cube_of(scene, resolution=7, crs=UTM31, resampling="bilinear")
    assert set(np.unique(cube["red"])) == {0, 1000}


def test_bands_are_found_by_key_name_and_common_name(cube_of, scenes):
    described = {"bands": [{"name": "B05", "eo:common_name": "rededge"}]}
    (one,) = (asset for asset in scenes[0].assets() if asset.key == "red")
    more = [Asset(key="x", item="z", href=one.href, start=one.start, end=one.end, metadata=described)]
    for name in ("B05", "rededge"):
        assert list(cube_of(*scenes, more=more, bands=name).data_vars) == [name]
    with pytest.raises(OptionError, match="none of the assets has the band swir; there are"):
        cube_of(*scenes, bands=["red", "swir"])


def test_what_cannot_be_a_cube_is_said(cube_of, scenes, handle_of, tmp_path):
    for options, words in (
        ({"groupby": "month"}, "groupby='month'"),
        ({"resampling": "best"}, "resampling='best': there are nearest"),
        ({"resolution": 0}, "resolution=0"),
        ({"bbox": (3, 0, 1, 1)}, "west has to be smaller"),
        ({"bbox": (1, 2)}, "pass west, south, east, north"),
        ({"crs": "EPSG:x"}, "crs='EPSG:x' is not a CRS"),
        ({"bbox_crs": 4326}, "bbox_crs="),
        ({"jobs": 0}, "jobs=0"),
    ):
        with pytest.raises(OptionError, match=words):
            cube_of(*scenes, **options)
    with pytest.raises(LoadError, match=r"a cube of 3 x 74 x 96 pixels: .* more than max_bytes=100"):
        cube_of(*scenes, max_bytes=100)
    placeless = write_tiff(tmp_path / "n.tif", np.zeros((1, 4, 4), "u1"), crs=None, transform=None)
    with pytest.raises(LoadError, match="has no place that a cube could use"):
        load_cube([handle_of(placeless, "n_2023-01-01.tif")])
    with pytest.raises((OptionError, NoAssetError), match="no GeoTIFF"):
        cube_of(more=[Asset(key="a.json", href="https://x.example/a.json", media_type="application/json")])


def test_a_box_across_the_antimeridian_needs_a_crs_that_crosses_it(cube_of, tmp_path):
    fiji = Scene(tmp_path, "fiji", "2023-06-01T10:40:00", west=795_000.0, crs="EPSG:32760", north=8_100_000.0, size=640)
    fiji.add("red", holes=0)
    box = {"bbox": (179.7, -17.3, -179.9, -17.2), "bbox_crs": "EPSG:4326"}
    cube = cube_of(fiji, crs="EPSG:3832", resolution=100, **box)
    assert cube.sizes["x"] in range(400, 500)  # 0.4 degrees, not 359.6
    assert (cube["red"] > 0).any()
    with pytest.raises(OptionError, match=r'cannot cross the antimeridian; choose .* crs="EPSG:3832"'):
        cube_of(fiji, crs="EPSG:4326", resolution=0.001, **box)


@pytest.mark.parametrize(("dtype", "nodata"), [("i8", -(2**63)), ("i8", 2**53 + 1), ("u8", 2**64 - 1), ("u8", None)])
def test_integers_of_64_bits_and_their_nodata_are_kept_exactly(cube_of, tmp_path, dtype, nodata):
    # No float of 64 bits holds 2**53 + 1, nor its odd neighbours.
    values = (np.arange(64 * 64, dtype=dtype) + 2**53 + 1).reshape(1, 64, 64)
    values[0, 0, 0] = np.iinfo(dtype).max
    scene = Scene(tmp_path, "a", "2023-06-01T10:40:00")
    scene.paths["count"] = tmp_path / "count.tif"
    content = write_tiff(scene.paths["count"], values, crs=UTM31, transform=scene.transform)
    if nodata is not None:  # rasterio writes it as a float
        scene.paths["count"].write_bytes(set_text(content, 42113, str(nodata)))
    wider = (599_990.0, 5_699_360.0, 600_640.0, 5_700_000.0)
    for options in ({}, {"chunks": {}}):
        count = cube_of(scene, bbox=wider, **options)["count"]
        assert count.dtype == dtype
        np.testing.assert_array_equal(count[0, :, 1:], values[0])
        assert (count[0, :, 0] == (nodata or 0)).all()
        assert count.attrs.get("_FillValue") == nodata
    if nodata is not None:
        masked = cube_of(scene, bbox=wider, masked=True)["count"]
        assert int(masked.isnull().sum()) == 64 + (values == np.array(nodata, dtype)).sum()
    # A mean of numbers at the end of the type stays there.
    mean = cube_of(scene, bbox=wider, resampling="average")["count"]
    assert mean.values.max() == np.iinfo(dtype).max or nodata == np.iinfo(dtype).max


def test_types_that_no_type_holds_both_are_refused(cube_of, tmp_path):
    one, two = Scene(tmp_path, "a", "2023-06-01T10:40:00"), Scene(tmp_path, "b", "2023-06-02T10:40:00")
    one.add("n", dtype="i8")
    two.add("n", dtype="u8")
    with pytest.raises(OptionError, match="no type holds the pixels of int64 and uint64 exactly"):
        cube_of(one, two)
    assert cube_of(one, two, masked=True)["n"].dtype == "float64"
