"""The file transport: regular files of this machine, by path or ``file:`` URL."""

from __future__ import annotations

import os
import socket

import pytest

from splashdown.builtins.file import FileTransport
from splashdown.errors import ChangedError, NotModifiedError, RangeNotServedError, TransferError, TruncatedError
from splashdown.model import ReadRequest

CONTENT = bytes(range(256)) * 10_000


@pytest.fixture
def path(tmp_path):
    made = tmp_path / "with space #1.bin"
    made.write_bytes(CONTENT)
    return made


def read(href, **fields):
    with FileTransport().stream(ReadRequest(href=str(href), **fields)) as stream:
        return stream, b"".join(bytes(chunk) for chunk in stream)


@pytest.mark.parametrize("form", ["path", "url", "host"])
def test_a_file_is_read_by_path_and_by_url(path, form):
    href = {"path": str(path), "url": path.as_uri(), "host": path.as_uri().replace("file://", "file://localhost")}[form]
    stream, content = read(href)
    assert content == CONTENT
    assert (stream.start, stream.length, stream.info.size) == (0, len(CONTENT), len(CONTENT))
    assert stream.info.ranges


def test_a_range_is_cut_at_the_end(path):
    assert read(path, start=10, stop=20)[1] == CONTENT[10:20]
    assert read(path, start=len(CONTENT) - 5, stop=10**9)[1] == CONTENT[-5:]
    with pytest.raises(RangeNotServedError):
        read(path, start=len(CONTENT))


def test_an_empty_file_is_empty(tmp_path):
    (tmp_path / "empty").touch()
    assert read(tmp_path / "empty")[1] == b""


def test_a_file_that_changes_between_two_ranges_is_noticed(path):
    first, _ = read(path, stop=10)
    assert read(path, start=10, stop=20, pinned=first.info)[1] == CONTENT[10:20]
    with pytest.raises(NotModifiedError):
        read(path, unless=first.info.validator)
    path.write_bytes(CONTENT[::-1])
    os.utime(path, ns=(1, 1))
    with pytest.raises(ChangedError):
        read(path, start=10, pinned=first.info)


def test_a_file_that_shrinks_while_it_is_read_is_truncated(path):
    with FileTransport().stream(ReadRequest(href=str(path))) as stream:
        chunks = iter(stream)
        next(chunks)
        os.truncate(path, 10)
        with pytest.raises(TruncatedError):
            list(chunks)


def test_only_regular_files_are_read_and_nothing_waits_for_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "socket"))
        for href in (tmp_path / "pipe", tmp_path / "socket", tmp_path, "/dev/zero", tmp_path / "missing"):
            with pytest.raises(TransferError):
                read(href)


@pytest.mark.parametrize(
    "href", ["relative/path", "file:relative", "file://server/share/x", "/tmp/\0x", "file:///a%00b", ""]
)
def test_what_does_not_name_a_file_of_this_machine_is_refused(href):
    with pytest.raises(TransferError):
        read(href)
