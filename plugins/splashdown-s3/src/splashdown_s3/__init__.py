"""S3 for Splashdown: the sink and the transport ``s3://``. botocore is imported when a URL of that scheme is used."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from splashdown.hookspecs import hookimpl
from splashdown.specs import SinkSpec, TransportSpec
from splashdown_s3._options import S3Options

if TYPE_CHECKING:
    from splashdown.protocols import Sink, Transport

__all__ = ["S3Options"]


def _create_sink(target: str, options: Any) -> Sink:
    from splashdown_s3._sink import S3Sink

    return S3Sink(target, _at_host(options))


def _create_transport(options: Any) -> Transport:
    from splashdown_s3._transport import S3Transport

    return S3Transport(_at_host(options))


def _at_host(options: Any) -> S3Options:
    return (options if isinstance(options, S3Options) else S3Options()).at_host()


@hookimpl
def splashdown_sinks() -> Iterable[SinkSpec]:
    """Buckets as targets."""
    yield SinkSpec(
        name="s3",
        schemes=("s3",),
        create=_create_sink,
        options=S3Options,
        summary="buckets of AWS and of every store that speaks S3",
    )


@hookimpl
def splashdown_transports() -> Iterable[TransportSpec]:
    """Buckets as sources."""
    yield TransportSpec(
        name="s3",
        schemes=("s3",),
        create=_create_transport,
        options=S3Options,
        summary="objects of AWS and of every store that speaks S3",
    )
