"""Repeats what a sink does when the sink says that it may work later: one request to a store, not all of a part."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from splashdown._engine.context import Context
from splashdown._engine.retry import Budget, StoppedError
from splashdown._engine.source import Source
from splashdown.errors import error_text
from splashdown.events import Retried

T = TypeVar("T")


def retry_store_call(context: Context, source: Source, call: Callable[[], T]) -> T:
    """The call's result; an exception whose ``retryable`` is true makes it be called again, as the policy allows."""
    budget: Budget | None = None
    while True:
        try:
            return call()
        except Exception as error:
            if not getattr(error, "retryable", False) or isinstance(error, StoppedError):
                raise
            budget = budget or Budget(context.settings.retry)
            delay = budget.delay(error)
            if delay is None:
                raise
            if context.events.active:
                event = Retried(transfer=source.transfer, attempt=budget.failures, delay=delay, error=error_text(error))
                context.events.emit(event)
            if context.stop.wait(delay):
                raise
