"""Options: a dataclass filled from arguments, the environment and a table of the configuration file.

The first of these that has a value wins. ``config`` says which files are read, ``option_types`` how
text becomes a value.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from splashdown._plugins.option_types import Kind, kinds_of
from splashdown.errors import OptionError, refuse_unknown
from splashdown.redact import safely_shown

T = TypeVar("T")


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Field:
    """One option: what ``--help``, ``config show`` and ``plugins check`` say about it."""

    name: str
    type: str  #: as people write it: ``a whole number``, ``text``, ``one of a, b``, ...
    default: object  #: :data:`REQUIRED` where a value has to be given
    variable: str  #: the environment variable; empty where there is none
    help: str = ""  #: ``metadata={"help": ...}`` of the dataclass field
    secret: bool = False  #: ``metadata={"secret": True}``: never in a file, never shown
    python_only: bool = False  #: ``metadata={"python_only": "a boto3.Session"}``: an object, not a string
    many: bool = False  #: takes several values
    flag: bool = False  #: is a truth value
    choices: tuple[str, ...] = ()
    nested: tuple[Field, ...] = ()  #: the fields of a table within the table
    metavar: str = ""  #: what stands for the value in ``--help``: ``metadata={"metavar": ...}``, else from the type


class _Required:
    def __repr__(self) -> str:
        return "required"


REQUIRED: Final = _Required()


def variable(plugin: str, option: str) -> str:
    """The environment variable of an option: ``SPLASHDOWN_S3_ENDPOINT_URL``."""
    joined = "_".join(part for part in ("splashdown", plugin, option) if part)
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
    An empty ``plugin`` stands for the settings of Splashdown itself. Raises
    :class:`~splashdown.errors.OptionError` for an option that the dataclass lacks, one that it requires, and a
    value that does not fit the type.
    """
    kinds = kinds_of(options_type, plugin)
    config, environ = config or {}, environ or {}
    refuse_unknown(_owner(plugin), given, kinds)
    refuse_unknown(_owner(plugin), config, kinds, " (in the configuration file)")
    values = {}
    for field in dataclasses.fields(cast("Any", options_type)):
        if field.init:
            for value in _value(field, kinds[field.name], (given, config, environ), plugin):
                values[field.name] = value
    try:
        return options_type(**values)
    except OptionError:
        raise
    except (TypeError, ValueError) as error:  # what the dataclass itself refuses
        raise OptionError(f"{_owner(plugin)}: {error}") from error


def fields_of(options_type: type, *, plugin: str) -> tuple[Field, ...]:
    """The options that a dataclass describes, in its order."""
    kinds = kinds_of(options_type, plugin)
    return tuple(_field(f, kinds[f.name], plugin) for f in dataclasses.fields(options_type) if f.init)


def _field(field: dataclasses.Field[Any], kind: Kind, plugin: str) -> Field:
    return Field(
        name=field.name,
        type=f"{kind.text}, in Python only" if kind.python_only else kind.text,
        default=_default(field),
        variable="" if kind.python_only else variable(plugin, field.name),
        help=str(field.metadata.get("help", "")),
        secret=kind.secret,
        python_only=kind.python_only,
        many=kind.many,
        flag=kind.text == "true or false",
        choices=kind.choices,
        metavar=field.metadata.get("metavar") or kind.text.upper().removeprefix("A ").replace(" ", "-"),
        nested=fields_of(kind.nested, plugin=f"{plugin}_{field.name}" if plugin else field.name) if kind.nested else (),
    )


def _value(
    field: dataclasses.Field[Any],
    kind: Kind,
    sources: tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, str]],
    plugin: str,
) -> Iterator[Any]:
    """The value that the strongest source has; nothing where the default stands."""
    given, config, environ = sources
    name, source = field.name, variable(plugin, field.name)
    if kind.python_only:
        _refuse_strings(field, kind, sources, plugin)
    if kind.nested is not None and not isinstance(given.get(name), kind.nested):
        inner = f"{plugin}_{name}" if plugin else name
        for table in (given.get(name, {}), config.get(name, {})):
            if not isinstance(table, Mapping):
                raise OptionError(f"'{name}' of {_owner(plugin)} has to be a table of options, not {table!r}")
        yield fill(kind.nested, given.get(name, {}), plugin=inner, config=config.get(name), environ=environ)
    elif name in given:
        yield kind.convert(given[name], f"option '{name}' of {_owner(plugin)}")
    elif source in environ:
        yield kind.convert(environ[source], source)
    elif name in config:
        if kind.secret:
            raise OptionError(
                f"'{name}' of {_owner(plugin)} is a secret and has no place in a file; set {source} instead"
            )
        yield kind.convert(config[name], f"'{name}' of {_owner(plugin)} in the configuration file")
    elif _default(field) is REQUIRED:
        how = f"it is {kind.text}; pass it in Python" if kind.python_only else f"pass it or set {source}"
        raise OptionError(f"{_owner(plugin)} needs the option '{name}'; {how}")


def _refuse_strings(
    field: dataclasses.Field[Any],
    kind: Kind,
    sources: tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, str]],
    plugin: str,
) -> None:
    """Refuse what the command line, the environment or a file gives for an object."""
    given, config, environ = sources
    name, source = field.name, variable(plugin, field.name)
    places = {
        f"option '{name}' of {_owner(plugin)}": isinstance(given.get(name), str)
        and not field.metadata.get("takes_names"),
        source: source in environ,
        f"'{name}' of {_owner(plugin)} in the configuration file": name in config,
    }
    for where in (where for where, refused in places.items() if refused):
        about = f" ({field.metadata['help']})" if field.metadata.get("help") else ""
        raise OptionError(f"{where} has to be {kind.text}{about}; only Python code can pass it")


def _default(field: dataclasses.Field[Any]) -> object:
    if field.default is not dataclasses.MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else REQUIRED


def _owner(plugin: str) -> str:
    return f"'{plugin}'" if plugin else "the settings"
