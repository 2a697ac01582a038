"""What a run has noted in a target is read to its end, however long it is; what no run can have written is said."""

from __future__ import annotations

import collections
import errno
import io
import itertools
import json
import os

import pytest
from stac_item import stac_item

import splashdown
from splashdown._folders import owner
from splashdown._folders.folder import Folder
from splashdown._receipts.fragments import Fragment, free_line, lines_of, storing_line
from splashdown.errors import StoreError, TargetError
from splashdown.model import StoredRecord
from splashdown.testing import MemorySink

RECORD = StoredRecord(size=5, checksum=None, validator='"v"', identity=("i", "a.txt"))
LINE = storing_line("a.txt", RECORD, 1.0)
TOO_LONG = 16 * 2**30 + 1


@pytest.fixture
def results(tmp_path):
    (tmp_path / "source.txt").write_bytes(b"hello")
    document = stac_item({"a.txt": {"href": "source.txt"}}, id="i")
    (tmp_path / "i.json").write_text(json.dumps(document))
    return splashdown.Session(discover=False).open(str(tmp_path / "i.json"))


def sparse(target, extension):
    """A file of another run, longer than any; it takes no place on the disk."""
    hidden = target / ".splashdown"
    hidden.mkdir(parents=True)
    path = hidden / owner.new_name(extension)
    path.touch()
    os.truncate(path, TOO_LONG)
    return path


class Notes:
    """A file of very many lines, none of which is in memory more than once."""

    def __init__(self, *lines):
        self._lines = itertools.chain(*lines)

    def readline(self, most):
        return next(self._lines, b"")


def test_a_line_beyond_the_first_gibibytes_of_notes_is_read():
    filler = b"x" * 65_535 + b"\n"
    lines = lines_of(Notes(itertools.repeat(filler, 3 * 2**14), [LINE]))  # 3 GiB, and one line
    assert collections.deque(lines, 1).pop() == LINE


def test_a_line_that_is_too_long_does_not_hide_the_next_one():
    data = b"x" * 200_000 + b"\n" + LINE
    lines = [*lines_of(io.BytesIO(data + LINE[:20]))]
    assert b"".join(lines) == data, "what was read is counted, and a line that is being written is not"
    fragment = Fragment()
    fragment.add(lines)
    assert [*fragment.stored] == ["a.txt"]


def test_the_longest_line_that_a_run_writes_is_read():
    text = "\N{GRINNING FACE}" * 8192
    line = storing_line("a.txt", StoredRecord(size=5, checksum=None, validator=text, identity=(text, text)), 1.0)
    assert [*lines_of(io.BytesIO(line + LINE))] == [line, LINE]


def test_notes_that_are_too_long_to_be_read_end_the_run_in_one_line(results, tmp_path):
    path = sparse(tmp_path / "t", ".records")
    with pytest.raises(TargetError, match=r"too large to be read \(more than 16384 MiB\).*move it away"):
        results.download_files(tmp_path / "t", progress=False)
    assert path.stat().st_size == TOO_LONG
    assert not (tmp_path / "t" / "a.txt").exists()


def test_notes_that_cannot_be_read_now_stay_for_a_later_run(results, tmp_path, monkeypatch, caplog):
    notes = tmp_path / "t" / ".splashdown" / owner.free_name(".records")
    notes.parent.mkdir(parents=True)
    notes.write_bytes(storing_line("b.txt", RECORD, 1.0))
    opened = Folder.open

    def fails(self, name, *arguments, **options):
        if name == notes.name:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return opened(self, name, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "open", fails)
        results.download_files(tmp_path / "t", progress=False)
    assert (tmp_path / "t" / "a.txt").read_bytes() == b"hello"
    assert "cannot be read, and is kept" in caplog.text
    assert notes.read_bytes() == storing_line("b.txt", RECORD, 1.0)
    results.download_files(tmp_path / "t", progress=False)
    assert not notes.exists(), "what could be read is in the receipt now"


def test_an_object_of_notes_that_cannot_be_read_now_stays(results, monkeypatch, caplog):
    name, store = f".splashdown/{'0' * 16}-000000.records", {}
    store[name] = bytearray(storing_line("b.txt", RECORD, 1.0) + free_line())
    monkeypatch.setattr(results.session, "sink", lambda target, **options: Unreadable(store, name))
    results.download_files("memory://x/", progress=False)
    assert bytes(store["a.txt"]) == b"hello"
    assert "cannot be read, and is kept" in caplog.text
    assert name in store
    monkeypatch.setattr(results.session, "sink", lambda target, **options: MemorySink(store))
    results.download_files("memory://x/", progress=False)
    assert name not in store


class Unreadable(MemorySink):
    """A store one of whose objects cannot be read now."""

    def __init__(self, store, name):
        super().__init__(store)
        self._name = name

    def read(self, key):
        if key == self._name:
            raise StoreError("the store has a fault")
        return super().read(key)


def test_a_journal_that_is_too_long_to_be_read_holds_up_no_run(results, tmp_path):
    sparse(tmp_path / "t", ".journal")
    results.download_files(tmp_path / "t", progress=False)
    assert (tmp_path / "t" / "a.txt").read_bytes() == b"hello"


def test_a_journal_of_an_ended_run_that_is_too_long_is_named(results, tmp_path, caplog):
    path = sparse(tmp_path / "t", ".journal")
    path.rename(path.with_name(owner.free_name(".journal")))
    results.download_files(tmp_path / "t", progress=False)
    assert (tmp_path / "t" / "a.txt").read_bytes() == b"hello"
    assert "is too long: what its run has left unfinished is not continued" in caplog.text
