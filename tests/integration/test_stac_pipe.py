"""`stac-client search ... | splashdown download - data/`: a real API, the real client, real files."""

import datetime as dt
import hashlib
import json
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pystac
import pytest
from stac_server import running_stac_api
from validator import invalid

import splashdown

BIN = Path(sys.executable).parent
CONTENT = {f"scene-{n}": f"II*\0{n}".encode() * 1000 for n in range(5)}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pipe")
    (folder / "files").mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder / "files"))
    Thread(target=server.serve_forever, daemon=True).start()
    extent = pystac.Extent(
        pystac.SpatialExtent([[0, 0, 9, 9]]), pystac.TemporalExtent([[dt.datetime(2024, 1, 1, tzinfo=dt.UTC), None]])
    )
    collection = pystac.Collection("scenes", "d", extent, license="CC0-1.0")
    for n, (name, content) in enumerate(CONTENT.items()):
        (folder / "files" / f"{name}.tif").write_bytes(content)
        moment = dt.datetime(2024, 1, n + 1, tzinfo=dt.UTC)
        item = pystac.Item(name, {"type": "Point", "coordinates": [n, n]}, [n, n, n, n], moment, {"eo:cloud_cover": n})
        href = f"http://127.0.0.1:{server.server_address[1]}/{name}.tif"
        item.add_asset("B04", pystac.Asset(href, media_type="image/tiff", roles=["data"]))
        collection.add_item(item)
    catalog = pystac.Catalog("root", "d")
    catalog.add_child(collection)
    catalog.normalize_and_save(str(folder / "catalog"), pystac.CatalogType.SELF_CONTAINED)
    with running_stac_api(folder / "catalog" / "catalog.json") as url:
        yield url
    server.shutdown()
    server.server_close()


def pipe(api, folder, *arguments, search=()):
    """What the shell does with `stac-client search URL SEARCH | splashdown ARGUMENTS`."""
    client = [BIN / "stac-client", "search", api, "-c", "scenes", "--method", "GET", *search]
    with subprocess.Popen(client, stdout=subprocess.PIPE) as found:
        done = subprocess.run(
            [BIN / "splashdown", *arguments],
            stdin=found.stdout,
            capture_output=True,
            text=True,
            cwd=folder,
            timeout=100,
        )
    assert found.returncode == 0
    return done


def test_what_a_client_finds_is_downloaded(api, tmp_path):
    search = ["--datetime", "2024-01-02/2024-01-04"]
    done = pipe(api, tmp_path, "download", "-", "data/", "--layout", "{item}{ext}", "--json", search=search)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ok"] is True
    assert {p.name: p.read_bytes() for p in (tmp_path / "data").glob("*.tif")} == {
        f"scene-{n}.tif": CONTENT[f"scene-{n}"] for n in (1, 2, 3)
    }
    verify = subprocess.run([BIN / "splashdown", "verify", "data/"], cwd=tmp_path, capture_output=True, text=True)
    assert (verify.returncode, "3 files as stored" in verify.stdout) == (0, True), verify.stdout


def test_what_a_client_finds_becomes_a_catalog_that_it_opens(api, tmp_path):
    done = pipe(api, tmp_path, "download", "-", "data/", "--as-collection", "--filter", "eo:cloud_cover < 2")
    assert done.returncode == 0, done.stderr
    assert invalid((tmp_path / "data").rglob("*.json")) == []
    from pystac_client import Client

    opened = Client.open(str(tmp_path / "data/catalog.json"))
    saved = {item.id: item for item in opened.get_items(recursive=True)}
    assert set(saved) == {"scene-0", "scene-1"}
    for name, item in saved.items():
        asset = item.assets["B04"]
        assert Path(asset.get_absolute_href()).read_bytes() == CONTENT[name]
        assert asset.extra_fields["file:checksum"] == "1220" + hashlib.sha256(CONTENT[name]).hexdigest()


def test_an_empty_search_is_one_clear_line(api, tmp_path):
    done = pipe(api, tmp_path, "download", "-", "data/", search=["--datetime", "1999-01-01"])
    assert done.returncode != 0
    assert "no assets" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_page_of_a_client_is_a_source_too(api):
    from pystac_client import Client

    found = Client.open(api).search(collections=["scenes"], max_items=2, method="GET")
    assert len(splashdown.open(found.item_collection())) == 2
    assert len(splashdown.open(found.items())) == 2
    assert len(splashdown.open(found.items_as_dicts())) == 2
