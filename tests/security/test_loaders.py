"""Every loader answers damaged files, values of other types and odd metadata with a result or one clear line."""

from __future__ import annotations

import io
import json
import random
import warnings

import geopandas as gpd
import h5py
import numpy as np
import pandas as pd
import PIL.Image
import pytest
import shapely
import splashdown_geotiff
import splashdown_tables
import splashdown_xarray
import xarray as xr
from grib_files import grib
from raster_files import pixels, write_tiff
from wrong_types import WRONG, all_wrong

from splashdown.builtins import loaders
from splashdown.errors import HttpStatusError, LoadError, SplashdownError
from splashdown.testing import MemoryHandle, make_asset

SPECS = {
    spec.name: spec
    for plugin in (loaders, splashdown_geotiff, splashdown_tables, splashdown_xarray)
    for spec in plugin.splashdown_loaders()
}
POINTS = gpd.GeoDataFrame({"n": [1, 2], "s": ["a", "b"]}, geometry=[shapely.Point(1, 2), shapely.Point(3, 4)], crs=4326)
DOCUMENTS = {
    "json": {"a": [1, {"b": None}]},
    "geojson": json.loads(POINTS.to_json()),
    "timeseries": {"2020-01-01T00:00:00Z": [[1.0, 2.0], []], "2020-01-02T00:00:00Z": [[1.5, None], [3.0, 4.0]]},
}
#: What loaders read of an asset besides its bytes.
READ = ("bands", "eo:bands", "raster:bands", "nodata", "data_type", "proj:epsg", "proj:code", "proj:shape", "datetime")
STORES = ("zarr", "zarr-tree")
#: The others are of many objects, take whatever bytes there are, or start a process for each file.
NAMES = [name for name in SPECS if name not in {"bytes", "text", "cube", "grib", *STORES}]
#: Objects of stores that are not Zarr, and metadata that no store has.
NO_STORES = [b"", b"\0", b"null", b"[]", b'{"metadata": []}', b'{"zarr_format": 2, "metadata": {".zgroup": 5}}']


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A small good file for each loader."""
    folder = tmp_path_factory.mktemp("good")
    found = {name: json.dumps(document).encode() for name, document in DOCUMENTS.items()}
    found["csv"] = b"date,a,b\n2020-01-01,1,2\n2020-01-02,3,x\n"
    POINTS.to_parquet(folder / "x.parquet")
    POINTS.to_file(folder / "x.gpkg", driver="GPKG", engine="pyogrio")
    POINTS.to_file(folder / "x.fgb", driver="FlatGeobuf", engine="pyogrio")
    PIL.Image.fromarray(np.zeros((8, 8, 3), "u1")).save(folder / "x.png")
    times = pd.date_range("2023-01-01", periods=3)
    cube = xr.Dataset({"a": (("t", "y"), np.arange(12.0).reshape(3, 4))}, coords={"t": times})
    cube.to_netcdf(folder / "x.nc", engine="scipy")
    tiff = write_tiff(folder / "x.tif", pixels(2, 40, 40, "u2"), compress="deflate")
    found |= dict.fromkeys(("geotiff", "numpy", "geotiff-handle"), tiff)
    for name, extension in {"parquet": "parquet", "geopackage": "gpkg", "flatgeobuf": "fgb"}.items():
        found[name] = (folder / f"x.{extension}").read_bytes()
    profile = {"driver": "JP2OpenJPEG", "tiled": True, "blockxsize": 32, "blockysize": 32, "GMLJP2": "YES"}
    found["jp2"] = write_tiff(folder / "x.jp2", pixels(1, 64, 64, "u1"), **profile)
    found["png"] = found["picture"] = (folder / "x.png").read_bytes()
    # netCDF 3: the library of netCDF 4 has faults of its own, see the documentation.
    found["netcdf"] = found["netcdf-tree"] = (folder / "x.nc").read_bytes()
    return found


class Store(MemoryHandle):
    """A Zarr store of these objects."""

    def __init__(self, objects, asset):
        super().__init__(b"", asset)
        self.objects = objects

    def sibling(self, name):
        if name not in self.objects:
            raise HttpStatusError("there is no such object", status=404)
        return MemoryHandle(self.objects[name], self.asset)


@pytest.fixture(scope="module", params=[2, 3])
def store(request, tmp_path_factory):
    """The objects of a small store with a group, and the name of its metadata."""
    folder = tmp_path_factory.mktemp("store")
    cube = xr.Dataset({"a": (("t", "y"), np.arange(12.0).reshape(3, 4))}, coords={"t": [1.0, 2.0, 3.0]}).chunk({"t": 2})
    tree = xr.DataTree.from_dict({"/": cube, "/inner": cube.rename(a="b")})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree.to_zarr(folder, zarr_format=request.param, consolidated=True)
    objects = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    return objects, ".zmetadata" if request.param == 2 else "zarr.json"


def load(name, content, **fields):
    """Whether it is read; an error has to be one of ours and of one line."""
    spec = SPECS[name]
    extension = spec.extensions[0] if spec.extensions else ".bin"
    media_type = spec.media_types[0] if spec.media_types else None
    asset = make_asset(f"data{extension}", media_type=media_type, **fields)
    handle = MemoryHandle(content, asset) if isinstance(content, bytes) else Store(content, asset)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries, about what they find
        try:
            spec.load(handle)
        except SplashdownError as error:
            said = str(error)
        else:
            return True
    assert "\n" not in said
    assert len(said) < 2000
    return False


def damaged(content, seed, count):
    """The same bytes with some changed, removed or cut off."""
    rng = random.Random(seed)
    for _ in range(count):
        data = bytearray(content)
        for _ in range(rng.choice((1, 2, 4, 16))):
            at = rng.randrange(len(data))
            how = rng.random()
            if how < 0.5:
                data[at] = rng.choice((0, 1, 127, 128, 255, data[at] ^ (1 << rng.randrange(8))))
            elif how < 0.8:
                data[at : at + 8] = rng.choice((bytes(8), b"\xff" * 4))
            else:
                del data[at : at + rng.choice((1, 8, 64, len(data)))]
            if not data:
                break
        yield bytes(data)


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_file_is_one_clear_line(name, good):
    assert load(name, good[name])
    outcomes = [load(name, content) for content in damaged(good[name], name, 60)]
    assert not all(outcomes)


@pytest.mark.parametrize("name", STORES)
def test_damaged_metadata_of_a_store_are_one_clear_line(name, store):
    objects, metadata = store
    assert load(name, objects)
    changed = [*NO_STORES, *damaged(objects[metadata], name, 60)]
    outcomes = [load(name, {**objects, metadata: content}) for content in changed]
    assert not all(outcomes)


@pytest.mark.parametrize("name", STORES)
def test_a_value_of_another_type_in_metadata_of_a_store_is_one_line(name, store):
    objects, metadata = store
    for _, document in all_wrong(json.loads(objects[metadata]), every=25):
        load(name, {**objects, metadata: json.dumps(document).encode()})


@pytest.mark.parametrize("name", STORES)
def test_a_coordinate_that_would_fill_memory_is_refused_by_a_store(name, store):
    objects, metadata = store
    content = json.loads(objects[metadata])
    arrays = content.get("consolidated_metadata", content)["metadata"]
    arrays["t/.zarray" if "t/.zarray" in arrays else "t"]["shape"] = [10**11]
    with pytest.raises(LoadError, match=r"its coordinate 't' takes 800,000,000,000 bytes in [0-9,]+ chunks"):
        SPECS[name].load(Store({**objects, metadata: json.dumps(content).encode()}, make_asset("data.zarr")))


@pytest.mark.parametrize("name", ["netcdf", "netcdf-tree"])
@pytest.mark.parametrize("lazy", [True, False])
def test_a_coordinate_that_would_fill_memory_is_refused_in_a_file(name, lazy):
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:  # of its chunks none is written
        file.create_dataset("t", (10**11,), "f8", chunks=(2**20,)).make_scale("t")
        file.create_dataset("a", (10**11,), "f8", chunks=(2**20,)).dims[0].attach_scale(file["t"])
    handle = MemoryHandle(buffer.getvalue(), make_asset("data.nc"))
    with pytest.raises(LoadError, match="its coordinate 't' takes 800,000,000,000 bytes, more than max_bytes"):
        SPECS[name].load(handle, lazy=lazy)


@pytest.mark.slow
def test_damaged_messages_of_grib_are_one_clear_line():
    content = grib()
    assert load("grib", content)
    outcomes = [load("grib", part) for part in damaged(content, "grib", 6)]
    assert not all(outcomes)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_value_of_another_type_at_any_node_is_one_clear_line(name):
    for _, document in all_wrong(DOCUMENTS[name]):
        load(name, json.dumps(document).encode())


@pytest.mark.parametrize("name", [name for name in NAMES if name not in DOCUMENTS])
def test_metadata_of_other_types_do_not_stop_a_loader(name, good):
    values = [*WRONG, [{"name": 5, "scale": "x", "offset": [], "nodata": {}}], [{"scale": 10**400, "nodata": "nan"}]]
    for value in values:
        load(name, good[name], metadata=dict.fromkeys(READ, value), properties=dict.fromkeys(READ, value))


def test_a_series_that_would_fill_memory_is_refused():
    document = {"2020-01-01": [[0.0] * 30_000], "2020-01-02": [[]] * 30_000}
    handle = MemoryHandle(json.dumps(document).encode(), make_asset("x.json"))
    with pytest.raises(LoadError, match="a table of 1,800,000,000 values takes more than"):
        SPECS["timeseries"].load(handle)
