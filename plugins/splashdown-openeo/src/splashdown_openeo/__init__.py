"""Splashdown for people who hold openEO objects: a resolver for them, and a drop-in for the client's result classes.

With this package installed, ``splashdown.open()`` takes a :class:`openeo.BatchJob`, its results, or a
:class:`openeo.Connection` with ``job_id=``. :func:`install` makes the client's own calls use Splashdown.
:class:`LandingJobManager` is the client's job manager with results that land through Splashdown.
Importing this package does not import the openEO client; its first use does.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from splashdown.hookspecs import hookimpl
from splashdown.specs import ResolverSpec

if TYPE_CHECKING:
    from openeo.rest.job import JobResultDownloadException, MultipleAssetException

    from splashdown_openeo._install import install, installed, is_installed, uninstall
    from splashdown_openeo._job_manager import LandingJobManager
    from splashdown_openeo._results import JobResults, ResultAsset

__all__ = [
    "JobResultDownloadException",
    "JobResults",
    "LandingJobManager",
    "MultipleAssetException",
    "ResultAsset",
    "install",
    "installed",
    "is_installed",
    "uninstall",
]

_HOMES = {
    "JobResultDownloadException": "openeo.rest.job",
    "JobResults": "splashdown_openeo._results",
    "LandingJobManager": "splashdown_openeo._job_manager",
    "MultipleAssetException": "openeo.rest.job",
    "ResultAsset": "splashdown_openeo._results",
    "install": "splashdown_openeo._install",
    "installed": "splashdown_openeo._install",
    "is_installed": "splashdown_openeo._install",
    "uninstall": "splashdown_openeo._install",
}


# There is no __dir__ on purpose: pluggy looks at every name that dir() lists, and would import the client with it.
def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)


@hookimpl
def splashdown_resolvers() -> Iterable[ResolverSpec]:
    """Offer the resolver for objects of the openEO client."""
    from splashdown_openeo._resolver import ClientResolver

    yield ResolverSpec(
        name="openeo-client",
        create=ClientResolver,
        summary="a BatchJob, JobResults or Connection (with job_id=) of the openEO client",
    )
