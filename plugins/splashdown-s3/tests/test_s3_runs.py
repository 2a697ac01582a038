"""Whole runs, through the library and the command line: from a web server into a bucket, out of it, and inside it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter

import pytest
from botocore.httpsession import URLLib3Session
from fault_server import FaultServer
from faults import Cut, Status
from splashdown_s3._options import MIB
from splashdown_s3._store import Store
from stac_item import stac_item

import splashdown
from splashdown._cli.main import main
from splashdown.errors import DownloadError, ExistsError

BIG = os.urandom(20 * MIB + 1)
FILES = {"big.tif": BIG, "a b+c%20d.txt": b"odd", "grüße.json": b"{}", "empty.bin": b""}


def multihash(data):
    return "1220" + hashlib.sha256(data).hexdigest()


def item(assets):
    return stac_item(assets, stac_version="1.0.0")


@pytest.fixture
def web():
    with FaultServer() as running:
        for number, data in enumerate(FILES.values()):
            running.add(f"/{number}", data)
        yield running


@pytest.fixture
def source(web, tmp_path):
    assets = {
        key: {"href": f"{web.url}/{number}", "type": "image/tiff" if key.endswith(".tif") else "text/plain"}
        for number, key in enumerate(FILES)
    }
    assets["big.tif"]["file:checksum"] = multihash(BIG)
    path = tmp_path / "source.json"
    path.write_text(json.dumps(item(assets)))
    return path


def contents(plain, bucket, prefix=""):
    pages = plain.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [one["Key"] for page in pages for one in page.get("Contents", ())]
    return {key.removeprefix(prefix): plain.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def landed(plain, bucket, prefix="out/"):
    """What is in the bucket, less the receipt."""
    found = contents(plain, bucket, prefix)
    receipt = json.loads(found.pop("item.json"))
    hrefs = {asset["href"] for asset in receipt["assets"].values() if "file:size" in asset}
    assert hrefs == {f"./{name}" for name in found}
    return sorted(found.values())


def test_a_download_lands_in_the_bucket_verifies_and_is_not_repeated(reached, source, plain, bucket, web, capsys):
    target = f"s3://{bucket}/out/"
    assert main(["download", str(source), target]) == 0
    assert landed(plain, bucket) == sorted(FILES.values())
    head = plain.head_object(Bucket=bucket, Key="out/big.tif")
    assert head["ContentType"] == "image/tiff"
    assert head["Metadata"] == {"splashdown-multihash": multihash(BIG), "splashdown-source": "one/big.tif"}
    assert main(["verify", target]) == 0
    sent = web.sent()
    assert main(["download", str(source), target]) == 0
    assert web.sent() == sent
    plain.put_object(Bucket=bucket, Key="out/big.tif", Body=BIG[::-1])
    assert main(["verify", target]) == 1
    assert "big.tif" in capsys.readouterr().out


def test_workers_in_other_processes_land_the_same_in_a_bucket(reached, source, plain, bucket, web):
    target, results = f"s3://{bucket}/far/", splashdown.open(source)
    results.download_files(target, executor="processes:2")
    splashdown.open(source).download_files(f"s3://{bucket}/near/")
    far, near = (contents(plain, bucket, f"{prefix}/") for prefix in ("far", "near"))
    assert far.keys() == near.keys()  # and no note of a worker is left
    far.pop("item.json")
    assert sorted(far.values()) == sorted(FILES.values())
    before = len(web.seen)
    results.download_files(target, executor="processes:2")
    assert not any(one.sent for one in web.seen[before:])
    assert plain.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []


def test_the_library_returns_urls(reached, source, plain, bucket):
    results = splashdown.open(source)
    urls = results.download_files(f"s3://{bucket}/out/")
    assert f"s3://{bucket}/out/big.tif" in urls
    assert landed(plain, bucket) == sorted(FILES.values())
    one = results.get_asset("big.tif").download(f"s3://{bucket}/single/renamed.tif")
    assert one == f"s3://{bucket}/single/renamed.tif"
    assert contents(plain, bucket, "single/") == {"renamed.tif": BIG}


def test_a_source_that_dies_on_the_way_is_gone_on_with(reached, source, plain, bucket, web):
    web.script("/0", Cut(after=9 * MIB, reset=True), Status(503), Cut(after=3 * MIB))
    assert main(["download", str(source), f"s3://{bucket}/out/"]) == 0
    assert landed(plain, bucket) == sorted(FILES.values())


@pytest.mark.parametrize("extra", [[], ["--no-resume"]])
def test_a_source_that_dies_for_good_leaves_the_others_and_says_so(
    reached, source, plain, bucket, web, capsys, monkeypatch, extra
):
    monkeypatch.setenv("SPLASHDOWN_RETRY_ATTEMPTS", "2")
    web.script("/0", Cut(after=9 * MIB))
    web.always("/0", Status(404))
    assert main(["download", str(source), f"s3://{bucket}/out/", *extra]) == 1
    assert "big.tif: failed: HttpStatusError" in capsys.readouterr().err
    assert "big.tif" not in contents(plain, bucket, "out/")
    assert len(landed(plain, bucket)) == 3
    # Without resuming nobody comes back for the parts, so none may stay.
    assert len(plain.list_multipart_uploads(Bucket=bucket).get("Uploads", [])) == (0 if extra else 1)


def test_bytes_that_are_not_what_the_metadata_promises_never_become_visible(reached, source, plain, bucket, web):
    web.add("/0", BIG[::-1])
    with pytest.raises(DownloadError, match="ChecksumError"):
        splashdown.open(source).download_files(f"s3://{bucket}/out/")
    assert "big.tif" not in contents(plain, bucket, "out/")
    assert plain.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []


def test_objects_come_back_to_disk_by_their_s3_hrefs(reached, plain, bucket, tmp_path):
    assets = {}
    for number, (key, data) in enumerate(FILES.items()):
        plain.put_object(Bucket=bucket, Key=f"from here/{key}", Body=data)
        assets[f"k{number}.bin"] = {"href": f"s3://{bucket}/from here/{key}", "file:checksum": multihash(data)}
    (tmp_path / "objects.json").write_text(json.dumps(item(assets)))
    assert main(["download", str(tmp_path / "objects.json"), str(tmp_path / "out")]) == 0
    found = [(tmp_path / "out" / f"k{number}.bin").read_bytes() for number in range(len(FILES))]
    assert found == list(FILES.values())


def test_objects_that_did_not_change_are_not_read_again(reached, plain, bucket, tmp_path, capsys):
    plain.put_object(Bucket=bucket, Key="k.bin", Body=BIG)
    document = tmp_path / "objects.json"
    document.write_text(json.dumps(item({"k.bin": {"href": f"s3://{bucket}/k.bin"}})))
    moved = []
    for body in (BIG, None, BIG[::-1]):
        if body:
            plain.put_object(Bucket=bucket, Key="k.bin", Body=body)
        assert main(["download", str(document), str(tmp_path / "out"), "--json"]) == 0
        moved.append(json.loads(capsys.readouterr().out)["bytes_moved"])
    assert moved == [len(BIG), 0, len(BIG)]
    assert (tmp_path / "out" / "k.bin").read_bytes() == BIG[::-1]


def test_an_s3_alternate_is_taken_when_it_is_asked_for(reached, plain, bucket, web, tmp_path):
    plain.put_object(Bucket=bucket, Key="there.tif", Body=BIG)
    asset = {"href": f"{web.url}/0", "alternate": {"s3": {"href": f"s3://{bucket}/there.tif"}}}
    document = item({"big.tif": asset})
    splashdown.open(document).download_files(tmp_path / "web")
    sent = web.sent()
    splashdown.open(document, alternate="s3").download_files(tmp_path / "s3")
    (tmp_path / "item.json").write_text(json.dumps(document))
    assert main(["download", str(tmp_path / "item.json"), str(tmp_path / "command"), "--alternate", "s3"]) == 0
    assert (web.sent(), sent) == (sent, len(BIG))
    assert (tmp_path / "s3" / "big.tif").read_bytes() == BIG


def test_a_presigned_url_is_ordinary_http(reached, plain, bucket, tmp_path):
    plain.put_object(Bucket=bucket, Key="a b.tif", Body=BIG)
    href = plain.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b.tif"})
    splashdown.open(item({"a.tif": {"href": href}})).download_files(tmp_path / "out")
    assert (tmp_path / "out" / "a.tif").read_bytes() == BIG
    assert "X-Amz" not in (tmp_path / "out" / "item.json").read_text()


def test_inside_one_store_nothing_passes_through_this_machine(reached, plain, bucket, monkeypatch):
    from splashdown_s3._transport import S3Transport

    def refuse(*_args, **_options):
        raise AssertionError("bytes came through this machine")

    monkeypatch.setattr(S3Transport, "stream", refuse)
    plain.put_object(Bucket=bucket, Key="from/big.tif", Body=BIG)
    report = splashdown.open(item({"big.tif": {"href": f"s3://{bucket}/from/big.tif"}}))
    report.download_files(f"s3://{bucket}/out/")
    assert landed(plain, bucket) == [BIG]


def test_a_copy_that_would_not_be_what_the_metadata_promises_is_not_made(reached, source, plain, bucket):
    splashdown.open(source).download_files(f"s3://{bucket}/out/")
    for wrong in ({"file:checksum": multihash(b"other")}, {"file:size": 5}):
        results = splashdown.open(item({"big.tif": {"href": f"s3://{bucket}/out/big.tif", **wrong}}))
        with pytest.raises(DownloadError, match=r"ChecksumError: .*big.tif has .*nothing was copied"):
            results.download_files(f"s3://{bucket}/copy/")
        assert contents(plain, bucket, "copy/") == {}


def test_a_copy_is_checked_by_what_the_object_notes_and_the_report_says_so(reached, source, plain, bucket, capsys):
    splashdown.open(source).download_files(f"s3://{bucket}/out/")
    plain.put_object(Bucket=bucket, Key="out/bare.tif", Body=BIG, ChecksumAlgorithm="CRC32")
    assets = {
        "noted.tif": {"href": f"s3://{bucket}/out/big.tif", "file:checksum": multihash(BIG), "file:size": len(BIG)},
        "bare.tif": {"href": f"s3://{bucket}/out/bare.tif", "file:checksum": multihash(BIG), "file:size": len(BIG)},
    }
    document = source.with_name("copies.json")
    document.write_text(json.dumps(item(assets)))
    assert main(["download", str(document), f"s3://{bucket}/copy/", "--json"]) == 0
    said = {one["name"]: one["verified"] for one in json.loads(capsys.readouterr().out)["outcomes"]}
    assert said == {"noted.tif": ["size", "checksum"], "bare.tif": ["size"]}
    assert main(["download", str(document), f"s3://{bucket}/read/", "-o", "s3.server_side_copy=no", "--json"]) == 0
    said = {one["name"]: one["verified"] for one in json.loads(capsys.readouterr().out)["outcomes"]}
    assert all("checksum" in verified for verified in said.values())


def test_a_copy_from_another_store_streams(reached, plain, bucket, web):
    web.add("/bucket/k.bin", BIG)
    results = splashdown.open(item({"k.bin": {"href": f"{web.url}/bucket/k.bin"}}))
    results.download_files(f"s3://{bucket}/out/")
    assert landed(plain, bucket) == [BIG]
    assert web.sent() == len(BIG)


@pytest.fixture
def requests(monkeypatch):
    """How often the store was asked, by method."""
    counts = Counter()

    def counted(real, at):
        def send(self, *arguments, **named):
            counts[at(arguments)] += 1
            return real(self, *arguments, **named)

        return send

    # What is asked for each object, and what boto3 asks.
    monkeypatch.setattr(Store, "request", counted(Store.request, lambda given: given[0]))
    monkeypatch.setattr(URLLib3Session, "send", counted(URLLib3Session.send, lambda given: given[0].method))
    return counts


@pytest.mark.parametrize("promised", [True, False])
def test_a_run_that_changes_nothing_asks_as_little_for_many_files_as_for_few(reached, bucket, web, requests, promised):
    data = b"the same for all"
    web.add("/same", data)
    promise = {"file:size": len(data), "file:checksum": multihash(data)} if promised else {}
    asked = {}
    for count in (60, 120):
        results = splashdown.open(item({f"{n}.txt": {"href": f"{web.url}/same"} | promise for n in range(count)}))
        results.download_files(f"s3://{bucket}/{count}/")
        sent = web.sent()
        requests.clear()
        results.download_files(f"s3://{bucket}/{count}/")
        assert web.sent() == sent
        asked[count] = dict(requests)
    assert asked[60] == asked[120]
    assert sum(asked[60].values()) < 30


def test_an_object_that_was_replaced_by_another_program_is_noticed(reached, plain, bucket, web, requests):
    good, other = b"the same for all", b"of another kind."
    web.add("/same", good)
    results = splashdown.open(item({f"{n}.txt": {"href": f"{web.url}/same?{n}"} for n in range(60)}))
    results.download_files(f"s3://{bucket}/out/")
    plain.put_object(Bucket=bucket, Key="out/7.txt", Body=other)
    sent = web.sent()
    results.download_files(f"s3://{bucket}/out/")
    assert web.sent() == sent + len(good)
    assert set(landed(plain, bucket)) == {good}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_more_assets_than_one_answer_lists_land_are_found_again_and_verify(reached, plain, bucket, web):
    web.add("/same", b"the same for all")
    count = reached.page + 10
    assets = {f"{number:04}.txt": {"href": f"{web.url}/same"} for number in range(count)}
    results = splashdown.open(item(assets))
    results.download_files(f"s3://{bucket}/out/")
    assert len(landed(plain, bucket)) == count
    sent = web.sent()
    results.download_files(f"s3://{bucket}/out/")
    assert web.sent() == sent
    assert main(["verify", "--quick", f"s3://{bucket}/out/"]) == 0


def test_nothing_is_overwritten_when_that_is_an_error(reached, source, plain, bucket, capsys):
    plain.put_object(Bucket=bucket, Key="out/big.tif", Body=b"somebody else's")
    assert main(["download", str(source), f"s3://{bucket}/out/", "--if-exists", "error"]) == 1
    assert contents(plain, bucket, "out/")["big.tif"] == b"somebody else's"
    assert main(["download", str(source), f"s3://{bucket}/out/", "--if-exists", "rename"]) == 0
    assert contents(plain, bucket, "out/")["big-1.tif"] == BIG


@pytest.mark.slow
def test_large_uploads_stay_below_200_mb_of_memory(store, credentials, plain, bucket, web, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", store.url)
    size = 64 * MIB
    for number in range(2):
        web.add(f"/large-{number}", os.urandom(MIB) * 64)
    assets = {f"{number}.bin": {"href": f"{web.url}/large-{number}"} for number in range(2)}
    (tmp_path / "large.json").write_text(json.dumps(item(assets)))
    # Not ru_maxrss: that counts what this process had when it forked.
    code = (
        "import re, sys; from splashdown._cli.main import main; assert main(sys.argv[1:]) == 0;"
        "print(re.search(r'VmHWM:\\s*([0-9]+) kB', open('/proc/self/status').read())[1])"
    )
    command = [sys.executable, "-c", code, "download", "large.json", f"s3://{bucket}/out/", "--quiet"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    listed = plain.list_objects_v2(Bucket=bucket, Prefix="out/")["Contents"]
    assert sorted(one["Size"] for one in listed)[1:] == [size] * 2
    assert int(done.stdout.split()[-1]) * 1024 < 200_000_000


def test_what_landed_in_a_bucket_is_a_source_by_its_document(reached, source, plain, bucket, tmp_path, capsys):
    assert main(["download", str(source), f"s3://{bucket}/a b/"]) == 0
    document = f"s3://{bucket}/a b/item.json"
    results = splashdown.open(document)
    assert {asset.href for asset in results.get_assets()} >= {f"s3://{bucket}/a b/big.tif"}
    assert results.get_asset("grüße.json").load_bytes() == b"{}"
    assert main(["download", document, str(tmp_path / "back")]) == 0
    back = {path.name: path.read_bytes() for path in (tmp_path / "back").iterdir()}
    assert back.pop("item.json")
    assert sorted(back.values()) == sorted(FILES.values())
    capsys.readouterr()
    assert main(["ls", f"s3://{bucket}/a b/missing.json"]) == 3
    assert capsys.readouterr().err.count("\n") == 1
    for place in (f"s3://{bucket}/a b/", f"s3://{bucket}/a b", f"s3://{bucket}/a b/big.tif"):
        assert main(["ls", place]) == 2
        assert f"name the STAC document in it, for example s3://{bucket}/a b/item.json\n" in capsys.readouterr().err


@pytest.mark.parametrize("key", [None, "AES256"])
def test_a_target_that_is_its_own_source_loses_nothing(reached, source, plain, bucket, monkeypatch, key):
    assert main(["download", str(source), f"s3://{bucket}/out/"]) == 0
    if key and reached.encrypts:
        monkeypatch.setenv("SPLASHDOWN_S3_SSE", key)
    before = contents(plain, bucket, "out/")
    assert main(["download", f"s3://{bucket}/out/item.json", f"s3://{bucket}/out/", "--overwrite"]) == 0
    after = contents(plain, bucket, "out/")
    assert {name: after[name] for name in before if name != "item.json"} == {
        name: data for name, data in before.items() if name != "item.json"
    }


@pytest.mark.parametrize("form", ["zip", "tar"])
def test_an_archive_is_one_object_that_is_sent_in_parts(
    source, web, bucket, plain, credentials, store, tmp_path, form, monkeypatch
):
    parts, request = [], Store.request

    def counted(self, method, where, **named):
        parts.extend(value for name, value in named.get("query", ()) if name == "partNumber")
        return request(self, method, where, **named)

    monkeypatch.setattr(Store, "request", counted)
    options = {"s3": {"endpoint_url": store.url, "part_size": 5 * MIB}}
    with splashdown.Session(options=options) as session:
        results = session.open(source)
        target = f"{form}:s3://{bucket}/runs/7.{form}"
        results.download_files(target)
        results.download_files(f"{form}:{tmp_path}/7.{form}")
        found = contents(plain, bucket)
        assert found == {f"runs/7.{form}": (tmp_path / f"7.{form}").read_bytes()}
        assert parts == ["1", "2", "3", "4", "5"], "it is not gathered in memory, though its size is not known"
        web.script("/1", Status(404))
        with pytest.raises(DownloadError):
            results.download_files(target, if_exists="overwrite")
        assert contents(plain, bucket) == found
        assert not plain.list_multipart_uploads(Bucket=bucket).get("Uploads")
        with pytest.raises(ExistsError):
            results.download_files(target)


def test_a_bucket_is_compared_with_its_source_and_repaired(plain, bucket, credentials, store):
    for name in ("same", "changed", "damaged", "lost"):
        plain.put_object(Bucket=bucket, Key=f"from/{name}.bin", Body=f"content of {name}".encode())
    assets = {name: {"href": f"s3://{bucket}/from/{name}.bin"} for name in ("same", "changed", "damaged", "lost")}
    with splashdown.Session(options={"s3": {"endpoint_url": store.url, "server_side_copy": "no"}}) as session:
        results, target = session.open(item(assets)), f"s3://{bucket}/to/"
        results.download_files(target, layout="{key}")
        assert results.run("verify", target=target, write_sums=True).sums == f"s3://{bucket}/to/SHA256SUMS"
        lines = plain.get_object(Bucket=bucket, Key="to/SHA256SUMS")["Body"].read().decode().splitlines()
        assert f"{hashlib.sha256(b'content of same').hexdigest()}  same" in lines
        plain.put_object(Bucket=bucket, Key="from/changed.bin", Body=b"CONTENT of changed")
        plain.put_object(Bucket=bucket, Key="to/damaged", Body=b"damage of damaged!")
        plain.delete_object(Bucket=bucket, Key="to/lost")
        report = results.run("verify", target=target)
        found = {one.name: (str(one.state), str(one.source), one.evidence) for one in report.files}
        assert {name: one[:2] for name, one in found.items()} == {
            "same": ("ok", "same"),
            "changed": ("ok", "changed"),
            "damaged": ("changed", "same"),
            "lost": ("missing", "same"),
        }
        assert found["changed"][2] in {("ETag",), ("digest",)}
        again = results.run("verify", target=target, repair=True)
        assert sorted(one.name for one in again.files if one.repaired) == ["damaged", "lost"]
        assert contents(plain, bucket, "to/")["damaged"] == b"content of damaged"
        assert results.run("verify", target=target, compare=False).ok
        assert "SHA256SUMS" in contents(plain, bucket, "to/"), "files and receipt are what they were"
