"""``splashdown download``: save assets to a folder or a store."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import click

from splashdown._cli.collection import collection_options, take_collection
from splashdown._cli.exec_options import exec_options, runner, take_command
from splashdown._cli.help import Command, was_given
from splashdown._cli.list_options import list_options, take_list
from splashdown._cli.moving import move_options, moved, refuse_move, take_move
from splashdown._cli.source import SERVER_NAMES, filter_options, open_source, source_options
from splashdown._cli.transfer import (
    hint_at_names,
    log_of_files,
    print_failures,
    print_warnings,
    progress_display,
    settings_for,
    take_settings,
    transfer_options,
)
from splashdown.sources import is_archive, is_url

if TYPE_CHECKING:
    from splashdown._cli.show import Style
    from splashdown.results import JobResults


@click.command("download", cls=Command, short_help="Save assets to a folder or a store.")
@click.argument("sources", nargs=-1, metavar="SOURCE... [TARGET]")
@filter_options
@click.option("--key", metavar="K", help="Only this asset; TARGET is then a file or an existing folder.")
@collection_options
@click.option("--layout", help="A preset or a template for file names; openeo, or beside their items in a catalog.")
@SERVER_NAMES
@click.option("--overwrite", is_flag=True, help="Fetch everything again; the same as --if-exists overwrite.")
@list_options
@transfer_options
@exec_options
@move_options
@click.option("--no-metadata", is_flag=True, help="Do not save the STAC document.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--quiet", is_flag=True, help="Show one line at the end, and warnings and errors.")
@source_options
def command(sources: tuple[str, ...], dry_run: bool, key: str | None, as_json: bool, quiet: bool, **given: Any) -> int:
    """Save the assets of SOURCE to TARGET, a folder or a URL such as s3://bucket/prefix/.

    Example: splashdown download https://openeo.example/openeo/1.2/jobs/JOB data/ --type image/tiff

    Several sources get a folder each; name the target last then.

    With --jobs-from, each job of a list gets a folder: splashdown download --jobs-from jobs.csv --backend URL TARGET

    A file that is complete is not fetched again; an interrupted run goes on where it stopped.
    """
    from splashdown._cli.show import perform, show, style_of

    catalog, jobs = take_collection(given), take_list(given)
    if catalog is not None and key is not None:
        raise click.UsageError("--key saves a single file, --as-collection a catalog: use --include to choose assets")
    settings, program = take_settings(given), take_command(given)
    move = take_move(given, key=key)
    executor = {"executor": chosen} if (chosen := given.pop("executor")) else {}
    action, options = _action(key, catalog, given)
    style, asked_servers = style_of(as_json=as_json, quiet=quiet), bool(given["server_names"])
    if jobs is not None:
        from splashdown._cli.job_lists import land_list

        if program is not None or move is not None:
            raise click.UsageError("--exec and --delete-source go with one source, not with --jobs-from")
        return land_list(
            jobs,
            _target_alone(sources),
            {**given, "key": key},
            style=style,
            dry_run=dry_run,
            settings=settings,
            as_collection=catalog is not None,
            options=options | executor,
        )
    source, target = _split(sources)
    if is_archive(target):
        _prepare_archive(target, program=program is not None, as_json=as_json)
    results = open_source(source, action=action, quiet=quiet, **given)
    print_warnings(results, dry_run=dry_run)
    options |= {"target": target, "settings": settings_for(results, settings), **executor}
    if move is not None:
        refuse_move(results, target, move)
    if dry_run:
        return show(results.dry_run(action, **options), style)
    shown = progress_display(results.session, quiet=quiet or program is not None)  # lines of programs would tear it
    listeners = [*shown, *log_of_files(results.session)]
    done = perform(runner(results, program), action, listeners=listeners, progress=False, **options)
    if catalog is None:
        _remember(done, results, hint=key is None and not (quiet or asked_servers))
    if move is not None:
        done, code = moved(results, done, target, move)
        return show(done, style, results.result_set, failures=not shown) or code
    if key is None:
        return show(done, style, results.result_set, failures=not shown)
    return _show_one(done, style, failures=not shown)


def _remember(done: object, results: JobResults, *, hint: bool) -> None:
    """Note a run for ``retry``; with ``hint``, say how its files get better names."""
    from splashdown._cli.last_run import remember
    from splashdown.actions import Download

    if isinstance(done, Download):
        remember(done.report, done.metadata, results.result_set.narrowed)
        if hint:
            hint_at_names(done.report)


def _show_one(done: object, style: Style, *, failures: bool) -> int:
    """The place of a single file, which a script reads; ``failures`` shows what kept it from landing."""
    from splashdown._cli.show import show
    from splashdown.actions import Download

    if style != "table" or not isinstance(done, Download):
        return show(done, style, failures=failures)
    for place in done.places:
        click.echo(str(place))
    return print_failures(done.report, each=failures)


def _prepare_archive(target: str, *, program: bool, as_json: bool) -> None:
    """Refuse what does not go with an archive, and keep all that is shown out of one on standard output."""
    if program:
        raise click.UsageError("--exec runs on files, and those of an archive appear together: leave it out")
    if target[4:] == "-":
        if as_json:
            raise click.UsageError(f"{target} writes the archive to standard output: leave out --json")
        click.get_current_context().with_resource(redirect_stdout(sys.stderr))


def _target_alone(arguments: tuple[str, ...]) -> str:
    """The target, where sources come from a list."""
    if len(arguments) > 1 or is_url(next(iter(arguments), "")):
        raise click.UsageError("with --jobs-from the only argument is TARGET: put other sources into the list")
    if arguments and is_archive(arguments[0]):
        raise click.UsageError("with --jobs-from each job gets a folder: TARGET cannot be an archive")
    return arguments[0] if arguments else "."


def _split(arguments: tuple[str, ...]) -> tuple[object, str]:
    """Sources and target: the last of several arguments is the target, unless it is a URL that is only read from."""
    if not arguments:
        raise click.UsageError("name a SOURCE, or a list of jobs with --jobs-from")
    if len(arguments) > 1 and not is_url(arguments[-1]):
        *sources, target = arguments
    else:
        sources, target = list(arguments), "."
    return (sources if len(sources) > 1 else sources[0]), target


def _action(key: str | None, catalog: dict[str, Any] | None, given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The action that the command runs, and the action's options, taken out of the command's."""
    layout, if_exists, no_metadata = (given.pop(name) for name in ("layout", "if_exists", "no_metadata"))
    options: dict[str, Any] = {"layout": layout} if layout else {}
    if given.pop("overwrite"):
        options["if_exists"] = "overwrite"
    elif was_given("if_exists"):
        options["if_exists"] = if_exists
    if catalog is not None:
        return "download_collection", options | catalog
    if key is None:
        return "download_files", options | {"include_stac_metadata": not no_metadata}
    return "download_file", options | {"key": key}
