"""Calls actions: each gets the options of the call, of the environment and of the configuration file, and no other."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from splashdown._foreign.calls import ask
from splashdown.errors import OptionError, UsageError, refuse_unknown
from splashdown.specs import ActionSpec

#: ``fill(name, options_type, given)`` makes the options of a plugin.
Fill = Callable[[str, type | None, Mapping[str, Any]], Any]


def run_on_results(spec: ActionSpec, results: object, given: Mapping[str, Any], fill: Fill) -> Any:
    """Do it to results. Raises ``UsageError`` for an action that takes a target, ``OptionError`` for its options."""
    if spec.run is None:
        raise UsageError(f"the action {spec.name!r} takes a target, not results: session.run({spec.name!r}, target)")
    return ask(f"the action {spec.name!r}", spec.run, results, **_options(spec, spec.run, 1, given, fill))


def plan_on_results(spec: ActionSpec, results: object, given: Mapping[str, Any], fill: Fill) -> Any:
    """What doing it to results would move. Raises as :func:`run_on_results`."""
    if spec.plan is None:
        raise UsageError(f"the action {spec.name!r} has no plan to show: nothing but running it shows what it does")
    options = _options(spec, spec.plan, 1, given, fill)
    return ask(f"the plan of the action {spec.name!r}", spec.plan, results, **options)


def run_on_target(spec: ActionSpec, session: object, target: str | Path, given: Mapping[str, Any], fill: Fill) -> Any:
    """Do it to a target. Raises ``UsageError`` for an action that needs results, ``OptionError`` for its options."""
    if spec.on_target is None:
        raise UsageError(f"the action {spec.name!r} needs results: session.open(source).run({spec.name!r})")
    options = _options(spec, spec.on_target, 2, given, fill)
    return ask(f"the action {spec.name!r}", spec.on_target, session, target, **options)


def _options(
    spec: ActionSpec, function: Callable[..., Any], leading: int, given: Mapping[str, Any], fill: Fill
) -> dict[str, Any]:
    """The keyword arguments for a function of an action, whose first arguments are not options."""
    parameters = list(inspect.signature(function).parameters.values())[leading:]
    named = {p.name: p.default is p.empty for p in parameters if p.kind in {p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD}}
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    described = [f.name for f in fields(spec.options) if f.init] if spec.options else []
    if spec.options is not None or not takes_any:
        known = [*named, *(name for name in described if name not in named)]
        refuse_unknown(f"the action {spec.name!r}", given, known)
    for name, needed in named.items():
        if needed and name not in given and name not in described:
            raise OptionError(f"the action {spec.name!r} needs the option {name!r}")
    if spec.options is None:
        return dict(given)
    filled = fill(spec.name, spec.options, {name: value for name, value in given.items() if name in described})
    own = {name: getattr(filled, name) for name in described if takes_any or name in named}
    return {**given, **own}
