"""Tests of users that mock requests instead of running a server go on to work."""

from __future__ import annotations

import openeo
import pytest
import splashdown_openeo
from openeo.rest._testing import DummyBackend

import splashdown


@pytest.fixture
def dummy(requests_mock):
    return DummyBackend.at_url("https://openeo.test", requests_mock=requests_mock)


def finished_job(dummy):
    dummy.next_result = b"result"
    job = dummy.connection.create_job({"add": {"process_id": "add", "arguments": {"x": 3, "y": 5}, "result": True}})
    job.start_and_wait(print=lambda *_: None)
    return job


def test_the_clients_dummy_back_end(dummy, tmp_path):
    with splashdown_openeo.installed():
        job = finished_job(dummy)
        path = job.get_results().download_file(tmp_path)
        assert path.read_bytes() == b"result"
        assert job.get_results().get_asset().load_bytes() == b"result"
        assert job.download_result(tmp_path / "x").read_bytes() == b"result"


def test_open_with_the_clients_dummy_back_end(dummy, tmp_path):
    splashdown.open(finished_job(dummy)).download_files(tmp_path, include_stac_metadata=False)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"result"]


def test_a_mock_that_knows_head_and_closed_ranges_only(requests_mock, tmp_path):
    content = bytes(range(256)) * 10

    def ranges(request, context):
        first, last = (int(number) for number in request.headers["Range"].removeprefix("bytes=").split("-"))
        context.status_code = 206
        context.headers["Content-Range"] = f"bytes {first}-{min(last, len(content) - 1)}/{len(content)}"
        return content[first : last + 1]

    requests_mock.get("https://openeo.test/", json={"api_version": "1.2.0"})
    requests_mock.get(
        "https://openeo.test/jobs/j1/results", json={"assets": {"x.tif": {"href": "https://data.test/x"}}}
    )
    requests_mock.head("https://data.test/x", headers={"Content-Length": "2560", "Accept-Ranges": "bytes"})
    requests_mock.get("https://data.test/x", content=ranges)
    job = openeo.connect("https://openeo.test").job("j1")
    path = splashdown_openeo.JobResults(job).download_file(tmp_path, range_size=1000)
    assert path.read_bytes() == content
