"""What a killed run leaves in the store and on this machine, and how the next one, or a person, deals with it."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from fault_server import FaultServer
from faults import Stall
from splashdown_s3._options import MIB
from splashdown_s3._sink import S3Sink
from stac_item import stac_item

from splashdown._cli.main import main

SPLASHDOWN = str(Path(sys.executable).parent / "splashdown")
DATA = os.urandom(40 * MIB)


@pytest.fixture
def web():
    with FaultServer() as running:
        running.add("/big.bin", DATA)
        yield running


@pytest.fixture
def source(web, tmp_path):
    return write(tmp_path, {"href": f"{web.url}/big.bin"})


def write(folder, asset):
    document = stac_item({"big.bin": asset}, stac_version="1.0.0")
    path = folder / "source.json"
    path.write_text(json.dumps(document))
    return path


def multihash(data):
    return "1220" + hashlib.sha256(data).hexdigest()


def uploads(plain, bucket):
    return plain.list_multipart_uploads(Bucket=bucket).get("Uploads", [])


def parts(plain, bucket, one):
    listed = plain.list_parts(Bucket=bucket, Key=one["Key"], UploadId=one["UploadId"])
    return {part["PartNumber"]: part["Size"] for part in listed.get("Parts", ())}


def interrupted(web, plain, bucket, arguments, *, by=signal.SIGKILL):
    """Run the command until the store has three parts of five and the journal knows them, and end it; the process."""
    web.script("/big.bin", Stall(30 * MIB))
    process = subprocess.Popen([SPLASHDOWN, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = uploads(plain, bucket)
        if found and len(parts(plain, bucket, found[0])) == 3 and ("--no-resume" in arguments or noted() == 3):
            break
        time.sleep(0.1)  # another process fills the store; there is no event to wait for
    else:
        pytest.fail("the store did not get three parts within a minute")
    process.send_signal(by)
    process.communicate(timeout=30)
    return process


def noted():
    """How many parts the journals in the user's state folder know."""
    return sum(path.read_text().count('"do":"part"') for path in Path(os.environ["XDG_STATE_HOME"]).rglob("*.journal"))


def state(tmp_path):
    return [path for path in (tmp_path / "state").rglob("*") if path.is_file()]


def test_after_a_kill_the_next_run_goes_on_where_the_store_is(reached, source, web, plain, bucket, tmp_path):
    target = f"s3://{bucket}/out/"
    interrupted(web, plain, bucket, ["download", str(source), target])
    stored = [each["Key"] for each in plain.list_objects_v2(Bucket=bucket).get("Contents", [])]
    assert [key for key in stored if not key.startswith("out/.splashdown/")] == []
    (journal,) = state(tmp_path)
    written = journal.read_text()
    assert uploads(plain, bucket)[0]["UploadId"] in written
    for secret in (reached.access_key, reached.secret_key, reached.url, web.url):
        assert secret not in written
    before = web.sent()
    assert main(["download", str(source), target]) == 0
    assert web.sent() - before == len(DATA) - 24 * MIB
    assert plain.get_object(Bucket=bucket, Key="out/big.bin")["Body"].read() == DATA
    assert uploads(plain, bucket) == []
    assert [path.name for path in state(tmp_path)] == ["last-run.json"]  # where the source is, for verify --repair


@pytest.fixture
def sent(monkeypatch):
    """The numbers of the parts that this process sends."""
    numbers = []
    put = S3Sink.put_part

    def noted(self, upload, part, chunks):
        if upload.key == "big.bin":  # not the receipt
            numbers.append(part.number)
        return put(self, upload, part, chunks)

    monkeypatch.setattr(S3Sink, "put_part", noted)
    return numbers


def test_where_a_checksum_has_to_hold_only_missing_and_wrong_parts_are_sent(
    reached, web, plain, bucket, tmp_path, sent
):
    source = write(tmp_path, {"href": f"{web.url}/big.bin", "file:checksum": multihash(DATA)})
    target = f"s3://{bucket}/out/"
    interrupted(web, plain, bucket, ["download", str(source), target])
    (left,) = uploads(plain, bucket)
    # Another hand has put other bytes of the same size into the second part.
    plain.upload_part(Bucket=bucket, Key=left["Key"], UploadId=left["UploadId"], PartNumber=2, Body=DATA[: 8 * MIB])
    assert main(["download", str(source), target]) == 0
    # SeaweedFS keeps both second parts and tells them apart by their ETags; then nothing is wrong with ours.
    assert sorted(sent) in ([2, 4, 5], [4, 5])
    found = plain.get_object(Bucket=bucket, Key="out/big.bin")
    assert found["Body"].read() == DATA
    assert found["Metadata"]["splashdown-multihash"] == multihash(DATA)
    assert uploads(plain, bucket) == []


def test_parts_that_the_source_does_not_have_any_more_are_sent_again(reached, web, plain, bucket, tmp_path, sent):
    web.add("/big.bin", DATA[::-1], etag='"the same"')
    source = write(tmp_path, {"href": f"{web.url}/big.bin", "file:checksum": multihash(DATA)})
    target = f"s3://{bucket}/out/"
    interrupted(web, plain, bucket, ["download", str(source), target])
    web.add("/big.bin", DATA, etag='"the same"')
    assert main(["download", str(source), target]) == 0
    assert sorted(sent) == [1, 2, 3, 4, 5]
    assert plain.get_object(Bucket=bucket, Key="out/big.bin")["Body"].read() == DATA


