"""Times of files are compared with the clock of their file system, whatever the machine's own clock says."""

import math
import os
import time

import pytest

from splashdown._folders import owner
from splashdown._folders.clock import FolderClock
from splashdown._folders.folder import Folder, LazyFolder

HOURS = 7200.0
ELSEWHERE = "0123456789ab-17-99-abcdef012345"


@pytest.fixture(params=[-HOURS, HOURS], ids=["behind", "ahead"])
def skewed(request, monkeypatch):
    """The clock of this machine is off, that of the file system is not."""
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() + request.param)
    return right


def test_the_time_is_that_of_the_file_system(tmp_path, skewed):
    clock = FolderClock(LazyFolder(str(tmp_path)))
    assert abs(clock.now() - skewed()) < 60
    assert clock.now() <= clock.now()
    assert list(tmp_path.iterdir()) == []


def test_without_a_folder_every_file_counts_as_new(tmp_path):
    clock = FolderClock(LazyFolder(str(tmp_path / "none")))
    assert clock.now() == -math.inf
    (tmp_path / "none").mkdir()
    assert clock.now() > 0


def test_only_what_another_machine_stopped_writing_is_left_behind(tmp_path, skewed):
    clock = FolderClock(LazyFolder(str(tmp_path)))
    assert not owner.is_left_behind(f"{ELSEWHERE}.part", skewed() - 30, clock.now)
    assert owner.is_left_behind(f"{ELSEWHERE}.part", skewed() - 300, clock.now)


def test_a_question_that_a_kill_left_is_removed_with_the_next_claim(tmp_path):
    left, fresh = tmp_path / f"{ELSEWHERE}{owner.PROBE}", tmp_path / owner.new_name(owner.PROBE)
    for path in (left, fresh):
        path.touch()
    os.utime(left, (1, 1))
    assert owner.claim(Folder.named(str(tmp_path)), ".journal", ".taken", time.time) == []
    assert list(tmp_path.iterdir()) == [fresh]
