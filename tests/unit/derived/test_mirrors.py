"""Mirrors that a user names are tried in their order where an href fails."""

from __future__ import annotations

import hashlib

import pytest
from fault_server import FaultServer
from faults import Status
from stac_item import stac_item

from splashdown import DownloadError, RetryPolicy, Session, Settings
from splashdown._cli.main import main
from splashdown.errors import OptionError

DATA = b"some bytes" * 100
SUM = "1220" + hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def server():
    with FaultServer() as running:
        running.add("/first/a.bin", DATA, signed=True)
        running.always("/first/a.bin", Status(404))
        yield running


@pytest.fixture
def opened(server):
    with Session(discover=False, settings=Settings(retry=RetryPolicy(attempts=2, base=0.01))) as session:

        def make(**metadata):
            return session.open(stac_item({"a.bin": {"href": server.sign("/first/a.bin"), **metadata}}))

        yield make


def test_mirrors_are_tried_in_their_order_without_the_signature(opened, server, tmp_path):
    server.add("/third/a.bin", DATA)
    mirrors = {f"{server.url}/first/": f"{server.alias}/second/", f"{server.url}/first": f"{server.alias}/third"}
    done = opened(**{"file:checksum": SUM}).mirrored(mirrors).run("download_files", target=tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert "checksum" in done.report.outcomes[0].verified
    assert list(dict.fromkeys(one.path for one in server.seen)) == ["/first/a.bin", "/second/a.bin", "/third/a.bin"]
    assert not any(one.query for one in server.seen if one.path != "/first/a.bin")
    assert b"alternate" not in (tmp_path / "item.json").read_bytes()


def test_a_mirror_with_other_bytes_is_not_taken(opened, server, tmp_path):
    server.add("/second/a.bin", DATA[::-1])
    results = opened(**{"file:checksum": SUM}).mirrored({f"{server.url}/first/": f"{server.alias}/second/"})
    with pytest.raises(DownloadError, match="failed too"):
        results.download_files(tmp_path)
    assert not (tmp_path / "a.bin").exists()


def test_without_a_checksum_no_mirror_is_asked(opened, server, tmp_path):
    server.add("/second/a.bin", DATA)
    with pytest.raises(DownloadError, match="404"):
        opened().mirrored({f"{server.url}/first/": f"{server.alias}/second/"}).download_files(tmp_path)
    assert {one.path for one in server.seen} == {"/first/a.bin"}


def test_a_host_that_only_begins_alike_is_not_mirrored(opened):
    results = opened().mirrored({"http://127.0.0": "http://evil.example"})
    assert "alternate" not in results.assets[0].metadata


@pytest.mark.parametrize(
    "mirrors",
    [
        {"a": "b"},
        {"https://a.example": "/data"},
        {"https://a.example/": "https://b.example"},
        {"https://a?x": "https://b"},
    ],
)
def test_what_is_not_a_mirror_is_refused(opened, mirrors):
    with pytest.raises(OptionError, match=r"FROM=TO|slash"):
        opened().mirrored(mirrors)


def test_the_command_line_takes_mirrors(server, tmp_path, capsys):
    import json

    server.add("/second/a.bin", DATA)
    item = stac_item({"a.bin": {"href": f"{server.url}/first/a.bin", "file:checksum": SUM}})
    (tmp_path / "item.json").write_text(json.dumps(item))
    arguments = ["--no-plugins", "download", str(tmp_path / "item.json"), str(tmp_path / "out"), "--quiet", "--mirror"]
    assert main([*arguments, f"{server.url}/first/={server.url}/second/"]) == 0
    assert (tmp_path / "out/a.bin").read_bytes() == DATA
    assert main([*arguments, "nonsense"]) == 2
    assert "FROM=TO" in capsys.readouterr().err
