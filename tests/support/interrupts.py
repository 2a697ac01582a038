"""Lets tests, and the processes that they start, be interrupted.

A shell that starts the tests in the background lets them ignore Ctrl-C, and every process they start as well. The tests
of Ctrl-C would then fail for a reason that is not in the code.
"""

import signal


def allow_interrupts() -> None:
    """Undo what such a shell has done."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
