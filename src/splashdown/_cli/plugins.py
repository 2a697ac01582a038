"""``splashdown plugins``: the plugins, what they offer, and what is wrong with one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from splashdown._cli import render
from splashdown._cli.exit_codes import EXIT_FAILED
from splashdown._cli.help import Group
from splashdown._cli.source import make_session
from splashdown._display.text import printable

if TYPE_CHECKING:
    from splashdown._plugins.check import PluginCheck
    from splashdown._plugins.info import PluginInfo


@click.group("plugins", cls=Group, short_help="Show plugins, and what is wrong with one.")
def command() -> None:
    """Show the plugins and find out what is wrong with one.

    Example: splashdown plugins check s3
    """


@command.command("list", short_help="List all plugins.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def list_plugins(as_json: bool) -> int:
    """List all plugins: built-in, installed, given by --plugin. With --strict, exit code 1 when one is broken.

    Example: splashdown plugins list --json
    """
    registry = make_session().registry
    infos = registry.plugins()
    code = EXIT_FAILED if registry.choice.strict and registry.failures else 0
    if as_json:
        render.echo_json([_record(info) for info in infos])
        return code
    render.table(("plugin", "from", "offers"), [_row(info) for info in infos])
    return code


@command.command("check", short_help="Find out what is wrong with a plugin.")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def check_plugin(name: str, as_json: bool) -> int:
    """Report what can be found out about the plugin NAME without using it; exit code 1 when something is wrong.

    NAME is a plugin's, a distribution's, or DISTRIBUTION:PLUGIN.

    Example: splashdown plugins check splashdown-s3
    """
    found = make_session().registry.check(name)
    if as_json:
        render.echo_json({**_record(found.info), "problems": list(found.problems), "options": _options(found)})
    else:
        _explain(found)
    return 0 if found.ok else EXIT_FAILED


def _row(info: PluginInfo) -> tuple[str, str, str]:
    """A plugin that is well needs no status: what it offers stands there."""
    origin = f"{info.distribution} {info.version}" if info.origin == "installed" else str(info.origin)
    return info.name, origin, _offers(info) if info.status == "ok" else info.status


def _explain(found: PluginCheck) -> None:
    info = found.info
    status = f"{info.status} by {info.disabled_by}" if info.disabled_by else info.status
    click.echo(f"{info.name}: {status}, {info.origin} {info.distribution} {info.version}".rstrip())
    click.echo(f"offers: {_offers(info) or 'nothing'}")
    if info.import_seconds is not None:
        click.echo(f"imported in {info.import_seconds * 1000:.1f} ms")
    for name, options in found.options.items():
        click.echo(f"options of {name}:")
        columns = ("option", "type", "default", "variable", "meaning")
        rows = [(o.name, o.type, "-" if o.secret else str(o.default), o.variable, o.help) for o in options]
        shown = len(columns) if any(o.help for o in options) else len(columns) - 1
        render.table(columns[:shown], [row[:shown] for row in rows])
    for failure in info.failures:
        click.echo(render.printable_lines(failure.traceback), nl=False)
    for problem in found.problems:
        click.echo(f"problem: {printable(problem)}")
    if found.ok:
        click.echo("no problem found")


def _record(info: PluginInfo) -> dict[str, Any]:
    return {
        "name": info.name,
        "distribution": info.distribution,
        "version": info.version,
        "origin": str(info.origin),
        "status": info.status,
        "offers": {kind: list(names) for kind, names in info.offers.items()},
        "import_seconds": info.import_seconds,
        "failures": [{"stage": str(f.stage), "error": f.error} for f in info.failures],
    }


def _options(found: PluginCheck) -> dict[str, Any]:
    return {
        name: [
            {
                "name": o.name,
                "type": o.type,
                "default": None if o.secret else o.default,
                "variable": o.variable,
                "help": o.help,
            }
            for o in options
        ]
        for name, options in found.options.items()
    }


def _offers(info: PluginInfo) -> str:
    return "; ".join(f"{kind}: {', '.join(n or '(path)' for n in names)}" for kind, names in info.offers.items())
