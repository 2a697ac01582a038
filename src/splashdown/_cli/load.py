"""``splashdown load``: one asset on the screen, as JSON, text, or a summary of what it is."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from splashdown._cli import render
from splashdown._cli.help import LOADER_PREFIX, Command
from splashdown._cli.source import UNPACK, open_source, registry, source_options
from splashdown._display.text import printable

if TYPE_CHECKING:
    from splashdown._plugins.options import Field
    from splashdown.results import ResultAsset
    from splashdown.specs import LoaderSpec


class LoadCommand(Command):
    """Has the options of all loaders besides its own; those of other loaders are refused once one is chosen."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The command's own parameters, then those of the loaders."""
        own = super().get_params(ctx)
        taken = {flag for parameter in own for flag in parameter.opts}
        return [*own, *(option for option in _loader_options(ctx) if taken.isdisjoint(option.opts))]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse; an option that is not there may be one of a package that is not."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            text = f"No such option: {error.option_name}. Neither this command nor an installed loader has it."
            raise click.NoSuchOption(error.option_name, text, error.possibilities, ctx) from None


@click.command("load", cls=LoadCommand, short_help="Print one asset: JSON, text, or a summary.")
@click.argument("source")
@click.argument("key", required=False)
@click.option("--loader", metavar="NAME", help="Take this loader instead of the one for the media type.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, whatever the asset is.")
@UNPACK
@source_options
def command(source: str, key: str | None, loader: str | None, as_json: bool, **given: Any) -> None:
    """Print one asset of SOURCE: JSON as JSON, text as text, a summary of anything else.

    Example: splashdown load collection.json timeseries.json
    """
    options = {name.removeprefix(LOADER_PREFIX): given.pop(name) for name in list(given) if _is_of_loader(name)}
    results = open_source(source, **given)
    asset = results.get_asset(key)
    show(asset, loader, {name: value for name, value in options.items() if value not in (None, (), False)}, as_json)


def show(asset: ResultAsset, loader: str | None, given: Mapping[str, Any], as_json: bool) -> None:
    """Print an asset as the loader that fits it sees it."""
    from splashdown._plugins.loaders import apply, choose, summarise

    handle = asset.open()
    spec = choose(handle, asset.results.session.registry, loader)
    options = _filled(spec, given)
    if spec.summarise is not None:
        facts = summarise(spec, handle, **options)
        return render.echo_json(facts) if as_json else render.facts(printable(asset.asset.label), facts)
    value = apply(spec, handle, **options)
    count = len(value) if isinstance(value, bytes | bytearray | memoryview) else None
    if as_json:
        return render.echo_json(value if count is None else {"bytes": count, "type": asset.media_type})
    if isinstance(value, str):
        sys.stdout.write(value if value.endswith("\n") else value + "\n")
    elif count is not None:
        click.echo(f"{count} bytes of type {asset.media_type or 'unknown'}; save it with: splashdown download")
    else:
        render.echo_json(value)
    return None


def _is_of_loader(name: str) -> bool:
    return name.startswith(LOADER_PREFIX)


def _loader_options(context: click.Context) -> list[click.Option]:
    """An option for each field that a loader's options have; loaders may share one."""
    owners: dict[str, list[str]] = {}
    fields: dict[str, Field] = {}
    for spec in registry(context).loaders():
        for field in _settable(spec):
            fields.setdefault(field.name, field)
            owners.setdefault(field.name, []).append(spec.name)
    return [_option(field, owners[name]) for name, field in fields.items()]


def _settable(spec: LoaderSpec) -> list[Field]:
    """The options that the command line can give."""
    from splashdown._plugins.options import fields_of

    fields = fields_of(spec.options, plugin=spec.name) if spec.options else ()
    return [field for field in fields if not field.python_only]


def _option(field: Field, owners: list[str]) -> click.Option:
    names = ["--" + field.name.replace("_", "-"), LOADER_PREFIX + field.name]
    about = f"{field.help} ({', '.join(owners)})".lstrip()
    if field.flag:
        return click.Option(names, is_flag=True, help=about)
    return click.Option(names, metavar=field.metavar, multiple=field.many, help=about)


def _filled(spec: LoaderSpec, given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, as the loader wants it. Raises ``OptionError`` for what it cannot take."""
    from splashdown._plugins.options import fill
    from splashdown.errors import OptionError

    fields = {field.name: field for field in _settable(spec)}
    for name in given:
        if name not in fields:
            known = ", ".join("--" + each.replace("_", "-") for each in fields) or "none"
            raise OptionError(f"the loader {spec.name!r} has no option --{name.replace('_', '-')}; it has: {known}")
    if spec.options is None:
        return {}
    # A list is written with commas, or the option is repeated.
    texts = {name: ",".join(value) if isinstance(value, tuple) else value for name, value in given.items()}
    filled: Any = fill(spec.options, texts, plugin=spec.name)
    return {name: getattr(filled, name) for name in given}
