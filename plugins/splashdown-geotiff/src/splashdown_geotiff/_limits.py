"""The bounds within which a file may make this package spend memory, whatever it declares."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from splashdown.errors import LoadError

#: First bytes read of every file: auth check, size and, as a rule, the whole header in one request.
FIRST_READ = 64 * 1024
#: A header read beyond the first one fetches at least this much.
NEXT_READ = 64 * 1024
#: All header bytes of one file together; the index of a million tiles fits.
HEADER_BYTES = 32 * 1024**2
#: The GDAL_METADATA tag; real ones have a few KB.
METADATA_BYTES = 1024**2
#: Image file directories in one file: a full COG with masks has about 30.
DIRECTORIES = 64
#: Entries in one directory; TIFF 6.0 with every extension has fewer than 200.
ENTRIES = 4096
#: Values of one tag that belongs to the image or its place; the indexes of tiles and texts have limits of their own.
TAG_BYTES = 1024**2
#: Pieces that uncompressed strips are cut into: as many as an index that fits a header has tiles.
PIECES = HEADER_BYTES // 8
#: Bands of a file that GDAL reads: it is asked for the tags of each, and a header of a few bytes may claim 65,535.
GDAL_BANDS = 16_384
#: What a coding may add to twice the bytes of its pixels.
SPARE_BYTES = 1024**2
#: One tile or strip, decoded.
SEGMENT_BYTES = 256 * 1024**2
#: What a read may return when the caller does not say.
OUTPUT_BYTES = 4 * 1024**3


def default_max_bytes() -> int:
    """4 GiB, or half of the free memory where the system reports it."""
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return OUTPUT_BYTES
    return min(OUTPUT_BYTES, free // 2) if free > 0 else OUTPUT_BYTES


_READ_LESS = "read less (bbox=, window=, bands=, overview=, resolution=), lazily (chunks={}), or raise max_bytes"


def check_output(size: int, max_bytes: int | None, label: str, advice: str = _READ_LESS) -> None:
    """Refuse an output of ``size`` bytes that is over the cap. Raises ``LoadError``."""
    cap = default_max_bytes() if max_bytes is None else max_bytes
    if size > cap:
        raise LoadError(f"{label}: this read would take {size:,} bytes, more than max_bytes={cap:,}; {advice}")


@contextmanager
def within_memory(label: str) -> Iterator[None]:
    """A read for which the process gets no memory ends in ``LoadError``: a file of a few bytes may declare any size."""
    try:
        yield
    except MemoryError as error:
        raise LoadError(f"{label}: not enough memory for this read; {_READ_LESS}") from error
