"""The JSON documents of the demo back-end: capabilities, the job, its results as STAC 1.1 with an item per image.

``data/job.json`` describes the files; hrefs are made here, signed, each time a document is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from splashdown._demo.links import Links

API_VERSION = "1.2.0"
_EXTENSIONS = [
    "https://stac-extensions.github.io/file/v2.1.0/schema.json",
    "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "https://stac-extensions.github.io/raster/v2.0.0/schema.json",
]

Json = dict[str, Any]


@cache
def content(name: str) -> bytes:
    """A file that is shipped with the package."""
    return (files("splashdown._demo") / "data" / name).read_bytes()


@cache
def job() -> Mapping[str, Any]:
    """The job and its files, as the data folder describes them."""
    described: Json = json.loads(content("job.json"))
    return described


def well_known(api: str) -> Json:
    """``GET /.well-known/openeo``."""
    return {"versions": [{"url": api, "api_version": API_VERSION, "production": True}]}


def capabilities(api: str) -> Json:
    """``GET /``."""
    return {
        "api_version": API_VERSION,
        "backend_version": "1.0.0",
        "stac_version": "1.1.0",
        "type": "Catalog",
        "id": "splashdown-demo",
        "title": "Splashdown demo back-end",
        "description": "One finished job, served from this computer.",
        "endpoints": [{"path": path, "methods": ["GET"]} for path in ("/jobs", "/jobs/{job_id}", "/jobs/{job_id}/logs")]
        + [{"path": "/jobs/{job_id}/results", "methods": ["GET"]}],
        "links": [{"rel": "self", "href": f"{api}/"}],
    }


def job_metadata() -> Json:
    """``GET /jobs/{job_id}``."""
    known = job()
    return {
        "id": known["id"],
        "title": known["title"],
        "description": known["description"],
        "status": "finished",
        "progress": 100,
        "created": "2023-07-01T09:00:00Z",
        "updated": "2023-07-01T09:04:00Z",
    }


def jobs() -> Json:
    """``GET /jobs``."""
    return {"jobs": [job_metadata()], "links": []}


def logs() -> Json:
    """``GET /jobs/{job_id}/logs``."""
    lines = ("the job was started", "2 images and 1 time series were written", "the job is finished")
    return {"logs": [{"id": str(n), "level": "info", "message": line} for n, line in enumerate(lines, 1)], "links": []}


def results(base: str, links: Links) -> Json:
    """``GET /jobs/{job_id}/results``; ``base`` is the URL of that document."""
    known = job()
    return {
        "type": "Collection",
        "stac_version": "1.1.0",
        "stac_extensions": _EXTENSIONS,
        "id": known["id"],
        "title": known["title"],
        "description": known["description"],
        "license": "CC0-1.0",
        "extent": {"spatial": {"bbox": [known["bbox"]]}, "temporal": {"interval": [known["interval"]]}},
        "openeo:status": "finished",
        "assets": {key: asset(base, key, links) for key in known["assets"]},
        "links": [
            {"rel": "self", "href": base, "type": "application/json"},
            {"rel": "canonical", "href": f"{base}/{links.path('document', known['id'])}", "type": "application/json"},
            *(
                {"rel": "item", "href": f"{base}/{links.path('items', item_id)}", "type": "application/geo+json"}
                for item_id in item_keys()
            ),
        ],
    }


def item_keys() -> dict[str, str]:
    """Item ids, and the key of the one asset of each."""
    dated = {key: asset["datetime"] for key, asset in job()["assets"].items() if "datetime" in asset}
    return {moment[:10]: key for key, moment in dated.items()}


def item(base: str, item_id: str, links: Links) -> Json:
    """One image as a STAC item."""
    known, key = job(), item_keys()[item_id]
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": _EXTENSIONS,
        "id": item_id,
        "collection": known["id"],
        "geometry": known["geometry"],
        "bbox": known["bbox"],
        "properties": {"datetime": known["assets"][key]["datetime"]},
        "assets": {key: asset(base, key, links)},
        "links": [{"rel": "collection", "href": base, "type": "application/json"}],
    }


def asset(base: str, key: str, links: Links) -> Json:
    """One asset, with a signed href."""
    return {"href": f"{base}/{links.path('assets', key)}", **job()["assets"][key]}
