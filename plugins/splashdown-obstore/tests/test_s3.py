"""``s3+obstore://`` against SeaweedFS: the contracts, uploads in parts, and what goes wrong."""

import dataclasses
import json

import pytest
from fault_server import FaultServer
from faults import Status
from splashdown_obstore import ObstoreOptions
from splashdown_obstore._options import MIB
from splashdown_obstore._sink import ObstoreSink
from splashdown_obstore._transport import ObstoreTransport

import splashdown
from splashdown.errors import ExistsError, OptionError, StoreError, TargetError, TransferError
from splashdown.model import Content, Part, ReadRequest
from splashdown.testing import SinkContract, TransportContract, assert_light_import
from splashdown.testing.stores import data_of, reusing, revived, store


@pytest.fixture
def place(s3):
    return s3


class TestSink(SinkContract):
    def reopen(self, sink):
        return sink.again()


class TestTransport(TransportContract):
    pass


def uploads(plain, s3):
    bucket = s3[0].split("/")[2]
    return [one["Key"] for one in plain.list_multipart_uploads(Bucket=bucket).get("Uploads", ())]


LARGE = data_of(13 * MIB)
WHOLE = Part(number=1, start=0, stop=len(LARGE))


def test_a_large_object_goes_in_parts_and_is_not_visible_before_commit(sink, plain, s3):
    upload = sink.begin("big.tif", Content(size=len(LARGE), media_type="image/tiff"))
    tag = sink.put_part(revived(upload), WHOLE, reusing(LARGE))
    assert uploads(plain, s3) == ["run/big.tif"]
    assert list(sink.list()) == []
    location = sink.commit(revived(upload), [tag])
    assert location == f"{s3[0]}/big.tif"
    head = plain.head_object(Bucket=s3[0].split("/")[2], Key="run/big.tif")
    assert (head["ContentLength"], head["ContentType"]) == (len(LARGE), "image/tiff")
    with sink.read("big.tif") as chunks:
        assert b"".join(bytes(chunk) for chunk in chunks) == LARGE


def test_an_abort_leaves_no_part_in_the_store(sink, plain, s3):
    upload = sink.begin("big.tif", Content(size=len(LARGE)))
    sink.put_part(upload, WHOLE, reusing(LARGE))
    sink.abort(upload)
    assert uploads(plain, s3) == []
    assert list(sink.list()) == []


def test_a_sink_that_is_closed_leaves_no_part_in_the_store(sink, plain, s3):
    sink.put_part(sink.begin("big.tif", Content(size=len(LARGE))), WHOLE, reusing(LARGE))
    sink.close()
    assert uploads(plain, s3) == []


def test_a_second_attempt_drops_the_parts_of_the_first(sink, plain, s3):
    def breaks():
        yield LARGE[: 12 * MIB]
        raise TimeoutError("gone")

    upload = sink.begin("big.tif", Content(size=len(LARGE)))
    with pytest.raises(TimeoutError):
        sink.put_part(upload, WHOLE, breaks())
    sink.commit(upload, [sink.put_part(upload, WHOLE, reusing(LARGE))])
    assert uploads(plain, s3) == []
    assert dict(sink.list()) == {"big.tif": len(LARGE)}


def test_a_large_object_that_may_not_be_replaced_is_kept(sink):
    upload = sink.begin("big.tif", Content(size=len(LARGE), replace=False))
    tag = sink.put_part(upload, WHOLE, reusing(LARGE))
    store(sink, "big.tif", b"theirs")
    with pytest.raises(ExistsError):
        sink.commit(upload, [tag])
    sink.abort(upload)
    assert dict(sink.list()) == {"big.tif": 6}


