"""Imports, registers and asks plugins, each on its own: what one does wrong is recorded and left out."""

from __future__ import annotations

import dataclasses
import functools
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar, cast

from splashdown._foreign.calls import PASSES
from splashdown._plugins.candidates import Candidate, builtin_candidates, given_candidates
from splashdown._plugins.made import MAKES, refuse_made
from splashdown._plugins.manager import REGISTRATION, Manager
from splashdown._plugins.origin import Origin, Stage
from splashdown.errors import PluginError, PluginWarning, error_text
from splashdown.hookspecs import GROUP
from splashdown.redact import redact_text
from splashdown.specs import ActionSpec, LoaderSpec, ResolverSpec, Spec

if TYPE_CHECKING:
    from splashdown._plugins.info import PluginFailure, PluginInfo
    from splashdown.model import Plan, RunReport

T = TypeVar("T")

#: A run asks for these while it is under way: plugins are imported, and their hooks called, in the thread that runs it.
_DURING_RUNS = ("run_plan", "signers")

#: When a plugin that is still being imported is named.
SLOW_SECONDS = 5.0

#: The name of a kind of spec in listings: the plural noun of its hook.
KINDS: Mapping[type, str] = {kind: hook.removeprefix("splashdown_") for hook, kind in REGISTRATION.items()}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which plugins may be loaded, by the names that :meth:`Candidate.goes_by` knows."""

    discover: bool = True  #: whether installed plugins are looked for at all
    disable: Mapping[str, str] = dataclasses.field(default_factory=dict)  #: left out, built-ins too, and by what
    only: frozenset[str] | None = None  #: of the installed plugins, these alone; built-in and given ones stay
    strict: bool = False  #: whether the first failure is raised

    def disabled_by(self, candidate: Candidate) -> str:
        """What keeps the plugin from being imported, for people; empty where nothing does."""
        for name, by in self.disable.items():
            if candidate.goes_by(name):
                return by
        if candidate.origin is not Origin.INSTALLED or self.only is None:
            return ""
        return "" if any(candidate.goes_by(name) for name in self.only) else "a list of the only ones to use"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One spec and the plugin that yielded it."""

    spec: Spec
    plugin: Candidate
    kind: str = dataclasses.field(init=False)  #: the plural noun: ``sinks``, ``loaders``, ...; each question reads it

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", KINDS[type(self.spec)])


