"""Real STAC APIs: searched by GET and POST, page by page, with filters that the server applies; and back to disk.

One serves static files (``stac-fastapi-static``), the other a database (``stac-fastapi`` on pgstac, marked ``pgstac``).
"""

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path

import pystac
import pytest
from pgstac_server import running_pgstac
from scripted_api import Answer, scripted_api
from stac_server import running_stac_api

import splashdown

COMMAND = Path(sys.executable).with_name("splashdown")


def two_collections():
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
            # A server rewrites what is relative; a web server's URL it leaves alone.
            item.add_asset("B04", pystac.Asset(f"https://files.invalid/{name}-{n}.tif", media_type="image/tiff"))
            collection.add_item(item)
    return catalog


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """The API on pgstac, and what it has been asked."""
    folder, catalog = tmp_path_factory.mktemp("pgstac"), two_collections()
    collections = [found.to_dict(include_self_link=False) for found in catalog.get_children()]
    items = [found.to_dict(include_self_link=False) for found in catalog.get_items(recursive=True)]
    with running_pgstac(folder, collections, items) as url:
        yield url, folder / "api.log"


@pytest.fixture(scope="module", params=["static", pytest.param("pgstac", marks=pytest.mark.pgstac)])
def api(request, tmp_path_factory):
    if request.param == "pgstac":
        yield request.getfixturevalue("database")[0]
        return
    folder = tmp_path_factory.mktemp("stac-api")
    two_collections().normalize_and_save(str(folder / "catalog"), pystac.CatalogType.SELF_CONTAINED)
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


#: Properties of items, a function that this package does not evaluate, and a place.
FILTERS = {
    "eo:cloud_cover < 20": ["one-0", "one-1", "two-0", "two-1"],
    "casei(collection) = casei('TWO') AND eo:cloud_cover >= 30": ["two-3", "two-4"],
    "S_INTERSECTS(geometry, POLYGON((2.5 2.5, 3.5 2.5, 3.5 3.5, 2.5 3.5, 2.5 2.5)))": ["one-3", "two-3"],
}


@pytest.mark.pgstac
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("text", FILTERS)
def test_a_database_applies_filters_on_every_page(database, text, method):
    url, log = database
    before = log.read_text().count("/search")
    found = splashdown.open(url, filter=text, method=method, page_size=2)
    assert ids(found) == FILTERS[text]
    # As many pages as the items that pass need, and perhaps one that is empty.
    assert log.read_text().count("/search") - before <= len(FILTERS[text]) // 2 + 1


@pytest.mark.pgstac
def test_the_command_lets_a_database_filter_and_counts_after_it(database):
    url, log = database
    before = len(log.read_text())
    command = [COMMAND, "ls", url, "--filter", "eo:cloud_cover > 25", "--limit", "3", "--page-size", "3", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)) == 3
    assert "filter=eo" in log.read_text()[before:]


@pytest.mark.pgstac
def test_a_filter_about_files_is_applied_here_to_a_database(database):
    url, log = database
    before = len(log.read_text())
    assert len(splashdown.open(url, filter="key = 'B04' AND eo:cloud_cover < 10", limit=1)) == 1
    assert "filter=" not in log.read_text()[before:]


@pytest.mark.pgstac
def test_what_a_database_refuses_is_one_line(database):
    url, _ = database
    with pytest.raises(splashdown.SplashdownError) as caught:
        splashdown.open(url, filter="eo:cloud_cover <")
    assert "\n" not in str(caught.value)
