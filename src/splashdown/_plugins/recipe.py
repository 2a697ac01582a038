"""How a session was made, as bytes that another process makes the same of. No secret is among them."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from splashdown._plugins.options import fields_of
from splashdown._plugins.secret_options import secrets_in
from splashdown.auth import is_name
from splashdown.errors import UsageError, error_text

if TYPE_CHECKING:
    from splashdown._engine.settings import Settings
    from splashdown._plugins.config import Config
    from splashdown._plugins.loading import Choice


class _Module(NamedTuple):
    """A plugin that is a module, by its name."""

    name: str


def recipe_of(
    choice: Choice,
    config: Config,
    options: Mapping[str, Mapping[str, Any]],
    settings: Settings | None,
    given: Mapping[str, Any],
    options_types: Callable[[], Mapping[str, type]],
) -> bytes:
    """The arguments that make a session like this one; ``options_types`` finds the classes of the options.

    Raises :class:`~splashdown.errors.UsageError` for an option that is a secret, and for what cannot be pickled.
    """
    types = options_types() if options else {}
    for plugin, table in options.items():
        _refuse_secrets(plugin, table, types.get(plugin))
    made = {
        "plugins": tuple(map(_named, given["plugins"])),
        "discover": choice.discover,
        "disable": tuple(choice.disable),
        "only": None if choice.only is None else tuple(sorted(choice.only)),
        "strict": choice.strict,
        "options": {name: dict(table) for name, table in options.items()},
        "settings": settings,
        "auth": {origin: name for origin, name in given["auth"].items() if is_name(name)},
        "hosts": given["hosts"],
        "config": config,
    }
    try:
        return pickle.dumps(made, pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        raise UsageError(
            f"this session cannot be sent to other processes, because of an option or a plugin ({error_text(error)});"
            " pass plugins as modules or files, and options as plain values"
        ) from error


def arguments_of(recipe: bytes) -> dict[str, Any]:
    """The arguments of ``Session`` that a recipe holds."""
    made: dict[str, Any] = pickle.loads(recipe)  # noqa: S301 - of the process that submitted this one's work
    made["plugins"] = tuple(_imported(one) for one in made["plugins"])
    return made


def _refuse_secrets(plugin: str, table: Mapping[str, Any], options_type: type | None) -> None:
    declared = fields_of(options_type, plugin=plugin) if options_type is not None else ()
    for path in secrets_in(table, declared):
        raise UsageError(
            f"the option {'.'.join((plugin, *path))} is a secret, which is not sent to other processes; set it in the"
            " environment of the workers"
        )


def _named(plugin: object) -> object:
    if isinstance(plugin, ModuleType):
        if sys.modules.get(plugin.__name__) is not plugin or plugin.__name__ == "__main__":
            raise UsageError(f"the plugin {plugin.__name__} is not a module that other processes can import")
        return _Module(plugin.__name__)
    return str(Path(plugin).absolute()) if isinstance(plugin, str | Path) else plugin


def _imported(plugin: object) -> object:
    if isinstance(plugin, _Module):
        __import__(plugin.name)
        return sys.modules[plugin.name]
    return plugin
