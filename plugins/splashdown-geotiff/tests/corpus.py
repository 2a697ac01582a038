"""Compare every raster of a folder with rasterio: ``python plugins/splashdown-geotiff/tests/corpus.py FOLDER``.

Prints how many files are equal, different (by class), refused by one of the two readers or by both, and crashed. Each
file is read in another process, so that a crash is counted and not suffered. Exits with 1 if any file differs
in a way that is neither documented nor said in a warning, or crashes.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from pyproj import CRS
from pyproj.exceptions import CRSError
from rasterio.errors import RasterioError
from splashdown_geotiff import open_geotiff
from splashdown_geotiff._nodata import held_nodata

from splashdown.errors import LoadError
from splashdown.testing import MemoryHandle, make_asset

SUFFIXES = {".tif", ".tiff", ".gtiff", ".geotiff", ".jp2"}
#: Pixels of one file times its bands; larger ones are left out, since both readers hold them whole.
LARGEST = 300_000_000
#: Where the two differ on purpose (docs/explanation/geotiff.md).
DOCUMENTED = {"YCbCr", "CMYK", "CIELab", "overview without a mask", "heights of GeoTIFF 1.0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How one file compares. ``kind`` is what is counted; ``said`` are the warnings that came with our reading."""

    path: str
    kind: str
    detail: str = ""
    said: tuple[str, ...] = ()

    @property
    def fails(self) -> bool:
        """Whether it is silently wrong, or crashed."""
        return self.kind == "crashed" or (self.kind.startswith("different") and not self.said)


def compare(path: str) -> Verdict:
    """Read one file both ways."""
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        try:
            expected = rasterio.open(path, driver=_driver(path))
        except RasterioError as error:
            expected, reason = None, str(error)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            if expected is not None and np.prod([expected.count, *expected.shape]) > LARGEST:
                return Verdict(path=path, kind="left out", detail="too large")
            found = list(_differences(path, expected))
            if expected is not None and not found:
                found = list(_differences_of_overviews(path, expected))
        except LoadError as error:
            return Verdict(path=path, kind="refused" if expected else "refused by both", detail=str(error))
        except RasterioError as error:
            return Verdict(path=path, kind="refused by GDAL", detail=str(error))
        except Exception as error:
            return Verdict(path=path, kind="crashed", detail=f"{type(error).__name__}: {error}")
        finally:
            if expected is not None:
                expected.close()
    said = tuple(str(warning.message) for warning in caught if "x.tif" in str(warning.message))
    if expected is None:
        return Verdict(path=path, kind="refused by GDAL", detail=reason, said=said)
    if not found:
        return Verdict(path=path, kind="equal", said=said)
    known, others = DOCUMENTED & set(found), [one for one in found if one not in DOCUMENTED]
    kind = f"different: {others[0]}" if others else f"documented: {min(known)}"
    return Verdict(path=path, kind=kind, detail=", ".join(found), said=said)


def _driver(path: str) -> str:
    """The one driver that may read a file: another would follow the names that a file holds."""
    return "JP2OpenJPEG" if path.lower().endswith(".jp2") else "GTiff"


def _open(path: str):
    return open_geotiff(MemoryHandle(Path(path).read_bytes(), make_asset("x.tif")))


def _differences(path: str, expected: rasterio.DatasetReader | None) -> Iterator[str]:
    raster = _open(path)
    values = raster.read_numpy(masked=True)
    if expected is None:
        return
    colors = _colors(expected)
    if (values.shape, values.dtype) != ((expected.count, *expected.shape), _dtype(expected)):
        yield colors or "shape or type"
        return
    if not _same(values.data, expected.read()):
        yield colors or "pixels"
    if not np.array_equal(np.ma.getmaskarray(values), expected.read_masks() == 0):
        yield colors or "mask"
    yield from _differences_of_windows(raster, values)
    yield from _differences_of_header(raster, expected)


