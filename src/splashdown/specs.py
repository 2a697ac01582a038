"""What the registration hooks yield: a name and how to make the object. A spec does no work by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Concatenate

if TYPE_CHECKING:
    from splashdown.clipping import Area, Clip
    from splashdown.protocols import AssetHandle, Filter, Listener, Resolver, Signer, Sink, Transport, Workers


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkSpec:
    """A place to store: ``create(target, options)`` makes the sink for one target URL (or path, scheme ``""``).

    ``options`` is the dataclass of the plugin's settings; an instance of it (or ``None``) is passed on.
    """

    name: str
    schemes: Sequence[str]
    create: Callable[[str, Any], Sink]
    options: type | None = None
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportSpec:
    """A way to read hrefs of some schemes: ``create(options)`` makes one transport for a session."""

    name: str
    schemes: Sequence[str]
    create: Callable[[Any], Transport]
    options: type | None = None
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolverSpec:
    """A kind of source: ``create()`` makes the resolver."""

    name: str
    create: Callable[[], Resolver]
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerSpec:
    """Credentials for some origins (``scheme://host[:port]``; ``*.`` may stand for one or more labels of a host).

    Without ``origins``, the user chooses them: the field ``origins`` of the options holds them.
    """

    name: str
    create: Callable[[Any], Signer]
    origins: Sequence[str] = ()
    options: type | None = None
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterSpec:
    """A named filter: ``results.select(NAME=value)`` calls ``create(value)``."""

    name: str
    create: Callable[[Any], Filter]
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoaderSpec:
    """A way to make an object of an asset, found by name, media type, file extension or first bytes.

    ``media_types`` are compared without parameters and case; ``extensions`` have their dot; ``magic`` holds
    prefixes of the file. ``load`` is a :class:`~splashdown.protocols.Loader`; its keyword-only arguments are the
    options that a user may pass. ``load_many`` makes one object of several assets (files per date, for example), where
    the format allows it. ``summarise(asset, **options)`` gives the few facts that the command line prints of what
    ``load`` would return, reading no more than they need; one that is a list of records (mappings) is shown as a
    table, for the statistics of bands or columns. ``clip(asset, area)`` gives the part of the file that lies in an
    area as a file of its own, a :class:`~splashdown.clipping.Clip`, or ``None`` for a file beside the area:
    ``results.clip(...)``. ``options`` (a dataclass) describes those arguments of ``load`` that the command line takes:
    each field becomes an option of ``splashdown load``.
    """

    name: str
    load: Callable[Concatenate[AssetHandle, ...], object]
    media_types: Sequence[str] = ()
    extensions: Sequence[str] = ()
    magic: Sequence[bytes] = ()
    load_many: Callable[Concatenate[Sequence[AssetHandle], ...], object] | None = None
    summarise: Callable[Concatenate[AssetHandle, ...], Mapping[str, object]] | None = None
    clip: Callable[[AssetHandle, Area], Clip | None] | None = None
    options: type | None = None
    summary: str = ""


@dataclass(frozen=True, kw_only=True)
class LoaderOptions:
    """The option that most loaders have, to inherit from: how many bytes of a file may be read."""

    max_bytes: int | None = field(default=None, metadata={"help": "Refuse to read more than this.", "metavar": "BYTES"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerSpec:
    """An observer that a user names: ``create(options)`` makes it for one run."""

    name: str
    create: Callable[[Any], Listener]
    options: type | None = None
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorSpec:
    """Workers that move files in other processes: ``create(given, options)`` makes them for one run.

    ``executor="NAME"``, ``"NAME:REST"`` and ``"NAME://HOST"`` lead to it: ``given`` is ``""``, ``REST`` or the whole
    URL. ``accepts(thing)`` says whether an object that the user passed is one to work with, by its type alone and
    without importing its library; ``given`` is that object then, which stays open because it belongs to the user.
    """

    name: str
    create: Callable[[Any, Any], Workers]
    accepts: Callable[[object], bool] | None = None
    options: type | None = None
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSpec:
    """A verb: on the results of a source, on a target, or on either.

    ``run(results, **options)`` does it to results (``results.run(NAME)``; they have what
    :class:`~splashdown.actions.Results` names), ``on_target(session, target, **options)`` to what is stored in a
    target, for which no source is needed (``session.run(NAME, target)``). One of the two is required. ``plan`` takes
    the arguments of ``run`` and moves nothing: it returns the :class:`~splashdown.model.Plan` of what ``run`` would
    move, or an :class:`~splashdown.actions.ActionOutcome` without a report (``results.dry_run(NAME)``).
    ``options`` (a dataclass) describes the options.

    With ``command=True`` the verb is also a command: ``splashdown NAME SOURCE [--option VALUE]``, with ``--dry-run``
    where there is a ``plan``; without ``run`` it is ``splashdown NAME TARGET [--option VALUE]``.
    """

    name: str
    run: Callable[Concatenate[Any, ...], Any] | None = None
    plan: Callable[Concatenate[Any, ...], Any] | None = None
    on_target: Callable[Concatenate[Any, Any, ...], Any] | None = None
    options: type | None = None
    command: bool = False
    summary: str = ""


Spec = (
    SinkSpec
    | TransportSpec
    | ResolverSpec
    | SignerSpec
    | FilterSpec
    | LoaderSpec
    | ListenerSpec
    | ExecutorSpec
    | ActionSpec
)
