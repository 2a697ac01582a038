"""For those who write actions: what an action gets, and the values that the built-in ones return.

The command line shows these values, whichever plugin returns them, and takes the exit code from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from splashdown.columns import columns
from splashdown.errors import DownloadError
from splashdown.model import Asset, Plan, RemoteInfo, ResultSet, RunReport, Skipped
from splashdown.protocols import AssetHandle, Listener, Sink, Transport
from splashdown.redact import redact, safely_shown
from splashdown.sources import scheme_of

__all__ = [
    "ActionOutcome",
    "ActionSession",
    "AtSource",
    "Checked",
    "Download",
    "Places",
    "PublishReport",
    "Results",
    "SourceDeletion",
    "State",
    "SyncReport",
    "VerifyReport",
]


class ActionSession(Protocol):
    """What an action may use of the :class:`~splashdown.Session` that it runs in."""

    @property
    def settings(self) -> Any:
        """The engine's :class:`~splashdown.Settings`."""

    def open(self, source: object, **options: Any) -> Results:
        """Resolve a source into results."""

    def sink(self, target: str, **options: Any) -> Sink:
        """The sink for a target; close it after use."""

    def transport(self, href: str) -> Transport:
        """The transport that reads an href; the session closes it."""

    def auth_for(self, url: str) -> object:
        """The value for ``auth=`` that is listed for the origin of a URL; ``None`` where it is not listed."""

    @property
    def http(self) -> Any:
        """The options of HTTP, with the profiles of hosts."""

    def listener(self, name: str, **options: Any) -> Listener:
        """The listener that a plugin offers under this name."""

    def run(self, action: str, on: Any, /, **options: Any) -> Any:
        """Do to results, or to a target, what the action of this name does."""


class Results(Protocol):
    """What an action may use of the :class:`~splashdown.JobResults` that it is run on."""

    @property
    def session(self) -> ActionSession:
        """The session that opened the source."""

    @property
    def id(self) -> str:
        """The id of the job, item, collection or catalog."""

    @property
    def result_set(self) -> ResultSet:
        """All that the source lists, and its document."""

    @property
    def assets(self) -> Sequence[Asset]:
        """The assets that the user's filters left."""

    @property
    def skipped(self) -> Sequence[Skipped]:
        """The assets that they dropped, and why."""

    def get_asset(self, key: str | None = None) -> Any:
        """The :class:`~splashdown.ResultAsset` with this key, or the only one."""

    def of(self, asset: Asset) -> Results:
        """These results narrowed to one asset."""

    def select(self, **filters: Any) -> Results:
        """These results narrowed by filters."""

    def handle(self, asset: Asset) -> AssetHandle:
        """A handle that reads an asset."""

    def ask_source(self, asset: Asset, *, unless: str | None = None) -> RemoteInfo | None:
        """What the source says of a file now, without reading it; ``None`` while the validator ``unless`` holds."""

    def plan(
        self,
        target: str | Path,
        *,
        layout: str = ...,
        if_exists: str = ...,
        reserved: Sequence[str] = ...,
        names: Mapping[str | tuple[str | None, str], str] | None = ...,
    ) -> Plan:
        """The transfers that would bring the assets to a target: names are assigned, nothing is read or written."""

    def transfer(
        self,
        plan: Plan,
        *,
        sink: Sink | None = ...,
        memory: Any = ...,
        listeners: Sequence[Listener] = ...,
        settings: Any = ...,
        before_cleanup: Callable[[RunReport], None] | None = ...,
        executor: object = ...,
        sink_options: Mapping[str, Any] | None = ...,
    ) -> RunReport:
        """Run a plan; failures are in the report. The records of the target are read, unless ``memory`` holds them.

        With ``executor`` workers in other processes move the files; ``sink_options`` are those of their sinks.
        """

    def run(self, action: str, /, **options: Any) -> Any:
        """Run another action on the same results."""

    def dry_run(self, action: str, /, **options: Any) -> Any:
        """What another action would move."""