def _differences_of_windows(raster, values) -> Iterator[str]:
    """A part of a raster is the same part of the whole."""
    _, height, width = values.shape
    window = (width // 3, height // 3, max(1, width // 3), max(1, height // 3))
    column, row, across, down = window
    part = raster.read_numpy(window=window)
    if not _same(part, values.data[:, row : row + down, column : column + across]):
        yield "window"


def _differences_of_overviews(path: str, expected: rasterio.DatasetReader) -> Iterator[str]:
    """Each overview that we offer is the one of its size in GDAL, which offers more of some files."""
    raster = _open(path)
    sizes = dict(enumerate(raster.overviews))
    for level in range(len(expected.overviews(1))):
        with rasterio.open(path, driver=_driver(path), overview_level=level) as file:
            number = next((n for n, size in sizes.items() if size == (file.width, file.height)), None)
            if number is None:
                continue
            values = raster.read_numpy(overview=number, masked=True)
            if not _same(values.data, file.read()):
                yield _colors(expected) or "overviews"
            elif not np.array_equal(np.ma.getmaskarray(values), file.read_masks() == 0):
                bare = expected.mask_flag_enums[0] == [rasterio.enums.MaskFlags.per_dataset] and file.read_masks().all()
                yield _colors(expected) or ("overview without a mask" if bare else "masks of overviews")


def _differences_of_header(raster, expected: rasterio.DatasetReader) -> Iterator[str]:
    # An identity is GDAL's word for "none".
    transform = raster.transform or (1, 0, 0, 0, 1, 0)
    if not np.allclose(transform, tuple(expected.transform)[:6], rtol=1e-12, atol=1e-9):
        yield "transform"
    crs = CRS.from_wkt(expected.crs.to_wkt()) if expected.crs else None
    ours = raster.crs
    if crs is not None and ours is not None and ours.is_compound and len(crs.axis_info) == 2:
        yield "heights of GeoTIFF 1.0"
        ours = ours.sub_crs_list[0]
    if (crs is None) != (ours is None) or (crs is not None and not _same_crs(crs, ours)):
        yield "CRS"
    if not _same(raster.nodata, held_nodata(expected.nodata, raster.dtype)):
        yield "nodata"
    if not (_same(raster.scales, expected.scales) and _same(raster.offsets, expected.offsets)):
        yield "scales"
    names = zip(raster.bands, expected.descriptions, strict=True)
    if any(theirs and ours != theirs for ours, theirs in names) and len(set(expected.descriptions)) == expected.count:
        yield "names"


def _same(one, other) -> bool:
    if one is None or other is None:
        return one is other
    one, other = np.asarray(one), np.asarray(other)
    return bool(np.array_equal(one, other, equal_nan=one.dtype.kind in "fc"))


def _same_crs(one: CRS, other: CRS) -> bool:
    if one.equals(other, ignore_axis_order=True):
        return True
    codes = one.to_epsg(), other.to_epsg()
    return (codes[0] is not None and codes[0] == codes[1]) or _same_place(one, other)


def _same_place(one: CRS, other: CRS) -> bool:
    """Whether PROJ makes the same of both, which names of unknown datums and methods do not change."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that its strings say less than the system does
        try:
            strings = one.to_proj4(), other.to_proj4()
        except CRSError:
            return False
    datums = {
        c.geodetic_crs.datum.name.lower().removesuffix(" ensemble")
        for c in (one, other)
        if c.geodetic_crs and c.geodetic_crs.datum
    }
    known = {name for name in datums if not name.startswith(("un", "d_un"))}
    return strings[0] == strings[1] and len(known) < 2


def _dtype(file: rasterio.DatasetReader) -> np.dtype:
    wide = {"complex_int16": "complex64", "complex_int32": "complex128"}
    return np.dtype(wide.get(file.dtypes[0], file.dtypes[0]))


def _colors(file: rasterio.DatasetReader) -> str:
    """The colours in which the two readers differ on purpose."""
    space = file.tags(ns="IMAGE_STRUCTURE").get("SOURCE_COLOR_SPACE", "")
    jpeg = file.tags(ns="IMAGE_STRUCTURE").get("COMPRESSION") == "YCbCr JPEG"
    return "YCbCr" if jpeg else {"YCBCR": "YCbCr", "CMYK": "CMYK", "CIELAB": "CIELab"}.get(space.upper(), "")


def compare_all(paths: Iterable[str], workers: int = 2) -> Iterator[Verdict]:
    """Compare files in processes; one that dies is counted for the file that it had."""
    context = multiprocessing.get_context("spawn")
    for batch in _batches(list(paths), 64):
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            try:
                yield from list(pool.map(compare, batch))
                continue
            except BrokenProcessPool:
                pass
        for path in batch:  # again, one by one, to find the one that did it
            with ProcessPoolExecutor(1, mp_context=context) as pool:
                try:
                    yield pool.submit(compare, path).result()
                except BrokenProcessPool:
                    yield Verdict(path=path, kind="crashed", detail="the process died")


def _batches(paths: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (paths[start : start + size] for start in range(0, len(paths), size))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Compare every raster of a folder with rasterio.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    given = parser.parse_args(arguments)
    paths = sorted(str(p) for p in given.folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    counts: Counter[str] = Counter()
    failed = False
    for verdict in compare_all(paths, given.jobs):
        counts[verdict.kind + (" (said)" if verdict.kind.startswith("different") and verdict.said else "")] += 1
        failed |= verdict.fails
        if verdict.kind != "equal":
            print(f"{verdict.kind}: {verdict.path}: {verdict.detail}", *verdict.said, sep="\n    ")
    for kind, count in sorted(counts.items()):
        print(f"{count:6} {kind}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
