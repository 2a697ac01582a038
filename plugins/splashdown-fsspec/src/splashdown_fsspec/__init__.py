"""Filesystems of fsspec for Splashdown: ``sftp://``, ``webdav://``, and ``fsspec://PROTOCOL/...`` for all others.

fsspec is imported when a URL of these schemes is used.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from splashdown.hookspecs import hookimpl
from splashdown.specs import SinkSpec, TransportSpec
from splashdown_fsspec._options import FsspecOptions

if TYPE_CHECKING:
    from splashdown.protocols import Sink, Transport

__all__ = ["FsspecOptions"]

_SCHEMES = ("sftp", "webdav", "webdav+http", "fsspec")
_SUMMARY = "SFTP, WebDAV, and fsspec://PROTOCOL/... for every other filesystem of fsspec"


def _create_sink(target: str, options: Any) -> Sink:
    from splashdown_fsspec._sink import FsspecSink

    return FsspecSink(target, options if isinstance(options, FsspecOptions) else FsspecOptions())


def _create_transport(options: Any) -> Transport:
    from splashdown_fsspec._transport import FsspecTransport

    return FsspecTransport(options if isinstance(options, FsspecOptions) else FsspecOptions())


@hookimpl
def splashdown_sinks() -> Iterable[SinkSpec]:
    """Filesystems as targets."""
    yield SinkSpec(name="fsspec", schemes=_SCHEMES, create=_create_sink, options=FsspecOptions, summary=_SUMMARY)


@hookimpl
def splashdown_transports() -> Iterable[TransportSpec]:
    """Filesystems as sources."""
    yield TransportSpec(
        name="fsspec", schemes=_SCHEMES, create=_create_transport, options=FsspecOptions, summary=_SUMMARY
    )
