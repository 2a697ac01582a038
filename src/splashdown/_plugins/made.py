"""What ``create`` of each spec has to make; looked at with each object that a plugin makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from splashdown.protocols import Filter, Listener, Resolver, Signer, Sink, Transport, Workers
from splashdown.specs import (
    ExecutorSpec,
    FilterSpec,
    ListenerSpec,
    ResolverSpec,
    SignerSpec,
    SinkSpec,
    TransportSpec,
)

#: What ``create`` of a spec has to make.
MAKES: Final[Mapping[type, type]] = {
    ResolverSpec: Resolver,
    SinkSpec: Sink,
    TransportSpec: Transport,
    SignerSpec: Signer,
    FilterSpec: Filter,
    ListenerSpec: Listener,
    ExecutorSpec: Workers,
}


def refuse_made(made: object, protocol: type) -> str:
    """The faults of the object that ``create`` made; empty where it has all members of its protocol."""
    if isinstance(made, protocol):
        return ""
    if made is None:
        return "create() returned nothing; it has to return what it makes"
    members = [n for n in vars(protocol) if n == "__call__" or not n.startswith("_")]
    lacking = [n for n in members if not hasattr(made, n)]
    return f"create() made a {type(made).__name__} without {' and '.join(lacking)}"
