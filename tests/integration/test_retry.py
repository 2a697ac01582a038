"""``results.retry(report)``: what failed is repeated, under the same names, and the receipt tells of it."""

from __future__ import annotations

import json

import pytest
from fault_server import FaultServer
from faults import Status
from stac_item import stac_item

import splashdown
from splashdown import DownloadError, UsageError

NAMES = ("a.bin", "b.bin", "c.bin")


@pytest.fixture
def server():
    with FaultServer() as running:
        for name in NAMES:
            running.add(f"/{name}", name.encode() * 1000)
        yield running


@pytest.fixture
def document(server):
    return stac_item({name: {"href": f"{server.url}/{name}"} for name in NAMES}, id="scene", stac_version="1.0.0")


@pytest.fixture
def results(document):
    return splashdown.open(document)


def failing(call):
    with pytest.raises(DownloadError) as caught:
        call()
    return caught.value.report


def test_only_what_failed_is_fetched_and_the_receipt_tells_of_all(server, results, tmp_path):
    server.script("/b.bin", Status(404))
    report = failing(lambda: results.download_files(tmp_path / "out"))
    before = len(server.seen)
    again = results.retry(report)
    assert again.ok
    assert [one.path for one in server.seen[before:]] == ["/b.bin"]
    assert [outcome.asset.key for outcome in again.outcomes] == ["b.bin"]
    receipt = json.loads((tmp_path / "out" / "item.json").read_text())
    assert {key: asset["href"] for key, asset in receipt["assets"].items()} == {name: f"./{name}" for name in NAMES}


def test_a_later_run_knows_the_files_that_a_retry_has_landed(server, results, tmp_path):
    server.script("/b.bin", Status(404))
    results.retry(failing(lambda: results.download_files(tmp_path / "out")))
    sent = server.sent()
    assert len(results.download_files(tmp_path / "out")) == len(NAMES) + 1
    assert server.sent() == sent


def test_what_fails_again_is_in_the_report(server, results, tmp_path):
    server.always("/b.bin", Status(404))
    again = results.retry(failing(lambda: results.download_files(tmp_path / "out")))
    assert [outcome.error_type for outcome in again.failed] == ["HttpStatusError"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.bin", "c.bin", "item.json"]


def test_a_single_file_is_repeated_under_the_name_that_was_given(server, results, tmp_path):
    server.script("/b.bin", Status(404))
    target = tmp_path / "out" / "mine.bin"
    results.retry(failing(lambda: results.download_file(target, key="b.bin")))
    assert [path.name for path in target.parent.iterdir()] == ["mine.bin"]


def test_no_receipt_is_written_where_none_was_wanted(server, results, tmp_path):
    server.script("/b.bin", Status(404))
    report = failing(lambda: results.download_files(tmp_path / "out", include_stac_metadata=False))
    assert results.retry(report).ok
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.is_file()) == sorted(NAMES)


def test_a_catalog_is_not_repeated_in_parts(server, document, tmp_path):
    server.script("/b.bin", Status(404))
    results = splashdown.open({"type": "FeatureCollection", "features": [document]})
    report = failing(lambda: results.download_collection(tmp_path / "out"))
    with pytest.raises(UsageError, match="repeat the call that made it"):
        results.retry(report)
    results.download_collection(tmp_path / "out")
    assert list((tmp_path / "out").rglob("b.bin"))