class Loading:
    """The plugins loaded so far. Every plugin is imported and asked at most once, under a lock."""

    def __init__(self, given: Sequence[object], choice: Choice) -> None:
        self.choice = choice
        self.failures: list[PluginFailure] = []
        self._manager = Manager()
        self._lock = threading.RLock()
        self._order: dict[str, int] = {}  #: the place of each plugin among all, by its id
        self._waiting: list[Candidate] = []
        self._add([*builtin_candidates(), *given_candidates(given)])
        self._seen: list[tuple[Candidate, str, float | None]] = []  # plugin, status, seconds its import took
        self._offers: list[Offer] = []
        self._scanned = not choice.discover
        self._said = 0

    def offers(self, kind: str | None = None, *, installed: bool, wanted: Collection[str] | None = None) -> list[Offer]:
        """What all plugins offer, or what the built-in and given ones do; of one kind, as ``sinks``, or of all.

        Only plugins that may have an answer are imported; where names or schemes are ``wanted``, their offers are all
        there, and others may be.
        """
        with self._lock:
            if installed and not self._scanned:
                self._scanned = True
                self._add(self._scan())
            self._take_all(kind, wanted, installed=installed)
            self._warn()
            return [
                o
                for o in self._offers
                if (kind is None or o.kind == kind) and (installed or o.plugin.origin is not Origin.INSTALLED)
            ]

    def _add(self, candidates: Iterable[Candidate]) -> None:
        for candidate in candidates:
            self._order.setdefault(candidate.id, len(self._order))
            self._waiting.append(candidate)

    def _take_all(self, kind: str | None, wanted: Collection[str] | None, *, installed: bool) -> None:
        """Import the plugins that wait and may offer this; offers stay in the order of plugins."""
        asked = [
            candidate
            for candidate in self._waiting
            if candidate.may_offer(kind, wanted) and (installed or candidate.origin is not Origin.INSTALLED)
        ]
        for candidate in asked:
            self._waiting.remove(candidate)
            self._take(candidate)
        if asked:
            self._offers.sort(key=lambda offer: self._order[offer.plugin.id])
            self._seen.sort(key=lambda seen: self._order[seen[0].id])

    def infos(self) -> tuple[PluginInfo, ...]:
        """Every plugin there is, loaded, failed or disabled; a broken one is reported, never raised."""
        while True:
            try:
                self.offers(installed=True)
                break
            except PluginError:  # strict: each failure is raised once, when its plugin has been taken from the waiting
                continue
        return tuple(self._info(candidate, status, seconds) for candidate, status, seconds in self._seen)

    def withheld(self, answers: Callable[[Offer], bool]) -> Candidate | None:
        """The disabled built-in plugin that has an answer, if there is one.

        It is imported to find out, and is not used: call this where an error is about to say that nothing answers.
        """
        self.offers(installed=False)
        disabled = [candidate for candidate, status, _ in self._seen if status == "disabled"]
        for candidate in disabled:
            if candidate.origin is Origin.BUILTIN and any(map(answers, _offers_of(candidate))):
                return candidate
        return None

    def forget_installed(self) -> None:
        """Drop what came from entry points, so that the next question scans again."""
        with self._lock:
            for candidate, _, _ in self._seen:
                if candidate.origin is Origin.INSTALLED:
                    self._manager.unregister(candidate.id)
            self._seen = [seen for seen in self._seen if seen[0].origin is not Origin.INSTALLED]
            self._offers = [o for o in self._offers if o.plugin.origin is not Origin.INSTALLED]
            kept = {candidate.id for candidate, _, _ in self._seen}
            self.failures = [f for f in self.failures if f"{f.distribution}:{f.plugin}" in kept]
            self._said = len(self.failures)
            self._scanned = not self.choice.discover

    def run_plan(self, plan: Plan, execute: Callable[[], RunReport], *, transports: bool) -> RunReport:
        """Execute inside the wrappers of all plugins; with ``transports``, it may need those of installed ones."""
        for kind in (*_DURING_RUNS, "transports") if transports else _DURING_RUNS:
            self.offers(kind, installed=True)
        by_id = {candidate.id: candidate for candidate, _, _ in self._seen}
        return self._manager.run_plan(plan, execute, lambda name, error: self.used(by_id[name], error))

    def used(self, plugin: Candidate, error: BaseException) -> None:
        """Record that a plugin broke while it was used, and say so."""
        self._record(plugin, Stage.USE, error)
        self._warn()

    def _scan(self) -> Iterable[Candidate]:
        from splashdown._plugins.installed import installed_candidates  # late: many questions need no scan

        try:
            return list(installed_candidates())
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # metadata on the path that cannot be read at all
            message = f"installed plugins could not be listed: {error_text(error)}"
            warnings.warn(message, PluginWarning, stacklevel=2)
            return ()

    def _take(self, candidate: Candidate) -> None:
        if self.choice.disabled_by(candidate):
            self._seen.append((candidate, "disabled", None))
            return
        stage, seconds = Stage.IMPORT, None
        try:
            with _watched(candidate):
                started = time.perf_counter()
                plugin = candidate.load()
                seconds = time.perf_counter() - started
                if self._manager.knows(plugin):
                    return  # given and installed at once: the same object counts once
                stage = Stage.REGISTRATION
                self._manager.register(candidate.id, plugin)
                stage = Stage.HOOK
                specs = self._manager.collect(candidate.id)
                offers = [Offer(spec=self._guarded(spec, candidate), plugin=candidate) for spec in specs]
                _refuse_unnamed(candidate, self._offered(candidate, offers))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit at import is one more way to be broken
            self._manager.unregister(candidate.id)
            self._seen.append((candidate, "failed", seconds))
            self._record(candidate, stage, error)
            return
        self._seen.append((candidate, "ok", seconds))
        self._offers += offers

    def _offered(self, plugin: Candidate, offers: Iterable[Offer]) -> dict[str, tuple[str, ...]]:
        """What a registered plugin offers: names by kind, that it stands around runs among them."""
        found = _summary(offers)
        if plugin.id in self._manager.wrappers():
            found["run_plan"] = ("wrapper",)
        return found

    def _record(self, plugin: Candidate, stage: Stage, error: BaseException) -> None:
        from splashdown._plugins.info import PluginFailure  # late: most plugins work

        failure = PluginFailure(
            plugin=plugin.name,
            distribution=plugin.distribution,
            version=plugin.version,
            stage=stage,
            error=error_text(error),
            traceback=redact_text("".join(traceback.format_exception(error))),
        )
        if (failure.plugin, failure.distribution, stage, failure.error) in {
            (f.plugin, f.distribution, f.stage, f.error) for f in self.failures
        }:
            return
        self.failures.append(failure)
        if self.choice.strict:
            self._said = len(self.failures)
            raise PluginError(str(failure)) from error

    def _warn(self) -> None:
        # Said when the loop is over, because a warning may be turned into an exception.
        fresh, self._said = self.failures[self._said :], len(self.failures)
        for failure in fresh:
            warnings.warn(str(failure), PluginWarning, stacklevel=4)

    def _guarded(self, spec: Spec, plugin: Candidate) -> Spec:
        """The spec with a ``create`` that says whose fault it is when it breaks."""
        if isinstance(spec, LoaderSpec | ActionSpec | ResolverSpec):
            return spec  # these meet the user's data, and what they raise is about that
        changed: Any = spec
        return cast("Spec", dataclasses.replace(changed, create=self.guard(plugin, spec.create, MAKES[type(spec)])))

    def guard(self, plugin: Candidate, create: Callable[..., T], protocol: type) -> Callable[..., T]:
        """The function, with a :class:`~splashdown.errors.PluginError` that names the plugin when it breaks.

        What it makes without the methods of the protocol counts as broken, too: it would fail in the middle of a run.
        """

        @functools.wraps(create, updated=())
        def guarded(*args: Any) -> T:
            try:
                made = create(*args)
                if refusal := refuse_made(made, protocol):
                    raise TypeError(refusal)
                return made
            except PASSES:
                raise
            except BaseException as error:
                self._record(plugin, Stage.USE, error)
                self._said = len(self.failures)  # the exception says it
                raise PluginError(f"plugin {plugin.label} failed at {Stage.USE}: {error_text(error)}") from error

        return guarded

    def _info(self, plugin: Candidate, status: str, seconds: float | None) -> PluginInfo:
        from splashdown._plugins.info import PluginInfo  # late: few commands show plugins

        return PluginInfo(
            name=plugin.name,
            distribution=plugin.distribution,
            version=plugin.version,
            origin=plugin.origin,
            status=status,
            disabled_by=self.choice.disabled_by(plugin),
            offers=self._offered(plugin, (o for o in self._offers if o.plugin is plugin)),
            import_seconds=seconds,
            failures=tuple(
                f for f in self.failures if (f.plugin, f.distribution) == (plugin.name, plugin.distribution)
            ),
        )


