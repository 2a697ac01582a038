"""The listener ``progress``: bars on a terminal, a table in a notebook, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from splashdown.builtins.progress.lines import ProgressLines
from splashdown.hookspecs import hookimpl
from splashdown.protocols import Listener
from splashdown.specs import ListenerSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressOptions:
    """``style`` is ``auto`` (what fits), ``bars``, ``notebook`` or ``lines``; bars and lines go to stderr."""

    style: Literal["auto", "bars", "notebook", "lines"] = "auto"


def make_progress(options: ProgressOptions | None) -> Listener:
    """The listener that fits where output goes."""
    style = options.style if options is not None else ProgressOptions().style
    if style == "auto":
        style = "notebook" if in_notebook() else "bars" if sys.stderr.isatty() else "lines"
    if style == "notebook":
        from splashdown.builtins.progress.notebook import ProgressTable

        return ProgressTable()
    if style == "bars":
        from splashdown.builtins.progress.bars import ProgressBars

        return ProgressBars(sys.stderr)
    return ProgressLines(sys.stderr)


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook; IPython is asked only where it is there already."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")


@hookimpl
def splashdown_listeners() -> Iterable[ListenerSpec]:
    """Offer the progress display."""
    yield ListenerSpec(
        name="progress", create=make_progress, options=ProgressOptions, summary="bars, a notebook's table, or lines"
    )
