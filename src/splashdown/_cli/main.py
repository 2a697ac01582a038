"""Where the command starts and ends: its version needs nothing, all else the root command."""

from __future__ import annotations

import gc
import sys

from splashdown._cli.exit_codes import reader_gone
from splashdown._version import __version__

TYPE_CHECKING = False  # as in ``typing``, which takes longer to import than the version to print
if TYPE_CHECKING:
    from collections.abc import Sequence


def run(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the ``splashdown`` command."""
    code = main(arguments)
    # The process ends, and its memory with it: to search all of that for cycles first takes a tenth of a short command.
    gc.freeze()
    sys.exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; every error ends as one line on stderr."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given in (["--version"], ["-V"]):
        return _print_version()
    from splashdown._cli.root import main as run_root  # late: it imports click

    return run_root(arguments)


def _print_version() -> int:
    """What the option ``--version`` of the root command prints."""
    try:
        print(f"splashdown, version {__version__}", flush=True)  # noqa: T201 - this is the output
    except BrokenPipeError:
        return reader_gone()
    return 0
