"""``splashdown.open`` on objects of the openEO client."""

from __future__ import annotations

import json
import subprocess
import sys

import openeo
import pytest
import requests
import splashdown_openeo
from splashdown_openeo._resolver import ClientResolver

import splashdown
from splashdown.errors import JobFailed, JobNotFinished, OptionError, ResolveError, UsageError

AUTHORIZED = "Bearer basic//secret-token"


class OwnJob(openeo.BatchJob):
    pass


def two_assets(backend):
    backend.results({"a.tif": backend.add("/dl/a", b"a"), "b.json": backend.add("/dl/b", b'{"b": 1}')})


def sources(connection):
    job = connection.job("j1")
    return {
        "job": (job, {}),
        "results": (job.get_results(), {}),
        "our results": (splashdown_openeo.JobResults(job), {}),
        "connection": (connection, {"job_id": "j1"}),
        "own class": (OwnJob("j1", connection), {}),
    }


@pytest.mark.parametrize("which", ["job", "results", "our results", "connection", "own class"])
def test_it_opens_what_the_client_has(backend, tmp_path, which):
    two_assets(backend)
    source, options = sources(backend.connection())[which]
    results = splashdown.open(source, **options)
    assert results.id == "j1"
    assert sorted(path.name for path in results.download_files(tmp_path)) == ["a.tif", "b.json", "job-results.json"]
    assert results.load_json("b.json") == {"b": 1}


def test_everything_is_asked_with_the_connections_own_session(backend, tmp_path):
    two_assets(backend)
    session = requests.Session()
    session.headers["X-Mine"] = "yes"
    splashdown.open(backend.connection(session=session).job("j1")).download_files(tmp_path)
    assert {request.headers.get("X-Mine") for request in backend.requests} == {"yes"}
    assert {request.headers.get("Authorization") for request in backend.requests} == {AUTHORIZED}


def test_no_credentials_go_to_another_host(backend, elsewhere, tmp_path):
    backend.results({"a.tif": elsewhere.add("/dl/a", b"a")})
    splashdown.open(backend.connection().job("j1")).download_files(tmp_path)
    assert [request.headers.get("Authorization") for request in elsewhere.requests] == [None]


def test_jobs_of_several_back_ends_are_each_read_with_their_own_connection(backend, elsewhere, tmp_path):
    for server in (backend, elsewhere):
        server.results({"a.tif": server.add("/dl/a", server.url.encode())})
    other = elsewhere.connection()
    other.authenticate_bearer_token("basic//other-token")
    splashdown.open([backend.connection().job("j1"), other.job("j1")]).download_files(tmp_path)
    assert {path.read_bytes() for path in tmp_path.rglob("a.tif")} == {backend.url.encode(), elsewhere.url.encode()}
    assert {request.headers.get("Authorization") for request in backend.requests} == {AUTHORIZED}
    assert {request.headers.get("Authorization") for request in elsewhere.requests} == {"Bearer basic//other-token"}


