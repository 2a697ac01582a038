"""What openEO client 0.53 does badly when servers misbehave, and that ours does not."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import openeo.rest
import openeo.rest.auth.auth
import pytest
import requests
import splashdown_openeo
from openeo.rest import OpenEoClientException
from splashdown_openeo import ResultAsset

BODY = bytes(range(251)) * 4000  # about a megabyte, with no period that a power of two shares
#: What requests raises for a body that breaks off: which of them depends on what arrives first, the end or a reset.
BROKE_OFF = {"ChunkedEncodingError", "ConnectionError"}


def one(**how):
    def setup(backend):
        backend.results({"x.bin": backend.add("/dl/x", BODY, **how)})

    return setup


def save(case):
    return case.results.download_file(case.folder)


def save_in_ranges(case):
    return case.results.download_file(case.folder, range_size=300_000)


def replace(case):
    (case.folder / "x.bin").write_bytes(b"good and complete")
    return save(case)


def results(backend, **options):
    return splashdown_openeo.JobResults(backend.connection(**options).job("j1"))


@pytest.mark.parametrize("verb", ["download_files", "download_as_collection"])
@pytest.mark.parametrize(
    ("target", "why"),
    [("x" * 300, "its name is too long for the file system"), ("file/below", "a part of its path is a file")],
)
def test_a_target_that_cannot_be_a_folder_is_one_line(backend, tmp_path, verb, target, why):
    one()(backend)
    (tmp_path / "file").write_text("x")
    with pytest.raises(OpenEoClientException, match=f"cannot be a folder: {why}") as caught:
        getattr(results(backend), verb)(tmp_path / target)
    assert "\n" not in str(caught.value)


# Bytes


def test_a_server_that_breaks_its_promise_of_ranges_does_not_corrupt_the_file(both):
    client, ours = both(one(ignores_ranges=True), save_in_ranges)
    assert client.error is None
    assert len(client.files["x.bin"]) == 4 * len(BODY)
    assert ours.files == {"x.bin": BODY}


def test_a_server_that_sends_other_ranges_does_not_corrupt_the_file(both):
    client, ours = both(one(wrong_range=True), save_in_ranges)
    assert client.error is None
    assert client.files["x.bin"] != BODY
    assert ours.files == {"x.bin": BODY}


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("etag", ['"v1"', None])
def test_a_body_that_breaks_off_is_repaired(both, ranges, etag):
    client, ours = both(one(script=[("cut", 300_000), ("cut", 70_000)], ranges=ranges, etag=etag), save)
    assert client.error is not None
    assert client.files == {"x.bin": b""}
    assert ours.error is None
    assert ours.files == {"x.bin": BODY}


def test_a_body_that_breaks_off_in_a_later_range_is_repaired(both):
    client, ours = both(one(script=[("cut", 300_000), ("cut", 100_000)]), save_in_ranges)
    assert client.error is not None
    assert len(client.files["x.bin"]) < len(BODY)
    assert ours.files == {"x.bin": BODY}


def test_a_body_that_always_breaks_off_leaves_nothing(both):
    client, ours = both(one(script=[("cut", 1000)] * 50), save)
    assert client.error[0] in BROKE_OFF
    assert ours.error[0] in BROKE_OFF
    assert list(client.files) == ["x.bin"]
    assert ours.files == {}


def test_a_good_file_survives_a_download_that_fails(both):
    client, ours = both(one(script=[("cut", 1000)] * 50), replace)
    assert client.files == {"x.bin": b""}
    assert ours.files == {"x.bin": b"good and complete"}


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429, 408])
def test_a_server_that_is_down_for_a_moment_is_asked_again(both, status):
    client, ours = both(one(script=[status] * 4), save)
    assert client.error[0] == "OpenEoApiError"
    assert ours.files == {"x.bin": BODY}


def test_retries_wait(backend, tmp_path, monkeypatch):
    pauses = []
    monkeypatch.setattr(threading.Event, "wait", _noting(threading.Event.wait, pauses))
    one(script=[500] * 3)(backend)
    results(backend).download_file(tmp_path)
    assert len([pause for pause in pauses if pause is not None and pause <= 0.05]) >= 3


def _noting(wait, pauses):
    def noting(self, timeout=None):
        pauses.append(timeout)
        return wait(self, timeout)

    return noting


def test_how_often_is_the_users_setting(backend, tmp_path, monkeypatch):
    monkeypatch.setenv("SPLASHDOWN_RETRY_ATTEMPTS", "2")
    one(script=[500] * 9)(backend)
    with pytest.raises(openeo.rest.OpenEoApiError):
        results(backend).download_file(tmp_path)
    assert len(backend.asked("GET", "/dl/x")) == 2


def test_a_token_that_another_thread_has_just_renewed_is_no_failure(backend, tmp_path):
    one(script=[403])(backend)
    send = backend._error
    backend._error = lambda handler, status, code: send(handler, status, "TokenInvalid")
    assert results(backend).download_file(tmp_path).read_bytes() == BODY


def test_threads_whose_token_is_refused_at_once_do_not_get_into_each_others_way(backend, tmp_path, monkeypatch):
    """A refresh token may be good for one use: all but the first thread to renew the access token fail at that."""
    everybody, renewed = threading.Barrier(4), threading.Lock()
    backend.results({f"{n}.tif": backend.add(f"/dl/{n}", b"x") for n in range(4)})
    connection, answer, send = backend.connection(), backend.answer, backend._error

    def choosy(handler):
        if handler.path.startswith("/dl/") and handler.headers["Authorization"] != "Bearer oidc/new":
            everybody.wait(60)
            send(handler, 403, "TokenInvalid")
        else:
            answer(handler)

    def renew(reason):
        if not renewed.acquire(blocking=False):
            return False
        connection.auth = openeo.rest.auth.auth.BearerAuth("oidc/new")
        return True

    backend.answer = choosy
    monkeypatch.setattr(connection, "try_access_token_refresh", renew)
    paths = splashdown_openeo.JobResults(connection.job("j1")).download_files(tmp_path)
    assert [path.read_bytes() for path in paths[:-1]] == [b"x"] * 4


def test_credentials_do_not_follow_a_redirect_to_another_host(backend, elsewhere, tmp_path):
    elsewhere.add("/dl/x", BODY)
    backend.results({"x.bin": backend.url + "/moved"})
    answer = backend.answer

    def moving(handler):
        if handler.path == "/moved":
            handler.send_response(302)
            handler.send_header("Location", f"{elsewhere.url}/dl/x?X-Amz-Signature=secret")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        else:
            answer(handler)

    backend.answer = moving
    assert results(backend).download_file(tmp_path).read_bytes() == BODY
    assert {request.headers.get("Authorization") for request in elsewhere.requests} == {None}


def test_no_head_request_is_needed(both):
    client, ours = both(one(head_status=403), save)
    assert client.files == ours.files == {"x.bin": BODY}


def test_a_compressed_answer_is_stored_as_what_it_stands_for(backend, tmp_path):
    import gzip

    one(ranges=False, etag=None)(backend)
    send, squeezed = backend._send, gzip.compress(BODY)

    def compressed(handler, file, status, headers, body, cut=None):
        if body == BODY:
            headers, body = {"Content-Encoding": "gzip"}, squeezed
        send(handler, file, status, headers, body, cut)

    backend._send = compressed
    assert results(backend).download_file(tmp_path).read_bytes() == BODY


@pytest.mark.parametrize("body", [b"<!DOCTYPE html><html>Sign in</html>", b'{"code": "Forbidden"}', b""])
@pytest.mark.parametrize(
    ("verb", "options"),
    [
        ("download_file", {}),
        ("download_files", {}),
        ("download_as_collection", {"on_download_failure": "raise", "download_collection_assets": True}),
    ],
)
def test_an_answer_that_is_not_a_raster_gets_no_name(backend, tmp_path, body, verb, options):
    backend.results(
        {"x.tif": {"href": backend.add("/1/x.tif", body), "type": "image/tiff; application=geotiff"}}, type="Collection"
    )
    target = tmp_path / "out"
    target.mkdir()
    with pytest.raises(OpenEoClientException, match=r"x\.tif.*") as raised:
        getattr(results(backend), verb)(target, **options)
    assert "where the metadata promise image/tiff" in str(raised.value.__cause__ or raised.value)
    assert not list(target.rglob("*.tif"))


def test_the_user_may_take_such_an_answer_all_the_same(backend, tmp_path, monkeypatch):
    monkeypatch.setenv("SPLASHDOWN_VERIFY", "false")
    backend.results({"x.tif": {"href": backend.add("/1/x.tif", b"<html>"), "type": "image/tiff"}})
    assert results(backend).download_file(tmp_path).read_bytes() == b"<html>"


# Names


def test_two_keys_that_lead_to_one_name_both_land(both):
    def setup(backend):
        backend.results({"res:1": backend.add("/1/x.tif", b"first"), "res/1": backend.add("/2/x.tif", b"second")})

    client, ours = both(setup, lambda case: case.results.download_files(case.folder))
    assert client.value == [("path", f"FOLDER/{name}") for name in ("res1-x.tif", "res1-x.tif", "job-results.json")]
    assert b"first" not in client.files.values()
    assert ours.value == [("path", f"FOLDER/{name}") for name in ("res1-x.tif", "res1-x-1.tif", "job-results.json")]
    assert (ours.files["res1-x.tif"], ours.files["res1-x-1.tif"]) == (b"first", b"second")


def test_an_asset_called_like_the_metadata_is_not_overwritten_by_it(both):
    def setup(backend):
        backend.results({"job-results.json": backend.add("/1/x", b"an asset")})

    client, ours = both(setup, lambda case: case.results.download_files(case.folder))
    assert b"an asset" not in client.files.values()
    assert ours.files["job-results-1.json"] == b"an asset"
    assert json.loads(ours.files["job-results.json"])["id"] == "j1"


# Runs of several files


def three(backend):
    links = {key: backend.add(f"/dl/{key}", key.encode()) for key in ("a.tif", "b.tif", "c.tif")}
    backend.files["/dl/b.tif"].script = [404] * 9
    backend.results(links)


def test_one_failure_does_not_keep_the_others_from_landing(both):
    client, ours = both(three, lambda case: case.results.download_files(case.folder))
    assert ours.error == client.error
    assert client.files == {"a.tif": b"a.tif", "b.tif": b""}
    assert ours.files == {"a.tif": b"a.tif", "c.tif": b"c.tif"}


def test_files_are_fetched_several_at_a_time(backend, tmp_path):
    everybody = threading.Barrier(4)
    backend.results({f"{n}.tif": backend.add(f"/dl/{n}", b"x") for n in range(4)})
    content = backend._content

    def together(file, asked):
        if file.body == b"x":
            everybody.wait(60)
        return content(file, asked)

    backend._content = together
    assert len(results(backend).download_files(tmp_path)) == 5


@pytest.mark.parametrize("status", [401, 403, 410])
def test_a_link_that_has_expired_is_renewed(both, status):
    def setup(backend):
        old, new = (f"/jobs/j1/results/assets/am9obg==/{digit * 32}/x.tif" for digit in "01")
        backend.add(old, BODY, script=[status] * 9)
        backend.results({"x.tif": backend.add(new, BODY) + "?expires=2"})
        fresh = backend.files["/jobs/j1/results"]
        backend.results({"x.tif": backend.url + old + "?expires=1"})
        answer = backend.answer

        def once(handler):
            answer(handler)
            if handler.path == "/jobs/j1/results":
                backend.files["/jobs/j1/results"] = fresh

        backend.answer = once

    client, ours = both(setup, lambda case: case.results.download_files(case.folder))
    assert client.error == ("OpenEoApiError", f"[{status}] Scripted: Scripted happened")
    assert ours.files["x.tif"] == BODY


# Files


def test_nothing_has_a_name_before_it_is_whole(backend, tmp_path):
    backend.results({"x.bin": backend.add("/dl/x", BODY, ranges=False)})
    seen, send = [], backend._send

    def slow(handler, file, status, headers, body, cut=None):
        if body == BODY:
            send(handler, file, status, headers, body, cut)
            handler.wfile.flush()
            seen.append([path.name for path in tmp_path.iterdir() if not path.name.startswith(".")])
        else:
            send(handler, file, status, headers, body, cut)

    backend._send = slow
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("splashdown_openeo._transport._READ_SIZE", 1000)
        results(backend).download_file(tmp_path)
    assert seen
    assert [path.name for path in tmp_path.iterdir()] == ["x.bin"]


def test_an_interrupted_run_leaves_nothing(backend, tmp_path, monkeypatch):
    one()(backend)

    def interrupt(self, timeout=None):
        raise KeyboardInterrupt

    monkeypatch.setattr("splashdown._engine.file_workers.FileWorkers._wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        results(backend).download_file(tmp_path)
    assert [path for path in tmp_path.iterdir() if path.name != "x.bin"] == []


def test_a_process_that_is_killed_leaves_nothing(backend, tmp_path):
    try:
        os.close(os.open(tmp_path, os.O_TMPFILE | os.O_RDWR))
    except (AttributeError, OSError):
        pytest.fail("this test needs a file system with files that have no name, on Linux; set --basetemp")
    backend.results({"x.bin": backend.add("/dl/x", BODY)})
    half = threading.Event()
    send, done = backend._send, threading.Event()

    def stuck(handler, file, status, headers, body, cut=None):
        if len(body) < len(BODY) // 2:
            return send(handler, file, status, headers, body, cut)
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[:600_000])
        handler.wfile.flush()
        half.set()
        done.wait(30)
        return None

    backend._send = stuck
    code = f"""
