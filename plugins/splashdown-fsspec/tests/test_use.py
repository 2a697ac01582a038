"""What a user does and gets wrong: whole runs, credentials, hosts, hrefs of strangers."""

import dataclasses
import json

import pytest
from splashdown_fsspec import FsspecOptions
from splashdown_fsspec._sink import FsspecSink
from splashdown_fsspec._transport import FsspecTransport

import splashdown
from splashdown.errors import NoProviderError, StoreError, TargetError, TransferError
from splashdown.events import TransferFinished
from splashdown.model import ReadRequest
from splashdown.testing.stores import data_of, store

_NONE = FsspecOptions()


def item(**hrefs):
    return {
        "type": "Feature", "stac_version": "1.1.0", "id": "run", "geometry": None, "links": [],
        "properties": {"datetime": "2024-01-01T00:00:00Z"},
        "assets": {key: {"href": href, "roles": ["data"]} for key, href in hrefs.items()},
    }  # fmt: skip


@pytest.fixture
def document(tmp_path):
    (tmp_path / "a.bin").write_bytes(data_of(2_000_000))
    (tmp_path / "b.bin").write_bytes(data_of(10))
    document = tmp_path / "item.json"
    document.write_text(json.dumps(item(**{"a.bin": "./a.bin", "b.bin": "./b.bin"})))
    return str(document)


@pytest.fixture
def results(document):
    return splashdown.open(document)


def given(options):
    return {f.name: v for f in dataclasses.fields(options) if (v := getattr(options, f.name)) not in (None, {})}


def test_a_run_lands_whole_and_the_next_one_moves_nothing(document, place):
    url, options = place
    with splashdown.Session(options={"fsspec": given(options)}) as session:
        results = session.open(document)
        results.download_files(url)
        seen: list[object] = []
        results.download_files(url, listeners=[seen.append])
    outcomes = [event.outcome for event in seen if isinstance(event, TransferFinished)]
    assert [(o.status, o.bytes_moved) for o in outcomes] == [("skipped", 0), ("skipped", 0)]
    held = FsspecSink(url, options)
    assert dict(held.list()).items() >= {"a.bin": 2_000_000, "b.bin": 10}.items()
    held.close()


def test_files_are_stored_from_the_public_call_and_read_back_by_href(results, place):
    url, options = place
    results.download_files(url, sink_options=given(options))
    session = splashdown.Session(options={"fsspec": given(options)})
    moved = session.open(item(a=f"{url}/a.bin"))
    assert moved.load_bytes("a") == data_of(2_000_000)
    again = results.download_files(url, sink_options=given(options))
    assert {str(one).rpartition("/")[2] for one in again} >= {"a.bin", "b.bin"}


def test_a_password_in_a_url_is_refused_and_not_repeated():
    for url in ("sftp://me:hunter22@host/x", "webdav://me:hunter22@host/x", "fsspec://ftp/me:hunter22@host/x"):
        with pytest.raises(TargetError, match="holds a password") as error:
            FsspecSink(url, _NONE)
        assert "hunter22" not in str(error.value)


def test_a_host_whose_key_is_not_known_is_refused(sftp, tmp_path):
    (tmp_path / "known_hosts").touch()
    options = dataclasses.replace(sftp.options, known_hosts=str(tmp_path / "known_hosts"))
    with pytest.raises(StoreError, match="connect once with ssh") as error:
        FsspecSink(f"{sftp.url}/x", options)
    assert not error.value.retryable


@pytest.mark.parametrize("server", ["sftp", "webdav"])
def test_a_wrong_password_is_told_and_not_shown(request, server):
    running = request.getfixturevalue(server)
    options = dataclasses.replace(running.options, password="wrong-hunter22")
    with pytest.raises(StoreError, match="credentials") as error:
        store(FsspecSink(f"{running.url}/x", options), "a.bin", b"x")
    assert not error.value.retryable
    assert "hunter22" not in str(error.value)


@pytest.mark.parametrize("server", ["sftp", "webdav"])
def test_an_href_draws_no_password_to_a_host_that_it_is_not_for(request, server):
    running = request.getfixturevalue(server)
    store(FsspecSink(f"{running.url}/there", running.options), "a.bin", b"x")
    for host in (None, "other.example"):
        transport = FsspecTransport(dataclasses.replace(running.options, host=host))
        with (
            pytest.raises(TransferError, match="credentials"),
            transport.stream(ReadRequest(href=f"{running.url}/there/a.bin")) as stream,
        ):
            list(stream)


@pytest.mark.parametrize("href", ["fsspec://file//etc/hostname", "fsspec://local//etc/hostname", "fsspec://zip/x::y"])
def test_an_href_cannot_reach_files_of_this_machine(href):
    with pytest.raises(TransferError, match="not read"), FsspecTransport(_NONE).stream(ReadRequest(href=href)):
        pass


def test_a_protocol_that_fsspec_does_not_know_is_named():
    with pytest.raises(TargetError, match="'nosuch'"):
        FsspecSink("fsspec://nosuch/x", _NONE)
    with pytest.raises(TargetError, match="fsspec://memory/folder/"):
        FsspecSink("fsspec:///x", _NONE)
    with pytest.raises(NoProviderError):
        splashdown.Session().sink("nosuch://x")


def test_nothing_is_left_in_the_hidden_folder(results, sftp):
    results.download_files(f"{sftp.url}/tidy", sink_options=given(sftp.options))
    assert sorted(path.name for path in (sftp.folder / "tidy").iterdir()) == ["a.bin", "b.bin", "item.json"]


def test_a_file_that_goes_before_it_is_read_is_a_missing_file(place):
    sink = FsspecSink(*place)
    store(sink, "a.bin", b"soon gone")
    with sink.read("a.bin") as chunks:
        sink.delete("a.bin")
        with pytest.raises(FileNotFoundError):
            list(chunks)
    sink.close()


def test_what_a_reader_of_stored_bytes_raises_comes_out_as_it_is(place):
    sink = FsspecSink(*place)
    store(sink, "a.bin", b"{")
    with pytest.raises(json.JSONDecodeError), sink.read("a.bin") as chunks:
        json.loads(b"".join(map(bytes, chunks)))
    sink.close()