def test_items_are_read_through_the_connection(backend, tmp_path):
    item = {"type": "Feature", "stac_version": "1.0.0", "id": "i", "geometry": None, "properties": {}, "links": []}
    backend.json("/items/i", {**item, "assets": {"x.tif": {"href": backend.add("/dl/x", b"x")}}})
    backend.results({}, type="Collection", links=[{"rel": "item", "href": f"{backend.url}/items/i"}])
    results = splashdown.open(backend.connection().job("j1"))
    assert [(asset.item, asset.key) for asset in results] == [("i", "x.tif")]
    results.download_files(tmp_path)
    assert b"x" in [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert {request.headers.get("Authorization") for request in backend.requests} == {AUTHORIZED}


def test_a_second_run_moves_only_what_has_changed(backend, tmp_path):
    two_assets(backend)
    job = backend.connection().job("j1")
    splashdown.open(job).download_files(tmp_path)
    backend.add("/dl/b", b'{"b": 2}', etag='"v2"')
    backend.requests.clear()
    splashdown.open(job).download_files(tmp_path)
    assert (tmp_path / "b.json").read_bytes() == b'{"b": 2}'
    assert [request.headers.get("If-None-Match") for request in backend.asked("GET", "/dl/a")] == ['"v1"']


def test_an_expired_link_is_renewed(backend, tmp_path):
    backend.add("/dl/old", b"", script=[410] * 9)
    backend.results({"a.tif": backend.add("/dl/new", b"new")})
    fresh = backend.files["/jobs/j1/results"]
    backend.results({"a.tif": backend.url + "/dl/old"})
    results = splashdown.open(backend.connection().job("j1"))
    backend.files["/jobs/j1/results"] = fresh
    results.download_files(tmp_path)
    assert (tmp_path / "a.tif").read_bytes() == b"new"
    assert {request.headers.get("Authorization") for request in backend.requests} == {AUTHORIZED}


def test_a_token_that_is_not_valid_any_more_is_renewed_by_the_connection(backend, monkeypatch):
    two_assets(backend)
    backend.files["/jobs/j1/results"].script = [403]
    send = backend._error
    backend._error = lambda handler, status, code: send(handler, status, "TokenInvalid")
    connection = backend.connection()
    asked = []
    monkeypatch.setattr(connection, "try_access_token_refresh", lambda reason: asked.append(reason) or True)
    assert len(splashdown.open(connection.job("j1"))) == 2
    assert len(asked) == 1


def test_a_job_that_is_not_finished_says_so(backend):
    backend.json("/jobs/j1", {"id": "j1", "status": "running", "progress": 40})
    backend.add("/jobs/j1/results", script=[400])
    send = backend._error
    backend._error = lambda handler, status, code: send(handler, status, "JobNotFinished")
    with pytest.raises(JobNotFinished, match=r"running \(40 %\)"):
        splashdown.open(backend.connection().job("j1"))


def test_a_job_that_failed_says_why(backend):
    backend.add("/jobs/j1/results", script=[424])
    entry = {"id": "7", "level": "error", "code": "OutOfMemory", "message": "no memory left"}
    file = type(backend.files["/jobs/j1/results"])(media_type="application/json", etag=None)
    backend._error = lambda handler, status, code: backend._send(handler, file, status, {}, json.dumps(entry).encode())
    with pytest.raises(JobFailed, match="no memory left"):
        splashdown.open(backend.connection().job("j1"))


def test_wait_waits(backend):
    two_assets(backend)
    backend.json("/jobs/j1", {"id": "j1", "status": "finished"})
    assert len(splashdown.open(backend.connection().job("j1"), wait=True)) == 2
    assert [request.path for request in backend.requests] == ["/jobs/j1", "/jobs/j1/results"]


def test_a_back_end_that_is_gone_is_a_resolve_error(backend, monkeypatch):
    connection = backend.connection()

    def gone(**request):
        raise requests.ConnectionError(f"no way to {request['url']}?sig=secret")

    monkeypatch.setattr(connection.session, "request", gone)
    with pytest.raises(ResolveError, match="ConnectionError") as caught:
        splashdown.open(connection.job("j1"))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({}, "job_id="),
        ({"job_id": ""}, "job_id="),
        ({"job_id": 7}, "job_id="),
        ({"job_id": "j1", "wiat": True}, "wait"),
    ],
)
def test_options_that_make_no_sense_are_refused(backend, options, error):
    with pytest.raises(OptionError, match=error):
        splashdown.open(backend.connection(), **options)


def test_auth_is_the_connections_business(backend):
    with pytest.raises(UsageError, match="leave it out"):
        splashdown.open(backend.connection().job("j1"), auth="token")


def test_without_this_package_the_error_names_it(backend):
    with pytest.raises(splashdown.NoProviderError, match="pip install splashdown-openeo"):
        splashdown.Session(discover=False).open(backend.connection().job("j1"))


@pytest.mark.parametrize("source", [None, 1, "x", {}, [], object(), openeo, openeo.BatchJob])
def test_it_accepts_nothing_else(source):
    assert not ClientResolver().accepts(source)


def test_looking_at_other_sources_does_not_import_the_client():
    code = """
import sys, splashdown, splashdown_openeo
from splashdown_openeo._resolver import ClientResolver
session = splashdown.Session(plugins=[splashdown_openeo], discover=False)
assert not ClientResolver().accepts(session)
session.registry.plugins()
try:
    session.open(object())
except splashdown.NoProviderError:
    pass
else:
    raise AssertionError
assert "openeo" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
