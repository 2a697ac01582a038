"""The GeoTIFFs that ``bench_geotiff`` reads: synthetic scenes that compress about as real ones do, written by GDAL.

Run as a program, with the folder as its argument, so that the memory it takes is not the benchmark's.
"""

from __future__ import annotations

import json
import sys
import zlib
from pathlib import Path
from typing import Any

SCENE, CUBE, SMALL = "scene.tif", "cube.tif", "small.tif"
#: Pixels of one side.
SCENE_SIDE, CUBE_SIDE = 10980, 4096
#: Column, row, width, height of the window that is read, across four tiles of 512 x 512.
WINDOW = (1300, 1400, 512, 512)
#: The overview that has an eighth of the scene's pixels on each side.
OVERVIEW = 2


def main() -> None:
    """Write the three files and ``expected.json``, the checksums of what has to come out of each read."""
    folder = Path(sys.argv[1])
    _write(folder / SCENE, _scene(), driver="COG", blocksize=1024, compress="deflate", predictor=2, nodata=0)
    _write(folder / CUBE, _cube(), driver="COG", blocksize=512, compress="deflate", predictor=3, interleave="pixel")
    _write_openeo(folder / SMALL)
    (folder / "expected.json").write_text(json.dumps(_expected(folder)))


def _smooth(side: int, seed: int, bands: int = 1) -> Any:
    """Fields and hills: smooth in the large, noise in the last digits."""
    import numpy as np

    rng = np.random.default_rng(seed)
    y = np.linspace(0, 40, side, dtype="f4")[:, None]
    x = np.linspace(0, 37, side, dtype="f4")[None]
    out = np.empty((bands, side, side), "f4")
    for band in range(bands):
        out[band] = 3000 + 1500 * np.sin(x + band) * np.cos(y * 0.7)
        out[band] += 400 * np.sin(9 * x) + rng.standard_normal((side, side), "f4") * 60
    return out


def _scene() -> Any:
    return _smooth(SCENE_SIDE, 1).clip(1, 65535).astype("u2")


def _cube() -> Any:
    import numpy as np

    # Reflectances computed from 16-bit integers, which is what float results are as a rule.
    return (np.round(_smooth(CUBE_SIDE, 2, 3)) / np.float32(10000)).astype("f4")


def _write(path: Path, data: Any, **profile: Any) -> None:
    import rasterio
    from rasterio.transform import from_origin

    count, height, width = data.shape
    with rasterio.open(
        path, "w", count=count, height=height, width=width, dtype=data.dtype, crs="EPSG:32631",
        transform=from_origin(600000, 5700000, 10, 10), num_threads="ALL_CPUS", bigtiff="IF_SAFER", **profile,
    ) as file:  # fmt: skip
        file.write(data)


def _write_openeo(path: Path) -> None:
    """As openEO back-ends write a small result: 73 x 58 pixels in one tile, bands one after the other."""
    data = _smooth(73, 3, 3)[:, :58].astype("i2")
    layout = {"tiled": True, "blockxsize": 256, "blockysize": 256, "interleave": "band"}
    _write(path, data, driver="GTiff", compress="deflate", nodata=-32768, **layout)


def _expected(folder: Path) -> dict[str, list[int]]:
    import rasterio
    from rasterio.windows import Window

    def read(name: str, **options: Any) -> list[int]:
        with rasterio.open(folder / name, **options.pop("open", {})) as file:
            return [zlib.crc32(band) for band in file.read(**options)]

    return {
        "scene": read(SCENE),
        "cube": read(CUBE),
        "window": read(CUBE, window=Window(*WINDOW)),
        "overview": read(SCENE, open={"overview_level": OVERVIEW}),
        "small": read(SMALL),
    }


if __name__ == "__main__":
    main()
