"""How values of a field's type are made from text (environment, command line) and from TOML or Python values."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import types
import typing
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Union

from splashdown.errors import OptionError
from splashdown.redact import redact_value

_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off", ""})


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One type: ``text`` is what people call it, ``one`` makes a value or raises, ``many`` takes several."""

    text: str
    one: Callable[[Any], Any]
    many: bool = False
    optional: bool = False
    secret: bool = False
    choices: tuple[str, ...] = ()
    collect: Callable[[Any], Any] = tuple
    nested: type | None = None  #: a dataclass of its own
    python_only: bool = False  #: an object that only Python code can pass; the dataclass checks it

    def convert(self, value: Any, where: str) -> Any:
        """The value as the field wants it. Raises ``OptionError``, which begins with ``where``."""
        if value is None and self.optional:
            return None
        try:
            if self.many:
                return self.collect(self.one(part) for part in _parts(value))
            return self.one(value)
        except (TypeError, ValueError, KeyError, OverflowError, IndexError):
            shown = "" if self.secret else f", not {redact_value(value)!r}"
            raise OptionError(f"{where} has to be {self.text}{shown}") from None


def kinds_of(options_type: type, plugin: str) -> dict[str, Kind]:
    """The kind of every field that can be set."""
    fields = [f for f in dataclasses.fields(options_type) if f.init]
    try:
        hints = _hints(options_type, {f.name for f in fields if "python_only" not in f.metadata})
    except NameError as error:
        raise OptionError(f"options of '{plugin}' have a type that cannot be found: {error}") from error
    return {
        f.name: dataclasses.replace(_kind(hints[f.name]), secret=bool(f.metadata.get("secret")))
        if f.name in hints
        else _object(f, plugin)
        for f in fields
    }


def _hints(options_type: type, names: Collection[str]) -> dict[str, Any]:
    """The types of these fields. Other fields may have types that only type checkers know, to save an import."""
    found: dict[str, Any] = {}
    for base in reversed(options_type.__mro__):
        own = {name: hint for name, hint in inspect.get_annotations(base).items() if name in names}
        found |= typing.get_type_hints(type("_", (), {"__module__": base.__module__, "__annotations__": own}))
    return found


def _object(field: dataclasses.Field[Any], plugin: str) -> Kind:
    text = field.metadata["python_only"]
    if not isinstance(text, str) or not text:
        raise OptionError(f"python_only of the option '{field.name}' of '{plugin}' has to say in words what is passed")
    return Kind(text=text, one=_unchanged, python_only=True)


def _unchanged(value: Any) -> Any:
    return value


def _kind(hint: Any) -> Kind:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in {Union, types.UnionType}:
        return _union([a for a in args if a is not types.NoneType], optional=types.NoneType in args)
    if origin is typing.Literal:
        by_text = {str(a): a for a in args}
        return Kind(text=f"one of {', '.join(by_text)}", one=lambda v: by_text[str(v)], choices=tuple(by_text))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return Kind(text="pairs NAME=VALUE", one=_pair, many=True, collect=dict)
    if isinstance(origin, type) and issubclass(origin, Sequence | set | frozenset):
        inner = _kind(args[0]) if args else _PLAIN[str]
        collect = origin if origin in {list, set, frozenset} else tuple
        return Kind(
            text=f"a list of {_MANY.get(inner.text, inner.text)}",
            one=inner.one,
            many=True,
            collect=collect,
            choices=inner.choices,
        )
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        values = tuple(str(member.value) for member in hint)
        return Kind(text=f"one of {', '.join(values)}", one=hint, choices=values)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return Kind(text=f"a table of {hint.__name__}", one=_instance(hint), nested=hint)
    return _PLAIN.get(hint, _ANY)


def _union(hints: Sequence[Any], *, optional: bool) -> Kind:
    kinds = [_kind(hint) for hint in hints]
    if len(kinds) == 1:
        return dataclasses.replace(kinds[0], optional=optional)

    def first(value: Any) -> Any:
        for kind in kinds:
            try:
                return kind.convert(value, "")
            except OptionError:
                continue
        raise ValueError(value)

    return Kind(text=" or ".join(kind.text for kind in kinds), one=first, optional=optional)


def _parts(value: Any) -> Any:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value.items() if isinstance(value, Mapping) else value


def _pair(value: Any) -> tuple[str, str]:
    if not isinstance(value, str):
        return value[0], value[1]
    name, equals, text = value.partition("=")
    if not equals:
        raise ValueError(value)
    return name, text


def _instance(kind: type) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        if not isinstance(value, kind):
            raise TypeError(value)
        return value

    return convert


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = _text(value).strip().lower()
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise ValueError(text)


def _number(kind: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        # bool is an int, and int(2.7) is 2: neither is what the user meant.
        if isinstance(value, bool) or (kind is int and isinstance(value, float) and value != int(value)):
            raise TypeError(value)
        return kind(value)

    return convert


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


#: The plural of each type.
_MANY: Final = {"a number": "numbers", "a whole number": "whole numbers", "text": "texts", "a path": "paths"}
_ANY: Final = Kind(text="a value", one=_unchanged)
_PLAIN: Final[Mapping[Any, Kind]] = {
    str: Kind(text="text", one=_text),
    int: Kind(text="a whole number", one=_number(int)),
    float: Kind(text="a number", one=_number(float)),
    bool: Kind(text="true or false", one=_flag),
    Path: Kind(text="a path", one=lambda value: Path(value).expanduser()),
}
