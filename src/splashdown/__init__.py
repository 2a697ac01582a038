"""Splashdown lands the results of openEO batch jobs, and any STAC assets, where they are needed.

    import splashdown

    results = splashdown.open("https://openeo.example/openeo/1.2/jobs/JOB", auth="TOKEN")
    results.download_files("data/out")

Who imports what: each line knows the lines below it. A name without an underscore is public and documented.

    __main__                                             ``python -m splashdown``
    _cli, _demo                                          the command line; the job of ``splashdown demo``
    landing                                              many sources, a folder each: lists of jobs, what is watched
    _landing                                             reads lists, lands each job, waits
    aio                                                  the same for asyncio
    session, backend, results, result_asset, resolving, http, testing  used from outside, parts for plugins too
    streams                                              outcomes while a run goes on
    _derived                                             assets made of others: clips, files inside archives
    _workers                                             moves files in other processes
    _engine, _plugins, _naming                           the host: moves bytes, finds plugins, names files
    builtins                                             a plugin each, reached by the registry alone
    hookspecs, specs                                     what a plugin registers
    _saving, _choosing, _receipts, _stac, _documents, _series  libraries shared by host and built-ins
    actions                                              what actions get and return
    protocols, events                                    what objects of plugins do, and what a run emits
    _display, _folders                                   how values are shown; folders in which no link is followed
    _foreign                                             calls code of plugins
    connections, _connections                            HTTP over pooled connections
    picture                                              pictures as values
    model, auth, checksums, clipping, columns, errors, formats, redact, safe_names, sources, store_errors  values

Names are imported when they are first used, so that ``import splashdown`` stays quick.
"""

from __future__ import annotations

import importlib

from splashdown._version import __version__

TYPE_CHECKING = False  # as in ``typing``, which takes longer to import than all of this
if TYPE_CHECKING:
    from typing import Any

    from splashdown import aio as aio
    from splashdown._engine.settings import RetryPolicy, Settings
    from splashdown.backend import connect
    from splashdown.errors import (
        AuthError,
        DownloadError,
        JobFailed,
        JobNotFinished,
        JobNotFound,
        LoadError,
        MultipleAssetsError,
        NoAssetError,
        NoProviderError,
        ResolveError,
        ResultLinkExpired,
        SplashdownError,
        TransferError,
        UnknownKeyError,
        UsageError,
    )
    from splashdown.hookspecs import hookimpl, hookspec
    from splashdown.model import Asset, IfExists, Outcome, Plan, RunReport, Status, Transfer
    from splashdown.results import JobResults, ResultAsset
    from splashdown.session import Session, open  # noqa: A004 - the verb of the field

_HOMES = {
    "splashdown._engine.settings": ("RetryPolicy", "Settings"),
    "splashdown.backend": ("connect",),
    "splashdown.errors": (
        "AuthError",
        "DownloadError",
        "JobFailed",
        "JobNotFinished",
        "JobNotFound",
        "LoadError",
        "MultipleAssetsError",
        "NoAssetError",
        "NoProviderError",
        "ResolveError",
        "ResultLinkExpired",
        "SplashdownError",
        "TransferError",
        "UnknownKeyError",
        "UsageError",
    ),
    "splashdown.hookspecs": ("hookimpl", "hookspec"),
    "splashdown.model": ("Asset", "IfExists", "Outcome", "Plan", "RunReport", "Status", "Transfer"),
    "splashdown.results": ("JobResults", "ResultAsset"),
    "splashdown.session": ("Session", "open"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Asset",
    "AuthError",
    "DownloadError",
    "IfExists",
    "JobFailed",
    "JobNotFinished",
    "JobNotFound",
    "JobResults",
    "LoadError",
    "MultipleAssetsError",
    "NoAssetError",
    "NoProviderError",
    "Outcome",
    "Plan",
    "ResolveError",
    "ResultAsset",
    "ResultLinkExpired",
    "RetryPolicy",
    "RunReport",
    "Session",
    "Settings",
    "SplashdownError",
    "Status",
    "Transfer",
    "TransferError",
    "UnknownKeyError",
    "UsageError",
    "__version__",
    "connect",
    "hookimpl",
    "hookspec",
    "open",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its home (PEP 562)."""
    if name == "aio":
        return importlib.import_module("splashdown.aio")
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
