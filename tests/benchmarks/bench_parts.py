"""Bytes and time of clips, and of one file of an archive, against the whole file.

    python tests/benchmarks/bench_parts.py [--size 10980]

Needs splashdown-geotiff with rasterio, and splashdown-xarray. Figures are in docs/how-to/clip.md and docs/how-to/archives.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
import xarray as xr

import splashdown

sys.path.append(str(Path(__file__).resolve().parents[1] / "support"))
from fault_server import FaultServer
from stac_item import stac_item

MIB = 1024 * 1024
#: The English Channel.
SEA = (-5.0, 49.0, 1.5, 51.0)
#: About 10 km x 10 km in the middle of the scene.
AREA = (3.60, 50.0, 3.74, 50.09)


def scene(path: Path, size: int) -> bytes:
    """A band as Sentinel-2 has it: 10 m, 16 bits, tiles of 1,024 pixels, noise that compresses a little."""
    transform = rasterio.transform.from_origin(499980, 5600040, 10, 10)
    profile = {"driver": "GTiff", "width": size, "height": size, "count": 1, "dtype": "uint16", "crs": "EPSG:32631"}
    with rasterio.open(path.with_suffix(".plain.tif"), "w", transform=transform, nodata=0, **profile) as file:
        file.write(np.random.default_rng(0).integers(1000, 9000, (1, size, size), "u2"))
    options = {"compress": "DEFLATE", "blocksize": 1024, "predictor": "YES", "overview_resampling": "NEAREST"}
    with rasterio.open(path.with_suffix(".plain.tif")) as file:
        rasterio.shutil.copy(file, path, driver="COG", **options)
    path.with_suffix(".plain.tif").unlink()
    return path.read_bytes()


def layers(path: Path, days: int) -> bytes:
    """A layer a day of 0.05 degrees, in chunks of 600 x 600 cells, noise that compresses a little."""
    lat, lon = 90 - 0.05 * (np.arange(3600) + 0.5), 0.05 * (np.arange(7200) + 0.5) - 180
    values = np.random.default_rng(0).integers(-200, 3500, (days, 3600, 7200)).astype("i2")
    cube = xr.Dataset(
        {"sst": (("time", "lat", "lon"), values, {"scale_factor": 0.01})},
        coords={
            "time": np.arange("2023-01-01", days, dtype="M8[D]").astype("M8[ns]"),
            "lat": ("lat", lat, {"units": "degrees_north"}),
            "lon": ("lon", lon, {"units": "degrees_east"}),
        },
    )
    encoding = {"sst": {"zlib": True, "complevel": 1, "chunksizes": (1, 600, 600)}}
    cube.to_netcdf(path, engine="h5netcdf", encoding=encoding)
    return path.read_bytes()


def archive(path: Path) -> bytes:
    """1 GiB in files of about 90 MiB."""
    with zipfile.ZipFile(path, "w") as file:
        for number in range(11):
            with file.open(f"P.SAFE/GRANULE/B{number:02}.jp2", "w") as member:
                for _ in range(93):
                    member.write(np.random.default_rng(number).bytes(MIB))
    return path.read_bytes()


def measure(title: str, results: splashdown.JobResults, server: FaultServer, folder: Path) -> None:
    """Download and print a row; ``results`` is made by the caller within the measured time."""
    begun, before = time.perf_counter(), server.sent()
    report = results.run("download_files", target=folder).report
    seconds, sent = time.perf_counter() - begun, server.sent() - before
    print(f"| {title} | {report.bytes_moved / MIB:.1f} | {sent / MIB:.1f} | {seconds:.2f} |", flush=True)


def main() -> None:
    """Print one row for each way."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", type=int, default=10_980)
    arguments = parser.parse_args()
    print("| what | MiB counted | MiB sent meanwhile | seconds |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name, FaultServer() as server:
        folder = Path(name)
        tif = server.add("/B04.tif", scene(folder / "B04.tif", arguments.size))
        results = splashdown.open(stac_item({"B04": {"href": tif, "type": "image/tiff"}}))
        measure("the whole band", results, server, folder / "whole")
        measure("10 km x 10 km of it", results.clip(AREA), server, folder / "clip")
        nc = server.add("/sst.nc", layers(folder / "sst.nc", 10))
        results = splashdown.open(stac_item({"sst": {"href": nc, "type": "application/netcdf"}}))
        measure("ten layers in netCDF", results, server, folder / "layers")
        measure("6.5 x 2 degrees of them", results.clip(SEA), server, folder / "sea")
        product = server.add("/product.zip", archive(folder / "product.zip"))
        results = splashdown.open(stac_item({"product": {"href": product, "type": "application/zip"}}))
        measure("the whole archive", results, server, folder / "archive")
        measure("one file of it", results.unpack().select(keys="*B04.jp2"), server, folder / "file")


if __name__ == "__main__":
    main()
