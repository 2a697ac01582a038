"""Which keywords a plugin's function takes: its keyword-only parameters, and those of an ``Unpack[TypedDict]``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, Unpack, get_args, get_origin


def keywords_of(function: Callable[..., object]) -> list[str] | None:
    """The names, in order; ``None`` for a function that takes any (``**options`` without a ``TypedDict``)."""
    names: list[str] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY:
            names.append(parameter.name)
        elif parameter.kind is parameter.VAR_KEYWORD:
            unpacked = _unpacked(parameter.annotation, function)
            if unpacked is None:
                return None
            names += unpacked.__annotations__
    return names


def _unpacked(annotation: Any, function: Callable[..., object]) -> type | None:
    """The ``TypedDict`` of such a parameter (PEP 692). Only its own annotation is looked at: others may be heavy."""
    if isinstance(annotation, str):
        if not annotation.startswith(("Unpack[", "typing.Unpack[")):
            return None
        annotation = eval(annotation, _globals(function))  # noqa: S307 - the plugin's own, as typing evaluates it
    found: type | None = get_args(annotation)[0] if get_origin(annotation) is Unpack else None
    return found


def _globals(function: Callable[..., object]) -> dict[str, Any]:
    """Where the names in a function's annotations are looked up."""
    while isinstance(function, partial):
        function = function.func
    plain = inspect.unwrap(function)
    method = plain if hasattr(plain, "__globals__") else type(plain).__call__
    return getattr(method, "__globals__", {})
