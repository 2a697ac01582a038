"""The plugins of one session, and what they offer: the only face of them that the rest of the core sees.

Built-in and given plugins are imported with the first question, installed ones when those have no answer.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from splashdown._plugins.candidates import BUILTIN_COMMANDS, builtin_candidates
from splashdown._plugins.choice import choose, choose_resolver, conflict, disabled, is_installed, state
from splashdown._plugins.loading import Choice, Loading, Offer
from splashdown.errors import ConflictError, DisabledError, NoProviderError, PluginError, did_you_mean
from splashdown.protocols import Resolver
from splashdown.sources import scheme_of
from splashdown.specs import (
    ActionSpec,
    ExecutorSpec,
    FilterSpec,
    ListenerSpec,
    LoaderSpec,
    ResolverSpec,
    SignerSpec,
    SinkSpec,
    TransportSpec,
)

if TYPE_CHECKING:
    from splashdown._plugins.check import PluginCheck
    from splashdown._plugins.info import PluginFailure, PluginInfo
    from splashdown.model import Plan, RunReport

_DISABLE = "SPLASHDOWN_DISABLE_PLUGINS"
#: Of a plan with more files the schemes are not looked at: plugins take less time to import than those files to move.
_FEW = 1_000


class Registry:
    """What the plugins of a session offer.

    ``plugins`` are modules, objects or paths of Python files. ``discover`` says whether installed plugins are
    looked for, ``disable`` which ones (by plugin, distribution or ``distribution:plugin``) are left out, built-ins
    included, ``only`` which installed ones may be loaded. ``configured`` names those that a file disables, and the
    file. ``strict`` raises a plugin's failure, which is otherwise a :class:`~splashdown.errors.PluginWarning`.
    ``SPLASHDOWN_NO_PLUGINS``, ``SPLASHDOWN_DISABLE_PLUGINS`` and ``SPLASHDOWN_ONLY_PLUGINS`` restrict further.

    Wherever a name or a scheme is asked for, ``distribution:name`` picks between two that offer it.
    """

    def __init__(
        self,
        *,
        plugins: Iterable[object] = (),
        discover: bool = True,
        disable: Iterable[str] = (),
        configured: Mapping[str, str] | None = None,
        only: Iterable[str] | None = None,
        strict: bool = False,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        environ = os.environ if environ is None else environ
        chosen = [
            frozenset(names) for names in (only, _listed(environ, "SPLASHDOWN_ONLY_PLUGINS")) if names is not None
        ]
        choice = Choice(
            discover=discover and not _switched_on(environ, "SPLASHDOWN_NO_PLUGINS"),
            disable={
                **(configured or {}),
                **dict.fromkeys(_listed(environ, _DISABLE) or (), _DISABLE),
                **dict.fromkeys(disable, "an argument (disable= or --disable-plugin)"),
            },
            only=frozenset.intersection(*chosen) if chosen else None,
            strict=strict,
        )
        self._loading = Loading(tuple(plugins), choice)

    def sink(self, scheme: str) -> SinkSpec:
        """The sink for targets of this URL scheme (``""`` for a plain path)."""
        return cast("SinkSpec", choose(self._loading, "sinks", scheme).spec)

    def transport(self, scheme: str) -> TransportSpec:
        """The transport for hrefs of this URL scheme."""
        return cast("TransportSpec", choose(self._loading, "transports", scheme).spec)

    def resolver(self, source: object, name: str | None = None) -> tuple[str, Resolver]:
        """The resolver that accepts the source, or the one of this name; with its name."""
        if name is not None:
            offer = choose(self._loading, "resolvers", name)
            return offer.spec.name, self._loading.guard(
                offer.plugin, cast("ResolverSpec", offer.spec).create, Resolver
            )()
        return choose_resolver(self._loading, source, lambda offer, error: self._loading.used(offer.plugin, error))

    def filter(self, name: str) -> FilterSpec:
        """The filter of this name."""
        return cast("FilterSpec", choose(self._loading, "filters", name).spec)

    def loader(self, name: str) -> LoaderSpec:
        """The loader of this name."""
        return cast("LoaderSpec", choose(self._loading, "loaders", name).spec)

    def listener(self, name: str) -> ListenerSpec:
        """The listener of this name."""
        return cast("ListenerSpec", choose(self._loading, "listeners", name).spec)

    def executor(self, name: str) -> ExecutorSpec:
        """The executor of this name."""
        return cast("ExecutorSpec", choose(self._loading, "executors", name).spec)

    def executor_for(self, given: object) -> ExecutorSpec:
        """The executor that works with an object that the user passed.

        Raises :class:`~splashdown.errors.ConflictError` for two, and :class:`~splashdown.errors.NoProviderError` for
        none.
        """
        kind = type(given)
        what = f"an executor of type {kind.__module__}.{kind.__qualname__}"
        for installed in (False, True):
            found = []
            for offer in self._loading.offers("executors", installed=installed):
                spec = cast("ExecutorSpec", offer.spec)
                if spec.accepts is not None and self._loading.guard(offer.plugin, spec.accepts, bool)(given):
                    found.append(offer)
            if len(found) > 1:
                raise conflict(what, found)
            if found:
                return cast("ExecutorSpec", found[0].spec)
        from splashdown._plugins.suggest import package_for_executor  # late: an error needs it

        package = package_for_executor(given)
        hint = f"pip install {package}" if package else "pass an instance of concurrent.futures.Executor"
        raise NoProviderError(f"no plugin moves files with {what}; {hint}{state(self._loading)}")

    def provider(self, kind: str, wanted: str) -> tuple[str, str]:
        """Distribution and version of the plugin that answers; empty for one that no distribution brought."""
        plugin = choose(self._loading, kind, wanted).plugin
        return plugin.distribution, plugin.version

    def action(self, name: str) -> ActionSpec:
        """The action of this name."""
        return cast("ActionSpec", choose(self._loading, "actions", name).spec)

    def loaders(self, *, installed: bool = True) -> tuple[LoaderSpec, ...]:
        """All loaders, built-in ones first; without ``installed``, only what needs no scan."""
        return tuple(
            o.spec for o in self._loading.offers("loaders", installed=installed) if isinstance(o.spec, LoaderSpec)
        )

    def conflict(self, what: str, specs: Sequence[LoaderSpec]) -> ConflictError:
        """The error for several loaders that all take ``what``; it names their plugins and how to pick one."""
        return conflict(
            what, [o for o in self._loading.offers("loaders", installed=True) if any(o.spec is s for s in specs)]
        )

    def no_loader(self, what: str, fits: Callable[[LoaderSpec], bool], hint: str) -> NoProviderError:
        """The error where no loader ``fits``: ``what`` is missing, and which plugin is disabled, or else a hint."""
        plugin = self._loading.withheld(lambda offer: isinstance(offer.spec, LoaderSpec) and fits(offer.spec))
        if plugin:
            return DisabledError(what + disabled(self._loading, plugin))
        return NoProviderError(what + hint + state(self._loading))

    def is_installed(self, distribution: str) -> bool:
        """Whether a plugin of this distribution is there, loaded or not."""
        return is_installed(self._loading, distribution)

    def signers(self) -> tuple[SignerSpec, ...]:
        """All signers; each is for its own origins."""
        return tuple(o.spec for o in self._loading.offers("signers", installed=True) if isinstance(o.spec, SignerSpec))

    def filters(self) -> Mapping[str, FilterSpec]:
        """All filters by name; a name that two plugins use has each under ``distribution:name``."""
        return {name: cast("FilterSpec", o.spec) for name, o in self._by_name("filters").items()}

    def actions(self) -> Mapping[str, ActionSpec]:
        """All actions by name; a name that two plugins use has each under ``distribution:name``."""
        return {name: cast("ActionSpec", o.spec) for name, o in self._by_name("actions").items()}

    def commands(self) -> Mapping[str, ActionSpec]:
        """The actions that are commands of their own, named as :meth:`actions` does."""
        named = self._by_name("actions", BUILTIN_COMMANDS)
        return {name: o.spec for name, o in named.items() if isinstance(o.spec, ActionSpec) and o.spec.command}

    def options_types(self, *, installed: bool = True) -> Mapping[str, type]:
        """The dataclass of options by the name of what can be configured; those of a loader are arguments alone."""
        offers = [o.spec for o in self._loading.offers(installed=installed) if not isinstance(o.spec, LoaderSpec)]
        return {spec.name: t for spec in offers if (t := getattr(spec, "options", None)) is not None}

    def disabled_options(self, name: str) -> str:
        """Which disabled built-in plugin has options under this name, to add to a message; empty when none has."""
        plugin = self._loading.withheld(lambda offer: offer.spec.name == name and hasattr(offer.spec, "options"))
        return disabled(self._loading, plugin) if plugin else ""

    def run_plan(self, plan: Plan, execute: Callable[[], RunReport]) -> RunReport:
        """Execute a plan inside what plugins put around a run, installed ones included."""
        return self._loading.run_plan(plan, execute, transports=not self._reads_all(plan))

    def plugins(self) -> tuple[PluginInfo, ...]:
        """Every plugin there is: loaded, failed or disabled. Never raises for a broken one."""
        return self._loading.infos()

    def refuse_disabled(self, name: str, what: str) -> None:
        """Raise :class:`~splashdown.errors.DisabledError` for ``what`` when the built-in plugin ``name`` is disabled.

        For the public modules that are the face of one built-in plugin, and reach it without a hook.
        """
        for candidate in builtin_candidates():
            if candidate.name == name and self.choice.disabled_by(candidate):
                raise DisabledError(what + disabled(self._loading, candidate))

    def refuse_disabled_transports(self, hrefs: Iterable[str]) -> None:
        """Raise :class:`~splashdown.errors.DisabledError` when a disabled plugin is what would read one of them.

        Hrefs that no plugin reads, disabled or not, are not refused: in a run those assets fail and the others land.
        """
        if not self.choice.disable:
            return
        for scheme in {scheme_of(href) for href in hrefs}:
            try:
                self.transport(scheme)
            except DisabledError:
                raise
            except PluginError:
                continue

    @property
    def choice(self) -> Choice:
        """Which plugins may be loaded, after arguments and environment."""
        return self._loading.choice

    @property
    def failures(self) -> tuple[PluginFailure, ...]:
        """What went wrong so far."""
        return tuple(self._loading.failures)

    def check(self, name: str) -> PluginCheck:
        """Everything that can be found out about one plugin without using it.

        Raises :class:`~splashdown.errors.NoProviderError` when that plugin does not exist.
        """
        infos = self.plugins()
        found = [i for i in infos if name in {i.name, f"{i.distribution}:{i.name}", i.distribution}]
        if not found:
            known = [i.name for i in infos]
            raise NoProviderError(
                f"no plugin is called '{name}'{did_you_mean(name, known)}; there are: {', '.join(known)}"
            )
        from splashdown._plugins.check import examine  # late: one command needs it

        info = found[0]
        offers = [
            o.spec
            for o in self._loading.offers(installed=True)
            if (o.plugin.name, o.plugin.distribution) == (info.name, info.distribution)
        ]
        return examine(info, offers)

    def refresh(self) -> None:
        """Look for installed plugins again, for a notebook in which one was installed since."""
        importlib.invalidate_caches()
        self._loading.forget_installed()

    def _reads_all(self, plan: Plan) -> bool:
        """Whether built-in and given transports are certain to read all files of a plan, so that no other is needed."""
        if len(plan.transfers) > _FEW:
            return False
        assets = [transfer.asset for transfer in plan.transfers]
        # A file that has further places may be read at one of another scheme.
        if any("alternate" in asset.metadata for asset in assets):
            return False
        schemes = {scheme_of(asset.href) for asset in assets}
        offers = self._loading.offers("transports", installed=False, wanted=schemes)
        own = [o.spec for o in offers if isinstance(o.spec, TransportSpec)]
        return schemes <= {scheme.lower() for spec in own for scheme in spec.schemes}

    def _by_name(self, kind: str, wanted: Collection[str] | None = None) -> dict[str, Offer]:
        """Offers of a kind by the names that lead to them; of the built-in ones perhaps the ``wanted`` alone."""
        offers = self._loading.offers(kind, installed=True, wanted=wanted)
        own = {o.spec.name for o in self._loading.offers(kind, installed=False, wanted=wanted)}
        found: dict[str, Offer] = {}
        for offer in offers:
            name = offer.spec.name
            rivals = [o for o in offers if o.spec.name == name]
            # Built-in and given plugins keep their names, whatever is installed.
            settled = len(rivals) == 1 or (name in own and offer.plugin.origin.value != "installed")
            found[name if settled else f"{offer.plugin.distribution or offer.plugin.name}:{name}"] = offer
        return found


def _switched_on(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "").strip().lower() not in {"", "0", "false", "no", "off"}


def _listed(environ: Mapping[str, str], name: str) -> Sequence[str] | None:
    if name not in environ:
        return None
    return [part.strip() for part in environ[name].split(",") if part.strip()]
