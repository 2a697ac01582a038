"""Paired runs: every contender once in each round, in turn, so that a noisy minute hits all of them.

Compared are medians of the ratios within a round. Seconds of different rounds, hours or machines say little.
"""

from __future__ import annotations

import compileall
import os
import platform
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from peers import Contender, Job, Measure

import splashdown

Rounds = Mapping[str, Sequence[Measure]]
MIB = 1024 * 1024


def machine() -> str:
    """What everything was measured on."""
    return (
        f"{platform.machine()}, {os.cpu_count()} CPUs, Linux {platform.release()}, Python {platform.python_version()}"
    )


def compile_sources(*folders: Path) -> None:
    """Compile the package as an installer does: a checkout under PYTHONDONTWRITEBYTECODE is compiled at each start.

    ``folders`` are sources of other versions that take part.
    """
    for folder in (Path(splashdown.__file__).parent, *folders):
        compileall.compile_dir(folder, quiet=1)


def alternate(job: Job, contenders: Sequence[Contender], runs: int, *, once: Sequence[str] = ()) -> Rounds:
    """Run everybody ``runs`` times, each round beginning with another; the slow ones named in ``once`` in the first only.

    The target is emptied between runs, and what came is checked after each; neither is timed.
    """
    results: dict[str, list[Measure]] = {one.name: [] for one in contenders}
    for number in range(runs):
        first = number % len(contenders)
        for contender in (*contenders[first:], *contenders[:first]):
            if number and contender.name in once:
                continue
            results[contender.name].append(measured(contender, job))
    return results


def measured(contender: Contender, job: Job) -> Measure:
    """One run into an empty target."""
    job.clear()
    measure = contender.run(job)
    job.check()
    job.clear()
    sys.stderr.write(f"  {contender.name}: {measure.seconds:.2f} s, CPU {measure.cpu:.2f} s\n")
    return measure


def ratio(results: Rounds, one: str, other: str, of: Callable[[Measure], float] = lambda m: m.seconds) -> float:
    """How many times faster ``one`` is than ``other``: the median over the rounds that both took part in."""
    pairs = zip(results[one], results[other], strict=False)
    return statistics.median(of(theirs) / of(mine) for mine, theirs in pairs)


def fastest(results: Rounds, among: Sequence[str]) -> str:
    """Who has the lowest median."""
    return min(among, key=lambda name: statistics.median(m.seconds for m in results[name]))


def table(results: Rounds, reference: str, rate: Callable[[float], str]) -> str:
    """A Markdown table of medians, fastest first; ``rate`` makes seconds a rate such as ``1,100 MB/s``."""
    lines = [
        f"| contender | median s | lowest - highest | rate | CPU s | peak MiB | {reference} is so many times faster | runs |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in sorted(results, key=lambda name: statistics.median(m.seconds for m in results[name])):
        runs = results[name]
        seconds = [run.seconds for run in runs]
        middle = statistics.median(seconds)
        cpu, rss = (statistics.median(values) for values in zip(*((m.cpu, m.rss) for m in runs), strict=True))
        lines.append(
            f"| {name} | {middle:.2f} | {min(seconds):.2f} - {max(seconds):.2f} | {rate(middle)} | {cpu:.2f} "
            f"| {rss / MIB:.0f} | {ratio(results, reference, name):.2f} | {len(runs)} |"
        )
    return "\n".join(lines)
