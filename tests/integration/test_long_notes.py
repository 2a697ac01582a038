"""What a run has noted in a target is read to its end, however long it is; what no run can have written is said."""

from __future__ import annotations

import collections
import io
import itertools
import json
import os

import pytest

import splashdown
from splashdown._folders import owner
from splashdown._receipts.fragments import Fragment, lines_of, storing_line
from splashdown.errors import TargetError
from splashdown.model import StoredRecord

RECORD = StoredRecord(size=5, checksum=None, validator='"v"', identity=("i", "a.txt"))
LINE = storing_line("a.txt", RECORD, 1.0)
TOO_LONG = 16 * 2**30 + 1


@pytest.fixture
def results(tmp_path):
    (tmp_path / "source.txt").write_bytes(b"hello")
    document = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": "i",
        "geometry": None,
        "properties": {"datetime": "2023-06-01T00:00:00Z"},
        "links": [],
        "assets": {"a.txt": {"href": "source.txt"}},
    }
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


def test_notes_that_are_too_long_to_be_read_end_the_run_in_one_line(results, tmp_path):
    path = sparse(tmp_path / "t", ".records")
    with pytest.raises(TargetError, match=r"too large to be read \(more than 16384 MiB\).*move it away"):
        results.download_files(tmp_path / "t", progress=False)
    assert path.stat().st_size == TOO_LONG
    assert not (tmp_path / "t" / "a.txt").exists()


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
