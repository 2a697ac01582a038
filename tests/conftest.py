"""What holds for every test."""

import signal

# A shell that starts the tests in the background lets them ignore Ctrl-C, and every process they start as well. The
# tests of Ctrl-C would then fail for a reason that is not in the code.
signal.signal(signal.SIGINT, signal.default_int_handler)
