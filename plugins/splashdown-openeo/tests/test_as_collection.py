"""``download_as_collection``: what the client does, without the losses."""

from __future__ import annotations

import inspect
import json
import logging

import pytest
import splashdown_openeo

SIGNATURE = "0123456789abcdef" * 2


def item(backend, name, assets, **more):
    full = {key: {"href": asset} if isinstance(asset, str) else asset for key, asset in assets.items()}
    document = {"type": "Feature", "stac_version": "1.0.0", "id": name, "assets": full, "links": [], **more}
    path = f"/jobs/j1/results/items/{name}"
    backend.json(path, document)
    return {"rel": "item", "href": f"{backend.url}{path}?sig={name}", "type": "application/geo+json"}


def two_items(backend):
    links = [
        item(
            backend,
            "june",
            {"B02": backend.add("/dl/june.tif", b"june") + "?sig=1", "log": backend.add("/dl/l1", b"1")},
        ),
        {"rel": "canonical", "href": backend.url + "/canonical"},
        item(backend, "july", {"B02": {"href": backend.add("/dl/july.tif", b"july"), "alternate": {"original": {}}}}),
        {"rel": "derived_from", "href": backend.add("/catalogue/S2A.json", b"{}")},
    ]
    assets = {"june": backend.url + "/dl/june.tif?sig=2", "july": backend.url + "/dl/july.tif"}
    backend.results(assets, type="Collection", links=links)


@pytest.mark.parametrize(
    "call",
    [
        lambda case: case.results.download_as_collection(case.folder),
        lambda case: case.results.download_as_collection(str(case.folder / "new" / "deep")),
        lambda case: case.results.download_as_collection(case.folder, rewrite_references=False),
        lambda case: case.results.download_as_collection(case.folder, add_original_hrefs=True),
        lambda case: case.results.download_as_collection(case.folder, download_derived_from=True),
        lambda case: case.results.download_as_collection(case.folder, download_collection_assets=True),
        lambda case: case.results.download_as_collection(case.folder, json_dump={"indent": 2, "ensure_ascii": True}),
        lambda case: case.results.download_as_collection(case.folder, on_download_failure="raise"),
        lambda case: case.results.download_as_collection(case.folder, redact_url_logging=False),
        lambda case: case.results.download_as_collection(
            case.folder, path_templates={"item": "i/{auto_increment}{extension}", "asset": "a/{item_id}-{asset_key}"}
        ),
        lambda case: case.results.download_as_collection(
            case.folder,
            download_collection_assets=True,
            download_derived_from=True,
            path_templates={
                "collection": "{job_id}-{collection_id}{extension}",
                "asset": "{auto_increment}{extension}",
                "collection-asset": "c/{auto_increment}-{asset_filename}",
                "generic-link": "{rel}/{auto_increment}-{filename}{extension}",
            },
        ),
    ],
    ids=lambda call: inspect.getsource(call).strip(),
)
def test_the_same_files_with_the_same_content(both, call):
    client, ours = both(two_items, call)
    assert ours == client
    assert len(ours.files) >= 5


def test_the_job_id_below_the_working_folder_is_the_default_target(both, monkeypatch):
    def call(case):
        monkeypatch.chdir(case.folder)
        return case.results.download_as_collection()

    client, ours = both(two_items, call)
    assert ours == client
    assert "j1/june/june.tif" in ours.files


@pytest.mark.parametrize("setup", [lambda backend: backend.results({}), lambda backend: None])
def test_other_results_raise_as_the_client_does(both, setup):
    client, ours = both(setup, lambda case: case.results.download_as_collection(case.folder))
    assert ours.error[0] == client.error[0]
    assert ours.files == {}


@pytest.mark.parametrize("broken", ["/jobs/j1/results/items/june", "/dl/june.tif", "/catalogue/S2A.json"])
@pytest.mark.parametrize("mode", ["warn", "raise", "shout"])
def test_a_failure_warns_or_raises_as_the_client_does(both, broken, mode):
    def setup(backend):
        two_items(backend)
        del backend.files[broken]

    def call(case):
        return case.results.download_as_collection(
            case.folder, on_download_failure=mode, download_derived_from=True, redact_url_logging=True
        )

    client, ours = both(setup, call)
    assert (ours.error or "-")[0] == (client.error or "-")[0]
    assert {level for _, level, _ in ours.logged} == {level for _, level, _ in client.logged}
    if mode == "warn":
        assert set(client.files) <= set(ours.files)
        assert not any("?sig" in message for _, _, message in ours.logged)


def test_what_failed_keeps_its_href_in_the_document(backend, tmp_path):
    two_items(backend)
    del backend.files["/dl/l1"]
    results(backend).download_as_collection(tmp_path)
    assets = json.loads((tmp_path / "june" / "june.json").read_bytes())["assets"]
    assert assets["B02"]["href"] == "june.tif"
    assert assets["log"]["href"] == backend.url + "/dl/l1"


