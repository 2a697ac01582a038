"""download_collection lands a catalog that stands by itself: readable, valid, without secrets, the same on each run."""

import copy
import importlib.util
import json
from pathlib import Path

import pystac
import pytest
from validator import invalid

import splashdown
from splashdown.builtins.memory import MemorySink
from splashdown.errors import DownloadError, NoProviderError, OptionError, UsageError
from splashdown.model import Asset, ResultSet
from splashdown.results import JobResults

SECRET = "X-Amz-Signature=5ec2e7"


def item(id, collection=None, **assets):
    links = [
        {"rel": "self", "href": f"https://api.example/items/{id}?{SECRET}"},
        {"rel": "next", "href": "https://api.example/n"},
    ]
    links.append(
        {"rel": "derived_from", "href": f"https://user:pw@api.example/raw/{id}?{SECRET}", "type": "application/json"}
    )
    document = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": id,
        "geometry": {"type": "Point", "coordinates": [1, 2]},
        "bbox": [1, 2, 1, 2],
        "properties": {"datetime": "2024-05-06T00:00:00Z"},
        "links": links,
        "assets": assets,
    }
    if collection:
        document["collection"] = collection
        links.append({"rel": "collection", "href": f"https://api.example/collections/{collection}"})
    return document


def collection(id="c", **fields):
    return {
        "type": "Collection",
        "stac_version": "1.0.0",
        "id": id,
        "description": "d",
        "license": "other",
        "extent": {"spatial": {"bbox": [[0, 0, 1, 1]]}, "temporal": {"interval": [["2020-01-01T00:00:00Z", None]]}},
        "links": [
            {
                "rel": "canonical",
                "href": "https://api.example/jobs/j/results/dXNlcg==/0123456789abcdef0123456789abcdef?expires=1",
            }
        ],
        **fields,
    }


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()

    def make(name, content=b"content"):
        (folder / name).write_bytes(content)
        return {
            "href": (folder / name).as_uri(),
            "type": "image/tiff",
            "alternate": {"s3": {"href": f"s3://b/{name}?{SECRET}"}},
        }

    return make


def open_items(files, **options):
    documents = [
        item("a", "c", B04=files("B04.tif", b"a"), thumb=files("t.png")),
        item("b", "c", B04=files("B05.tif", b"bb")),
    ]
    return splashdown.open(documents, base="/nowhere/items.json", **options)


def every_text(folder):
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.json")}


def validate_core(folder, root):
    """By stac-validator, the extension of files included, and by pystac."""
    assert invalid(folder.rglob("*.json")) == []
    catalog = pystac.read_file(str(folder / root))
    documents = (
        [catalog, *catalog.get_items(recursive=True), *catalog.get_children()] if root != "item.json" else [catalog]
    )
    for document in documents:
        document.stac_extensions = []
        assert document.validate() is not None
    return catalog


def test_items_become_a_catalog_that_pystac_opens(files, tmp_path):
    results = open_items(files)
    before = copy.deepcopy(results.result_set.document)
    root = results.download_collection(tmp_path / "out")
    assert root == tmp_path / "out" / "catalog.json"
    assert results.result_set.document == before, "the caller's documents are not changed"
    catalog = validate_core(tmp_path / "out", "catalog.json")
    found = {i.id: i for i in catalog.get_items(recursive=True)}
    assert set(found) == {"a", "b"}
    asset = found["b"].assets["B04"]
    assert Path(asset.get_absolute_href()).read_bytes() == b"bb"
    assert asset.href == "./B05.tif"
    assert asset.extra_fields["file:size"] == 2
    assert asset.extra_fields["file:checksum"].startswith("1220")
    assert asset.extra_fields["file:local_path"] == "c/b/B05.tif"
    assert found["b"].get_links("derived_from")[0].href == "https://api.example/raw/b"
    assert {link.rel for link in found["b"].links} == {"root", "parent", "collection", "derived_from"} | {"self"}


