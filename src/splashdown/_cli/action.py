"""Commands that plugins bring: an action with ``command=True`` is ``splashdown NAME SOURCE [--option VALUE]``."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from splashdown._cli.help import Command
from splashdown._cli.source import filter_options, open_source, registry, source_options

if TYPE_CHECKING:
    from splashdown._plugins.options import Field
    from splashdown.specs import ActionSpec


def action_commands(context: click.Context) -> Mapping[str, str]:
    """The commands that plugins bring, with the names of their actions."""
    actions = registry(context).actions()
    return {name.replace("_", "-"): name for name, spec in actions.items() if spec.command}


def action_command(context: click.Context, name: str) -> click.Command:
    """The command of one action, with its options."""
    from splashdown._plugins.options import REQUIRED, fields_of

    spec = registry(context).actions()[name]
    described = fields_of(spec.options, plugin=spec.name) if spec.options else ()
    fields = [field for field in described if not field.python_only]

    def callback(source: str, as_json: bool, **given: Any) -> int:
        options = {f.name: given.pop(_parameter(f)) for f in fields}
        return _run(name, spec, source, {n: v for n, v in options.items() if v not in (None, ())}, as_json, given)

    called = name.replace("_", "-")
    needed = "".join(f" --{f.name.replace('_', '-')} {f.metavar}" for f in fields if f.default is REQUIRED)
    example = f"splashdown {called} https://openeo.example/openeo/1.2/jobs/JOB{needed}"
    about = f"{spec.summary or spec.name}\n\nExample: {example}"
    command: click.Command = click.command(called, cls=Command, help=about)(source_options(filter_options(callback)))
    own = [_option(f) for f in fields]
    shown = click.Option(["--json", "as_json"], is_flag=True, help="One JSON document on stdout.")
    command.params = [click.Argument(["source"]), *own, shown, *command.params]
    return command


def _run(
    name: str, spec: ActionSpec, source: str, options: dict[str, Any], as_json: bool, given: dict[str, Any]
) -> int:
    from splashdown._plugins.options import fill

    results = open_source(source, **given)
    if spec.options is not None:
        import os

        config = results.session.config.options(spec.name)
        filled: Any = fill(spec.options, options, plugin=spec.name, config=config, environ=os.environ)
        # Not asdict(): that would take nested values apart.
        options = {f.name: getattr(filled, f.name) for f in dataclasses.fields(filled)}
    return _show(results.run(name, **options), as_json)


def _show(value: Any, as_json: bool) -> int:
    """Print what an action returned; the exit code says whether all landed."""
    from splashdown._cli import render
    from splashdown.model import RunReport

    if isinstance(value, RunReport):
        if as_json:
            render.echo_json(render.report_record(value))
        else:
            render.report_table(value)
        return 0 if value.ok else 1
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if as_json or isinstance(value, Mapping | list | tuple):
        render.echo_json(value)
    elif value is not None:
        click.echo(str(value))
    return 0


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
