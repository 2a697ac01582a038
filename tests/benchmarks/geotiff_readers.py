"""Reads one GeoTIFF row of ``bench_geotiff`` with one library, in a process of its own.

The name of a function below is the argument, what to read comes as JSON on standard input:
``{"what": "full" | "window" | "overview" | "many", "urls": [...], "bands": 3, "expected": [crc32 of each band], ...}``.
The answer is ``{"seconds", "cpu", "rss"}``. A small local file is read before, so that neither imports nor PROJ's
database count; ``rss`` is the peak of resident memory of the whole process.
"""

from __future__ import annotations

import json
import sys
import time
import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from geotiff_files import OVERVIEW, WINDOW

#: Files read at a time, for everybody.
JOBS = 8
#: What GDAL's own documentation and its users advise for reading over HTTP.
TUNED = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_INGESTED_BYTES_AT_OPEN": "32768",
    "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES",
    "GDAL_HTTP_MULTIPLEX": "YES",
    "GDAL_HTTP_VERSION": "2",
    "GDAL_NUM_THREADS": "ALL_CPUS",
    "VSI_CACHE": "FALSE",
}
Read = Callable[[], Iterable[Any]]


def splashdown(job: dict[str, Any]) -> Read:
    """This project."""
    results = _results(job)
    if job["what"] == "many":
        return lambda: [band for one in results.load_geotiffs().values for band in one]
    return lambda: results.get_asset().load_geotiff(**_part(job)).values


def splashdown_numpy(job: dict[str, Any]) -> Read:
    """This project without xarray, as rasterio and async-geotiff are used."""
    results = _results(job)
    assets = {asset.href: asset for asset in results.get_assets()}
    return lambda: _pooled(lambda url: assets[url].load_numpy(**_part(job)), job["urls"])


def _results(job: dict[str, Any]) -> Any:
    import splashdown_geotiff._many

    import splashdown.builtins.http
    import splashdown.builtins.http.exchange
    import splashdown.results
    from splashdown.model import Asset, ResultSet
    from splashdown.session import Session

    session = Session(plugins=(splashdown_geotiff,), discover=False)
    # Plugins are registered when a job is opened, before any read, as GDAL's drivers are with the first file.
    session.registry.loaders()
    assets = [
        Asset(key=f"{2000 + n}-01-01.tif", href=url, media_type="image/tiff") for n, url in enumerate(job["urls"])
    ]
    return splashdown.results.JobResults(session, ResultSet(id="b", kind="job", assets=assets, document={}))


def _part(job: dict[str, Any]) -> dict[str, Any]:
    options: dict[str, dict[str, Any]] = {"window": {"window": WINDOW}, "overview": {"overview": OVERVIEW}}
    return options.get(job["what"], {})


def rasterio_default(job: dict[str, Any]) -> Read:
    """Rasterio as it comes, one file after the other."""
    return lambda: [band for url in job["urls"] for band in _rasterio(job, url)]


def rasterio_tuned(job: dict[str, Any]) -> Read:
    """Rasterio with GDAL's options for the network, several files at a time."""
    import rasterio

    def one(url: str) -> Any:
        with rasterio.Env(**TUNED):
            return _rasterio(job, url, driver="GTiff")

    return lambda: _pooled(one, job["urls"])


def rioxarray(job: dict[str, Any]) -> Read:
    """Rioxarray with the same options, and without its lock around everything."""
    import rasterio
    import rioxarray as rx

    def one(url: str) -> Any:
        with rasterio.Env(**TUNED):
            options = {"overview_level": OVERVIEW} if job["what"] == "overview" else {}
            array = rx.open_rasterio(url, driver="GTiff", lock=False, **options)
            if job["what"] == "window":
                column, row, width, height = WINDOW
                array = array.isel(x=slice(column, column + width), y=slice(row, row + height))
            return array.values

    return lambda: _pooled(one, job["urls"])


def odc_stac(job: dict[str, Any]) -> Read:
    """odc-stac with the same options, from STAC items that tell the grid, so that no file is opened for that."""
    import odc.stac
    import pystac
    from odc.geo.geobox import GeoBox

    odc.stac.configure_rio(cloud_defaults=False, **TUNED)
    box = GeoBox(tuple(job["shape"]), _affine(), "EPSG:32631")
    items = [pystac.Item.from_dict(_item(job, number, url)) for number, url in enumerate(job["urls"])]
    names = ["data"] if job["bands"] == 1 else [f"data.{n + 1}" for n in range(job["bands"])]
    if job["what"] == "window":
        column, row, width, height = WINDOW
        box = box[row : row + height, column : column + width]
    options: dict[str, Any] = {"geobox": box}
    if job["what"] == "overview":
        options = {"crs": "EPSG:32631", "resolution": 80}

    def read() -> Iterable[Any]:
        cube = odc.stac.load(items, bands=names, pool=JOBS, **options)
        return [cube[name].values[time] for time in range(cube.sizes["time"]) for name in cube.data_vars]

    return read


