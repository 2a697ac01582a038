"""Keeps secrets out of what urllib3 logs: the paths of requests with their queries, at DEBUG and for each retry."""

from __future__ import annotations

import logging

from splashdown.redact import redact_text

_LOGGERS = ("urllib3.connectionpool", "urllib3.util.retry")


class _WithoutSecrets(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_plain(one) for one in record.args)
        return True


def _plain(value: object) -> object:
    return value if isinstance(value, int | float | None) else redact_text(str(value))


_FILTER = _WithoutSecrets()


def hide_secrets() -> None:
    """Let the loggers of urllib3 show no query, whoever sends the request; to call it again changes nothing."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
