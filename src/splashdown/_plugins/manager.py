"""The only module, besides ``hookspecs``, that knows pluggy: judges, registers and calls plugins, one at a time.

It keeps nothing of a plugin that failed. The registry decides which plugins there are, and which one answers.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

import pluggy

from splashdown._plugins.mistakes import mistakes_of
from splashdown.errors import Interrupted, PluginError, SplashdownError, Terminated, did_you_mean
from splashdown.hookspecs import GROUP, HookSpecs, hookimpl
from splashdown.specs import (
    ActionSpec,
    ExecutorSpec,
    FilterSpec,
    ListenerSpec,
    LoaderSpec,
    ResolverSpec,
    SignerSpec,
    SinkSpec,
    Spec,
    TransportSpec,
)

if TYPE_CHECKING:
    from splashdown.model import Plan, RunReport

#: The registration hooks and what each yields.
REGISTRATION: Final[Mapping[str, type]] = {
    "splashdown_resolvers": ResolverSpec,
    "splashdown_filters": FilterSpec,
    "splashdown_transports": TransportSpec,
    "splashdown_signers": SignerSpec,
    "splashdown_sinks": SinkSpec,
    "splashdown_loaders": LoaderSpec,
    "splashdown_listeners": ListenerSpec,
    "splashdown_executors": ExecutorSpec,
    "splashdown_actions": ActionSpec,
}
RUN_PLAN: Final = "splashdown_run_plan"
#: A hook that yields more does not end.
_MOST_SPECS: Final = 10_000


class Manager:
    """Registered plugins of one session."""

    def __init__(self) -> None:
        self._pluggy = pluggy.PluginManager(GROUP)
        self._pluggy.add_hookspecs(HookSpecs)
        self._core = _Core()
        self._pluggy.register(self._core, "splashdown (engine)")

    def knows(self, plugin: object) -> bool:
        """Whether this very object is registered."""
        return self._pluggy.is_registered(plugin)

    def register(self, name: str, plugin: object) -> None:
        """Register a plugin, or leave no trace of it.

        Raises :class:`~splashdown.errors.PluginError` for a hook that does not exist or has a wrong shape, and
        whatever looking at the plugin raises.
        """
        for refusal in self._refusals(plugin):
            raise PluginError(refusal)
        try:
            self._pluggy.register(plugin, name)
        except BaseException:
            self.unregister(name)
            raise

    def unregister(self, name: str) -> None:
        """Forget a plugin; no error when it is not there."""
        if self._pluggy.has_plugin(name):
            self._pluggy.unregister(name=name)

    def collect(self, name: str) -> list[Spec]:
        """Call each registration hook of one plugin once, and return all that they yield.

        Raises :class:`~splashdown.errors.PluginError` for a value that is not a proper spec, and whatever a hook
        raises.
        """
        found: list[Spec] = []
        for hook, kind in REGISTRATION.items():
            # One result for a plugin's one implementation, none where it has not this hook or returns nothing.
            answers = self._caller(hook, name)()
            if not answers and any(one.plugin_name == name for one in getattr(self._pluggy.hook, hook).get_hookimpls()):
                raise PluginError(f"{hook} returned None; it has to yield {kind.__name__} objects")
            for yielded in answers:
                found += _checked(hook, kind, yielded)
        return found

    def wrappers(self) -> list[str]:
        """The plugins that wrap runs, outermost first."""
        implementations = getattr(self._pluggy.hook, RUN_PLAN).get_hookimpls()
        return [i.plugin_name for i in reversed(implementations) if i.wrapper]

    def run_plan(
        self, plan: Plan, execute: Callable[[], RunReport], failed: Callable[[str, BaseException], None]
    ) -> RunReport:
        """Execute inside the wrappers of all plugins; ``failed`` is called for each wrapper that raised.

        A wrapper stops a run by raising a :class:`~splashdown.errors.SplashdownError` before it. Whatever else it
        raises, and anything after the run, is its own failure: the run goes on, or keeps its report.
        """
        inner = _Once(execute)
        for name in reversed(self.wrappers()):
            inner = _Once(self._layer(name, plan, inner, failed))
        return inner()

    def _layer(
        self, name: str, plan: Plan, inner: _Once, failed: Callable[[str, BaseException], None]
    ) -> Callable[[], RunReport]:
        call = self._caller(RUN_PLAN, name)

        def layer() -> RunReport:
            try:
                report = call(plan=plan, execute=inner)
            except KeyboardInterrupt as signal:
                raise inner.interrupted(signal) from None
            except BaseException as error:
                if inner.error is not None and not isinstance(error, SplashdownError):
                    raise inner.error from None
                if inner.report is None and isinstance(error, SplashdownError):
                    raise
                failed(name, error)
                return inner()
            from splashdown.model import RunReport  # late: many commands run nothing

            if not isinstance(report, RunReport):
                failed(name, TypeError(f"{RUN_PLAN} returned {type(report).__name__}; end it with 'return report'"))
                return inner()
            return report

        return layer

    def _caller(self, hook: str, name: str) -> Callable[..., Any]:
        """The hook as this one plugin (and the core) implements it, so that no other plugin's exception gets in."""
        others = [p for n, p in self._pluggy.list_name_plugin() if n != name and p not in (None, self._core)]
        return self._pluggy.subset_hook_caller(hook, remove_plugins=others)

    def _refusals(self, plugin: object) -> Iterator[str]:
        known = (*REGISTRATION, RUN_PLAN)
        for attribute in dir(plugin):
            options = self._pluggy.parse_hookimpl_opts(plugin, attribute)
            if options is None:
                if attribute in known and callable(getattr(plugin, attribute)):
                    yield f"{attribute} is not marked; put @hookimpl above it"
                continue
            hook = options["specname"] or attribute
            if hook not in known:
                yield f"there is no hook {hook}{did_you_mean(hook, known)}"
            if options["hookwrapper"] or options["wrapper"] != (hook == RUN_PLAN):
                must = "is a wrapper: @hookimpl(wrapper=True)" if hook == RUN_PLAN else "cannot be a wrapper: @hookimpl"
                yield f"{hook} {must}"
            for parameter in inspect.signature(getattr(plugin, attribute)).parameters.values():
                if parameter.default is not parameter.empty or parameter.kind in _VARIADIC:
                    # pluggy never fills such an argument, and says nothing about it.
                    yield f"{hook} has the argument {parameter}, which would never be filled; remove it or its default"