def results(backend):
    return splashdown_openeo.JobResults(backend.connection().job("j1"))


# What the client loses


def test_an_asset_that_only_the_collection_has_is_not_lost(both):
    def setup(backend):
        two_items(backend)
        links = json.loads(backend.files["/jobs/j1/results"].body)["links"]
        assets = {"june": backend.url + "/dl/june.tif?sig=2", "stats.json": backend.add("/dl/stats.json", b"{}")}
        backend.results(assets, type="Collection", links=links)

    client, ours = both(setup, lambda case: case.results.download_as_collection(case.folder))
    assert set(ours.files) - set(client.files) == {"stats.json"}
    document = json.loads(ours.files["job-results.json"])
    assert document["assets"]["stats.json"]["href"] == "stats.json"
    assert document["assets"]["june"]["href"] == "ROOT/dl/june.tif?sig=2"


def test_the_asset_of_an_item_that_cannot_be_read_is_taken_from_the_collection(both):
    def setup(backend):
        two_items(backend)
        del backend.files["/jobs/j1/results/items/june"]

    client, ours = both(setup, lambda case: case.results.download_as_collection(case.folder))
    assert b"june" not in client.files.values()
    assert ours.files["june.tif"] == b"june"


def test_a_signature_in_the_path_does_not_make_it_another_file(backend, tmp_path):
    first, second = (f"/jobs/j1/results/assets/am9obg==/{sign}/x.tif" for sign in (SIGNATURE, SIGNATURE[::-1]))
    backend.add(first, b"x")
    backend.add(second, b"x")
    backend.results(
        {"x.tif": backend.url + second}, type="Collection", links=[item(backend, "i", {"x.tif": backend.url + first})]
    )
    paths = results(backend).download_as_collection(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == ["i/x.tif", "i/i.json", "job-results.json"]


def test_two_files_of_one_name_both_land(both):
    def setup(backend):
        assets = {"a": backend.add("/1/x.tif", b"first"), "b": backend.add("/2/x.tif", b"second")}
        backend.results({}, type="Collection", links=[item(backend, "i", assets)])

    client, ours = both(setup, lambda case: case.results.download_as_collection(case.folder))
    assert b"second" not in client.files.values()
    assert (ours.files["i/x.tif"], ours.files["i/x-1.tif"]) == (b"first", b"second")
    assert json.loads(ours.files["i/i.json"])["assets"]["b"]["href"] == "x-1.tif"
    assert ours.logged == []


def test_hrefs_and_ids_without_a_usable_name_get_one(backend, tmp_path):
    link = item(backend, "..", {":": backend.add("/dl/..", b"dots"), "key": backend.add("/dl/%2e%2e", b"more dots")})
    backend.results({}, type="Collection", links=[link])
    paths = results(backend).download_as_collection(tmp_path)
    assert all(path.is_relative_to(tmp_path) and path.is_file() for path in paths)


def test_an_item_that_is_linked_twice_is_saved_once(backend, tmp_path):
    link = item(backend, "i", {"a": backend.add("/dl/a.tif", b"a")})
    backend.results({}, type="Collection", links=[link, dict(link)])
    results(backend).download_as_collection(tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [
        "a.tif",
        "i.json",
        "job-results.json",
    ]
    hrefs = [link["href"] for link in json.loads((tmp_path / "job-results.json").read_bytes())["links"]]
    assert hrefs == ["i/i.json", "i/i.json"]


@pytest.mark.parametrize("readable", [True, False])
def test_the_links_of_items_are_renewed_when_they_expire(backend, tmp_path, readable):
    def documents(expires):
        link = item(backend, "i", {"x": backend.add("/dl/x.tif", b"x") + f"?expires={expires}"})
        backend.results({}, type="Collection", links=[link])

    documents(1)
    answer, refuse = backend.answer, backend._error

    def expiring(handler):
        if handler.path != "/dl/x.tif?expires=1":
            return answer(handler)
        documents(2)
        backend.files["/jobs/j1/results/items/i"].script = [] if readable else [500] * 9
        return refuse(handler, 410, "ResultLinkExpired")

    backend.answer = expiring
    results(backend).download_as_collection(tmp_path)
    assert (tmp_path / "i" / "x.tif").exists() is readable


def test_no_signature_gets_into_the_log(backend, refusing_url, tmp_path, caplog):
    secret = "X-Amz-Signature=secret"
    gone = {"rel": "item", "href": f"{refusing_url}/item?{secret}"}
    assets = {"a": f"{refusing_url}/a.tif?{secret}", "b": f"{backend.url}/nothing.tif?{secret}"}
    backend.results({}, type="Collection", links=[gone, item(backend, "i", assets)])
    with caplog.at_level(logging.INFO):
        results(backend).download_as_collection(tmp_path)
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 3
    assert "secret" not in caplog.text
