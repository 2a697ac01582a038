"""Servers that serve few at a time, prepare files first, refuse ranges, or are several behind one name."""

from __future__ import annotations

import itertools
import threading
import time

import pytest
from scripted_api import Answer, scripted_api
from stac_item import stac_item

from splashdown import RetryPolicy, Session, Settings
from splashdown.errors import DownloadError
from splashdown.events import Retried

DATA = b"II*\0" + bytes(range(256)) * 1200
FAST = Settings(retry=RetryPolicy(base=0.02, attempts=3, max_retry_after=1.0), jobs=8)
PATIENT = Settings(retry=RetryPolicy(base=0.02, attempts=12))


@pytest.fixture
def api():
    with scripted_api() as running:
        yield running


def download(api, folder, names, settings=FAST, listeners=()):
    assets = {name: {"href": f"{api.url}/{name}", "type": "image/tiff"} for name in names}
    with Session(config=False) as session:
        session.open(stac_item(assets)).download_files(folder, settings=settings, listeners=list(listeners))
    return {path.name: path.read_bytes() for path in folder.glob("*.tif")}


@pytest.mark.parametrize("at_a_time", [1, 2, 5])
def test_a_host_that_serves_few_at_a_time_is_asked_for_no_more(api, tmp_path, at_a_time):
    free, refused = threading.Semaphore(at_a_time), itertools.count()

    def serve(asked):
        if not free.acquire(blocking=False):
            next(refused)
            return Answer(b"too many", 429)
        time.sleep(0.02)
        free.release()
        return Answer(DATA)

    names = [f"{n}.tif" for n in range(40)]
    api.script |= dict.fromkeys([f"/{name}" for name in names], serve)
    found = download(api, tmp_path, names)
    assert set(found.values()) == {DATA}
    assert len(found) == 40
    # Each thread may be refused until it is known how many are served, and once for each try of one more: with one at a
    # time 28 to 41 of 81 requests were.
    assert next(refused) < 48


def test_a_host_that_refuses_everything_fails_after_the_attempts_of_the_policy(api, tmp_path):
    api.script["/a.tif"] = Answer(b"never", 429)
    with pytest.raises(DownloadError, match="429"):
        download(api, tmp_path, ["a.tif"])
    assert len(api.asked) <= 4


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "1"}])
def test_a_file_that_is_being_prepared_is_waited_for(api, tmp_path, headers):
    api.script["/a.tif"] = [*[Answer(b"staging", 202, headers)] * (1 if headers else 5), Answer(DATA)]
    said = []
    found = download(api, tmp_path, ["a.tif"], listeners=[said.append])
    assert list(found.values()) == [DATA]
    assert "being prepared" in next(event.error for event in said if isinstance(event, Retried))


def test_a_file_that_is_never_prepared_fails_within_the_longest_wait(api, tmp_path):
    api.script["/a.tif"] = Answer(b"staging", 202)
    with pytest.raises(DownloadError, match="being prepared"):
        download(api, tmp_path, ["a.tif"])


@pytest.mark.parametrize("status", [400, 403, 405, 416, 500, 501])
def test_a_gateway_that_refuses_ranges_is_asked_for_the_whole_file(api, tmp_path, status):
    def serve(asked):
        return Answer(b"no ranges", status) if "Range" in asked.headers else Answer(DATA)

    api.script["/a.tif"] = serve
    assert list(download(api, tmp_path, ["a.tif"]).values()) == [DATA]


def test_a_server_that_means_its_refusals_is_not_asked_twice_for_each_file(api, tmp_path):
    names = [f"{n}.tif" for n in range(20)]
    api.script |= dict.fromkeys([f"/{name}" for name in names], Answer(b"<Code>AccessDenied</Code>", 403))
    with pytest.raises(DownloadError, match="403"):
        download(api, tmp_path, names)
    assert len(api.asked) <= 20 + FAST.jobs


@pytest.mark.parametrize("condition", ["If-Match", "If-Range"])
@pytest.mark.parametrize("date", ["Wed, 01 Jan 2025 00:00:00 GMT", ""])
def test_replicas_with_etags_of_their_own_serve_one_file(api, tmp_path, date, condition):
    replica = itertools.cycle("ab")

    def serve(asked):
        tag = f'"{next(replica)}"'
        if asked.headers.get(condition, tag) != tag:
            return Answer(b"", 412) if condition == "If-Match" else Answer(DATA, 200, {"ETag": tag})
        start = int(asked.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
        headers = {"ETag": tag, "Accept-Ranges": "bytes"} | ({"Last-Modified": date} if date else {})
        body = DATA[start:]
        headers["Content-Range"] = f"bytes {start}-{len(DATA) - 1}/{len(DATA)}"
        # Each connection breaks off, unless the file cannot be put together from several answers.
        return Answer(body if not date else body[:100_000], 206, headers, length=len(body))

    api.script["/a.tif"] = serve
    assert list(download(api, tmp_path, ["a.tif"], PATIENT).values()) == [DATA]


def test_a_file_that_changes_with_each_answer_is_still_refused(api, tmp_path):
    number = itertools.count()

    def serve(asked):
        n = next(number)
        start = int(asked.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
        headers = {
            "ETag": f'"{n}"',
            "Last-Modified": f"Wed, 01 Jan 2025 00:00:{n % 60:02} GMT",
            "Accept-Ranges": "bytes",
            "Content-Range": f"bytes {start}-{len(DATA) - 1}/{len(DATA)}",
        }
        return Answer(DATA[start:][:100_000], 206, headers, length=len(DATA) - start)

    api.script["/a.tif"] = serve
    with pytest.raises(DownloadError, match="changed"):
        download(api, tmp_path, ["a.tif"], PATIENT)
