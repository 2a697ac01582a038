"""The receipt of a job whose collection and items list the same files."""

import json

from scripted_api import Answer, ScriptedApi

from splashdown.session import Session

RESULTS = "/openeo/1.2/jobs/j1/results"


def test_a_file_that_collection_and_item_list_is_one_entry_without_its_signature(api: ScriptedApi, tmp_path):
    api.script[RESULTS] = Answer(
        {
            "type": "Collection",
            "id": "j1",
            "assets": {"one_B04": {"href": "/f/1.tif?expires=9&sig=s3cret"}},
            "links": [{"rel": "item", "href": "/one?sig=s3cret"}, {"rel": "item", "href": "/two"}],
        }
    )
    for name, href in (("one", "/f/1.tif?expires=8&sig=s3cret"), ("two", "/f/2.tif?sig=s3cret")):
        asset = {"B04": {"href": href}}
        api.script[f"/{name}"] = Answer({"type": "Feature", "id": name, "properties": {}, "assets": asset})
    api.script["/f/1.tif"], api.script["/f/2.tif"] = Answer(b"one"), Answer(b"two")
    results = Session(discover=False).open(api.url + RESULTS)
    results.download_files(tmp_path)
    text = (tmp_path / "job-results.json").read_text()
    assert "s3cret" not in text
    entries = json.loads(text)["assets"]
    assert sorted(entries) == ["one_B04", "two/B04"]
    for key, content in (("one_B04", b"one"), ("two/B04", b"two")):
        assert (tmp_path / entries[key]["href"]).read_bytes() == content


def test_an_asset_is_also_found_by_the_key_that_the_collection_has_for_it(api: ScriptedApi):
    api.script[RESULTS] = Answer(
        {
            "type": "Collection",
            "id": "j1",
            "assets": {"one_B04": {"href": "/f/1.tif"}, "two_B04": {"href": "/f/2.tif"}},
            "links": [{"rel": "item", "href": "/one"}, {"rel": "item", "href": "/two"}],
        }
    )
    for number, name in enumerate(("one", "two"), 1):
        asset = {"B04": {"href": f"/f/{number}.tif"}}
        api.script[f"/{name}"] = Answer({"type": "Feature", "id": name, "properties": {}, "assets": asset})
    results = Session(discover=False).open(api.url + RESULTS)
    assert results.get_asset("two_B04").item == "two"
    assert results.get_asset("two/B04").item == "two"


def test_files_get_the_names_that_the_results_document_has_for_them(api: ScriptedApi, tmp_path):
    api.script[RESULTS] = Answer(
        {
            "type": "Collection",
            "id": "j1",
            "assets": {"one_B04.tif": {"href": "/f/1.tif"}, "two_B04.tif": {"href": "/f/2.tif"}},
            "links": [{"rel": "item", "href": "/one"}, {"rel": "item", "href": "/two"}],
        }
    )
    for number, name in enumerate(("one", "two"), 1):
        asset = {"B04.tif": {"href": f"/f/{number}.tif"}}
        api.script[f"/{name}"] = Answer({"type": "Feature", "id": name, "properties": {}, "assets": asset})
        api.script[f"/f/{number}.tif"] = Answer(name.encode())
    paths = Session(discover=False).open(api.url + RESULTS).download_files(tmp_path, include_stac_metadata=False)
    assert {path.name: path.read_bytes() for path in paths} == {"one_B04.tif": b"one", "two_B04.tif": b"two"}