def async_geotiff(job: dict[str, Any]) -> Read:
    """async-geotiff over obstore, several files at a time."""
    import asyncio

    import async_geotiff as ag
    from obstore.store import HTTPStore, LocalStore

    base = job["urls"][0].rpartition("/")[0]
    store = HTTPStore(base, client_options={"allow_http": True}) if "://" in base else LocalStore(base)
    column, row, width, height = WINDOW

    async def one(url: str, room: asyncio.Semaphore) -> Any:
        async with room:
            tiff = await ag.GeoTIFF.open(url.rpartition("/")[2], store=store)
            if job["what"] == "window":
                window = ag.Window(col_off=column, row_off=row, width=width, height=height)
                return (await tiff.read(window=window)).data
            source = tiff.overviews[OVERVIEW] if job["what"] == "overview" else tiff
            return (await source.read()).data

    async def every() -> list[Any]:
        room = asyncio.Semaphore(JOBS)
        return await asyncio.gather(*(one(url, room) for url in job["urls"]))

    return lambda: [band for array in asyncio.run(every()) for band in array]


def _rasterio(job: dict[str, Any], url: str, **how: Any) -> Any:
    import rasterio
    from rasterio.windows import Window

    if job["what"] == "overview":
        how["overview_level"] = OVERVIEW
    with rasterio.open(url, **how) as file:
        return file.read(window=Window(*WINDOW)) if job["what"] == "window" else file.read()


def _pooled(one: Callable[[str], Any], urls: list[str]) -> list[Any]:
    if len(urls) == 1:
        return list(one(urls[0]))
    with ThreadPoolExecutor(JOBS) as pool:
        return [band for array in pool.map(one, urls) for band in array]


def _affine() -> Any:
    from affine import Affine

    return Affine(10, 0, 600000, 0, -10, 5700000)


def _item(job: dict[str, Any], number: int, url: str) -> dict[str, Any]:
    height, width = job["shape"]
    left, top = 600000, 5700000
    ring = [[4.4, 51.4], [6.1, 51.4], [6.1, 50.4], [4.4, 50.4], [4.4, 51.4]]
    band = {"data_type": job["dtype"], "nodata": job["nodata"]}
    return {
        "type": "Feature", "stac_version": "1.0.0", "id": f"i{number}", "links": [], "collection": "c",
        "stac_extensions": ["https://stac-extensions.github.io/projection/v1.1.0/schema.json",
                            "https://stac-extensions.github.io/raster/v1.1.0/schema.json"],
        "bbox": [4.4, 50.4, 6.1, 51.4], "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"datetime": f"{2000 + number}-01-01T00:00:00Z", "proj:epsg": 32631, "proj:shape": [height, width],
                       "proj:transform": [10, 0, left, 0, -10, top]},
        "assets": {"data": {"href": url, "type": "image/tiff; application=geotiff", "roles": ["data"],
                            "raster:bands": [band] * job["bands"]}},
    }  # fmt: skip


READERS = (splashdown, splashdown_numpy, rasterio_default, rasterio_tuned, rioxarray, odc_stac, async_geotiff)


def main() -> None:
    """Read once, and say what it took."""
    job = json.load(sys.stdin)
    reader = next(one for one in READERS if one.__name__ == sys.argv[1])
    list(reader({**job, **job["warm"], "what": "full"})())
    read = reader(job)
    cpu, begun = time.process_time(), time.perf_counter()
    arrays = read()
    bands = list(arrays)
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    rss = _peak()
    if sys.argv[1] != "odc_stac" or job["what"] != "overview":  # it resamples to the grid that it is given
        got = [zlib.crc32(band) for band in bands]
        if got != job["expected"] * len(job["urls"]):
            raise SystemExit("other pixels than GDAL reads from the local file")
    sys.stdout.write("\n" + json.dumps({"seconds": seconds, "cpu": cpu, "rss": rss}) + "\n")


def _peak() -> int:
    """Bytes. ``getrusage`` would tell the parent's peak where that is higher."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


if __name__ == "__main__":
    main()
