"""What a pipe gets of a run with very many files: a line every ten seconds, and the first failures."""

import io

from splashdown.builtins.progress.lines import ProgressLines
from splashdown.events import Retried, RunFinished, RunStarted, TransferFinished
from splashdown.model import Asset, Outcome, Plan, RunReport, Status, Transfer

COUNT = 800


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self):
        return self.now


def transfers(count):
    return tuple(
        Transfer(asset=Asset(key=f"k{n}", href=f"https://host.example/{n}"), name=f"{n}") for n in range(count)
    )


def lines_of(count, outcome_of, seconds_each=0.125):
    clock, screen, plan = Clock(), io.StringIO(), Plan(target="out", transfers=transfers(count))
    lines = ProgressLines(screen, clock)
    lines(RunStarted(plan=plan))
    for one in plan.transfers:
        clock.now += seconds_each
        outcome_of(lines, one)
    lines(RunFinished(report=RunReport(plan=plan, outcomes=())))
    return screen.getvalue().splitlines()


def stored(lines, one):
    lines(TransferFinished(outcome=Outcome(transfer=one, status=Status.STORED, size=2048, bytes_moved=2048)))


def failed(lines, one):
    lines(Retried(transfer=one, attempt=1, delay=1.0, error="OSError: away"))
    lines(TransferFinished(outcome=Outcome(transfer=one, status=Status.FAILED, error_type="OSError", error="away")))


def test_a_hundred_seconds_of_many_files_take_eleven_lines():
    lines = lines_of(COUNT, stored)
    assert len(lines) == 11
    assert lines[0] == "80 of 800 files, 160.0 KiB, 8.0 files/s, 16.0 KiB/s, 10 s, about 1 min 30 s left"
    assert lines[-1].startswith("800 of 800 files, 1.6 MiB, 8.0 files/s")


def test_of_very_many_failures_the_first_are_shown():
    lines = lines_of(COUNT, failed)
    assert sum("failed: OSError" in line or "trying again" in line for line in lines) == 50
    assert sum("the report has every failure" in line for line in lines) == 1
    assert lines[-1].startswith("800 of 800 files, 800 failed, 800 retries")


def test_a_few_files_have_a_line_each():
    assert len(lines_of(20, stored)) == 20
    assert len(lines_of(20, failed)) == 40
