"""Commands that plugins bring: an action with ``command=True`` is ``splashdown NAME SOURCE [--option VALUE]``.

An action that is done to a target alone takes a TARGET instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from splashdown._cli.help import Command
from splashdown._cli.source import (
    filter_options,
    make_session,
    open_source,
    plugin_option,
    registry,
    source_options,
)
from splashdown._cli.transfer import print_warnings

if TYPE_CHECKING:
    from splashdown._cli.show import Style
    from splashdown._plugins.options import Field
    from splashdown.specs import ActionSpec


def action_commands(context: click.Context) -> Mapping[str, str]:
    """The commands that plugins bring, with the names of their actions."""
    return {name.replace("_", "-"): name for name in registry(context).commands()}


def action_command(context: click.Context, name: str) -> click.Command:
    """The command of one action, with its options: on a source, or on a target for an action that needs no source."""
    from splashdown._plugins.options import REQUIRED, fields_of

    spec = registry(context).commands()[name]
    described = fields_of(spec.options, plugin=spec.name) if spec.options else ()
    fields = [field for field in described if not field.python_only]

    def callback(place: str, as_json: bool, dry_run: bool = False, **given: Any) -> int:
        options = {f.name: given.pop(_parameter(f)) for f in fields}
        chosen = {n: v for n, v in options.items() if v not in (None, ())}
        return _run(name, spec, place, chosen, given, "json" if as_json else "table", dry_run=dry_run)

    called = name.replace("_", "-")
    needed = "".join(f" --{f.name.replace('_', '-')} {f.metavar}" for f in fields if f.default is REQUIRED)
    place = "data/" if spec.run is None else "https://openeo.example/openeo/1.2/jobs/JOB"
    about = f"{spec.summary or spec.name}\n\nExample: splashdown {called} {place}{needed}"
    with_session = plugin_option(callback) if spec.run is None else source_options(filter_options(callback))
    command: click.Command = click.command(called, cls=Command, help=about)(with_session)
    own = [_option(f) for f in fields]
    if spec.plan is not None and "dry_run" not in {f.name for f in fields}:
        own.append(click.Option(["--dry-run"], is_flag=True, help="Show what would be done, and do nothing."))
    shown = click.Option(["--json", "as_json"], is_flag=True, help="One JSON document on stdout.")
    argument = click.Argument(["place"], metavar="TARGET" if spec.run is None else "SOURCE")
    command.params = [argument, *own, shown, *command.params]
    return command


def _run(
    name: str,
    spec: ActionSpec,
    place: str,
    options: dict[str, Any],
    given: dict[str, Any],
    style: Style,
    *,
    dry_run: bool,
) -> int:
    from splashdown._cli.show import perform, show

    if spec.run is None:
        return show(perform(make_session(given["option"]).run, name, place, **options), style)
    results = open_source(place, action=name, **given)
    print_warnings(results)
    done = results.dry_run(name, **options) if dry_run else perform(results.run, name, **options)
    return show(done, style, results.result_set)


def _option(field: Field) -> click.Option:
    from splashdown._plugins.options import REQUIRED

    flag = "--" + field.name.replace("_", "-")
    about = [field.help, f"From {field.variable}."]
    if field.default not in (REQUIRED, None, "", ()) and not field.secret:
        about.insert(1, f"Default: {field.default}.")
    kinds: dict[str, Any] = {"default": None, "help": " ".join(filter(None, about))}
    if field.flag:
        return click.Option([f"{flag}/--no-{flag[2:]}", _parameter(field)], **kinds)
    if field.choices:
        kinds["type"] = click.Choice(field.choices)
    else:
        kinds["metavar"] = field.metavar
    return click.Option([flag, _parameter(field)], multiple=field.many, **kinds)


def _parameter(field: Field) -> str:
    # Out of the way of the options that every command has, whatever a plugin calls its own.
    return f"own_{field.name}"
