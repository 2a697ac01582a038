"""Object stores for Splashdown: ``gs://``, ``az://`` and ``s3+obstore://``. obstore is imported when one is used."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from splashdown.hookspecs import hookimpl
from splashdown.specs import SinkSpec, TransportSpec
from splashdown_obstore._options import ObstoreOptions

if TYPE_CHECKING:
    from splashdown.protocols import Sink, Transport

__all__ = ["ObstoreOptions"]

_SCHEMES = ("gs", "az", "s3+obstore")
_SUMMARY = "Google Cloud Storage, Azure Blob Storage, and S3 by another library than splashdown-s3"


def _create_sink(target: str, options: Any) -> Sink:
    from splashdown_obstore._sink import ObstoreSink

    return ObstoreSink(target, options if isinstance(options, ObstoreOptions) else ObstoreOptions())


def _create_transport(options: Any) -> Transport:
    from splashdown_obstore._transport import ObstoreTransport

    return ObstoreTransport(options if isinstance(options, ObstoreOptions) else ObstoreOptions())


@hookimpl
def splashdown_sinks() -> Iterable[SinkSpec]:
    """Buckets and containers as targets."""
    yield SinkSpec(name="obstore", schemes=_SCHEMES, create=_create_sink, options=ObstoreOptions, summary=_SUMMARY)


@hookimpl
def splashdown_transports() -> Iterable[TransportSpec]:
    """Buckets and containers as sources."""
    yield TransportSpec(
        name="obstore", schemes=_SCHEMES, create=_create_transport, options=ObstoreOptions, summary=_SUMMARY
    )
