"""The process that reads GRIB: ``python -m splashdown_xarray._grib_process GRIB NETCDF OPTIONS``.

It prints what is wrong with the file, and exits with 1.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def convert(source: Path, target: Path, *, select: Mapping[str, Any], max_bytes: int) -> str:
    """Write the messages as netCDF; returns what went wrong, or nothing."""
    import xarray as xr
    from cfgrib import DatasetBuildError  # type: ignore[import-untyped]

    warnings.simplefilter("ignore")
    # No index beside the file; what is damaged is an error instead of a cube with less in it.
    options = {"indexpath": "", "errors": "raise", "filter_by_keys": dict(select)}
    try:
        cube = xr.open_dataset(source, engine="cfgrib", backend_kwargs=options)
        if cube.nbytes > max_bytes:
            return f"unpacks to {cube.nbytes:,} bytes, more than max_bytes={max_bytes:,}: narrow it with select="
        if not cube.data_vars:
            return f"has no messages{f' with {dict(select)}' if select else ''}"
        cube.to_netcdf(target, engine="h5netcdf")
    except DatasetBuildError as error:
        return f"has messages that do not fit one cube: choose with select= ({_line(error)})"
    except Exception as error:
        return f"cannot be read as GRIB ({type(error).__name__}: {_line(error)})"
    return ""


def _line(error: Exception) -> str:
    text = "; ".join(line.strip() for line in str(error).splitlines() if line.strip())
    return text.replace("try re-open the file with one of:; ", "").replace("filter_by_keys=", "")


if __name__ == "__main__":
    complaint = convert(Path(sys.argv[1]), Path(sys.argv[2]), **json.loads(sys.argv[3]))
    print(complaint, flush=True)  # noqa: T201 - this is what the caller reads
    # Without an ordinary exit, in which two copies of PROJ may free the same memory.
    os._exit(1 if complaint else 0)
