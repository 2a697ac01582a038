"""Pages of splashdown-report with very many files, and sources with a few."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin
from splashdown_report._page import render
from splashdown_report._rows import Row
from splashdown_report._sources import Subject

NOW = dt.datetime(2024, 7, 1, 6, 30, tzinfo=dt.UTC)


def many(count: int, pictures: Mapping[int, str] | None = None) -> str:
    """A page about so many files all over the Earth and over four years; every tenth has a problem."""
    rows = [_row(number) for number in range(count)]
    subject = Subject(title=f"data/{count}", lines=("Files of this target, compared by sizes.",), rows=rows)
    return render(subject, pictures or {}, NOW)


def _row(number: int) -> Row:
    west, south = -170 + number * 37 % 330, -55 + number * 17 % 110
    day = dt.date(2020, 1, 1) + dt.timedelta(days=number * 31 % 1400)
    status = ("changed", "missing")[number // 10 % 2] if number % 10 == 9 else "ok"
    ring = ((west, south), (west + 1.2, south + 0.1), (west + 1.4, south + 1.0), (west + 0.1, south + 0.9))
    return Row(
        name=f"S2A_{day:%Y%m%d}_T{number:05}/B04.tif",
        status=status,
        remark="the checksum is another one" if status == "changed" else "size, checksum",
        item=f"S2A_{day:%Y%m%d}_T{number:05}",
        key="B04",
        type="image/tiff",
        roles="data",
        bands="B04",
        crs=f"EPSG:326{number % 60 + 1:02}",
        size=1_000_000 + number * 7919 % 9_000_000,
        checksum=f"1220{number:064x}",
        start=f"{day}T10:50:31Z",
        end=f"{day}T10:50:31Z",
        rings=(ring,),
    )


def collection(folder: Path, names: tuple[str, ...] = ("a", "b", "c")) -> Path:
    """An item collection of small GeoTIFFs with overviews, a thumbnail among them."""
    folder.mkdir()
    features = []
    for number, name in enumerate(names):
        raster(folder / f"{number}.tif")
        features.append(
            {
                "type": "Feature",
                "stac_version": "1.1.0",
                "id": name,
                "bbox": [3 + number, 50, 4 + number, 51],
                "geometry": None,
                "properties": {"datetime": f"2023-06-0{number + 1}T10:00:00Z", "proj:code": "EPSG:32631"},
                "links": [],
                "assets": {
                    "image": {
                        "href": f"./{number}.tif",
                        "type": "image/tiff; application=geotiff",
                        "roles": ["data"],
                        "bands": [{"name": "B04"}],
                    }
                },
            }
        )
    path = folder / "items.json"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def raster(path: Path) -> None:
    """A GeoTIFF of 256 x 256 pixels with overviews, and with pixels without data."""
    y, x = np.mgrid[0:256, 0:256]
    data = (x + y + 1).astype("uint16")
    data[:40] = 0
    profile = {"driver": "COG", "width": 256, "height": 256, "count": 1, "dtype": "uint16", "nodata": 0}
    place = {"crs": "EPSG:32631", "transform": from_origin(500_000, 5_700_000, 10, 10)}
    with rasterio.open(path, "w", **profile, **place, blocksize=128) as file:
        file.write(data, 1)
