"""Processes that are killed at the worst moment: whoever waits for them learns it, and nothing waits for ever."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor

import pytest
from functions_of_workers import die_in_the_middle_of_the_answer, pid_of, raise_odd, sleep_on, unpicklable

from splashdown.builtins.processes import create, given
from splashdown.builtins.processes import pool as pools

_SECONDS = 60


def until(found) -> None:
    deadline = time.monotonic() + _SECONDS
    while not found() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert found()


@pytest.fixture
def workers():
    made = create("2", None)
    yield made
    made.close()


@pytest.mark.parametrize("size", [10, 40_000])
def test_half_an_answer_is_a_loss_and_other_processes_go_on(workers, size):
    error = workers.submit(die_in_the_middle_of_the_answer, size).exception(_SECONDS)
    assert workers.is_lost(error)
    assert str(error).endswith("ended with signal 9")
    assert workers.revive() == ""
    again = {workers.submit(pid_of, 0).result(_SECONDS) for _ in range(4)}
    assert os.getpid() not in again


def test_the_kill_of_a_process_that_waits_fails_only_its_next_function(workers):
    before = workers.submit(pid_of, 0).result(_SECONDS)
    os.kill(before, signal.SIGKILL)
    errors = [workers.submit(pid_of, 0).exception(_SECONDS) for _ in range(4)]
    assert sum(error is not None for error in errors) <= 1
    assert all(error is None or workers.is_lost(error) for error in errors)


def test_closing_ends_with_all_processes_killed():
    workers = create("2", None)
    pids = {workers.submit(pid_of, 0).result(_SECONDS) for _ in range(4)}
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    workers.close()


def test_closing_ends_a_function_that_does_not(tmp_path, monkeypatch):
    monkeypatch.setattr(pools, "_LAST_SECONDS", 0.1)
    workers = create("1", None)
    running = workers.submit(sleep_on, str(tmp_path / "runs"))
    waiting = workers.submit(pid_of, 0)
    until((tmp_path / "runs").exists)
    workers.close()
    assert workers.is_lost(running.exception(_SECONDS))
    assert waiting.cancelled()


def test_what_cannot_be_pickled_is_an_error_of_the_function(workers):
    there = workers.submit(len, threading.Lock()).exception(_SECONDS)
    back = workers.submit(unpicklable, 0).exception(_SECONDS)
    assert isinstance(there, TypeError)
    assert isinstance(back, TypeError)
    odd = workers.submit(raise_odd, 0).exception(_SECONDS)
    assert str(odd) == "OddError: why"
    assert not any(workers.is_lost(error) for error in (there, back, odd))


def test_a_pool_that_waits_for_the_rest_of_an_answer_is_broken(monkeypatch):
    monkeypatch.setattr(given, "_UNNOTICED_SECONDS", 0.5)
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        workers = create(pool, None)
        assert workers.submit(abs, -1).result(_SECONDS) == 1
        lost = workers.submit(die_in_the_middle_of_the_answer, 40_000)
        until(lambda: workers.watch() or lost.done())
        assert isinstance(lost.exception(), BrokenExecutor)
        assert workers.is_lost(lost.exception())
        assert "make another one" in workers.revive()
        workers.close()


def test_a_sound_pool_is_left_alone(monkeypatch):
    monkeypatch.setattr(given, "_UNNOTICED_SECONDS", 0.0)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        workers = create(pool, None)
        for _ in range(3):
            running = workers.submit(time.sleep, 0.05)
            workers.watch()
            assert running.exception(_SECONDS) is None
        workers.close()
