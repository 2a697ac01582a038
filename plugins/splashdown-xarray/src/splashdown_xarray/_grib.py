"""GRIB to xarray, by cfgrib in a process of its own.

ecCodes, which decodes, ends its process on some damaged files, and wheels of some versions bring a second PROJ, with
which pyproj finds no database in the same process. The other process hands over netCDF. The whole file is fetched
first: messages have no index that ranges could follow.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from splashdown.errors import LoadError
from splashdown.protocols import AssetHandle

if TYPE_CHECKING:
    import xarray as xr

MAX_BYTES = 4 * 1024**3
#: Seconds for a file; a process that hangs on a damaged one must not hang the caller.
_TIMEOUT = 3600


def load_grib(asset: AssetHandle, *, select: Mapping[str, Any] | None = None, max_bytes: int = MAX_BYTES) -> xr.Dataset:
    """A GRIB file (edition 1 or 2) as an ``xarray.Dataset`` in memory, of at most ``max_bytes``.

    ``select`` picks messages by their GRIB keys, as ``{"typeOfLevel": "surface"}``. A file whose messages do not fit
    one cube needs it: the error names the values. Raises ``LoadError`` for a file that is not GRIB, and without cfgrib.
    """
    import xarray as xr

    label = asset.asset.label
    head = bytes(asset.read_range(0, 4))
    if head != b"GRIB":
        raise LoadError(f"{label} is not a GRIB file: it begins with {head.hex(' ') or 'nothing'}")
    if find_spec("cfgrib") is None:
        raise LoadError(f"{label}: cfgrib is not installed: pip install 'splashdown-xarray[grib]'")
    if asset.size > max_bytes:
        raise LoadError(f"{label} has {asset.size:,} bytes, more than max_bytes={max_bytes:,}")
    with tempfile.TemporaryDirectory(prefix="splashdown-") as folder:
        converted = Path(folder, "cube.nc")
        _convert(asset.path(), converted, {"select": dict(select or {}), "max_bytes": max_bytes}, label)
        with xr.open_dataset(converted, engine="h5netcdf", decode_timedelta=True) as cube:
            return cube.load()


def _convert(source: Path, target: Path, options: Mapping[str, Any], label: str) -> None:
    """Run ``_grib_process``. Raises ``LoadError`` with its complaint, or for a process that ended without one."""
    # -P: nothing is imported from the folder in which the caller works.
    module = "splashdown_xarray._grib_process"
    command = [sys.executable, "-P", "-m", module, str(source), str(target), json.dumps(options)]
    try:
        ended = subprocess.run(  # noqa: S603 - our own module, on a path that we have made
            command, capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise LoadError(f"{label}: ecCodes did not finish within {_TIMEOUT} s: damaged") from error
    if ended.returncode:
        lines = ended.stdout.strip().splitlines()
        raise LoadError(f"{label} {lines[-1] if lines else 'ends the process of ecCodes: damaged'}")
