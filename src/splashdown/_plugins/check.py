"""What ``plugins check`` finds out about one plugin without storing, reading or resolving anything."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from splashdown._plugins.info import PluginInfo
from splashdown._plugins.made import MAKES, refuse_made
from splashdown._plugins.options import Field, fields_of
from splashdown.errors import OptionError, error_text
from splashdown.protocols import Resolver
from splashdown.redact import safely_shown
from splashdown.specs import ActionSpec, ExecutorSpec, FilterSpec, LoaderSpec, ResolverSpec, SinkSpec, Spec


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PluginCheck:
    """The result: ``problems`` is empty for a plugin that should work; ``options`` are by name of what is offered."""

    info: PluginInfo
    problems: tuple[str, ...]
    options: Mapping[str, tuple[Field, ...]]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def examine(info: PluginInfo, specs: Sequence[Spec]) -> PluginCheck:
    """Look at a plugin's specs: shapes of what they call, and their options."""
    problems = [str(failure) for failure in info.failures]
    options = {}
    if info.status == "ok" and not info.offers:
        problems.append("it offers nothing; a hook has to yield at least one spec")
    for spec in specs:
        problems += [f"{type(spec).__name__} '{spec.name}': {problem}" for problem in _problems(spec)]
        options_type: type | None = getattr(spec, "options", None)
        if options_type is not None:
            try:
                fields = fields_of(options_type, plugin=spec.name)
                # The environment has no influence on loaders.
                options[spec.name] = (
                    tuple(replace(f, variable="") for f in fields) if isinstance(spec, LoaderSpec) else fields
                )
            except OptionError as error:
                problems.append(f"{type(spec).__name__} '{spec.name}': {error}")
    return PluginCheck(info=info, problems=tuple(problems), options=options)


def _problems(spec: Spec) -> Iterator[str]:
    if getattr(spec, "schemes", None) == () or getattr(spec, "schemes", None) == []:
        yield "schemes is empty; nothing leads to it"
    if isinstance(spec, ResolverSpec):
        yield from _resolver_problems(spec)
    elif isinstance(spec, LoaderSpec):
        yield from _call_problems("load", spec.load, 1)
        if spec.summarise is not None:
            yield from _call_problems("summarise", spec.summarise, 1)
    elif isinstance(spec, ActionSpec):
        # The caller may pass more than the results or the target; the command line passes options alone.
        more = not spec.command or spec.options is not None
        if spec.run is not None:
            yield from _call_problems("run", spec.run, 1, more=more)
        if spec.plan is not None:
            yield from _call_problems("plan", spec.plan, 1, more=more)
        if spec.on_target is not None:
            yield from _call_problems("on_target", spec.on_target, 2, more=more)
    else:
        create = getattr(spec.create, "__wrapped__", spec.create)
        yield from _call_problems("create", create, 2 if isinstance(spec, SinkSpec | ExecutorSpec) else 1)
        made = _made_by(create)
        if made is not None:
            yield from _protocol_problems(made, MAKES[type(spec)])
    if isinstance(spec, FilterSpec) and not spec.name.isidentifier():
        yield "its name is not a Python identifier, so select(NAME=...) cannot take it"


def _resolver_problems(spec: ResolverSpec) -> Iterator[str]:
    # Making a resolver reads nothing, so this one can be tried.
    try:
        made = spec.create()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        yield error_text(error)
        return
    if refusal := refuse_made(made, Resolver):
        yield refusal


def _made_by(create: object) -> type | None:
    """The class of what ``create`` makes, as far as its annotations say."""
    if isinstance(create, type):
        return create
    try:
        made = typing.get_type_hints(create).get("return")
    except Exception:  # a name that only a type checker knows, or no function at all
        return None
    return made if isinstance(made, type) and not getattr(made, "_is_protocol", False) else None


def _protocol_problems(made: type, protocol: type) -> Iterator[str]:
    for name, wanted in vars(protocol).items():
        if not inspect.isfunction(wanted) or (name.startswith("_") and name != "__call__"):
            continue
        have = getattr(made, name, None)
        if have is None:
            yield f"{made.__name__} has no {name}(), which a {protocol.__name__} needs"
            continue
        parameters = [p for p in inspect.signature(wanted).parameters.values() if p.default is p.empty]
        yield from _call_problems(f"{made.__name__}.{name}()", have, len(parameters), counted=len(parameters) - 1)


def _call_problems(
    attribute: str, function: object, count: int, *, more: bool = False, counted: int | None = None
) -> Iterator[str]:
    """What speaks against calling a function with so many arguments; ``counted`` is how people count them."""
    counted = count if counted is None else counted
    if not callable(function):
        yield f"{attribute} is {function!r}, which cannot be called"
        return
    try:
        signature = inspect.signature(function)
        (signature.bind_partial if more else signature.bind)(*[None] * count)
    except TypeError as error:
        yield f"{attribute} has to take {counted} argument{'' if counted == 1 else 's'}: {error}"
    except ValueError:
        return  # functions written in C need not have a signature