_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class _Core:
    """The innermost implementation of ``splashdown_run_plan``, which every wrapper stands around."""

    @hookimpl
    def splashdown_run_plan(self, execute: Callable[[], RunReport]) -> RunReport:
        return execute()


class _Once:
    """Runs a function at most once, however many wrappers call it, and remembers how it ended."""

    def __init__(self, function: Callable[[], RunReport]) -> None:
        self._function = function
        self.report: RunReport | None = None
        self.error: BaseException | None = None

    def __call__(self) -> RunReport:
        if self.error is not None:
            raise self.error
        if self.report is None:
            try:
                self.report = self._function()
            except BaseException as error:
                self.error = error
                raise
        return self.report

    def interrupted(self, signal: KeyboardInterrupt) -> KeyboardInterrupt:
        """What Ctrl-C around the run raises: with the report, where the run was over already."""
        if isinstance(signal, Interrupted) or self.report is None:
            return signal
        name = "SIGTERM" if isinstance(signal, Terminated) else "SIGINT"
        return Interrupted(dataclasses.replace(self.report, interrupted=name))


def _checked(hook: str, kind: type, yielded: object) -> Iterator[Spec]:
    if isinstance(yielded, kind) or not isinstance(yielded, Iterable):
        raise PluginError(f"{hook} returned one {type(yielded).__name__}; it has to yield {kind.__name__} objects")
    names = set()
    for spec in yielded:
        if not isinstance(spec, kind):
            raise PluginError(f"{hook} yielded {type(spec).__name__}; it has to yield {kind.__name__} objects")
        proper = cast("Spec", spec)
        name: object = proper.name
        if not isinstance(name, str) or not name or ":" in name:
            raise PluginError(f"{hook} yielded the name {name!r}; a name is a string without colons")
        if proper.name in names:
            raise PluginError(f"{hook} yielded the name {proper.name!r} twice")
        names.add(proper.name)
        if len(names) > _MOST_SPECS:
            raise PluginError(f"{hook} yielded more than {_MOST_SPECS} objects; it seems not to end")
        for mistake in mistakes_of(proper):
            raise PluginError(mistake)
        yield proper
