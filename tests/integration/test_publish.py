"""What landed becomes items of a real STAC API: each once, again only when it is new, and with public hrefs."""

from __future__ import annotations

import json
import urllib.request

import pytest
from pgstac_server import running_pgstac
from stac_item import stac_item
from transaction_server import TOKEN, requests_of, running_memory_api

import splashdown
from splashdown import Session
from splashdown._cli.main import main
from splashdown.errors import ResolveError, UsageError

CDN = "https://cdn.example/base/"


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    with running_memory_api(tmp_path_factory.mktemp("api")) as url:
        yield url


@pytest.fixture
def collection(request):
    """A collection of the test's own."""
    return f"c-{abs(hash(request.node.name))}"


@pytest.fixture
def source(tmp_path, collection):
    """A collection of two items with a file each."""
    folder = tmp_path / "source"
    folder.mkdir()
    for name in ("one", "two"):
        (folder / f"{name} x.tif").write_bytes(name.encode() * 100)
        assets = {"data": {"href": f"./{name} x.tif"}, "web": {"href": "https://u:pw@web.example/a.tif?sig=SECRET"}}
        own = stac_item(assets, id=name, collection=collection)
        own["geometry"] = {"type": "Point", "coordinates": [16.0, 48.0]}  # pgstac wants one
        own["bbox"] = [16.0, 48.0, 16.0, 48.0]
        own["links"] = [
            {"rel": "license", "href": "https://license.example/"},
            {"rel": "self", "href": "https://old.example/item"},
            {"rel": "collection", "href": "./collection.json"},
        ]
        (folder / f"{name}.json").write_text(json.dumps(own))
    extent = {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [["2020-01-01T00:00:00Z", None]]}}
    document = {"type": "Collection", "stac_version": "1.0.0", "id": collection, "description": "d", "license": "other"}
    links = [{"rel": "item", "href": f"./{name}.json"} for name in ("one", "two")]
    (folder / "collection.json").write_text(json.dumps({**document, "extent": extent, "links": links}))
    return folder


def landed(source, target):
    splashdown.open(source / "collection.json").select(keys="data").download_collection(target, missing="keep")
    return str(target)


@pytest.fixture
def target(source, tmp_path):
    return landed(source, tmp_path / "out")


@pytest.fixture
def session(api):
    """A session that has the token of the API, as [auth] of a configuration lists it."""
    with Session(auth={api: TOKEN}) as made:
        yield made


def read(url):
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)


def changes(api):
    return [method for method, _ in requests_of(api) if method != "GET"]


def test_items_and_their_collection_are_there_with_public_hrefs(session, api, target, collection):
    report = session.run("publish", target, api=api, public_url=CDN)
    assert set(report.created) == {f"{collection}/one", f"{collection}/two"}
    assert report.ok
    item = read(f"{api}/collections/{collection}/items/one")
    assert item["assets"]["data"]["href"].startswith(CDN)
    assert item["assets"]["data"]["href"].endswith("one%20x.tif")
    assert item["assets"]["data"]["file:size"] == 300
    assert item["assets"]["web"]["href"] == "https://web.example/a.tif"
    assert "splashdown:" not in json.dumps(item)
    assert "SECRET" not in json.dumps(item)
    given = {link["rel"]: link["href"] for link in item["links"]}
    assert given["license"] == "https://license.example/"
    assert {"self", "collection"}.isdisjoint(given)
    assert given["canonical"] == "https://old.example/item"


def test_a_second_run_sends_nothing_and_a_change_sends_one(session, api, source, target, collection):
    session.run("publish", target, api=api, public_url=CDN)
    changes(api)
    again = session.run("publish", target, api=api, public_url=CDN)
    assert len(again.unchanged) == 2
    assert changes(api) == []
    (source / "two x.tif").write_bytes(b"new")
    landed(source, target)
    assert session.run("publish", target, api=api, public_url=CDN, dry_run=True).updated == (f"{collection}/two",)
    assert changes(api) == []
    assert session.run("publish", target, api=api, public_url=CDN).updated == (f"{collection}/two",)
    assert changes(api) == ["PUT"]
    assert read(f"{api}/collections/{collection}/items/two")["assets"]["data"]["file:size"] == 3


def test_an_item_that_another_program_adds_meanwhile_is_replaced(session, api, target, collection, monkeypatch):
    from splashdown.builtins.publish.catalog import Catalog

    session.run("publish", target, api=api, public_url=CDN)
    monkeypatch.setattr(Catalog, "_read", lambda self, url: {} if url.endswith(collection) else None)
    changes(api)
    assert len(session.run("publish", target, api=api, public_url=CDN).updated) == 2
    assert sorted(changes(api)) == ["POST", "POST", "PUT", "PUT"]


