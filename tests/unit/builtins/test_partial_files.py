"""Temporary files of the sink for folders: when they are made, and that a kill leaves none that no run removes."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from splashdown.builtins.local.sink import HIDDEN, LocalSink
from splashdown.errors import StoreError
from splashdown.model import Content, Part

BOTH = [Part(number=1, start=0, stop=3), Part(number=2, start=3, stop=6)]

KILLED = """
import os, pathlib, signal, sys
from splashdown.builtins.local.sink import LocalSink
from splashdown.model import Content, Part

sink = LocalSink(pathlib.Path(sys.argv[1]))
upload = sink.begin("a.bin", Content(size=3, recorded=sys.argv[2] == "recorded"))
if sys.argv[3] == "written":
    sink.put_part(upload, Part(number=1, start=0, stop=3), [b"123"])
os.kill(os.getpid(), signal.SIGKILL)
"""


def left_by_a_killed_process(root: Path, *words: str) -> list[Path]:
    """What a process leaves that begins an upload and is killed."""
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(KILLED), str(root), *words], timeout=60)
    assert ended.returncode == -9
    return sorted((root / HIDDEN).glob("*"))


def test_a_kill_before_an_upload_is_recorded_leaves_nothing(tmp_path):
    assert left_by_a_killed_process(tmp_path, "recorded", "begun") == []


def test_what_is_recorded_stays_for_the_next_run(tmp_path):
    (left,) = left_by_a_killed_process(tmp_path, "recorded", "written")
    LocalSink(tmp_path).close()
    assert left.read_bytes() == b"123"


@pytest.mark.parametrize("moment", ["begun", "written"])
def test_what_no_one_recorded_goes_with_the_next_run(tmp_path, moment):
    assert len(left_by_a_killed_process(tmp_path, "alone", moment)) == 1
    LocalSink(tmp_path).close()
    assert not (tmp_path / HIDDEN).exists()


def test_first_parts_that_come_together_make_one_file(tmp_path):
    sink = LocalSink(tmp_path)
    for number in range(50):
        upload = sink.begin(f"{number}.bin", Content(size=6))
        with ThreadPoolExecutor(2) as pool:
            tags = [*pool.map(lambda part: sink.put_part(upload, part, [b"%03d" % part.start]), BOTH)]  # noqa: B023
        sink.commit(upload, tags)
        assert (tmp_path / f"{number}.bin").read_bytes() == b"000003"


def test_a_part_that_comes_after_the_abort_makes_no_file(tmp_path):
    sink = LocalSink(tmp_path)
    upload = sink.begin("a.bin", Content(size=3))
    sink.abort(upload)
    with pytest.raises(StoreError):
        sink.put_part(upload, BOTH[0], [b"123"])
    sink.close()
    assert [*tmp_path.rglob("*")] == []


def test_an_upload_without_any_part_becomes_an_empty_file(tmp_path):
    sink = LocalSink(tmp_path)
    sink.commit(sink.begin("a.bin", Content(size=0)), [])
    assert (tmp_path / "a.bin").read_bytes() == b""
