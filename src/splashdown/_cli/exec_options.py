"""The options ``--exec``, ``--exec-jobs`` and ``--exec-all``: a program for each file that lands."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from splashdown._cli.help import F, with_options

if TYPE_CHECKING:
    from splashdown._cli.landed_commands import Command
    from splashdown.results import JobResults

#: Windows runs these with a shell, which takes parts of a name for commands.
_OF_A_SHELL = (".bat", ".cmd")


def exec_options(function: F) -> F:
    """Give a command the options of a program that runs on each file."""
    options = (
        click.option(
            "--exec",
            "exec_",
            metavar="COMMAND",
            callback=_words,
            help="Run this on each file as it lands, without a shell; {} stands for its path or URL.",
        ),
        click.option(
            "--exec-jobs",
            type=click.IntRange(1, 512),
            metavar="N",
            help="Commands of --exec at a time; without it one for each processor.",
        ),
        click.option("--exec-all", is_flag=True, help="Run --exec on files too that were there already."),
    )
    return with_options(function, options)


def take_command(given: dict[str, Any]) -> Command | None:
    """Take these options out of a command's; ``None`` without ``--exec``."""
    words, jobs, every = (given.pop(name) for name in ("exec_", "exec_jobs", "exec_all"))
    if words is None:
        if jobs or every:
            raise click.UsageError(f"--exec-{'jobs' if jobs else 'all'} goes with --exec only")
        return None
    from splashdown._cli.landed_commands import Command  # late, as all that only --exec needs

    return Command(words=words, jobs=jobs or os.cpu_count() or 1, every=every)


def _words(_context: click.Context, _option: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    import shlex  # late, as all that only --exec needs
    import shutil

    from splashdown._cli.landed_commands import HERE

    try:
        words = shlex.split(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} cannot be split into arguments ({error})") from None
    if not words or HERE in words[0]:
        raise click.BadParameter(f"{value!r} names no program: write for example --exec 'gdalinfo -json {{}}'")
    found = shutil.which(words[0])
    if found is None:
        raise click.BadParameter(f"there is no program {words[0]!r}: name one on the PATH, or by its path")
    if found.lower().endswith(_OF_A_SHELL):
        raise click.BadParameter(f"{words[0]!r} is run by a shell, which names of files could mislead: name a program")
    return (*words, *(() if any(HERE in word for word in words) else (HERE,)))


def runner(results: JobResults, command: Command | None) -> Callable[..., Any]:
    """What runs an action: ``run`` of the results, or the same with a program for each file that lands."""
    if command is None:
        return results.run
    from splashdown._cli.landed_commands import Landing

    return Landing(results, command).run
