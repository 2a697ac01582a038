"""Repeats a call of a sink that failed, where the sink's exception says that it may work later."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from splashdown._engine.context import Context
from splashdown._engine.retry import RetryBudget, StoppedError
from splashdown._engine.source import Source
from splashdown.errors import error_text
from splashdown.events import Retried

T = TypeVar("T")


def retry_store_call(context: Context, source: Source, call: Callable[[], T]) -> T:
    """Return the call's result. After an exception whose ``retryable`` is true, call again as the policy allows."""
    budget: RetryBudget | None = None
    while True:
        try:
            return call()
        except Exception as error:
            if not getattr(error, "retryable", False) or isinstance(error, StoppedError):
                raise
            # Not the budget of the reading side: a store that is down says nothing about the server.
            budget = budget or RetryBudget(context.settings.retry)
            delay = budget.delay(error)
            if delay is None:
                raise
            if context.events.active:
                event = Retried(transfer=source.transfer, attempt=budget.failures, delay=delay, error=error_text(error))
                context.events.emit(event)
            if context.stop.wait(delay):
                raise
