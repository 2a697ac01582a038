"""Checks that imports are light: registering a plugin must not import the packages that its work needs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable

#: Packages that are heavy enough to be imported only when they are used.
HEAVY = (
    "adlfs",
    "boto3",
    "botocore",
    "dask",
    "fsspec",
    "h5netcdf",
    "numpy",
    "obstore",
    "openeo",
    "pandas",
    "pyarrow",
    "pystac",
    "rasterio",
    "requests",
    "rich",
    "xarray",
)


def assert_light_import(module: str, *, heavy: Iterable[str] = HEAVY) -> None:
    """Assert that a fresh interpreter which imports ``module`` has loaded none of the packages ``heavy``."""
    code = "import importlib, json, sys; importlib.import_module(sys.argv[1]); print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code, module], capture_output=True, text=True, check=False)  # noqa: S603 - our own interpreter
    assert done.returncode == 0, f"importing {module} failed: {done.stderr.strip().splitlines()[-1:]}"
    loaded = set(json.loads(done.stdout)) & set(heavy)
    assert not loaded, f"importing {module} loads {', '.join(sorted(loaded))}; import them where they are used"