def _refuse_unnamed(plugin: Candidate, offered: Mapping[str, object]) -> None:
    """Refuse what a plugin's entry points do not name: a question for it would not find the plugin."""
    if plugin.offers is not None and (unnamed := sorted(offered.keys() - plugin.offers.keys())):
        raise PluginError(
            f"it offers {' and '.join(unnamed)}, which its entry points do not name: add the group"
            f" '{GROUP}.{unnamed[0]}', or use the group '{GROUP}' alone"
        )


def _offers_of(candidate: Candidate) -> list[Offer]:
    """What a plugin would offer, as one that belongs to no session."""
    manager = Manager()
    try:
        manager.register(candidate.id, candidate.load())
        return [Offer(spec=spec, plugin=candidate) for spec in manager.collect(candidate.id)]
    except KeyboardInterrupt:
        raise
    except BaseException:  # it may be disabled because it is broken
        return []


@contextmanager
def _watched(plugin: Candidate) -> Iterator[None]:
    """Say which plugin everything waits for, when it takes long; built-in ones do not."""
    if plugin.origin is Origin.BUILTIN:
        yield
        return
    timer = threading.Timer(SLOW_SECONDS, _say_slow, [plugin.label])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _say_slow(label: str) -> None:
    # A warning could be silenced or become an exception in a thread that has nothing to do with it.
    with suppress(Exception):
        sys.stderr.write(f"waiting for plugin {label} to import\n")
        sys.stderr.flush()


def _summary(offers: Iterable[Offer]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for offer in offers:
        found[offer.kind] = (*found.get(offer.kind, ()), *_names(offer.spec))
    return found


def _names(spec: Spec) -> Iterator[str]:
    # A target or an href finds its plugin by scheme; everything else is asked for by name.
    schemes = getattr(spec, "schemes", None)
    yield from schemes if schemes is not None else (spec.name,)
