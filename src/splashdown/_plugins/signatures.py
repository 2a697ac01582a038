"""Signatures and docstrings with every keyword, those of plugins too: what Shift-Tab, ``help()`` and ``?`` show."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar, cast

from splashdown.errors import SplashdownError

if TYPE_CHECKING:
    from splashdown.specs import LoaderSpec

F = TypeVar("F", bound=Callable[..., Any])
#: Keywords with the annotation that is shown, if any.
Keywords = Mapping[str, str]


class _Configured:
    def __repr__(self) -> str:
        return "..."


#: Stands in a signature for a default that may be configured.
_CONFIGURED = _Configured()


def shows(*kinds: type, closed: bool = True) -> Callable[[F], F]:
    """Let a function's signature have the keywords of a ``TypedDict`` instead of ``**options``.

    Without ``closed`` it takes others as well. ``...`` stands for a default that may be configured.
    """
    named = {name: _written(hint) for kind in kinds for name, hint in kind.__annotations__.items()}

    def mark(function: F) -> F:
        function.__signature__ = _with(inspect.signature(function), named, closed=closed)  # type: ignore[attr-defined]
        return function

    return mark


def describes(
    registry: str, keywords: Callable[[Any], Keywords], more: Callable[[Any], Iterable[str]]
) -> Callable[[F], F]:
    """Let a method's signature have keywords, and its docstring ``more`` lines, that plugins of its object add.

    ``registry`` is the attribute of the object, dots allowed, at which the plugins are.
    """

    def mark(function: F) -> F:
        return cast("F", _Described(function, attrgetter(registry), keywords, more))

    return mark


class _Described:
    """A method whose bound form says what the plugins of its object add."""

    def __init__(
        self,
        function: Callable[..., Any],
        registry: Callable[[Any], Any],
        keywords: Callable[[Any], Keywords],
        more: Callable[[Any], Iterable[str]],
    ) -> None:
        self._function, self._registry, self._keywords, self._more = function, registry, keywords, more
        self.__doc__ = function.__doc__

    def __get__(self, instance: object | None, owner: type) -> Callable[..., Any]:
        if instance is None:
            return self._function

        def ask(question: Callable[[Any], Any]) -> Any:
            return question(self._registry(instance))

        return _Bound(self._function.__get__(instance, owner), partial(ask, self._keywords), partial(ask, self._more))


class _Bound:
    """Calls the method; the rest is for people who look at it."""

    def __init__(
        self, method: Callable[..., Any], keywords: Callable[[], Keywords], more: Callable[[], Iterable[str]]
    ) -> None:
        self._method = self.__wrapped__ = method
        self.__name__, self.__qualname__ = method.__name__, method.__qualname__
        self._keywords, self._more = keywords, more

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._method(*args, **kwargs)

    def __repr__(self) -> str:
        return repr(self._method)

    @property
    def __signature__(self) -> inspect.Signature:
        return _with(inspect.signature(self._method), _asked(self._keywords, {}), closed=False)

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]  # the docstring of the instance
        lines = "".join(f"\n{line}" for line in _asked(self._more, ()))
        return f"{inspect.cleandoc(self._method.__doc__ or '')}\n{lines}"


def names_of_filters(loading: Any) -> Keywords:
    """The filters of a registry."""
    return dict.fromkeys(loading.filters(), "")


def filters_of(loading: Any) -> Iterable[str]:
    """A line for each filter of a registry, below a heading."""
    yield "The filters here:"
    yield from (f"    {name}: {spec.summary}" for name, spec in loading.filters().items())


def loaders_of(loading: Any) -> Iterable[str]:
    """A line for each loader of a registry, with its options, below a heading."""
    yield "The loaders here, with their options:"
    for spec in loading.loaders():
        options = ", ".join(_options_of(spec))
        yield f"    {spec.name}: {spec.summary}{f' ({options})' if options else ''}"


def options_of_loaders(loading: Any) -> Keywords:
    """The options of all loaders of a registry."""
    return {name: "" for spec in loading.loaders() for name in _options_of(spec)}


def _options_of(spec: LoaderSpec) -> list[str]:
    from splashdown._plugins.keywords import keywords_of

    return keywords_of(spec.load) or []


def _asked(ask: Callable[[], Any], otherwise: Any) -> Any:
    """Ask, and leave out the answer where a broken plugin fails: a look at a signature never does."""
    try:
        return list(found) if not isinstance(found := ask(), Mapping) else found
    except (SplashdownError, NameError, TypeError, ValueError):
        return otherwise


def _with(signature: inspect.Signature, named: Keywords, *, closed: bool) -> inspect.Signature:
    own = list(signature.parameters.values())
    rest = [one for one in own if one.kind is one.VAR_KEYWORD]
    kept = [one for one in own if one.kind is not one.VAR_KEYWORD]
    added = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=_CONFIGURED, annotation=hint or inspect.Parameter.empty
        )
        for name, hint in named.items()
        if name not in signature.parameters and name.isidentifier()
    ]
    return signature.replace(parameters=[*kept, *added, *([] if closed else rest)])


def _written(hint: Any) -> str:
    return str(getattr(hint, "__forward_arg__", hint))