@runtime_checkable
class ActionOutcome(Protocol):
    """The return value of an action that moves files; it may have fields of its own besides."""

    @property
    def plan(self) -> Plan:
        """What was to be moved."""

    @property
    def report(self) -> RunReport | None:
        """The outcome of every transfer; ``None`` where nothing was moved, as in a dry run."""

    @property
    def metadata(self) -> str:
        """Where the metadata document is that describes the files, the first of several; empty when there is none."""


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Download:
    """The outcome of a download: the report, and where its metadata documents are (one for each source, or none)."""

    report: RunReport
    documents: tuple[str, ...] = ()

    @property
    def plan(self) -> Plan:
        """What was to be moved."""
        return self.report.plan

    @property
    def metadata(self) -> str:
        """Where the first metadata document is; empty when there is none."""
        return self.documents[0] if self.documents else ""

    @property
    def places(self) -> Places:
        """Where everything is, the metadata documents last: paths of a local target, URLs of any other."""
        # No list of strings beside the paths: there may be very many.
        locations = chain(columns(self.report.landed, "location"), self.documents)
        return Places(map(Path, locations) if scheme_of(self.plan.target) in {"", "file"} else locations, self)

    def _repr_html_(self) -> str:
        """The outcome in a notebook, as a table."""
        from splashdown._display.values import report_html

        return report_html(self.report, self.documents)

    def raise_failures(self, unresolved: Sequence[str] = ()) -> None:
        """Raise :class:`~splashdown.errors.DownloadError` when an asset failed.

        ``unresolved`` holds a line for each part of the source that could not be read
        (:attr:`~splashdown.model.ResultSet.unresolved`); that is a failure as well.
        """
        report, failed = self.report, self.report.failed
        if failed:
            first = failed[0]
            raise DownloadError(
                f"{report.counts}: {first.asset.label}: {first.error_type}: {first.error}{_more(len(failed))}",
                report,
                self.metadata,
            )
        if report.stopped and report.not_tried:
            raise DownloadError(f"{report.counts}, because {report.stopped}", report, self.metadata)
        if report.unwritten:
            raise DownloadError(
                f"the files landed, and the metadata document could not be written ({report.unwritten}); the next run"
                " of the same call writes it, and fetches nothing again",
                report,
            )
        if unresolved:
            raise DownloadError(
                "not all of the source could be read, what could be read landed:"
                f" {unresolved[0]}{_more(len(unresolved))}",
                report,
                self.metadata,
            )


