"""The resolver ``openeo``: the URL of a batch job, of its results, or a signed link to them.

``resolve.py`` has the steps; they are imported when a job is resolved.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from splashdown.hookspecs import hookimpl
from splashdown.sources import is_job_url
from splashdown.specs import ResolverSpec

if TYPE_CHECKING:
    from splashdown.model import ResultSet
    from splashdown.protocols import ResolveContext


class OpenEOResolver:
    """Reads the results of one openEO batch job (openEO API 1.0 to 1.3, ``GET /jobs/{job_id}/results``)."""

    def accepts(self, source: object) -> bool:
        """Whether the source has the form of such a URL, or is a handle from :func:`splashdown.connect`."""
        return is_job_url(source) or is_job_handle(source)

    def resolve(self, source: Any, context: ResolveContext) -> ResultSet:
        """Read the results document and what it links.

        Raises :class:`~splashdown.errors.JobNotFinished` (with the job's status), ``JobFailed``, ``JobNotFound``,
        ``ResultLinkExpired``, ``AuthError`` or another ``ResolveError``.
        """
        from splashdown.builtins.openeo.resolve import resolve_job

        return resolve_job(source, context)


def is_job_handle(source: object) -> bool:
    """Whether the source is a :class:`splashdown.backend.Job`; none exists before that module is imported."""
    backend = sys.modules.get("splashdown.backend")
    return backend is not None and isinstance(source, backend.Job)


@hookimpl
def splashdown_resolvers() -> Iterator[ResolverSpec]:
    """Offer the resolver."""
    yield ResolverSpec(
        name="openeo", create=OpenEOResolver, summary="URL of an openEO job, its results, or a signed link"
    )
