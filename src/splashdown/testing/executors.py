"""The contract of executors. Subclass :class:`ExecutorContract` with the fixture ``workers``."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest

from splashdown.protocols import SupportsEach, SupportsNews, Workers

#: How long workers may take to start, or to be replaced.
_SECONDS = 90


class ExecutorContract:
    """The behaviour of the workers of every executor.

    A subclass has the fixture ``workers``: workers in processes that the test may end, with ``close`` called after it.
    ``replaces = False`` is for those that the user has to make again after a loss.
    """

    replaces = True

    def test_they_are_workers(self, workers: Workers) -> None:
        assert isinstance(workers, Workers)
        assert workers.count >= 1

    def test_they_say_in_one_line_what_they_are(self, workers: Workers) -> None:
        assert workers.label
        assert "\n" not in workers.label

    def test_a_function_runs_in_another_process_each_time(self, workers: Workers) -> None:
        answers = [workers.submit(_process, n).result(_SECONDS) for n in (1, 1)]
        assert [number for number, _ in answers] == [1, 1]
        assert os.getpid() not in {process for _, process in answers}

    def test_an_error_of_the_function_is_not_a_loss(self, workers: Workers) -> None:
        error = workers.submit(_fail, "wrong").exception(_SECONDS)
        assert isinstance(error, ValueError)
        assert not workers.is_lost(error)

    def test_a_worker_that_ends_is_a_loss_and_work_goes_on(self, workers: Workers) -> None:
        error = workers.submit(os._exit, 1).exception(_SECONDS)
        assert error is not None
        assert workers.is_lost(error)
        why = workers.revive()
        if self.replaces:
            assert why == ""
            assert workers.submit(abs, -3).result(_SECONDS) == 3
        else:
            assert why

    def test_running_functions_see_that_the_run_has_stopped(self, workers: Workers) -> None:
        stopped = workers.stopped
        if stopped is None:
            pytest.skip("these workers cannot be stopped")
        assert workers.submit(_called, stopped).result(_SECONDS) is False
        workers.stop()
        assert workers.submit(_until, stopped).result(_SECONDS) is True

    def test_each_worker_answers_where_they_can_be_asked(self, workers: Workers) -> None:
        if not isinstance(workers, SupportsEach):
            pytest.skip("these workers cannot be asked one by one")
        answers = workers.each(_process, 2)
        assert answers
        assert {number for number, _ in answers.values()} == {2}
        assert len({process for _, process in answers.values()}) == len(answers)

    def test_what_a_function_says_arrives_before_its_answer(self, workers: Workers) -> None:
        if not isinstance(workers, SupportsNews):
            pytest.skip("functions of these workers cannot say anything before they end")
        heard: list[object] = []
        assert workers.submit_with_news(_say, 2, heard.append).result(_SECONDS) == 2
        assert heard == [0, 1]

    def test_closing_twice_does_nothing_more(self, workers: Workers) -> None:
        workers.close()
        workers.close()


def _process(number: int) -> tuple[int, int]:
    return number, os.getpid()


def _say(count: int, say: Callable[[object], None]) -> int:
    for number in range(count):
        say(number)
    return count


def _fail(message: str) -> None:
    raise ValueError(message)


def _called(stopped: Callable[[], bool]) -> bool:
    return stopped()


def _until(stopped: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 30
    while not (found := stopped()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found
