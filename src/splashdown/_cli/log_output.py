"""Where a command's log goes: ``-v`` shows it on stderr, ``--log-file`` keeps it, a line or a JSON object a record.

Without either, Python itself shows warnings on stderr.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable

import click

from splashdown._display.json import dumps
from splashdown._display.text import printable
from splashdown.redact import redact_text

_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)
_log = logging.getLogger("splashdown")


class _Text(logging.Formatter):
    """``2026-01-31T06:00:00.123Z INFO run begins: ...``, on one line."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(f"{_time(record)} {record.levelname} {_message(record)}")


class _Screen(logging.Formatter):
    """The message alone."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(_message(record))


class _Json(logging.Formatter):
    """One JSON object a line; what a record is about (file, size, error) has fields of its own."""

    def format(self, record: logging.LogRecord) -> str:
        about = getattr(record, "about", {})
        return dumps({"time": _time(record), "level": record.levelname, "message": _message(record), **about})


def start(*, verbose: int, file: str | None, form: str) -> Callable[[], None]:
    """Write the log of this project until the returned function is called.

    Raises ``click.UsageError`` for a file that cannot be written, and for a format without a log.
    """
    if not verbose and not file:
        raise click.UsageError("--log-format is for --log-file and -v: give one of them")
    level = _LEVELS[min(verbose, 2)]
    handlers: list[logging.Handler] = []
    if verbose:
        handlers.append(_handler(logging.StreamHandler(sys.stderr), level))
    if file:
        try:
            kept: logging.Handler = logging.FileHandler(file, encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise click.UsageError(f"--log-file {file!r} cannot be written: {error.strerror}") from None
        handlers.append(_handler(kept, min(level, logging.INFO)))
    before = _log.level
    _log.setLevel(min(handler.level for handler in handlers))
    for handler in handlers:
        handler.setFormatter(_Json() if form == "json" else _Text())
    if not verbose:
        handlers.append(_warnings())
    for handler in handlers:
        _log.addHandler(handler)

    def stop() -> None:
        _log.setLevel(before)
        for handler in handlers:
            _log.removeHandler(handler)
            handler.close()

    return stop


def on_screen() -> bool:
    """Whether the log is on stderr, with what it informs of."""
    return any(type(one) is logging.StreamHandler and one.level <= logging.INFO for one in _log.handlers)


def _warnings() -> logging.Handler:
    """Shows what Python shows of a log that goes nowhere; what is about a file, the display of the run shows."""
    handler = _handler(logging.StreamHandler(sys.stderr), logging.WARNING)
    handler.setFormatter(_Screen())
    handler.addFilter(lambda record: not hasattr(record, "about"))
    return handler


def _handler(handler: logging.Handler, level: int) -> logging.Handler:
    handler.setLevel(level)
    return handler


def _time(record: logging.LogRecord) -> str:
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03}Z"


def _message(record: logging.LogRecord) -> str:
    text = record.getMessage()
    if record.exc_info and record.exc_info[1] is not None:
        text += f": {type(record.exc_info[1]).__name__}: {record.exc_info[1]}"
    return " ".join(redact_text(text).split())
