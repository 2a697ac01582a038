"""The example documents of every STAC version are listed, saved as current ones, and valid then."""

import json
import re
from pathlib import Path

import pystac
import pytest
from validator import invalid

import splashdown
from splashdown._cli.main import main

EXAMPLES = Path(__file__).resolve().parents[3] / "data" / "stac-examples"
#: What each document lists.
COUNTS = {
    "0.6.0/catalog.json": 16,
    "0.6.0/2015-01-01/LC81560292015001LGN00.json": 16,
    "0.6.2/collection.json": 0,
    "0.7.0/collection.json": 6,
    "0.7.0/item.json": 6,
    "0.8.1/collection.json": 2,
    "0.8.1/item.json": 2,
    "0.9.0/item.json": 5,
    "1.0.0-beta.2/item.json": 2,
    "1.0.0-rc.2/collection.json": 2,
    "1.0.0-rc.2/simple-item.json": 2,
    "1.0.0-rc.4/catalog.json": 7,
    "1.0.0/collection.json": 1,
    "1.1.0/extended-item.json": 6,
}


def test_every_example_is_tested():
    assert {path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.rglob("*.json")} == set(COUNTS)


@pytest.mark.parametrize("name", COUNTS)
def test_an_example_of_the_specification_is_listed(name, capsys):
    assert main(["ls", str(EXAMPLES / name)]) == (0 if COUNTS[name] else 3)
    shown = capsys.readouterr()
    assert re.search(rf"^{COUNTS[name]} assets? of ", shown.out, re.MULTILINE), shown.out
    assert "Warning" not in shown.err


def test_what_old_versions_say_is_understood():
    landsat = splashdown.open(EXAMPLES / "0.6.0/catalog.json")
    assert {asset.asset.collection for asset in landsat} == {"landsat-8-l1"}
    assert (
        len(landsat.select(types="image/*", datetime="2015-01-01", bbox="65,44,66,45", cql2="eo:cloud_cover > 90"))
        == 13
    )
    sample = splashdown.open(EXAMPLES / "0.8.1/item.json")
    assert [a.asset.collection for a in sample] == ["CS3", "CS3"]
    # A saved item without its files beside it: they are where its own URL says.
    assert sample.get_asset("analytic").href.startswith("http://cool-sat.com/catalog/")
    extended = splashdown.open(EXAMPLES / "1.1.0/extended-item.json")
    assert [a.key for a in extended.select(bands="nir")] == ["analytic"]
    assert [a.key for a in extended.select(bands="band3")] == ["analytic", "visual"]


def local_copy(name, folder):
    """An example in a folder of its own, its assets being files there."""
    document = json.loads((EXAMPLES / name).read_text())
    for key, asset in document.get("assets", {}).items():
        (folder / f"{key}.bin").write_text(key)
        asset["href"] = f"./{key}.bin"
    for link in document["links"]:
        if link["rel"] in {"item", "child"}:
            below = (EXAMPLES / name).parent / link["href"]
            target = folder / link["href"]
            target.parent.mkdir(parents=True, exist_ok=True)
            local_copy(below.resolve().relative_to(EXAMPLES).as_posix(), target.parent)
    (folder / Path(name).name).write_text(json.dumps(document))
    return folder / Path(name).name


def documents_of(name):
    links = json.loads((EXAMPLES / name).read_text())["links"]
    return 1 + sum(link["rel"] in {"item", "child"} for link in links)


@pytest.mark.parametrize(
    "name",
    ["0.6.0/catalog.json", "0.7.0/collection.json", "0.8.1/item.json", "0.9.0/item.json", "1.0.0-rc.2/collection.json"],
)
def test_an_old_example_is_saved_as_a_valid_current_one(name, tmp_path):
    (tmp_path / "in").mkdir()
    source = local_copy(name, tmp_path / "in")
    root = splashdown.open(source).download_collection(tmp_path / "out")
    documents = sorted((tmp_path / "out").rglob("*.json"))
    # Schemas of old extensions are not here; the core and the extension of files are.
    wrong = [entry for entry in invalid(documents) if "stac-extensions.github.io" not in entry["error_message"]]
    assert (len(documents), wrong) == (documents_of(name), [])
    saved = pystac.read_file(str(root))
    items = [saved] if isinstance(saved, pystac.Item) else list(saved.get_items(recursive=True))
    for item in items:
        for key, asset in item.assets.items():
            assert Path(asset.get_absolute_href()).read_text() == key