class Places(list[Path | str]):
    """The paths or URLs of what a download stored: a list, which in a notebook shows the report."""

    def __init__(self, places: Iterable[Path | str], download: Download) -> None:
        super().__init__(places)
        self.download = download  #: the outcome, with its ``report``

    def __reduce__(self) -> tuple[Any, ...]:
        return Places, (list(self), self.download)

    def _repr_html_(self) -> str:
        """The report of the download that stored them."""
        return self.download._repr_html_()


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SyncReport:
    """The outcome of a sync. ``report`` is ``None`` for a dry run; ``left`` has reasons for stale files that stay."""

    plan: Plan
    report: RunReport | None = None
    metadata: str = ""
    stale: tuple[str, ...] = ()  #: names of files that the source does not list any more
    removed: tuple[str, ...] = ()
    left: Mapping[str, str] = field(default_factory=dict)

    def _repr_html_(self) -> str:
        """The outcome in a notebook, as a table, with the stale files folded below it; of a dry run the plan."""
        from splashdown._display.values import plan_html, report_html

        stale = {
            "removed": [(name, "the source does not list it any more") for name in self.removed],
            "left": list(self.left.items()),
        }
        if self.report is None:
            return plan_html(self.plan)
        return report_html(self.report, [self.metadata] if self.metadata else [], stale)


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SourceDeletion:
    """The outcome of a move after proof: hrefs that were deleted, and those that stay, with the reason."""

    target: str
    removed: tuple[str, ...] = ()
    left: Mapping[str, str] = field(default_factory=dict)
    declined: bool = False  #: whether ``confirm`` said no


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PublishReport:
    """What became of the items of a target at a STAC API, each as ``collection/id``; ``failed`` has the reasons."""

    target: str
    api: str
    created: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()  #: nothing was sent
    failed: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the API holds all items."""
        return not self.failed

    @property
    def counts(self) -> str:
        """``3 created, 0 updated, 1 unchanged``."""
        counts = (f"{len(getattr(self, name))} {name}" for name in ("created", "updated", "unchanged"))
        return f"{', '.join(counts)}{f', {len(self.failed)} failed' if self.failed else ''}"

    def __str__(self) -> str:
        return f"{self.counts} at {redact(self.api)}"

    def _repr_html_(self) -> str:
        """The report in a notebook, as a table; what failed comes first."""
        from splashdown._display.values import publish_html

        found = [(item, "failed", why) for item, why in self.failed.items()]
        for state in ("created", "updated", "unchanged"):
            found += [(item, state, "") for item in getattr(self, state)]
        return publish_html(self.target, self.api, self.counts, found)


class State(StrEnum):
    """The state of a file in a target."""

    OK = "ok"
    MISSING = "missing"  #: a receipt describes it, and it is not there
    CHANGED = "changed"  #: it is not what was stored
    UNEXPECTED = "unexpected"  #: it is what was stored, and cannot be of the format that the metadata promise
    UNREADABLE = "unreadable"  #: it is there, and cannot be read
    EXTRA = "extra"  #: it is there, and no receipt describes it
    ABSENT = "absent"  #: the source lists it, and it was never stored


class AtSource(StrEnum):
    """The state of a file at the source, compared with what was stored."""

    SAME = "same"
    CHANGED = "changed"  #: the source has another version
    GONE = "gone"  #: the source does not list it any more, or its link leads to nothing
    NEW = "new"  #: the source lists it, and the target never had it
    UNKNOWN = "unknown"  #: nothing that was noted can be compared with what the source says, or it did not answer


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Checked:
    """The check of one file: what was compared (``size``, ``checksum``), and in ``detail`` the difference.

    ``source`` is ``None`` where nothing was compared with a source. ``evidence`` says by what it was: ``checksum``,
    ``size``, ``digest`` (of the server), ``ETag``, ``Last-Modified``, ``updated`` or ``listing``.
    """

    name: str
    state: State
    size: int | None = None
    checked: tuple[str, ...] = ()
    detail: str = ""
    source: AtSource | None = None
    evidence: tuple[str, ...] = ()
    repaired: bool = False  #: whether it was fetched again, and is as it was stored now

    @property
    def found_here(self) -> str:
        """What was found in the target, for people: the difference, else what was compared."""
        return self.detail or ("fetched again" if self.repaired else ", ".join(self.checked))

    @property
    def found(self) -> str:
        """The same, and what the source has."""
        there = f"{self.source} at the source" if self.source else ""
        there += f" ({', '.join(self.evidence)})" if self.evidence else ""
        return "; ".join(filter(None, (self.found_here, there)))


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class VerifyReport:
    """The checks of everything in a target, the files of receipts first, each part sorted by name."""

    target: str
    files: tuple[Checked, ...]
    strict: bool = False  #: whether extra files are a failure
    documents: tuple[str, ...] = ()  #: names of the receipts in the target, the roots first
    sums: str = ""  #: where the checksums were written, when that was asked for

    def of(self, *states: State) -> tuple[Checked, ...]:
        """The files in one of these states."""
        return tuple(file for file in self.files if file.state in states)

    @property
    def damaged(self) -> tuple[Checked, ...]:
        """The files that are not as they were stored, or cannot be what they should be; extra ones if ``strict``."""
        extra = (State.EXTRA,) if self.strict else ()
        return self.of(State.MISSING, State.CHANGED, State.UNEXPECTED, State.UNREADABLE, *extra)

    @property
    def differing(self) -> tuple[Checked, ...]:
        """The files of which the source has something else now: another version, none, or a new one."""
        return tuple(one for one in self.files if one.source in {AtSource.CHANGED, AtSource.GONE, AtSource.NEW})

    @property
    def ok(self) -> bool:
        """Whether nothing is damaged, and the source has nothing else, where it was compared."""
        return not self.damaged and not self.differing

    def _repr_html_(self) -> str:
        """The report in a notebook, as a table; what is not as it was stored comes first."""
        from splashdown._display.values import verify_html

        files = sorted(self.files, key=lambda one: one.state is State.OK)
        found = [(one.name, one.size, str(one.state), one.found) for one in files]
        return verify_html(self.target, len(self.of(State.OK)), found)


def _more(count: int) -> str:
    return f" (and {count - 1} more)" if count > 1 else ""
