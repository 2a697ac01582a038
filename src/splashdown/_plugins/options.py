"""Options of a plugin: a dataclass filled from arguments, the environment and a table of the configuration file.

The first of these that has a value wins. Which files are read is ``config``'s business.
"""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar, Union, cast

from splashdown._plugins.suggest import did_you_mean
from splashdown.errors import OptionError

T = TypeVar("T")

_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off", ""})


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One option: what ``--help``, ``config show`` and ``plugins check`` say about it."""

    name: str
    type: str  #: as people write it: ``int``, ``text``, ``one of a, b``, ...
    default: object  #: :data:`REQUIRED` where a value has to be given
    variable: str  #: the environment variable
    help: str = ""  #: ``metadata={"help": ...}`` of the dataclass field
    secret: bool = False  #: ``metadata={"secret": True}``: never in a file, never shown
    many: bool = False  #: takes several values
    flag: bool = False  #: is a truth value
    choices: tuple[str, ...] = ()


class _Required:
    def __repr__(self) -> str:
        return "required"


REQUIRED: Final = _Required()


def variable(plugin: str, option: str) -> str:
    """The environment variable of an option: ``SPLASHDOWN_S3_ENDPOINT_URL``."""
    joined = f"splashdown_{plugin}_{option}"
    return "".join(c if c.isalnum() else "_" for c in joined).upper()


def fill(
    options_type: type[T],
    given: Mapping[str, Any],
    *,
    plugin: str,
    config: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> T:
    """An instance of the options dataclass.

    ``given`` are arguments, ``config`` the plugin's table of the configuration file, ``environ`` the environment.
    Raises :class:`~splashdown.errors.OptionError` for an option that the dataclass lacks, one that it requires,
    and a value that does not fit the type.
    """
    kinds = _kinds(options_type, plugin)
    _refuse_unknown(given, kinds, plugin, "")
    _refuse_unknown(config or {}, kinds, plugin, " (in the configuration file)")
    values: dict[str, Any] = {}
    for field in dataclasses.fields(cast("Any", options_type)):
        if not field.init:
            continue
        name, source = field.name, variable(plugin, field.name)
        kind = dataclasses.replace(kinds[name], secret=bool(field.metadata.get("secret")))
        if name in given:
            values[name] = kind.convert(given[name], f"option '{name}' of '{plugin}'")
        elif environ and source in environ:
            values[name] = kind.convert(environ[source], source)
        elif config and name in config:
            if kind.secret:
                raise OptionError(
                    f"'{name}' of '{plugin}' is a secret and has no place in a file; set {source} instead"
                )
            values[name] = kind.convert(config[name], f"'{name}' of '{plugin}' in the configuration file")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise OptionError(f"'{plugin}' needs the option '{name}'; pass it or set {source}")
    try:
        return options_type(**values)
    except (TypeError, ValueError) as error:  # what the plugin's own __post_init__ refuses
        raise OptionError(f"options of '{plugin}': {error}") from error


def fields_of(options_type: type, *, plugin: str) -> tuple[Field, ...]:
    """The options that a dataclass describes, in its order."""
    kinds = _kinds(options_type, plugin)
    return tuple(
        Field(
            name=f.name,
            type=kinds[f.name].text,
            default=_default(f),
            variable=variable(plugin, f.name),
            help=str(f.metadata.get("help", "")),
            secret=bool(f.metadata.get("secret")),
            many=kinds[f.name].many,
            flag=kinds[f.name].text == "true or false",
            choices=kinds[f.name].choices,
        )
        for f in dataclasses.fields(options_type)
        if f.init
    )


def _default(field: dataclasses.Field[Any]) -> object:
    if field.default is not dataclasses.MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else REQUIRED


def _refuse_unknown(given: Mapping[str, Any], known: Mapping[str, Any], plugin: str, where: str) -> None:
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known) or f"; it knows: {', '.join(known) or 'none'}"
            raise OptionError(f"'{plugin}' has no option '{name}'{where}{hint}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """How values of one type are made from text (environment, command line) and from TOML or Python."""

    text: str
    one: Callable[[Any], Any]
    many: bool = False
    optional: bool = False
    secret: bool = False
    choices: tuple[str, ...] = ()
    collect: Callable[[Any], Any] = tuple

    def convert(self, value: Any, where: str) -> Any:
        if value is None and self.optional:
            return None
        try:
            if self.many:
                parts = [p.strip() for p in value.split(",") if p.strip()] if isinstance(value, str) else value
                return self.collect(self.one(part) for part in parts)
            return self.one(value)
        except (TypeError, ValueError, KeyError):
            shown = "" if self.secret else f", not {value!r}"
            raise OptionError(f"{where} has to be {self.text}{shown}") from None


def _kinds(options_type: type, plugin: str) -> dict[str, _Kind]:
    try:
        hints = typing.get_type_hints(options_type)
    except NameError as error:
        raise OptionError(f"options of '{plugin}' have a type that cannot be found: {error}") from error
    return {f.name: _kind(hints[f.name]) for f in dataclasses.fields(options_type) if f.init}


def _kind(hint: Any) -> _Kind:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in {Union, types.UnionType}:
        real = [a for a in args if a is not types.NoneType]
        if len(real) == 1:
            return dataclasses.replace(_kind(real[0]), optional=True)
    if origin is typing.Literal:
        return _Kind(text=f"one of {', '.join(map(str, args))}", one=_member(args), choices=tuple(map(str, args)))
    if origin in {tuple, list, set, frozenset} or (origin is not None and issubclass(_class(origin), Sequence)):
        inner = _kind(args[0]) if args else _PLAIN[str]
        collect = origin if origin in {list, set, frozenset} else tuple
        return _Kind(text=f"a list of {inner.text}", one=inner.one, many=True, collect=collect, choices=inner.choices)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        values = tuple(str(member.value) for member in hint)
        return _Kind(
            text=f"one of {', '.join(values)}", one=lambda v: v if isinstance(v, hint) else hint(v), choices=values
        )
    return _PLAIN.get(hint, _ANY)


def _class(origin: Any) -> type:
    return origin if isinstance(origin, type) else object


def _member(allowed: tuple[Any, ...]) -> Callable[[Any], Any]:
    by_text = {str(a): a for a in allowed}
    return lambda value: by_text[str(value)]


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = value.strip().lower()
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise ValueError(text)


def _number(kind: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        # bool is an int, and int(2.7) is 2: neither is what somebody meant.
        if isinstance(value, bool) or (kind is int and isinstance(value, float) and value != int(value)):
            raise TypeError(value)
        return kind(value)

    return convert


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


_ANY: Final = _Kind(text="a value", one=lambda value: value)
_PLAIN: Final[Mapping[Any, _Kind]] = {
    str: _Kind(text="text", one=_text),
    int: _Kind(text="a whole number", one=_number(int)),
    float: _Kind(text="a number", one=_number(float)),
    bool: _Kind(text="true or false", one=_flag),
    Path: _Kind(text="a path", one=lambda value: Path(value).expanduser()),
}
