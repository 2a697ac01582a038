"""The executor ``dask``: a cluster of this machine, a scheduler at an address, or a client that the user made.

distributed is imported when a run asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from splashdown import hookimpl
from splashdown.specs import ExecutorSpec
from splashdown_dask._options import DaskOptions

if TYPE_CHECKING:
    from splashdown_dask._workers import DaskWorkers

__all__ = ["DaskOptions", "splashdown_executors"]


def _create(given: Any, options: DaskOptions) -> DaskWorkers:
    from splashdown_dask._workers import workers_of

    return workers_of(given, options)


def _accepts(given: object) -> bool:
    # By name: whoever has an object of distributed has imported it, and others need not.
    return any(
        kind.__module__.partition(".")[0] == "distributed" and kind.__name__ == "Client" for kind in type(given).__mro__
    )


@hookimpl
def splashdown_executors() -> Iterable[ExecutorSpec]:
    """Offer the workers of a Dask cluster."""
    yield ExecutorSpec(
        name="dask",
        create=_create,
        accepts=_accepts,
        options=DaskOptions,
        summary="a Dask cluster: dask for one of this machine, dask://HOST:PORT for a scheduler",
    )
