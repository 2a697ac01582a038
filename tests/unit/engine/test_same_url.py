"""Assets that have one URL: one request, and each asset has its file, its record and its outcome."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from dataclasses import replace

import pytest
from scripted import DATA, SMALL, Body, ScriptedTransport, Store, raising, remote_of, sha256
from scripted_api import Answer, scripted_api
from stac_item import stac_item

import splashdown
from splashdown._engine.run import Run, run_plan
from splashdown._engine.same_url import groups
from splashdown.builtins.local import LocalSink
from splashdown.builtins.memory import MemorySink
from splashdown.errors import DownloadError, HttpStatusError, StoreError
from splashdown.model import Asset, IfExists, Plan, Status, Transfer

BYTES = b"PK\3\4" + b"many members" * 20


@pytest.fixture
def api():
    with scripted_api() as running:
        yield running


def serve(api, assets):
    api.script["/item.json"] = Answer(stac_item(assets))
    api.script["/f.zip"] = Answer(BYTES, headers={"ETag": '"v1"', "Content-Type": "application/zip"})
    return f"{api.url}/item.json"


def download(source, target, **options):
    with splashdown.Session(config=False) as session:
        return session.open(source).download_files(target, **options)[:-1]  # without the receipt


MEMBERS = {
    "data": {"href": "./f.zip", "type": "application/zip"},
    "quicklook": {"href": "./f.zip#q.jpg", "type": "image/jpeg"},
    "metadata": {"href": "./f.zip#m.xml"},
}


def test_one_url_with_other_fragments_is_one_request(api, tmp_path):
    paths = download(serve(api, MEMBERS), tmp_path / "out")
    assert api.paths().count("/f.zip") == 1
    assert len(paths) == 3
    assert [path.read_bytes() for path in paths] == [BYTES] * 3
    assert len({path.stat().st_ino for path in paths}) == 1, "hard links take no room"


def test_each_asset_of_one_url_has_an_entry_in_the_receipt(api, tmp_path):
    download(serve(api, MEMBERS), tmp_path)
    assets = json.loads((tmp_path / "item.json").read_text())["assets"]
    assert len({asset["href"] for asset in assets.values()}) == 3
    checksum = "1220" + hashlib.sha256(BYTES).hexdigest()
    assert [asset["file:checksum"] for asset in assets.values()] == [checksum] * 3


def test_verify_and_a_second_run_know_each_file_of_one_url(api, tmp_path):
    source = serve(api, MEMBERS)
    download(source, tmp_path)
    with splashdown.Session(config=False) as session:
        assert session.run("verify", str(tmp_path)).ok
        results = session.open(source)
        report = results.run("download_files", target=tmp_path).report
    assert [one.status for one in report.outcomes] == [Status.SKIPPED] * 3


def test_a_lost_file_of_one_url_is_made_from_another_one(api, tmp_path):
    source = serve(api, MEMBERS)
    paths = download(source, tmp_path)
    api.script["/f.zip"] = lambda asked: Answer(b"", 304 if asked.headers["If-None-Match"] == '"v1"' else 500)
    paths[1].unlink()
    download(source, tmp_path)
    assert paths[1].read_bytes() == BYTES


def test_the_next_asset_fetches_the_url_where_the_first_one_fails(api, tmp_path):
    wrong = {**MEMBERS["data"], "file:size": 5}
    with pytest.raises(DownloadError) as raised:
        download(serve(api, {**MEMBERS, "data": wrong}), tmp_path)
    (failed,) = raised.value.report.failed
    assert failed.asset.key == "data"
    assert [one.status for one in raised.value.report.outcomes].count(Status.STORED) == 2
    assert api.paths().count("/f.zip") == 2


def test_an_asset_that_promises_another_size_fails_alone(api, tmp_path):
    wrong = {**MEMBERS["metadata"], "file:size": 5}
    with pytest.raises(DownloadError) as raised:
        download(serve(api, {**MEMBERS, "metadata": wrong}), tmp_path)
    (failed,) = raised.value.report.failed
    assert failed.error_type == "ChecksumError"
    assert failed.error.endswith("; verify=False stores it all the same")
    assert failed.asset.key == "metadata"
    assert api.paths().count("/f.zip") == 1


def test_an_asset_that_promises_another_format_fails_alone(api, tmp_path):
    source = serve(api, {"page": {"href": "./f.zip"}, "band": {"href": "./f.zip#b.tif", "type": "image/tiff"}})
    page = b"<!DOCTYPE html><html>please sign in</html>"
    api.script["/item.json"].body["assets"]["page"]["type"] = "text/html"
    api.script["/f.zip"] = Answer(page)
    with pytest.raises(DownloadError) as raised:
        download(source, tmp_path)
    (failed,) = raised.value.report.failed
    assert (failed.asset.key, failed.error_type) == ("band", "ContentError")
    assert api.paths().count("/f.zip") == 1


def plan_of(*assets, if_exists=IfExists.AUTO):
    transfers = [Transfer(asset=asset, name=f"{asset.key}.bin", if_exists=if_exists) for asset in assets]
    return Plan(target="out", source="test", transfers=tuple(transfers))


def moved(sink, plan, *, faults=(), settings=SMALL):
    transport = ScriptedTransport({"http://h/a": Body(DATA, faults=list(faults))})
    transport.bodies |= {f"http://h/a#{n}": transport.bodies["http://h/a"] for n in range(5)}
    return run_plan(Run(plan=plan, sink=sink), remote_of(transport, settings)), transport.requests


THREE = [Asset(key=f"k{n}", href=f"http://h/a#{n}") for n in range(3)]
#: So that one file is one request.
WHOLE = replace(SMALL, range_cutoff=10**6)


class Readable(Store):
    """A store without copies, whose objects can be read."""

    @contextmanager
    def read(self, key):
        yield iter([self.objects[key][:1000], self.objects[key][1000:]])


def test_a_store_without_copies_gets_the_bytes_that_it_holds():
    sink = Readable()
    report, requests = moved(sink, plan_of(*THREE), settings=WHOLE)
    assert len(requests) == 1
    assert sink.objects == {f"k{n}.bin": DATA for n in range(3)}
    assert {one.checksum for one in report.outcomes} == {sha256(DATA)}


def test_a_store_that_cannot_be_read_gets_the_url_again():
    sink = Store()
    report, requests = moved(sink, plan_of(*THREE), settings=WHOLE)
    assert report.ok
    assert len(requests) == 3


def test_a_checksum_of_another_kind_is_computed_from_the_stored_bytes():
    md5 = "d50110" + hashlib.md5(DATA).hexdigest()
    report, requests = moved(Readable(), plan_of(THREE[0], replace(THREE[1], checksum=md5)), settings=WHOLE)
    assert report.ok
    assert "checksum" in report.outcomes[1].verified
    assert len(requests) == 1


def test_a_checksum_that_holds_is_said_of_a_second_name():
    second = replace(THREE[1], checksum=sha256(DATA), size=len(DATA))
    report, _ = moved(MemorySink(), plan_of(THREE[0], second), settings=WHOLE)
    assert report.outcomes[1].verified == ("length", "size", "checksum")
    assert report.outcomes[1].bytes_moved == 0


def test_a_second_name_that_is_taken_is_not_replaced():
    sink = MemorySink({"k1.bin": b"foreign"})
    report, _ = moved(sink, plan_of(*THREE, if_exists=IfExists.ERROR))
    assert [one.status for one in report.outcomes] == [Status.STORED, Status.FAILED, Status.STORED]
    assert sink.store["k1.bin"] == b"foreign"


def test_a_store_that_fails_to_copy_fails_that_asset_alone():
    class Full(MemorySink):
        def duplicate(self, key, copy, content):
            raise StoreError("the disk is full")

    report, _ = moved(Full(), plan_of(*THREE))
    assert [one.status for one in report.outcomes] == [Status.STORED, Status.FAILED, Status.FAILED]
    assert "disk is full" in report.outcomes[2].error


def test_after_fail_fast_the_others_of_one_url_are_not_tried():
    refused = raising(HttpStatusError("403", status=403))
    report, requests = moved(
        MemorySink(), plan_of(*THREE), faults=[refused] * 3, settings=replace(SMALL, fail_fast=True)
    )
    assert [one.status for one in report.outcomes] == [Status.FAILED, Status.NOT_TRIED, Status.NOT_TRIED]
    assert len(requests) == 1


def test_a_folder_without_hard_links_gets_copies(tmp_path, monkeypatch):
    from splashdown._folders.folder import Folder

    def no_links(self, name, to, new):
        raise PermissionError("no hard links here")

    monkeypatch.setattr(Folder, "link", no_links)
    sink = LocalSink(tmp_path)
    report, requests = moved(sink, plan_of(*THREE), settings=WHOLE)
    sink.close()
    assert report.ok
    assert len(requests) == 1
    assert [(tmp_path / f"k{n}.bin").read_bytes() for n in range(3)] == [DATA] * 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["k0.bin", "k1.bin", "k2.bin"]


def test_a_second_link_replaces_a_file_and_leaves_no_partial_one(tmp_path):
    (tmp_path / "k1.bin").write_bytes(b"old")
    for _ in range(2):
        sink = LocalSink(tmp_path)
        report, _ = moved(sink, plan_of(*THREE, if_exists=IfExists.OVERWRITE))
        sink.close()
        assert report.ok
    assert sorted(path.name for path in tmp_path.iterdir()) == ["k0.bin", "k1.bin", "k2.bin"]


def test_to_replace_one_of_two_links_leaves_the_other(tmp_path):
    sink = LocalSink(tmp_path)
    moved(sink, plan_of(*THREE))
    (tmp_path / "new").write_bytes(b"new")
    (tmp_path / "new").replace(tmp_path / "k1.bin")
    assert (tmp_path / "k0.bin").read_bytes() == DATA


def test_one_url_needs_the_room_of_one_file(tmp_path, monkeypatch):
    sink = LocalSink(tmp_path)
    monkeypatch.setattr(LocalSink, "free_space", lambda self: len(DATA) + 10)
    report, _ = moved(sink, plan_of(*[replace(asset, size=len(DATA)) for asset in THREE]))
    sink.close()
    assert report.ok


def transfers_of_urls(*urls):
    return [Transfer(asset=Asset(key=f"k{n}", href=url), name=f"k{n}.bin") for n, url in enumerate(urls)]


def test_only_urls_that_come_again_are_grouped():
    assert groups(transfers_of_urls("http://h/a", "http://h/b#x", "http://h/c?d=1", "http://h/c?d=2")) == []
    assert groups(transfers_of_urls("http://h/a#1", "http://h/b", "http://h/a", "http://h/b#")) == [[0, 2], [1, 3]]
