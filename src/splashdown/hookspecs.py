"""The hooks that a plugin may implement, and the two markers it needs. Importing this costs pluggy only.

A registration hook takes no arguments and yields specs::

    from splashdown.hookspecs import hookimpl
    from splashdown.specs import SinkSpec

    @hookimpl
    def splashdown_sinks():
        yield SinkSpec(name="shelf", schemes=("shelf",), create=ShelfSink)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from splashdown.model import Plan, RunReport
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

#: The name of the entry-point group, and of the project in pluggy.
GROUP = "splashdown"

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


class HookSpecs:
    """Every hook of Splashdown."""

    @hookspec
    def splashdown_resolvers(self) -> Iterable[ResolverSpec]:
        """Kinds of sources."""
        raise AssertionError  # a specification is never called

    @hookspec
    def splashdown_filters(self) -> Iterable[FilterSpec]:
        """Named filters; one is used only when the user names it."""
        raise AssertionError

    @hookspec
    def splashdown_transports(self) -> Iterable[TransportSpec]:
        """Ways to read hrefs, by URL scheme."""
        raise AssertionError

    @hookspec
    def splashdown_signers(self) -> Iterable[SignerSpec]:
        """Credentials for listed origins."""
        raise AssertionError

    @hookspec
    def splashdown_sinks(self) -> Iterable[SinkSpec]:
        """Places to store, by URL scheme of the target."""
        raise AssertionError

    @hookspec
    def splashdown_loaders(self) -> Iterable[LoaderSpec]:
        """Ways to make Python objects of assets."""
        raise AssertionError

    @hookspec
    def splashdown_listeners(self) -> Iterable[ListenerSpec]:
        """Observers of events; one is used only when the user names it."""
        raise AssertionError

    @hookspec
    def splashdown_executors(self) -> Iterable[ExecutorSpec]:
        """Workers in other processes that move files; used only when the user names or passes one."""
        raise AssertionError

    @hookspec
    def splashdown_actions(self) -> Iterable[ActionSpec]:
        """Verbs on results."""
        raise AssertionError

    @hookspec(firstresult=True)
    def splashdown_run_plan(self, plan: Plan, execute: Callable[[], RunReport]) -> RunReport:  # noqa: ARG002 - the names are the specification
        """Wrap a whole run, once: ``@hookimpl(wrapper=True)`` and a single ``yield``. Others are refused."""
        raise AssertionError
