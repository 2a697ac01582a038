"""How many files of one host are worth having under way, decided from what was measured; without threads or clocks.

A number is tried for a while, and kept where the rate has grown with it. So it doubles from its start until that no
longer helps; after that, half as many more are tried from time to time. Where the rate falls to less than half, fewer
may do as much: half of the number is tried. Threads that move small files and keep the interpreter busy mostly wait for
each other: a few are tried, then one. ``pacing`` measures, and applies the number.
"""

from __future__ import annotations

from dataclasses import dataclass

#: So many files at once where a run begins, all hosts together.
START = 8
#: So many at once at most, where the user gave no number.
MOST = 64
#: The share of a larger number that has to arrive as a higher rate: twice as many files have to come a third faster.
_GAIN = 1 / 3
#: A larger number gets so many windows more to show it: a moment of a busy machine must not decide.
_MOST_DOUBTS = 1
#: A number half as high is kept where the rate stays about what it was.
_SAME = 0.9
#: A rate below this share of what it was, for so many seconds, has fallen: requests take more than twice as long.
_FALLEN, _FALLEN_SECONDS = 0.5, 2.0
#: Processor seconds a second of this process, from which on more threads would only wait for the interpreter.
_BUSY = 0.8
#: So many threads keep the interpreter busy with small files: one computes while the other waits for the kernel. One
#: alone does nearly as much at two thirds of the cost, as nothing changes hands.
FEW = 2
#: Seconds until the next try after one in vain; twice as many after each, up to the longest.
_PATIENCE = 0.5
_LONGEST_PATIENCE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What was measured while the number stayed the same."""

    rate: float  #: work a second, in any unit that stays the same
    seconds: float
    busy: float = 0.0  #: processor seconds a second of this process
    waiting: bool = True  #: whether there are files that a larger number would begin
    small: bool = False  #: whether a file costs its calls rather than its bytes


class Pace:
    """Observations in, a number out: ``limit`` is never below 1 nor above ``most``."""

    def __init__(self, *, start: int = START, most: int = MOST) -> None:
        self._most = most
        #: Only a busy interpreter leads below this: a slow minute of a busy machine looks like a slow host.
        self._least = min(start, most)
        self.limit = self._kept = self._least  #: what is tried, and what has proved itself
        self._low = 0.0  #: for how many seconds the rate has been low
        self._rate = 0.0  #: with what has proved itself; 0 as long as that was not measured
        self._settling = False  #: the next window still has files that began with another number
        self._doubts = 0  #: windows that spoke against what is tried
        self._doubles = True  #: nothing was tried in vain yet
        self._pause = 0.0  #: seconds until the next try
        self._patience = _PATIENCE

    @property
    def trying(self) -> bool:
        """Whether the next window decides something, so that it should be short."""
        return not self.fixed and (self._settling or self.limit != self._kept or not self._rate)

    @property
    def fixed(self) -> bool:
        """Whether there is nothing to find out."""
        return self._least == self._most

    def observe(self, window: Window) -> int:
        """Take a measurement; the number from now on."""
        if self._settling:
            self._settling = False
        elif self.limit > self._kept:
            self._judge_more(window)
        elif self.limit < self._kept:
            self._judge_fewer(window)
        else:
            self._go_on(window)
        return self.limit

    def _judge_more(self, window: Window) -> None:
        needed = 1 + _GAIN * (self.limit / self._kept - 1)
        if window.rate >= needed * self._rate:
            self._keep(window)
            self._patience = _PATIENCE
            self._try_more(window)
        elif self._doubts < _MOST_DOUBTS:
            self._doubts += 1
        else:
            self._give_up()
            self._set(self._kept)

    def _judge_fewer(self, window: Window) -> None:
        if window.rate >= _SAME * self._rate:
            self._keep(window)
            self._try_few(window) if window.busy >= _BUSY else self._try_fewer()
        else:
            self._give_up()
            self._set(self._kept)

    def _go_on(self, window: Window) -> None:
        self._pause -= window.seconds
        if window.rate < _FALLEN * self._rate:
            self._low += window.seconds
            if self._low >= _FALLEN_SECONDS:
                self._keep(window)
                self._try_fewer()
            return
        self._low = 0.0
        # Slow changes are followed, so that they are not taken for a fall some day.
        self._rate = (self._rate + window.rate) / 2 if self._rate else window.rate
        if self._pause <= 0:
            self._try_few(window) if window.busy >= _BUSY else self._try_more(window)

    def _keep(self, window: Window) -> None:
        self._kept, self._rate, self._low = self.limit, window.rate, 0.0

    def _give_up(self) -> None:
        self._doubles = False
        self._pause, self._patience = self._patience, min(2 * self._patience, _LONGEST_PATIENCE)

    def _try_more(self, window: Window) -> None:
        if window.waiting and window.busy < _BUSY:
            more = 2 * self._kept if self._doubles else self._kept + max(1, self._kept // 2)
            self._set(min(more, self._most))

    def _try_few(self, window: Window) -> None:
        if window.small:
            self._set(FEW if self._kept > FEW else 1)

    def _try_fewer(self) -> None:
        self._set(max(self._kept // 2, min(self._kept, self._least)))

    def _set(self, limit: int) -> None:
        self._settling = limit != self.limit
        self.limit, self._doubts = limit, 0
