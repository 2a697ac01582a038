"""The configuration file ``splashdown.toml``: where it is looked for, what may stand in it, and where a value is from.

The project's file (the nearest in the working folder or above it) is stronger than the user's. It has five kinds
of tables: ``[settings]`` for the engine, ``[plugins]`` for which plugins are loaded, ``[options.NAME]`` for a plugin,
``[hosts."NAME"]`` for one host, ``[auth]`` for where the credentials of an origin come from. It never holds a secret.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from splashdown._plugins.option_types import kinds_of
from splashdown._plugins.secret_options import secrets_in
from splashdown.errors import OptionError, did_you_mean, error_text
from splashdown.redact import safely_shown

if TYPE_CHECKING:
    from splashdown._connections.hosts import HostProfile

NAME: Final = "splashdown.toml"
#: The variable that names one file to read instead of all others; empty for none.
VARIABLE: Final = "SPLASHDOWN_CONFIG"

_TABLES: Final = ("auth", "hosts", "options", "plugins", "settings")


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginTable:
    """What ``[plugins]`` may say; see :class:`splashdown.Session`."""

    discover: bool = True
    disable: tuple[str, ...] = ()
    only: tuple[str, ...] | None = None
    strict: bool = False


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Config:
    """The files that were read, the strongest first, each with its content."""

    files: tuple[tuple[Path, Mapping[str, Any]], ...] = ()

    @property
    def plugins(self) -> PluginTable:
        """``[plugins]``."""
        table = self.table("plugins")
        if not table:
            return PluginTable()
        kinds = kinds_of(PluginTable, "plugins")
        where = "[plugins] in the configuration file: "
        return PluginTable(**{name: kinds[name].convert(value, f"{where}{name}") for name, value in table.items()})

    @property
    def settings(self) -> Mapping[str, Any]:
        """``[settings]``, as it stands."""
        return self.table("settings")

    @property
    def auth(self) -> Mapping[str, Callable[[], object]]:
        """``[auth]``: what gives the credentials of each origin. An entry of a stronger file replaces the other."""
        found: dict[str, Callable[[], object]] = {}
        for path, content in reversed(self.files):
            found.update(_credentials(path, content))
        return found

    @property
    def hosts(self) -> tuple[Mapping[str, HostProfile], ...]:
        """``[hosts]`` of each file, the weakest first."""
        if not any("hosts" in content for _, content in self.files):
            return ()
        from splashdown._plugins.hosts_table import profiles_of  # late: few files have any

        tables = ((path, content.get("hosts", {})) for path, content in reversed(self.files))
        return tuple(profiles_of(f"{path}: [hosts]", table) for path, table in tables if table)

    def options(self, plugin: str) -> Mapping[str, Any]:
        """``[options.PLUGIN]``, as it stands."""
        return self.table("options", plugin)

    @property
    def option_tables(self) -> frozenset[str]:
        """The plugins that have a table of options."""
        return frozenset(self.table("options"))

    def table(self, *path: str) -> Mapping[str, Any]:
        """A table, each of its values from the strongest file that has it."""
        merged: dict[str, Any] = {}
        for _, content in reversed(self.files):
            _merge(merged, _at(content, path))
        return merged

    def where(self, *path: str) -> Path | None:
        """The file that a value is from."""
        for file, content in self.files:
            if path[-1] in _at(content, path[:-1]):
                return file
        return None


def read_config(
    start: Path | None = None, *, environ: Mapping[str, str] | None = None, only: Path | None = None
) -> Config:
    """Read the project's file above ``start`` (the working folder) and the user's, or ``only`` one.

    Raises :class:`~splashdown.errors.OptionError` for a file that is not TOML, an unknown key, and a secret.
    """
    environ = os.environ if environ is None else environ
    if only is None and VARIABLE in environ:
        if not environ[VARIABLE]:
            return Config()
        only = Path(environ[VARIABLE])
    if only is not None and not os.path.isfile(only):  # noqa: PTH113 - Path.is_file() raises for a name that is too long
        raise OptionError(f"there is no configuration file {only}")
    paths = [only] if only is not None else [*_project_file(start or Path.cwd()), user_folder() / NAME]
    found = Config(files=tuple((path, _read(path)) for path in paths if path.is_file()))
    for path, content in found.files:
        own = only is not None or path == user_folder() / NAME
        if not own:
            from splashdown._plugins.hosts_table import refuse_credentials

            refuse_credentials(path, content)
        if "auth" in content and not own:
            # It could name any variable of the environment, and an origin of its own to send it to.
            raise OptionError(
                f"{path}: [auth] belongs into your own configuration file or the one that SPLASHDOWN_CONFIG names, not"
                " into a project's, which others may have written"
            )
        _credentials(path, content)  # a mistake is reported now
    _ = found.hosts  # so is one here
    return found


def user_folder() -> Path:
    """The user's folder for configuration of this program, by the custom of the system."""
    from platformdirs import user_config_path

    return user_config_path("splashdown", appauthor=False, roaming=True)


def _credentials(path: Path, content: Mapping[str, Any]) -> Mapping[str, Callable[[], object]]:
    if not content.get("auth"):
        return {}
    from splashdown._plugins.auth_table import credentials_of  # late: few files have any

    return credentials_of(path, content["auth"])


def _project_file(start: Path) -> Iterator[Path]:
    for folder in (start, *start.parents):
        if (folder / NAME).is_file():
            yield folder / NAME
            return
        if (folder / ".git").exists():
            return  # folders above the project do not belong to it


def _read(path: Path) -> Mapping[str, Any]:
    import tomllib  # most commands find no file to read

    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise OptionError(f"{path} cannot be read: {error_text(error)}") from error
    _check_keys(path, "", content, _TABLES)
    for name in _TABLES:
        if not isinstance(content.get(name, {}), Mapping):
            raise OptionError(f"{path}: '{name}' has to be a table: [{name}]")
    _check_keys(path, "plugins.", content.get("plugins", {}), tuple(kinds_of(PluginTable, "plugins")))
    for name, table in content.get("options", {}).items():
        if not isinstance(table, Mapping):
            raise OptionError(f"{path}: 'options.{name}' has to be a table: [options.PLUGIN] with {name} = ... below")
    for key in secrets_in({name: table for name, table in content.items() if name != "auth"}):
        raise OptionError(f"{path}: '{'.'.join(key)}' is a secret; keep it in the environment, not in a file")
    return content


def _check_keys(path: Path, prefix: str, table: Mapping[str, Any], known: Sequence[str]) -> None:
    for key in table:
        if key not in known:
            own = f"; options of a plugin stand in [options.{key}]" if isinstance(table[key], Mapping) else ""
            hint = did_you_mean(key, known) or own or f"; there are: {', '.join(known)}"
            raise OptionError(f"{path}: there is no '{prefix}{key}'{hint}")


def _at(content: Mapping[str, Any], path: Sequence[str]) -> Mapping[str, Any]:
    for name in path:
        inner = content.get(name, {})
        content = inner if isinstance(inner, Mapping) else {}
    return content


def _merge(into: dict[str, Any], table: Mapping[str, Any]) -> None:
    for key, value in table.items():
        if isinstance(value, Mapping):
            inner = dict(into.get(key, {}))
            _merge(inner, value)
            into[key] = inner
        else:
            into[key] = value
