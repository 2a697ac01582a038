"""Runs that change nothing, over a web server into a folder: what is asked, what is noted, what is noticed."""

from __future__ import annotations

import hashlib
import json

import pytest
from fault_server import FaultServer

import splashdown
from splashdown._cli.main import main

DATA = b"a file"
COUNT = 60


@pytest.fixture
def server():
    with FaultServer() as running:
        running.add("/a.bin", DATA)
        yield running


def item_of(server, *, count=COUNT, query="", updated="2024-01-01T00:00:00Z", **more):
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": "one",
        "geometry": None,
        "properties": {"datetime": "2023-06-01T00:00:00Z", "updated": updated},
        "links": [],
        "assets": {f"{n}.bin": {"href": f"{server.url}/a.bin?n={n}{query}", **more} for n in range(count)},
    }


def saved(folder, document):
    path = folder / "source.json"
    path.write_text(json.dumps(document))
    return str(path)


def asked(server):
    return len(server.seen)


def test_nothing_is_asked_where_the_metadata_promise_a_checksum(server, tmp_path):
    promise = {"file:size": len(DATA), "file:checksum": "1220" + hashlib.sha256(DATA).hexdigest()}
    results = splashdown.open(item_of(server, **promise))
    results.download_files(tmp_path)
    before = asked(server)
    results.download_files(tmp_path)
    assert asked(server) == before


def test_trusted_metadata_cost_no_request_from_the_command_line(server, tmp_path, capsys):
    target = str(tmp_path / "out")
    assert main(["download", saved(tmp_path, item_of(server)), target]) == 0
    before = asked(server)
    assert main(["download", saved(tmp_path, item_of(server, query="&sig=other")), target, "--trust-metadata"]) == 0
    assert asked(server) == before
    assert main(["sync", saved(tmp_path, item_of(server)), target, "--trust-metadata"]) == 0
    assert asked(server) == before
    assert main(["download", saved(tmp_path, item_of(server)), target]) == 0
    assert asked(server) == before + COUNT
    newer = item_of(server, updated="2024-01-02T00:00:00Z")
    assert main(["download", saved(tmp_path, newer), target, "--trust-metadata"]) == 0
    assert asked(server) == before + 2 * COUNT


def test_no_part_of_a_signature_is_in_the_receipt(server, tmp_path):
    results = splashdown.open(item_of(server, query="&sig=geheim&X-Amz-Signature=verborgen&token=still"))
    results.download_files(tmp_path)
    text = (tmp_path / "item.json").read_text()
    assert "splashdown:source" in text
    assert not [one for one in ("geheim", "verborgen", "still") if one in text]


@pytest.mark.parametrize("field", ["splashdown:version", "file:checksum", "splashdown:source", "splashdown:validator"])
@pytest.mark.parametrize("value", ["", "1220" + "00" * 32, 7, None, "x" * 9000])
def test_a_receipt_that_was_edited_keeps_no_wrong_file(server, tmp_path, field, value):
    promise = {"file:size": len(DATA), "file:checksum": "1220" + hashlib.sha256(DATA).hexdigest()}
    source = item_of(server, **promise)
    splashdown.open(source).download_files(tmp_path)
    receipt = tmp_path / "item.json"
    document = json.loads(receipt.read_text())
    for number, asset in enumerate(document["assets"].values()):
        if number % 2:
            asset[field] = value
    receipt.write_text(json.dumps(document))
    wrong = tmp_path / "1.bin"
    wrong.unlink()
    wrong.write_bytes(DATA[::-1])
    failed = set()
    try:
        splashdown.open(source).download_files(tmp_path)
    except splashdown.DownloadError as error:
        failed = {one.transfer.name for one in error.report.failed}
    assert failed <= {"1.bin"}
    # It is replaced where it is known as ours, and refused where the receipt does not say so any more.
    assert (wrong.read_bytes() == DATA) is not bool(failed)