def test_a_collection_that_is_nowhere_is_one_line_an_item(session, api, target):
    report = session.run("publish", target, api=api, public_url=CDN, collection="nowhere")
    assert list(report.failed) == ["nowhere/one", "nowhere/two"]
    assert "has no collection 'nowhere'" in report.failed["nowhere/one"]


def test_a_single_item_goes_to_the_collection_that_is_named(session, api, source, target, collection, tmp_path):
    session.run("publish", target, api=api, public_url=CDN)
    (source / "one.json").write_text(json.dumps(stac_item({"data": {"href": "./one x.tif"}}, id="single")))
    splashdown.open(source / "one.json").download_files(tmp_path / "single")
    report = session.run("publish", tmp_path / "single", api=api, public_url=CDN)
    assert "name one, collection=" in report.failed["/single"]
    report = session.run("publish", tmp_path / "single", api=api, public_url=CDN, collection=collection)
    assert report.created == (f"{collection}/single",)


def test_an_id_stays_one_segment_of_the_path(session, api, target, source, collection, tmp_path):
    session.run("publish", target, api=api, public_url=CDN)
    requests_of(api)
    (source / "one.json").write_text(json.dumps(stac_item({"data": {"href": "./one x.tif"}}, id="x")))
    splashdown.open(source / "one.json").download_files(tmp_path / "hostile")
    document = tmp_path / "hostile" / "item.json"
    body = json.loads(document.read_text())
    for key in ("..", ".", "a/../../x", "a?b=c#d", "ü %2e", "a\nb", "", 3):
        document.write_text(json.dumps({**body, "id": key}))
        session.run("publish", tmp_path / "hostile", api=api, public_url=CDN, collection=collection)
    own = f"/collections/{collection}"
    asked = {path for _, path in requests_of(api)}
    assert {path for path in asked if path not in {"/", own} and not path.startswith(f"{own}/items")} == set()


def test_a_refused_token_is_one_line_an_item_and_nowhere_shown(api, target, capsys):
    wrong = "wrong-token-1234567"
    with Session(auth={api: wrong}) as session:
        report = session.run("publish", target, api=api, public_url=CDN)
    assert not report.ok
    said = json.dumps(list(report.failed.values())) + repr(report)
    assert "401" in said
    assert wrong not in said


def test_the_command_says_what_it_did_and_ends_with_1_for_failures(api, target, capsys, monkeypatch, collection):
    monkeypatch.setenv("SPLASHDOWN_PUBLISH_TOKEN", TOKEN)
    command = ["--no-plugins", "publish", target, "--api", api, "--public-url", CDN]
    assert main(command) == 0
    assert capsys.readouterr().out == f"2 created, 0 updated, 0 unchanged at {api}\n"
    assert main([*command, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["ok"]
    assert said["unchanged"] == [f"{collection}/one", f"{collection}/two"]
    assert main([*command, "--collection", "nowhere"]) == 1
    assert capsys.readouterr().err.count("Failed: nowhere/") == 2
    assert TOKEN not in json.dumps(said)


def test_what_cannot_work_is_refused_before_anything_is_sent(session, api, target, tmp_path):
    requests_of(api)
    with pytest.raises(UsageError, match="public_url="):
        session.run("publish", target, api=api)
    for wrong in ("ftp://x", "https://u:p@cdn.example", "https://cdn.example/a b", "https://cdn.example/?a=b"):
        with pytest.raises(UsageError, match="public_url is"):
            session.run("publish", target, api=api, public_url=wrong)
    with pytest.raises(UsageError, match="api is"):
        session.run("publish", target, api="https://u:SECRET@x.example", public_url=CDN)
    assert requests_of(api) == []
    (tmp_path / "empty").mkdir()
    with pytest.raises(ResolveError, match="no receipt with STAC items"):
        session.run("publish", tmp_path / "empty", api=api, public_url=CDN)


def test_an_api_without_the_extension_is_refused_in_one_line(target, tmp_path):
    from fault_server import FaultServer

    with FaultServer() as server, Session() as session:
        server.add("/", json.dumps({"conformsTo": ["https://api.stacspec.org/v1.0.0/core"]}).encode())
        with pytest.raises(UsageError, match="does not take items"):
            session.run("publish", target, api=server.url, public_url=CDN)


@pytest.mark.pgstac
def test_pgstac_takes_the_items_and_finds_them_unchanged(target, collection, tmp_path_factory):
    with running_pgstac(tmp_path_factory.mktemp("pgstac"), transactions=True) as api, Session() as session:
        assert len(session.run("publish", target, api=api, public_url=CDN).created) == 2
        again = session.run("publish", target, api=api, public_url=CDN)
        assert len(again.unchanged) == 2
        found = read(f"{api}search?collections={collection}")["features"]
        assert {one["assets"]["data"]["href"].rpartition("/")[2] for one in found} == {"one%20x.tif", "two%20x.tif"}