def test_no_secret_is_written(files, tmp_path):
    open_items(files).download_collection(tmp_path / "out", original_hrefs=True, missing="keep")
    for name, text in every_text(tmp_path / "out").items():
        assert "5ec2e7" not in text, name
        assert "pw@" not in text, name
    written = json.loads((tmp_path / "out/c/a/a.json").read_text())
    assert written["assets"]["B04"]["alternate"]["s3"] == {"href": "s3://b/B04.tif"}
    assert written["assets"]["B04"]["alternate"]["original"]["href"].endswith("source/B04.tif")
    assert any("alternate-assets" in uri for uri in written["stac_extensions"])


def test_signatures_in_paths_of_openeo_results_are_not_written(files, tmp_path):
    signed = "https://api.example/jobs/j/results/assets/dXNlcg==/0123456789abcdef0123456789abcdef/x.tif?expires=9"
    document = collection("j", assets={"x.tif": {"href": signed}, "y.tif": files("y.tif")})
    results = splashdown.open(document, base="/nowhere/c.json").select(keys="y.tif")
    results.download_collection(tmp_path / "out", missing="keep")
    text = (tmp_path / "out/collection.json").read_text()
    assert "0123456789abcdef" not in text
    kept = json.loads(text)["assets"]["x.tif"]
    assert kept["splashdown:missing"] is True
    assert kept["href"] == "https://api.example/jobs/j/results/assets/.../x.tif"
    results.download_files(tmp_path / "plain")
    assert "0123456789abcdef" not in (tmp_path / "plain/collection.json").read_text()


@pytest.mark.parametrize(("missing", "left"), [("drop", {"B04"}), ("keep", {"B04", "thumb"})])
def test_what_was_filtered_out_is_kept_or_dropped(files, tmp_path, missing, left):
    open_items(files).select(keys="a/B04").download_collection(tmp_path / "out", missing=missing)
    catalog = pystac.read_file(str(tmp_path / "out/catalog.json"))
    found = {i.id: set(i.assets) for i in catalog.get_items(recursive=True)}
    assert found["a"] == left
    assert ("b" in found) == (missing == "keep")


def test_what_failed_is_reported_and_what_landed_is_written(files, tmp_path):
    gone = {"href": (tmp_path / "gone.tif").as_uri()}
    results = splashdown.open([item("a", B04=files("B04.tif"), bad=gone)], base="/nowhere/items.json")
    with pytest.raises(DownloadError, match="a/bad"):
        results.download_collection(tmp_path / "out")
    (saved,) = pystac.read_file(str(tmp_path / "out/catalog.json")).get_items()
    assert set(saved.assets) == {"B04"}


def test_a_second_run_moves_nothing_and_writes_the_same(files, tmp_path):
    results = open_items(files)
    results.run("download_collection", target=tmp_path / "out")
    before = every_text(tmp_path / "out")
    report = results.run("download_collection", target=tmp_path / "out").report
    assert report.bytes_moved == 0
    assert every_text(tmp_path / "out") == before


def test_a_narrower_second_run_forgets_nothing_of_the_first(files, tmp_path):
    results = open_items(files)
    results.download_collection(tmp_path / "out")
    results.select(items="a").download_collection(tmp_path / "out")
    catalog = pystac.read_file(str(tmp_path / "out/catalog.json"))
    assert {i.id for i in catalog.get_items(recursive=True)} == {"a", "b"}


def test_a_file_that_collection_and_item_list_is_saved_once_and_described_in_both(tmp_path, files):
    both = files("x.tif")
    root = collection(links=[{"rel": "item", "href": "i.json"}], assets={"i_x": both, "own": files("own.txt", b"own")})
    (tmp_path / "in").mkdir()
    (tmp_path / "in/c.json").write_text(json.dumps(root))
    (tmp_path / "in/i.json").write_text(json.dumps(item("i", "c", x=both)))
    splashdown.open(tmp_path / "in/c.json").download_collection(tmp_path / "out")
    catalog = validate_core(tmp_path / "out", "collection.json")
    assert catalog.assets["i_x"].href == "./i/x.tif"
    assert next(catalog.get_items()).assets["x"].href == "./x.tif"
    assert next(catalog.get_items()).get_collection().id == "c"
    assert (tmp_path / "out/own.txt").is_file()
    assert len(list((tmp_path / "out").rglob("*.tif"))) == 1


def test_a_single_item_is_saved_beside_its_file(files, tmp_path):
    splashdown.open(item("a", B04=files("B04.tif")), base="/nowhere/i.json").download_collection(tmp_path / "out")
    saved = validate_core(tmp_path / "out", "item.json")
    assert saved.assets["B04"].href == "./B04.tif"


