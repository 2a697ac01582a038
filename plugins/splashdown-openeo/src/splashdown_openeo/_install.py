"""Puts the drop-in in the place of the client's own class, and takes it out again.

This changes :class:`openeo.BatchJob` for the whole process: that is what the caller asks for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from openeo.rest.job import BatchJob

from splashdown_openeo._results import JobResults


def _get_results(self: BatchJob) -> JobResults:
    """Get the results of the batch job."""
    return JobResults(job=self)


#: The method that :func:`uninstall` puts back, as it was when this module was imported.
_ORIGINAL = BatchJob.get_results


def install() -> None:
    """Make ``BatchJob.get_results()``, and all that stands on it, return :class:`splashdown_openeo.JobResults`."""
    BatchJob.get_results = _get_results  # type: ignore[method-assign]


def uninstall() -> None:
    """Undo :func:`install`. Harmless when nothing is installed."""
    if is_installed():
        BatchJob.get_results = _ORIGINAL  # type: ignore[method-assign]


def is_installed() -> bool:
    """Whether :func:`install` is in force."""
    return BatchJob.get_results is _get_results


@contextmanager
def installed() -> Iterator[None]:
    """Install for the length of a ``with`` block; what was installed before stays so."""
    before = is_installed()
    install()
    try:
        yield
    finally:
        if not before:
            uninstall()
