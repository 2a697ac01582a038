"""The table ``[hosts]`` of the configuration: profiles of hosts, typed where they enter."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from splashdown._connections.hosts import HostProfile, pattern
from splashdown._plugins.option_types import kinds_of
from splashdown.errors import OptionError, did_you_mean

#: What sends credentials somewhere, by table: not for a file that others may have written.
_OF_USER = {"hosts": ("origins", "cert", "key"), "http": ("cert", "key")}


def profiles_of(where: str, table: Mapping[str, Any]) -> Mapping[str, HostProfile]:
    """The profiles of a table, by host. ``where`` begins the messages.

    Raises :class:`~splashdown.errors.OptionError` for a key that is not a host, an unknown field and a wrong type.
    """
    found = {}
    for host, fields in table.items():
        try:
            key = pattern(host)
        except ValueError:
            raise OptionError(
                f"{where} takes hosts such as data.example, *.example or data.example:8443, not {host!r}"
            ) from None
        found[key] = _profile(f'{where} "{host}"', fields)
    return found


def _profile(where: str, fields: object) -> HostProfile:
    if not isinstance(fields, Mapping):
        raise OptionError(f'{where} has to be a table, such as [hosts."data.example"] with jobs = 4 below')
    kinds = kinds_of(HostProfile, "hosts")
    for name in fields:
        if name not in kinds:
            hint = did_you_mean(str(name), kinds) or f"; there are: {', '.join(kinds)}"
            raise OptionError(f"{where}: there is no {name!r}{hint}")
    try:
        return HostProfile(**{name: kinds[name].convert(value, f"{where}: {name}") for name, value in fields.items()})
    except ValueError as error:
        raise OptionError(f"{where}: {error}") from None


def refuse_credentials(path: Path, content: Mapping[str, Any]) -> None:
    """Refuse what a project's file says about whom credentials may go to, or which certificate is presented."""
    tables = {f'[hosts."{host}"]': (table, "hosts") for host, table in content.get("hosts", {}).items()}
    tables["[options.http]"] = (content.get("options", {}).get("http", {}), "http")
    for where, (table, kind) in tables.items():
        for name in _OF_USER[kind]:
            if isinstance(table, Mapping) and name in table:
                raise OptionError(
                    f"{path}: {where} {name} belongs into your own configuration file or the one that SPLASHDOWN_CONFIG"
                    " names, not into a project's, which others may have written"
                )