def test_the_run_of_a_killed_process_is_done_again_and_lands_whole(s3, tmp_path, plain):
    """Nothing of the dead process's upload is to be seen, and it does not stand in the way."""
    dead = ObstoreSink(*s3)
    dead.put_part(dead.begin("big.bin", Content(size=len(LARGE))), WHOLE, reusing(LARGE))
    (tmp_path / "big.bin").write_bytes(LARGE)
    (tmp_path / "small.bin").write_bytes(b"small")
    document = tmp_path / "item.json"
    document.write_text(json.dumps({
        "type": "Feature", "stac_version": "1.1.0", "id": "run", "geometry": None, "links": [],
        "properties": {"datetime": "2024-01-01T00:00:00Z"},
        "assets": {name: {"href": f"./{name}", "roles": ["data"]} for name in ("big.bin", "small.bin")},
    }))  # fmt: skip
    options = {f.name: getattr(s3[1], f.name) for f in dataclasses.fields(s3[1]) if f.name != "ca_bundle"}
    with splashdown.Session(options={"obstore": options}) as session:
        session.open(str(document)).download_files(s3[0])
        assert session.open({"type": "Feature", "stac_version": "1.1.0", "id": "x", "geometry": None, "links": [],
                             "properties": {"datetime": "2024-01-01T00:00:00Z"},
                             "assets": {"big": {"href": f"{s3[0]}/big.bin"}}}).load_bytes("big") == LARGE  # fmt: skip
    dead.close()
    assert uploads(plain, s3) == []


def test_wrong_credentials_are_told_in_one_line_without_them(s3, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAHUNTERHUNTER2222")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter22hunter22hunter22")
    with pytest.raises(StoreError, match="403 InvalidAccessKeyId: the credentials do not allow it") as error:
        store(ObstoreSink(*s3), "a.bin", b"x")
    assert not error.value.retryable
    assert "hunter" not in str(error.value).lower()
    assert "\n" not in str(error.value)
    with pytest.raises(TransferError) as refused, ObstoreTransport(s3[1]).stream(ReadRequest(href=f"{s3[0]}/a")):
        pass
    assert "hunter" not in str(refused.value).lower()


def test_a_store_that_does_not_answer_may_be_asked_again(s3, refusing_url):
    options = dataclasses.replace(s3[1], config={"endpoint": refusing_url, "region": "x"}, timeout=5.0)
    with pytest.raises(StoreError, match="no connection to the endpoint") as error:
        ObstoreSink(s3[0], options).stat("a.bin")
    assert error.value.retryable


def test_http_has_to_be_allowed(s3):
    options = dataclasses.replace(s3[1], allow_http=False)
    with pytest.raises(StoreError, match="set allow_http") as error:
        ObstoreSink(s3[0], options).stat("a.bin")
    assert not error.value.retryable


@pytest.mark.parametrize("name", ["secret_access_key", "account_key", "sas_key", "bearer_token", "service_account_key"])
def test_credentials_have_no_place_in_the_configuration(name):
    with pytest.raises(OptionError, match="is a credential") as error:
        ObstoreOptions(config={name: "hunter22"})
    assert "hunter22" not in str(error.value)


def test_bad_targets_and_options_are_one_line(monkeypatch):
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(OptionError, match="set AZURE_STORAGE_ACCOUNT_NAME"):
        ObstoreSink("az://container/x", ObstoreOptions())
    with pytest.raises(TargetError, match="az://container/folder/"):
        ObstoreSink("az:///x", ObstoreOptions())
    with pytest.raises(OptionError, match="cannot be used with this configuration"):
        ObstoreSink("s3+obstore://bucket/x", ObstoreOptions(config={"nonsense": "1"}))
    with pytest.raises(OptionError, match="buffer_size"):
        ObstoreOptions(buffer_size=1)


def test_the_package_costs_little_before_it_is_used():
    assert_light_import("splashdown_obstore")


def test_a_redirect_without_a_place_is_final_and_says_what_to_set(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "some-key-of-nobody")
    with FaultServer() as server:
        server.always("/bucket/k", Status(301))
        config = {"endpoint": server.url, "region": "us-east-1", "virtual_hosted_style_request": "false"}
        sink = ObstoreSink("s3+obstore://bucket/", ObstoreOptions(config=config, allow_http=True))
        with pytest.raises(StoreError, match="another region or at another endpoint; set region or endpoint") as error:
            sink.stat("k")
        assert not error.value.retryable