import openeo, splashdown_openeo
job = openeo.connect({backend.url!r}, retry=False).job("j1")
splashdown_openeo.JobResults(job).download_files({str(tmp_path)!r})
"""
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        assert half.wait(60)
        while not any(str(tmp_path) in target for target in _open_files(process.pid)):
            done.wait(0.01)
        process.kill()
    done.set()
    assert list(tmp_path.iterdir()) == []


def _open_files(pid):
    return [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.is_symlink()]


def test_new_files_have_the_permissions_that_open_gives(backend, tmp_path):
    one()(backend)
    with (tmp_path / "like").open("wb"):
        pass
    path = results(backend).download_file(tmp_path)
    assert path.stat().st_mode == (tmp_path / "like").stat().st_mode


def test_a_file_that_is_replaced_keeps_its_permissions(backend, tmp_path):
    one()(backend)
    (tmp_path / "x.bin").write_bytes(b"old")
    (tmp_path / "x.bin").chmod(0o640)
    path = results(backend).download_file(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.read_bytes() == BODY


def test_a_symbolic_link_is_written_through(backend, tmp_path):
    one()(backend)
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real/file")
    path = results(backend).download_file(tmp_path / "link")
    assert path == tmp_path / "link"
    assert path.is_symlink()
    assert (tmp_path / "real" / "file").read_bytes() == BODY
    assert [entry.name for entry in (tmp_path / "real").iterdir()] == ["file"]


def test_a_named_pipe_gets_the_bytes(backend, tmp_path):
    one()(backend)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    results(backend).download_file(pipe)
    reader.join(10)
    assert got == [BODY]
    assert [entry.name for entry in tmp_path.iterdir()] == ["pipe"]


@pytest.mark.parametrize("unnamed", [True, False])
def test_it_works_with_and_without_files_that_have_no_name(backend, tmp_path, monkeypatch, unnamed):
    if not unnamed:
        monkeypatch.delattr(os, "O_TMPFILE")
    one(script=[("cut", 5)])(backend)
    results(backend).download_files(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["job-results.json", "x.bin"]
    one(script=[404])(backend)
    with pytest.raises(openeo.rest.OpenEoApiError):
        results(backend).download_files(tmp_path / "other")
    assert list((tmp_path / "other").iterdir()) == []


def test_a_folder_that_takes_no_files_is_the_exception_of_the_system(backend, tmp_path, monkeypatch):
    one()(backend)

    def refused(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(PermissionError):
        results(backend).download_file(tmp_path)


# The connection


def test_the_sessions_own_headers_and_adapters_are_used(backend, tmp_path):
    one()(backend)
    session = requests.Session()
    session.headers["X-Mine"] = "yes"
    results(backend, session=session).download_files(tmp_path)
    assert {request.headers.get("X-Mine") for request in backend.requests} == {"yes"}
    assert {request.headers["Authorization"] for request in backend.requests} == {"Bearer basic//secret-token"}


def test_what_the_sessions_own_retries_gave_up_is_not_asked_again(backend, tmp_path):
    one(script=[503] * 50)(backend)
    retry = {"total": 2, "backoff_factor": 0, "status_forcelist": [503]}
    with pytest.raises(requests.exceptions.RetryError):
        results(backend, retry=retry).download_file(tmp_path)
    assert len(backend.asked("GET", "/dl/x")) == 3


def test_range_size_limits_every_request(backend, tmp_path):
    one()(backend)
    asset = results(backend).get_asset()
    assert asset.download(tmp_path / "y", range_size=300_000).read_bytes() == BODY
    ranges = [request.headers["Range"] for request in backend.asked("GET", "/dl/x")]
    assert ranges[:2] == ["bytes=0-299999", "bytes=300000-599999"]
    assert len(ranges) == 4


@pytest.mark.parametrize("sizes", [{"range_size": 0}, {"chunk_size": 0}, {"range_size": -1}])
def test_sizes_that_make_no_sense_are_refused(backend, tmp_path, sizes):
    one()(backend)
    with pytest.raises(ValueError, match="at least 1"):
        results(backend).download_file(tmp_path, **sizes)


def test_a_file_that_changes_while_it_is_read_is_read_anew(backend, tmp_path):
    old, new = BODY, BODY[::-1]
    backend.results({"x.bin": backend.add("/dl/x", old)})
    content = backend._content

    def changing(file, asked):
        if len(backend.asked("GET", "/dl/x")) == 2:
            file.body, file.etag = new, '"v2"'
        return content(file, asked)

    backend._content = changing
    assert results(backend).download_file(tmp_path, range_size=300_000).read_bytes() == new


def test_no_signature_gets_into_the_log_or_the_errors_of_the_engine(backend, tmp_path, caplog):
    secret = "X-Amz-Signature=secret"
    backend.results({"x.bin": backend.add("/dl/x", BODY) + f"?{secret}"})
    with caplog.at_level("INFO", logger="splashdown"), caplog.at_level("INFO", logger="splashdown_openeo"):
        results(backend).get_asset().download(tmp_path)
    assert "Downloading" in caplog.text
    assert "secret" not in "".join(
        r.getMessage() for r in caplog.records if not r.name.startswith(("urllib3", "openeo."))
    )


def test_loading_survives_a_body_that_breaks_off(both):
    client, ours = both(one(script=[("cut", 300_000)]), lambda case: case.results.get_asset().load_bytes())
    assert client.error is not None
    assert ours.value == BODY


def test_the_asset_classes_keep_their_slots():
    assert ResultAsset.__slots__ == ()
