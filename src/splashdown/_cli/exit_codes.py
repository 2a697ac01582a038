"""The exit codes, and which error ends with which."""

from __future__ import annotations

import os
import sys

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_NOT_RESOLVED = 3
EXIT_NOT_AUTHORISED = 4
EXIT_STOPPED = 5
EXIT_DIFFERS = 6
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143


def exit_code(error: Exception) -> int:
    """The exit code that stands for an error."""
    from splashdown import errors

    by_type: tuple[tuple[type[Exception], int], ...] = (
        (errors.AuthError, EXIT_NOT_AUTHORISED),
        (errors.ResolveError, EXIT_NOT_RESOLVED),
        # A key that is not there is a typo; a source or a selection without assets is not how the command was called.
        (errors.UnknownKeyError, EXIT_USAGE),
        (errors.NoAssetError, EXIT_NOT_RESOLVED),
        (errors.UsageError, EXIT_USAGE),
        (errors.PluginError, EXIT_USAGE),
    )
    return next((code for kind, code in by_type if isinstance(error, kind)), EXIT_FAILED)


def reader_gone() -> int:
    """The exit code where the reader of the output has gone; what is still written goes nowhere.

    Else the flush at the end of the process would fail once more.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return EXIT_FAILED
