"""GRIB files for tests. The messages are written by ecCodes, which is kept out of the process of the tests."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache

_WRITE = """
import json, sys, eccodes
for keys in json.loads(sys.argv[1]):
    message = eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib2")
    for key, value in {"dataDate": 20230601, "dataTime": 0, **keys}.items():
        eccodes.codes_set(message, key, value)
    eccodes.codes_set_values(message, [float(n) for n in range(eccodes.codes_get_size(message, "values"))])
    sys.stdout.buffer.write(eccodes.codes_get_message(message))
"""


@cache
def grib(*messages):
    """A file of messages with these keys, each as pairs; without any, of one message."""
    command = [sys.executable, "-c", _WRITE, json.dumps([dict(keys) for keys in messages or ((),)])]
    return subprocess.run(command, capture_output=True, check=True).stdout
