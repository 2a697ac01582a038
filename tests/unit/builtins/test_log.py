"""The log has two lines about each run, without secrets."""

import logging

import pytest
from stac_item import stac_item

from splashdown import DownloadError, hookimpl
from splashdown.specs import TransportSpec
from splashdown.testing import FakeTransport, make_session

ITEM = stac_item({"a.bin": {"href": "fake://host/a.bin"}, "b.bin": {"href": "fake://host/b.bin?token=geheim"}})


class Fakes:
    def __init__(self, **files):
        self.transport = FakeTransport({f"fake://host/{name}": data for name, data in files.items()})

    @hookimpl
    def splashdown_transports(self):
        yield TransportSpec(name="fake", schemes=("fake",), create=lambda options: self.transport)


def lines(caplog):
    return [(r.levelname, r.getMessage()) for r in caplog.records if r.getMessage().startswith("run ")]


def test_a_run_is_logged_when_it_begins_and_ends(caplog, tmp_path):
    caplog.set_level(logging.INFO, logger="splashdown")
    plugin = Fakes(**{"a.bin": b"xx", "b.bin?token=geheim": b"yyy"})
    with make_session(plugin) as session:
        session.open(ITEM).download_files(tmp_path)
    (begin, end) = lines(caplog)
    assert begin == ("INFO", f"run begins: 2 files to {tmp_path}, 0 left out")
    assert end[0] == "INFO"
    assert end[1].startswith(f"run ends: 2 of 2 files are at {tmp_path}, 5 bytes moved in ")
    assert "geheim" not in caplog.text


def test_a_run_with_failures_is_logged_as_such(caplog, tmp_path):
    caplog.set_level(logging.INFO, logger="splashdown")
    with make_session(Fakes(**{"a.bin": b"xx"})) as session, pytest.raises(DownloadError):
        session.open(ITEM).download_files(tmp_path)
    assert "1 of 2 files" in lines(caplog)[-1][1]


def test_a_program_without_logging_sees_nothing(capfd, tmp_path):
    with make_session(Fakes(**{"a.bin": b"xx"})) as session, pytest.raises(DownloadError):
        session.open(ITEM).download_files(tmp_path)
    assert capfd.readouterr().err == ""


def test_it_can_be_left_out_as_any_plugin(caplog, tmp_path):
    caplog.set_level(logging.INFO, logger="splashdown")
    with make_session(Fakes(**{"a.bin": b"xx", "b.bin?token=geheim": b"y"}), disable=["log"]) as session:
        session.open(ITEM).download_files(tmp_path)
    assert lines(caplog) == []
