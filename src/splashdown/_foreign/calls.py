"""Calls objects of plugins: whatever these raise or return ends in one line that names the function and the plugin.

Every place that calls a plugin goes through here. Ctrl-C passes, and so do errors of this project, which are about the
user's data. Everything else is the plugin's failure, ``SystemExit`` and ``GeneratorExit`` as well: a plugin has no say
in whether the program goes on.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from types import FrameType, TracebackType, UnionType
from typing import Any, Generic, Protocol, TypeVar

from splashdown.errors import PluginError, PluginWarning, SplashdownError, error_text

#: Exceptions that go through a call unchanged.
PASSES = (SplashdownError, KeyboardInterrupt)


class CanClose(Protocol):
    """An object that is given back at the end: a sink, a transport."""

    def close(self) -> None:
        """Give it back."""


Closable = TypeVar("Closable", bound=CanClose)


def ask(
    what: str,
    function: Callable[..., Any],
    /,
    *args: Any,
    returns: type | UnionType = object,
    **options: Any,
) -> Any:
    """Call a function of a plugin and return its answer.

    ``what`` names it in messages: ``the filter 'newest'``. Raises :class:`~splashdown.errors.PluginError` for whatever
    it raises that is not of this project, and for an answer that is not of the type ``returns``.
    """
    with Named(what):
        answer = function(*args, **options)
    if not isinstance(answer, returns):
        raise wrong_type(answer, returns, what)
    return answer


class Named:
    """A ``with`` block whose exceptions name the plugin's part: :func:`ask` for more than one call."""

    __slots__ = ("_error", "_what")

    def __init__(self, what: str, error: type[SplashdownError] = PluginError) -> None:
        self._what, self._error = what, error

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is not None and not isinstance(error, PASSES):
            raise self._error(f"{self._what} failed: {error_text(error)}{raised_in(error)}") from error


class Tolerated:
    """A ``with`` block whose failure changes nothing, because what it does is a courtesy; Ctrl-C still ends it."""

    __slots__ = ()

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        return error is not None and not isinstance(error, KeyboardInterrupt)


class Closing(Generic[Closable]):
    """Gives a plugin's object back at the end of a ``with`` block.

    A ``close`` that fails becomes a warning: what the block returned or raised is worth more.
    """

    __slots__ = ("_object",)

    def __init__(self, closable: Closable) -> None:
        self._object = closable

    def __enter__(self) -> Closable:
        return self._object

    def __exit__(self, *_: object) -> None:
        close(self._object)


def close(closable: CanClose) -> None:
    """Close a plugin's object; warn where that fails."""
    try:
        closable.close()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        name = name_of(getattr(closable, "close", closable))
        warnings.warn(f"{name} failed: {error_text(error)}", PluginWarning, stacklevel=3)


def wrong_type(answer: object, kind: type | UnionType, whose: str | Callable[..., Any]) -> PluginError:
    """The error for an answer of another type; ``whose`` is the function that gave it, or its name in messages."""
    wanted = str(kind) if isinstance(kind, UnionType) else kind.__name__
    got = "None" if answer is None else type(answer).__name__
    name = whose if isinstance(whose, str) else name_of(whose)
    return PluginError(f"{name} returned {got}; it has to return {wanted.replace('splashdown.model.', '')}")


def name_of(function: Any) -> str:
    """A function of a plugin in messages: ``ShelfSink.commit() of splashdown_shelf``."""
    owner = getattr(function, "__self__", None)
    called = getattr(function, "__name__", "__call__")
    if owner is None:
        owner = function if called == "__call__" else None
    if owner is not None and not isinstance(owner, type):
        return f"{type(owner).__qualname__}.{called}() of {type(owner).__module__}"
    return f"{getattr(function, '__qualname__', called)}() of {getattr(function, '__module__', None) or 'Python'}"


def raised_in(error: BaseException) -> str:
    """``, in ShelfSink.commit() of splashdown_shelf``: the plugin's function that the host had called; else empty."""
    found: FrameType | None = None
    trace = error.__traceback__
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", ""))
        if _is_host(module):
            found = None
        elif found is None and module != "contextlib":
            found = trace.tb_frame
        trace = trace.tb_next
    if found is None:
        return ""
    return f", in {_qualified(found)}() of {found.f_globals.get('__name__', 'unknown')}"


def _qualified(frame: FrameType) -> str:
    """The function's name; a method's with the class of the object, which says more than the class that defines it."""
    code = frame.f_code
    name = code.co_qualname.replace("<locals>.", "").replace("<lambda>", "lambda")
    if "." in name and code.co_varnames[:1] == ("self",) and (owner := frame.f_locals.get("self")) is not None:
        return f"{type(owner).__qualname__.rpartition('<locals>.')[2]}.{code.co_name}"
    return name


def _is_host(module: str) -> bool:
    return module.startswith("splashdown.") and not module.startswith(("splashdown.builtins", "splashdown.testing"))
