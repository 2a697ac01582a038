"""Says where each value of the configuration came from: ``splashdown config show``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from splashdown._connections.hosts import HostProfile
from splashdown._connections.known_hosts import KNOWN
from splashdown._plugins.auth_table import source_shown
from splashdown._plugins.config import Config, PluginTable
from splashdown._plugins.options import REQUIRED, Field, fields_of, fill
from splashdown._plugins.registry import Registry
from splashdown.errors import did_you_mean
from splashdown.redact import redact_value, safely_shown

_SWITCHES: Mapping[str, str] = {
    "discover": "SPLASHDOWN_NO_PLUGINS",
    "disable": "SPLASHDOWN_DISABLE_PLUGINS",
    "only": "SPLASHDOWN_ONLY_PLUGINS",
}
#: Variables that are not options: which file to read, what the command line signs in with, and how it shows errors.
_OTHERS = frozenset(f"SPLASHDOWN_{name}" for name in ("CONFIG", "DEBUG", "TOKEN", "USER", "PASSWORD"))


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Traced:
    """One value, under its name in the file, and its origin: ``default``, a variable's name, or a file's path.

    ``default, by URL`` names the page on which the owner of a host has published a rule.
    """

    key: str
    value: object
    origin: str
    variable: str = ""  #: what would set it from the environment


def trace(config: Config, registry: Registry, settings: type, environ: Mapping[str, str]) -> Iterator[Traced]:
    """Every value that can be configured. Raises ``OptionError`` for what a file or a variable says wrongly."""
    for field in fields(PluginTable):
        switch = _SWITCHES.get(field.name, "")
        file = config.where("plugins", field.name)
        origin = switch if switch in environ else str(file) if file else "default"
        value = getattr(registry.choice, field.name)
        shown = sorted(value) if isinstance(value, frozenset | Mapping) else value
        yield Traced(key=f"plugins.{field.name}", value=shown, origin=origin, variable=switch)
    yield from _signing_in(config)
    yield from _traced("", settings, ("settings",), config, environ)
    for name, options in sorted(registry.options_types().items()):
        yield from _traced(name, options, ("options", name), config, environ)
    yield from _hosts(config)


def _hosts(config: Config) -> Iterator[Traced]:
    """What the profiles of hosts say; of one that comes with the package, the page that it is from too."""
    shown: dict[str, Traced] = {}
    for host, (profile, page) in KNOWN.items():
        shown |= _host(host, profile, f"default, by {page}")
    files = [path for path, content in reversed(config.files) if content.get("hosts")]
    for path, level in zip(files, config.hosts, strict=True):
        for host, profile in level.items():
            shown |= _host(host, profile, str(path))
    yield from (shown[key] for key in sorted(shown))


def _host(host: str, profile: HostProfile, origin: str) -> dict[str, Traced]:
    rows = ((f'hosts."{host}".{name}', getattr(profile, name)) for name in profile.set_fields())
    return {key: Traced(key=key, value=redact_value(value), origin=origin) for key, value in rows}


def _signing_in(config: Config) -> Iterator[Traced]:
    """The origins of ``[auth]``, each as the strongest file has it, which comes first."""
    found: dict[str, Traced] = {}
    for path, content in config.files:
        for origin, value in content.get("auth", {}).items():
            shown = Traced(key=f'auth."{origin}"', value=source_shown(value), origin=str(path))
            found.setdefault(origin, shown)
    yield from found.values()


def unknown_variables(rows: Iterable[Traced], environ: Mapping[str, str]) -> Iterator[str]:
    """A line for each variable that looks like one of Splashdown's and means nothing here."""
    known = {row.variable for row in rows} | {*_SWITCHES.values(), *_OTHERS}
    for name in sorted(environ):
        if name.startswith("SPLASHDOWN_") and name not in known:
            yield f"{name} means nothing here{did_you_mean(name, known)}"


def _traced(
    plugin: str, options: type, path: tuple[str, ...], config: Config, environ: Mapping[str, str]
) -> Iterator[Traced]:
    described = fields_of(options, plugin=plugin)
    values: Any
    if any(f.default is REQUIRED and f.variable not in environ and not config.where(*path, f.name) for f in described):
        values = None  # it cannot be made without what only a call can give
    else:
        values = fill(options, {}, plugin=plugin, config=config.table(*path), environ=environ)
    yield from _rows(described, values, path, config, environ)


def _rows(
    described: tuple[Field, ...], values: Any, path: tuple[str, ...], config: Config, environ: Mapping[str, str]
) -> Iterator[Traced]:
    for field in described:
        if field.python_only:
            continue  # nothing here can set it
        value = field.default if values is None else getattr(values, field.name)
        if field.nested:
            yield from _rows(field.nested, value, (*path, field.name), config, environ)
            continue
        file = config.where(*path, field.name)
        origin = field.variable if field.variable in environ else str(file) if file else "default"
        shown = "(set, not shown)" if field.secret and origin != "default" else redact_value(value)
        yield Traced(key=".".join((*path, field.name)), value=shown, origin=origin, variable=field.variable)