def test_a_source_that_changed_meanwhile_is_not_mixed(reached, source, web, plain, bucket):
    target = f"s3://{bucket}/out/"
    interrupted(web, plain, bucket, ["download", str(source), target])
    web.add("/big.bin", DATA[::-1])
    assert main(["download", str(source), target]) == 0
    assert plain.get_object(Bucket=bucket, Key="out/big.bin")["Body"].read() == DATA[::-1]
    assert uploads(plain, bucket) == []


def test_an_upload_that_was_cleaned_up_meanwhile_is_begun_anew(reached, source, web, plain, bucket):
    target = f"s3://{bucket}/out/"
    interrupted(web, plain, bucket, ["download", str(source), target])
    assert main(["uploads", "clean", target, "--older-than", "0s"]) == 0
    assert uploads(plain, bucket) == []
    assert main(["download", str(source), target]) == 0
    assert plain.get_object(Bucket=bucket, Key="out/big.bin")["Body"].read() == DATA


def test_without_resuming_an_interrupt_leaves_no_parts(reached, source, web, plain, bucket, tmp_path):
    arguments = ["download", str(source), f"s3://{bucket}/out/", "--no-resume"]
    process = interrupted(web, plain, bucket, arguments, by=signal.SIGINT)
    assert process.returncode == 130
    assert uploads(plain, bucket) == []
    assert [path.name for path in state(tmp_path)] == ["last-run.json"]  # for 'splashdown retry'


def test_a_run_without_resuming_removes_what_an_earlier_one_left(reached, source, web, plain, bucket):
    target = f"s3://{bucket}/out/"
    interrupted(web, plain, bucket, ["download", str(source), target])
    (left,) = uploads(plain, bucket)
    assert main(["download", str(source), target, "--no-resume"]) == 0
    assert left["UploadId"] not in {one["UploadId"] for one in uploads(plain, bucket)}
    assert plain.get_object(Bucket=bucket, Key="out/big.bin")["Body"].read() == DATA


def begin(plain, bucket, key, *bodies):
    upload = plain.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    for number, body in enumerate(bodies, start=1):
        plain.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=body)
    return upload


def test_unfinished_uploads_are_listed_with_what_they_hold(reached, plain, bucket, capsys):
    begin(plain, bucket, "out/a b.tif", DATA[: 6 * MIB], b"more")
    begin(plain, bucket, "out/empty")
    begin(plain, bucket, "elsewhere", b"x")
    assert main(["uploads", "list", f"s3://{bucket}/out/", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["uploads"]
    assert [(one["key"], one["size"]) for one in listed] == [("a b.tif", 6 * MIB + 4), ("empty", 0)]
    assert main(["uploads", "list", f"s3://{bucket}/out"]) == 0
    assert f"2 unfinished uploads below s3://{bucket}/out, 6.0 MiB" in capsys.readouterr().out


def test_cleaning_leaves_young_uploads_objects_and_other_prefixes(reached, plain, bucket, capsys):
    begin(plain, bucket, "out/a.tif", b"x")
    begin(plain, bucket, "outside", b"x")
    plain.put_object(Bucket=bucket, Key="out/a.tif", Body=b"finished")
    target = f"s3://{bucket}/out/"
    assert main(["uploads", "clean", target]) == 0
    assert "1 younger ones are left" in capsys.readouterr().out
    assert main(["uploads", "clean", target, "--older-than", "0s", "--dry-run"]) == 0
    assert "would abort a.tif" in capsys.readouterr().out
    assert len(uploads(plain, bucket)) == 2
    assert main(["uploads", "clean", target, "--older-than", "0s"]) == 0
    assert [one["Key"] for one in uploads(plain, bucket)] == ["outside"]
    assert plain.get_object(Bucket=bucket, Key="out/a.tif")["Body"].read() == b"finished"


def test_no_age_is_all_uploads_though_the_clock_of_the_store_be_ahead(reached, plain, bucket, monkeypatch):
    begin(plain, bucket, "out/a.tif")
    hour_ago = SimpleNamespace(time=lambda: time.time() - 3600)
    monkeypatch.setattr("splashdown._cli.uploads.time", hour_ago)
    for age, left in (("1s", 1), ("0s", 0)):
        assert main(["uploads", "clean", f"s3://{bucket}/out/", "--older-than", age]) == 0
        assert len(uploads(plain, bucket)) == left


@pytest.mark.slow
@pytest.mark.timeout(900)  # 2,000 requests, which take some stores minutes
def test_more_uploads_than_one_answer_holds_are_listed(reached, plain, bucket, capsys):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: begin(plain, bucket, f"n/{number:04}"), range(1003)))
    assert main(["uploads", "clean", f"s3://{bucket}/n/", "--older-than", "0s", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["removed"]) == 1003
    assert uploads(plain, bucket) == []


def test_an_age_that_is_none_is_refused(reached, bucket, capsys):
    assert main(["uploads", "clean", f"s3://{bucket}/", "--older-than", "soon"]) == 2
    assert "write 90s, 30m, 12h, 1d or 2w" in capsys.readouterr().err
