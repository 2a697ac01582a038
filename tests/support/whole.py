"""Downloads very many small assets and prints, as JSON, what that took: ``whole.py KIND COUNT FOLDER``.

A run is the whole way: read the source, plan, move, write the receipt. ``KIND`` is ``items`` (newline-delimited items of an
asset each) or ``collection`` (one document that lists all assets). The assets are small files of the disk.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from many import peak

import splashdown

_SIZE = 100
_LINKS = 50_000  #: names that one file may have: filesystems allow some 65,000


def entry(href: str, number: int) -> dict:
    """An asset object."""
    return {
        "href": f"{href}/tile-{number:06}.tif",
        "type": "image/tiff; application=geotiff",
        "title": f"Tile {number}",
        "roles": ["data"],
        "file:size": _SIZE,
        "proj:shape": [1024, 1024],
    }


def items(href: str, count: int) -> Iterator[str]:
    """Newline-delimited items."""
    for number in range(count):
        item = {
            "type": "Feature",
            "stac_version": "1.0.0",
            "id": f"tile-{number:06}",
            "geometry": {"type": "Point", "coordinates": [5.0 + number / 1e5, 51.0]},
            "bbox": [5.0 + number / 1e5, 51.0, 6.0 + number / 1e5, 52.0],
            "properties": {"datetime": "2023-06-01T00:00:00Z", "eo:cloud_cover": number % 100, "proj:epsg": 32631},
            "links": [],
            "assets": {"data": entry(href, number)},
        }
        yield json.dumps(item) + "\n"


def collection(href: str, count: int) -> Iterator[str]:
    """One Collection, piece by piece."""
    extent = {"spatial": {"bbox": [[5, 51, 6, 52]]}, "temporal": {"interval": [["2023-06-01T00:00:00Z", None]]}}
    head = {"type": "Collection", "stac_version": "1.0.0", "id": "many", "extent": extent, "links": []}
    yield json.dumps(head | {"description": "Many", "license": "other"})[:-1] + ', "assets": {'
    for number in range(count):
        yield f"{',' if number else ''}{json.dumps(f'tile-{number:06}.tif')}:{json.dumps(entry(href, number))}"
    yield "}}"


def main(kind: str, count: int, folder: Path) -> dict:
    """Make the source, download it, and tell times in seconds and memory in bytes."""
    files = folder / "files"
    files.mkdir()
    for number in range(count):
        tile, first = (files / f"tile-{n:06}.tif" for n in (number, number - number % _LINKS))
        if tile == first:
            tile.write_bytes(b"x" * _SIZE)
        else:
            tile.hardlink_to(first)
    source = folder / ("source.ndjson" if kind == "items" else "source.json")
    with source.open("w") as file:
        file.writelines({"items": items, "collection": collection}[kind](files.as_uri(), count))
    before, begun = peak(), time.perf_counter()
    results = splashdown.open(str(source))
    opened, opened_at = peak(), time.perf_counter()
    paths = results.download_files(folder / "target")
    return {
        "paths": len(paths),
        "imported": before,
        "opened": opened,
        "peak": peak(),
        "open_seconds": round(opened_at - begun, 1),
        "seconds": round(time.perf_counter() - opened_at, 1),
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))))
