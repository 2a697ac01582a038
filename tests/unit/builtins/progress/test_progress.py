"""What is shown while a run goes on: counts, names, amounts, and what is left on the screen."""

import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splashdown import Asset, Outcome, Plan, RunReport, Session, Status, Transfer
from splashdown._display.text import amount, counted, readable, shortened
from splashdown.builtins.progress.bars import ProgressBars
from splashdown.builtins.progress.lines import ProgressLines
from splashdown.builtins.progress.tally import Tally
from splashdown.events import (
    Progress,
    Retried,
    RunFinished,
    RunInterrupted,
    RunStarted,
    TransferFinished,
    TransferStarted,
    WorkersProgress,
)


def transfer(name, size=None):
    return Transfer(asset=Asset(key=name, href=f"https://host.example/{name}", size=size), name=name)


def failed(one, error_type="HttpStatusError"):
    outcome = Outcome(transfer=one, status=Status.FAILED, error_type=error_type, error="it is not there")
    return TransferFinished(outcome=outcome)


def stored(one):
    return TransferFinished(
        outcome=Outcome(transfer=one, status=Status.STORED, size=one.asset.size, verified=("size", "checksum"))
    )


A, B = transfer("a.tif", 100), transfer("b.tif", 300)
PLAN = Plan(target="out", transfers=(A, B))
REPORT = RunReport(plan=PLAN, outcomes=())


def run(*events):
    return [RunStarted(plan=PLAN), *(TransferStarted(transfer=t, size=t.asset.size) for t in (A, B)), *events]


def test_bytes_on_the_way_and_bytes_that_arrived_are_added_up():
    tally = Tally()
    for event in run(Progress(transfer=B, done=50, size=300), stored(A)):
        tally(event)
    assert (tally.done, tally.size, tally.title) == (150, 400, "1 of 2 files")
    tally(failed(B))
    assert (tally.done, tally.title) == (100, "2 of 2 files, 1 failed")


def test_workers_say_how_far_they_are_and_nothing_counts_twice():
    tally = Tally()
    tally(RunStarted(plan=PLAN))
    seen = []
    for event in (
        WorkersProgress(finished=1, done=150),
        WorkersProgress(finished=0, done=0),  # the batch has ended
        TransferStarted(transfer=A, size=100),
        Progress(transfer=A, done=100, size=100),
        stored(A),
        failed(B),
    ):
        tally(event)
        seen.append((tally.ended, tally.done))
    assert seen == [(1, 150)] * 5 + [(2, 150)]
    tally(WorkersProgress(finished=0, done=0))  # all of its files are named
    assert (tally.ended, tally.done, tally.title) == (2, 100, "2 of 2 files, 1 failed")


def test_what_was_stopped_with_the_run_is_no_failure():
    tally, screen = Tally(), io.StringIO()
    lines = ProgressLines(screen)
    stopped = failed(A, "StoppedError")
    stopped = replace(stopped, outcome=replace(stopped.outcome, status=Status.NOT_TRIED))
    for event in run(stopped):
        tally(event)
        lines(event)
    assert tally.failed == 0
    assert screen.getvalue() == ""


def test_the_size_of_a_run_is_unknown_when_one_assets_is():
    tally = Tally()
    tally(RunStarted(plan=Plan(target="out", transfers=(A, transfer("c.tif")))))
    assert tally.size is None


def test_lines_number_the_files_and_name_what_was_checked():
    screen = io.StringIO()
    lines = ProgressLines(screen)
    retried = Retried(transfer=A, attempt=1, delay=0.5, error="NetworkError: broke\x1b[2J")
    for event in run(retried, stored(A), failed(B)):
        lines(event)
    assert screen.getvalue().splitlines() == [
        "a.tif: NetworkError: broke\N{REPLACEMENT CHARACTER}[2J; trying again in 0.5 s",
        "[1/2] a.tif: stored, 100 B, checked by size and checksum",
        "[2/2] b.tif: failed: HttpStatusError: it is not there",
    ]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Terminal()


@pytest.mark.parametrize("last", [RunFinished(report=REPORT), RunInterrupted(plan=PLAN)])
def test_bars_leave_failures_and_give_the_cursor_back(terminal, last):
    bars = ProgressBars(terminal)
    for event in run(Progress(transfer=B, done=50, size=300), failed(A), last):
        bars(event)
    text = terminal.getvalue()
    assert "a.tif: failed: HttpStatusError: it is not there" in text
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")  # shown after it was hidden


def test_what_a_server_says_cannot_steer_the_terminal(terminal):
    told = Outcome(transfer=A, status=Status.FAILED, error_type="HttpStatusError", error="no\x1b]0;owned\x07")
    bars, screen = ProgressBars(terminal), io.StringIO()
    lines = ProgressLines(screen)
    for event in run(TransferFinished(outcome=told), RunFinished(report=REPORT)):
        bars(event)
        lines(event)
    for text in (terminal.getvalue(), screen.getvalue()):
        assert "a.tif: failed: HttpStatusError: no" in text
        assert "\x1b]0;" not in text
        assert "\x07" not in text


def test_bars_fit_on_a_narrow_terminal(terminal):
    long = transfer("B01-" + "x" * 200 + ".tif", 6 * 2**20)
    bars = ProgressBars(terminal)
    plan = Plan(target="out", transfers=(long,))
    started = TransferStarted(transfer=long, size=6 * 2**20)
    for event in (RunStarted(plan=plan), started, Progress(transfer=long, done=3 * 2**20, size=6 * 2**20)):
        bars(event)
    rows = [str(line) for line in bars._bars.console.render_lines(bars._bars.get_renderable(), pad=False)]
    assert len(rows) == 2  # the run and one file: nothing wraps
    assert "B01-" in rows[1]
    assert "3.0/6.0 MiB" in rows[1]
    bars(RunInterrupted(plan=plan))


@given(st.text(st.characters(exclude_characters="\N{HORIZONTAL ELLIPSIS}"), max_size=80), st.integers(3, 60))
def test_a_shortened_name_keeps_both_ends_and_fits(name, width):
    short = shortened(name, width)
    assert len(short) <= width
    if len(name) > width:
        begin, end = short.split("\N{HORIZONTAL ELLIPSIS}")
        assert name.startswith(begin)
        assert name.endswith(end)
    else:
        assert short == name


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (None, "?"),
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (38842, "37.9 KiB"),
        (5 * 2**40, "5.0 TiB"),
        (3000 * 2**40, "3000.0 TiB"),
    ],
)
def test_sizes_are_binary(size, text):
    assert readable(size) == text


def test_an_amount_has_the_unit_of_its_end():
    assert amount(512, 2**20) == "0.0/1.0 MiB"
    assert amount(3 * 2**20, None) == "3.0 MiB"
    assert [counted(n, "file") for n in (0, 1, 2)] == ["0 files", "1 file", "2 files"]


def test_the_style_of_the_display_can_be_chosen_and_a_slip_is_named():
    assert isinstance(Session(discover=False).listener("progress", style="lines"), ProgressLines)
    with pytest.raises(ValueError, match="bars"):
        Session(discover=False).listener("progress", style="barz")
