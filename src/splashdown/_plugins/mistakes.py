"""What keeps a spec from being found, or makes it fail later, far from its plugin."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from splashdown.specs import ActionSpec, Spec

#: RFC 3986, section 3.1; empty for plain paths.
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)?")
#: Fields that hold several values, and the type of each.
_SEVERAL: Final[Mapping[str, type]] = {
    "schemes": str,
    "origins": str,
    "media_types": str,
    "extensions": str,
    "magic": bytes,
}
#: Fields that are called, and whether a spec may be without.
_CALLED: Final[Mapping[str, bool]] = {
    "create": False,
    "accepts": True,
    "load": False,
    "load_many": True,
    "summarise": True,
    "run": True,
    "plan": True,
    "on_target": True,
}


def mistakes_of(spec: Spec) -> Iterator[str]:
    """A line for each mistake; those after the first may follow from it."""
    yield from _wrong_types(spec)
    for scheme in getattr(spec, "schemes", ()):
        if not _SCHEME.fullmatch(scheme):
            yield f"schemes of {spec.name!r} has {scheme!r}, which is not a URL scheme; write it without '://'"
    for extension in getattr(spec, "extensions", ()):
        if not extension.startswith("."):
            yield f"extensions of {spec.name!r} has {extension!r}; write it with its dot: '.{extension}'"
    if isinstance(spec, ActionSpec) and spec.run is None:
        if spec.on_target is None:
            yield f"the action {spec.name!r} has nothing to call; give it run= or on_target="
        elif spec.plan is not None:
            yield f"the action {spec.name!r} has a plan= for results and no run=; give it both or neither"
    options = getattr(spec, "options", None)
    if options is not None and not (isinstance(options, type) and dataclasses.is_dataclass(options)):
        yield f"options of {spec.name!r} is {options!r}; it has to be a dataclass"


def _wrong_types(spec: Spec) -> Iterator[str]:
    for attribute, kind in _SEVERAL.items():
        values = getattr(spec, attribute, ())
        # A single string is iterable too, by its letters: the most common mistake.
        if isinstance(values, str | bytes):
            yield f"{attribute} of {spec.name!r} is one string; write a tuple of strings: (...,)"
        elif not isinstance(values, Collection):
            yield f"{attribute} of {spec.name!r} is {_kind(values)}; write a tuple: (...,)"
        else:
            for value in values:
                if not isinstance(value, kind):
                    yield f"{attribute} of {spec.name!r} has {value!r}; each has to be {kind.__name__}"
    for attribute, optional in _CALLED.items():
        function = getattr(spec, attribute, print)
        if not callable(function) and not (optional and function is None):
            yield f"{attribute} of {spec.name!r} is {_kind(function)}, which cannot be called"
    summary: object = spec.summary
    if not isinstance(summary, str):
        yield f"summary of {spec.name!r} is {_kind(summary)}; it has to be a string"


def _kind(value: object) -> str:
    return "None" if value is None else f"of type {type(value).__name__}"