def test_old_versions_are_saved_as_current_ones(files, tmp_path):
    old = item("a", B04=files("B04.tif")) | {"stac_version": "0.9.0"}
    splashdown.open(old, base="/nowhere/i.json").download_collection(tmp_path / "out")
    assert json.loads((tmp_path / "out/item.json").read_text())["stac_version"] == "1.1.0"


def test_the_layout_can_be_chosen(files, tmp_path):
    open_items(files).download_collection(tmp_path / "out", layout="data/{datetime:%Y}/{item}-{key}{ext}")
    catalog = pystac.read_file(str(tmp_path / "out/catalog.json"))
    found = {i.id: i.assets["B04"].href for i in catalog.get_items(recursive=True)}
    assert found == {"a": "../../data/2024/a-B04.tif", "b": "../../data/2024/b-B04.tif"}


@pytest.mark.parametrize("output", ["items", "geoparquet"])
def test_items_can_be_saved_as_one_document(files, tmp_path, output):
    place = open_items(files).download_collection(tmp_path / "out", output=output)
    assert place.name == {"items": "items.json", "geoparquet": "items.parquet"}[output]
    again = splashdown.open(place)
    assert {(a.item, a.key) for a in again} == {("a", "B04"), ("a", "thumb"), ("b", "B04")}
    assert again.get_asset("b/B04").load_bytes() == b"bb"
    features = pystac.ItemCollection.from_file(str(tmp_path / "out/items.json"))
    assert [i.id for i in features] == ["a", "b"]
    assert features[0].assets["B04"].href == "./c/a/B04.tif"


def test_a_missing_package_is_told_before_anything_is_saved(files, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NoProviderError, match=r"splashdown\[geoparquet\]"):
        open_items(files).download_collection(tmp_path / "out", output="geoparquet")
    assert not (tmp_path / "out").exists()


def test_a_store_gets_the_same_catalog(files):
    store = {}
    session = splashdown.Session(discover=False)
    session.sink = lambda target, **options: MemorySink(store)
    results = open_items(files)
    JobResults(session, results.result_set).run("download_collection", target="memory://x/")
    assert {"catalog.json", "c/a/a.json", "c/a/B04.tif", "c/b/b.json"} <= set(store)


def test_items_with_one_id_and_hostile_ids_get_documents_of_their_own(files, tmp_path):
    names = ["x", "x", "../../up", "con", "X"]
    documents = [item(name, a=files(f"{n}.bin")) for n, name in enumerate(names)]
    for n, document in enumerate(documents):
        document["links"][0]["href"] = f"https://api.example/{n}"
    splashdown.open(documents, base="/nowhere/i.json").download_collection(tmp_path / "out")
    catalog = pystac.read_file(str(tmp_path / "out/catalog.json"))
    assert len(list(catalog.get_items())) == 5
    assert len(list((tmp_path / "out").rglob("*.bin"))) == 5
    assert not (tmp_path / "up").exists()


def test_a_path_that_the_file_extension_does_not_allow_is_not_advertised(files, tmp_path):
    results = splashdown.open([item("-a", B04=files("-x-.tif"))], base="/nowhere/items.json")
    results.download_collection(tmp_path / "out")
    (saved,) = validate_core(tmp_path / "out", "catalog.json").get_items()
    assert "file:local_path" not in saved.assets["B04"].extra_fields
    assert Path(saved.assets["B04"].get_absolute_href()).is_file()


def test_what_makes_no_sense_is_refused(files, tmp_path):
    results = open_items(files)
    with pytest.raises(OptionError, match="keep, drop"):
        results.download_collection(tmp_path, missing="maybe")
    with pytest.raises(UsageError, match="no items"):
        splashdown.open(collection(assets={"a": files("a")}), base="/nowhere/c.json").download_collection(
            tmp_path, output="items"
        )
    united = ResultSet(
        id="u", kind="several", assets=(Asset(key="a", href="file:///a"),), document={}, members=(object(),)
    )
    with pytest.raises(UsageError, match="one by one"):
        JobResults(splashdown.Session(discover=False), united).download_collection(tmp_path)
