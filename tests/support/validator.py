"""``stac-validator`` for the tests, on schemas that are here: no test asks the network for one."""

from __future__ import annotations

import importlib.resources
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_DATA = Path(__file__).resolve().parents[1] / "data" / "schemas"
_PARTS = {
    "v1.0.0": ("basics", "datetime", "instrument", "licensing", "provider"),
    "v1.1.0": ("bands", "basics", "common", "data-values", "datetime", "instrument", "licensing", "provider"),
}
# Document by document: with --recursive the validator takes the root's version for all of them.
_SCRIPT = """
import json, sys
from stac_validator.stac_validator import StacValidate
given = json.load(sys.stdin)
found = []
for path in given["paths"]:
    validator = StacValidate(path, schema_map=given["schemas"])
    validator.run()
    found += validator.message
print("\\n" + json.dumps(found))
"""


def invalid(documents: Iterable[Path]) -> list[dict[str, Any]]:
    """What the validator says of those documents that are not valid, the extension of files included."""
    schemas = {uri: str(path) for uri, path in _schemas().items()}
    paths = [str(path) for path in documents]
    # Whatever is not mapped would be asked for on the web: there is nothing behind this proxy.
    environment = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _SCRIPT],
        input=json.dumps({"paths": paths, "schemas": schemas}),
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
    )
    if done.returncode:
        raise RuntimeError(f"stac-validator stopped:\n{done.stdout}{done.stderr}")
    found: list[dict[str, Any]] = json.loads(done.stdout.rpartition("\n[")[2].join(("[", "")))
    if len(found) != len(paths):
        raise RuntimeError(f"stac-validator looked at {len(found)} of {len(paths)} documents:\n{done.stdout}")
    return [entry for entry in found if not entry["valid_stac"]]


def _schemas() -> dict[str, Path]:
    packaged = Path(str(importlib.resources.files("pystac.validation.jsonschemas")))
    folders = {"v1.0.0": _DATA / "v1.0.0", "v1.1.0": packaged / "stac-spec" / "v1.1.0"}
    found = {"https://stac-extensions.github.io/file/v2.1.0/schema.json": _DATA / "file-v2.1.0.json"}
    for version, folder in folders.items():
        base = f"https://schemas.stacspec.org/{version}"
        found |= {
            f"{base}/{n}-spec/json-schema/{n}.json": folder / f"{n}.json" for n in ("item", "catalog", "collection")
        }
        found |= {f"{base}/item-spec/json-schema/{n}.json": folder / f"{n}.json" for n in _PARTS[version]}
    for name in ("Feature", "Geometry"):
        found[f"https://geojson.org/schema/{name}.json"] = packaged / f"geojson/{name}.json"
    return found
