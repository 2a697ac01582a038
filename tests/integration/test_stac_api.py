"""A real STAC API: searched by GET and POST, page by page, with filters that the server applies; and back to disk."""

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path

import pystac
import pytest
from scripted_api import Answer, scripted_api
from stac_server import running_stac_api

import splashdown

COMMAND = Path(sys.executable).with_name("splashdown")


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stac-api")
    catalog = pystac.Catalog("root", "d")
    for name in ("one", "two"):
        extent = pystac.Extent(
            pystac.SpatialExtent([[0, 0, 10, 10]]),
            pystac.TemporalExtent([[dt.datetime(2024, 1, 1, tzinfo=dt.UTC), None]]),
        )
        collection = pystac.Collection(name, "d", extent)
        catalog.add_child(collection)
        for n in range(5):
            moment = dt.datetime(2024, 1, n + 1, tzinfo=dt.UTC)
            point = {"type": "Point", "coordinates": [n, n]}
            item = pystac.Item(f"{name}-{n}", point, [n, n, n, n], moment, {"eo:cloud_cover": n * 10})
            asset = folder / "files" / f"{name}-{n}.tif"
            asset.parent.mkdir(exist_ok=True)
            asset.write_bytes(f"II*\0{name}{n}".encode())
            # The server rewrites what is relative; a web server's URL it leaves alone.
            item.add_asset("B04", pystac.Asset(f"https://files.invalid/{name}-{n}.tif", media_type="image/tiff"))
            collection.add_item(item)
    catalog.normalize_and_save(str(folder / "catalog"), pystac.CatalogType.SELF_CONTAINED)
    with running_stac_api(folder / "catalog" / "catalog.json") as url:
        yield url


def ids(results):
    return sorted(asset.item for asset in results)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_all_items_are_read_page_by_page(api, method):
    results = splashdown.open(api, method=method, page_size=3)
    assert ids(results) == sorted(f"{c}-{n}" for c in ("one", "two") for n in range(5))
    assert {a.asset.collection for a in results} == {"one", "two"}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_filters_are_answered_by_the_server(api, method):
    options = {"method": method, "page_size": 2}
    assert ids(
        splashdown.open(api, collections="two", datetime="2024-01-02T00:00:00Z/2024-01-03T00:00:00Z", **options)
    ) == ["two-1", "two-2"]
    assert ids(splashdown.open(api, bbox="2.5,2.5,9,9", **options)) == ["one-3", "one-4", "two-3", "two-4"]
    assert ids(splashdown.open(api, ids=["one-0", "two-4"], **options)) == ["one-0", "two-4"]
    assert len(splashdown.open(api, limit=7, **options)) == 7


def test_one_collection_and_a_search_url_are_sources_too(api):
    assert ids(splashdown.open(f"{api}collections/one", page_size=2)) == [f"one-{n}" for n in range(5)]
    assert ids(splashdown.open(f"{api}collections/one", bbox=[0, 0, 1.5, 1.5])) == ["one-0", "one-1"]
    assert ids(splashdown.open(f"{api}search?limit=4&collections=two")) == [f"two-{n}" for n in range(5)]
    assert ids(splashdown.open(f"{api}search?limit=4", ids="two-1")) == ["two-1"]


def test_the_command_sends_its_filters(api):
    command = [
        COMMAND,
        "ls",
        api,
        "--collections",
        "one",
        "--datetime",
        "2024-01-04/..",
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert sorted(entry["item"] for entry in json.loads(done.stdout)) == ["one-3", "one-4"]


def test_what_a_search_finds_can_be_piped_in(api):
    items = splashdown.open(api, collections="one").get_metadata()
    found = list(splashdown.open(api, collections="one").result_set.items)
    assert items["type"] == "Catalog"
    lines = "\n".join(json.dumps(item) for item in found)
    command = [COMMAND, "ls", "-", "--json"]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert sorted(entry["item"] for entry in json.loads(done.stdout)) == [f"one-{n}" for n in range(5)]


def test_a_watch_lands_the_items_of_a_search(api, tmp_path):
    with scripted_api() as files:
        for n in (3, 4):
            files.script[f"/two-{n}.tif"] = Answer(b"II*\0" + bytes([n]), headers={"ETag": f'"{n}"'})
        command = [COMMAND, "watch", api, tmp_path, "--once", "--collections", "two", "--datetime", "2024-01-04/.."]
        command += ["--mirror", f"https://files.invalid/={files.url}/"]
        trusting = os.environ | {"SPLASHDOWN_TRUST_ALTERNATES": "true"}
        done = subprocess.run(command, env=trusting, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert {line.partition(",")[0] for line in done.stdout.splitlines()} == {"two-3: landed", "two-4: landed"}
        assert len(list(tmp_path.rglob("*.tif"))) == 2
