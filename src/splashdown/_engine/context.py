"""The state of one run: what its transfers share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from splashdown._engine.breaker import Breaker
from splashdown._engine.dispatch import Dispatcher
from splashdown._engine.journal import Journal
from splashdown._engine.memory_budget import MemoryBudget
from splashdown._engine.outlet import Outlet
from splashdown._engine.pool import Pool
from splashdown._engine.rate import RateLimit
from splashdown._engine.remote import Remote
from splashdown._engine.settings import Settings
from splashdown._engine.source import Source
from splashdown._foreign.calls import wrong_type
from splashdown.model import Outcome, PartPolicy, Status, Stored, StoredRecord
from splashdown.protocols import (
    Sink,
    SupportsBundle,
    SupportsCompare,
    SupportsDuplicate,
    SupportsList,
    SupportsRead,
    SupportsReadBack,
    SupportsResume,
    SupportsServerSideCopy,
    SupportsSpace,
    SupportsStat,
    SupportsStatAll,
    SupportsVersion,
)
from splashdown.redact import safely_shown

if TYPE_CHECKING:
    from splashdown._engine.part_mover import OpenUpload, PartMover
    from splashdown.model import Part

#: A run whose loop is slow shows others that it is active so often.
_BEAT_SECONDS = 0.25


class Memory(Protocol):
    """What a target remembers, as a run needs it."""

    @property
    def recorded(self) -> Mapping[str, StoredRecord]:
        """What was stored under each name, by any run."""

    @property
    def alone(self) -> bool:
        """Whether no other run is active in the target."""

    @property
    def notes_are_dear(self) -> bool:
        """Whether noting a file costs a request, so that several should share one."""

    def storing(self, records: Mapping[str, StoredRecord], /) -> None:
        """Note by name, just before the first of some files gets its name, what each will be."""

    def unstored(self, name: str, /) -> None:
        """Note that it did not get its name."""

    def look_again(self, name: str, wait: Callable[[float], bool], /) -> bool:
        """Whether another run has noted something about a name since."""

    def beat(self) -> None:
        """Show others that this run is active."""


@runtime_checkable
class SharedMemory(Memory, Protocol):
    """The same, where workers in other processes note what they store."""

    @property
    def fragment(self) -> str:
        """The name of the file in which this run notes what it stores."""

    def adopt(self, fragment: str, /) -> None:
        """Take what a worker has noted, and returned, for one's own."""

    def update(self, names: Iterable[str], /) -> None:
        """Read what workers that were lost have noted of names."""


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Forgetful:
    """The memory of a run that notes nothing: only what it was given is known."""

    recorded: Mapping[str, StoredRecord] = field(default_factory=dict)
    alone: bool = True
    notes_are_dear: bool = False

    def storing(self, records: Mapping[str, StoredRecord]) -> None:
        """Nothing is noted."""

    def unstored(self, name: str) -> None:
        """Nothing was noted."""

    def look_again(self, name: str, wait: Callable[[float], bool]) -> bool:  # noqa: ARG002 - the protocol's signature
        """No other run is known."""
        return False

    def beat(self) -> None:
        """No other run looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What the sink can do besides storing; ``None`` for what it cannot.

    Found out once a run: an ``isinstance`` check of a protocol costs as much as opening a file.
    """

    stat: SupportsStat | None
    stat_all: SupportsStatAll | None
    version: SupportsVersion | None
    read: SupportsRead | None
    read_back: SupportsReadBack | None  #: only where a sink writes in place; an object store's parts are out of reach
    resume: SupportsResume | None
    compare: SupportsCompare | None
    copy: SupportsServerSideCopy | None
    duplicate: SupportsDuplicate | None
    delete: SupportsList | None
    space: SupportsSpace | None
    bundle: SupportsBundle | None

    @classmethod
    def of(cls, sink: Sink) -> Abilities:
        """Ask a sink. Raises ``PluginError`` for one whose rules for parts are something else."""
        parts: object = sink.parts
        if not isinstance(parts, PartPolicy):
            raise wrong_type(parts, PartPolicy, f"{type(sink).__qualname__}.parts")
        return cls(
            stat=sink if isinstance(sink, SupportsStat) else None,
            stat_all=sink if isinstance(sink, SupportsStatAll) else None,
            version=sink if isinstance(sink, SupportsVersion) else None,
            read=sink if isinstance(sink, SupportsRead) else None,
            read_back=sink if isinstance(sink, SupportsReadBack) and not sink.parts.buffered else None,
            resume=sink if isinstance(sink, SupportsResume) else None,
            compare=sink if isinstance(sink, SupportsCompare) else None,
            copy=sink if isinstance(sink, SupportsServerSideCopy) else None,
            duplicate=sink if isinstance(sink, SupportsDuplicate) else None,
            delete=sink if isinstance(sink, SupportsList) else None,
            space=sink if isinstance(sink, SupportsSpace) else None,
            bundle=sink if isinstance(sink, SupportsBundle) else None,
        )


Spread = Callable[["OpenUpload", Iterable["Part"]], "PartMover"]


@safely_shown
@dataclass(slots=True, kw_only=True, repr=False)
class Context:
    """Everything here may be used from any thread."""

    sink: Sink
    can: Abilities
    remote: Remote
    settings: Settings
    events: Dispatcher
    journal: Journal
    pool: Pool  #: threads for the second and further connections of large files
    memory_budget: MemoryBudget
    memory: Memory  #: what the target remembers of this run, of earlier ones and of others
    breaker: Breaker
    outlet: Outlet | None = None  #: a loop that gets each outcome
    rate: RateLimit | None = None  #: what keeps the run below a number of bytes a second
    listed: Mapping[str, Stored] = field(default_factory=dict)  #: recorded files that a listing showed as they were
    spread: Spread | None = None  #: what has parts of large files moved by other processes
    source: str = ""
    files: int = 1  #: of the plan
    names: frozenset[str] = frozenset()  #: names of the plan, which a renamed file must not take
    stop: threading.Event = field(default_factory=threading.Event)
    names_lock: threading.Lock = field(default_factory=threading.Lock)
    under_way: set[Source] = field(default_factory=set)  #: what is being read, but for small files on the straight line
    claimed: set[str] = field(default_factory=set)  #: names that renamed files have taken in this run

    def deliver(self, outcome: Outcome) -> None:
        """Hand on an outcome from the thread that called the engine, which shows life while the loop is slow."""
        if self.outlet is None or outcome.status is Status.NOT_TRIED:
            return
        while not self.outlet.put(outcome, _BEAT_SECONDS):
            self.memory.beat()

    def connections(self, host: str) -> int:
        """Connections for one file of a host: with the other files under way, no more than it serves at a time."""
        settings, limit = self.settings, self.remote.limit(host)
        if limit is None:
            return settings.range_connections
        at_once = min(limit, self.files, settings.per_host or settings.jobs or limit)
        return max(1, min(settings.range_connections, limit // max(1, at_once)))
