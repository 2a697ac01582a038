"""``splashdown watch``: land what finishes on a back-end, or appears in a STAC source."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from splashdown._cli.exit_codes import EXIT_FAILED
from splashdown._cli.help import Command, was_given
from splashdown._cli.list_options import interval_option
from splashdown._cli.source import SERVER_NAMES, filter_options, source_options
from splashdown._cli.transfer import take_settings, transfer_options

if TYPE_CHECKING:
    from splashdown.landing import JobOutcome

#: Options of STAC searches, and of one job.
_OF_SEARCHES = ("limit", "page_size")
_OF_ONE_JOB = ("wait", "partial")


@click.command("watch", cls=Command, short_help="Land what finishes or appears, again and again.")
@click.argument("source")
@click.argument("target")
@click.option("--once", is_flag=True, help="Look one time and end, for cron or a timer.")
@interval_option(300.0)
@filter_options
@click.option("--layout", help="A preset or a template for file names.")
@SERVER_NAMES
@transfer_options
@click.option("--quiet", is_flag=True, help="Show warnings and errors alone.")
@source_options
def command(source: str, target: str, once: bool, interval: float, quiet: bool, **given: Any) -> int:
    """Land in TARGET each job of SOURCE as it finishes, or each item as it appears, until interrupted.

    Example: splashdown watch https://openeo.example data/ --interval 600

    SOURCE is the address of an openEO back-end, whose jobs get a folder each, or a STAC API with --collections, --bbox,
    --datetime: splashdown watch https://stac.example --collections sentinel-2-l2a --bbox 3,51,4,52 data/

    Receipts in TARGET say which files are there: a run that was killed is continued by the next one.
    """
    from splashdown._cli.job_lists import chosen, listening
    from splashdown._cli.source import notify, search_options, session_for
    from splashdown._landing.watching import backend_at
    from splashdown.landing import watch

    for name in _OF_ONE_JOB:
        if given.pop(name):
            raise click.UsageError(f"--{name} is for one job: every job that is finished lands")
    settings, options = take_settings(given), _options(given)
    session, auth = session_for(given)
    resolver, alternate = given.pop("resolver"), given.pop("alternate")
    backend = None if resolver else backend_at(source, auth, session)
    opening: dict[str, Any] = {"alternate": alternate} if alternate else {}
    if resolver:
        opening["resolver"] = resolver
    if backend is None:
        opening |= search_options(session, source, resolver, given, whole=False)
    elif wrong := [name for name in _OF_SEARCHES if given.get(name)]:
        raise click.UsageError(f"--{wrong[0].replace('_', '-')} is for STAC sources")
    failed: list[str] = []

    def show(outcome: JobOutcome) -> None:
        from splashdown.landing import COMPLETE

        if outcome.state not in COMPLETE:
            failed.append(outcome.job.source)
            click.echo(outcome.line, err=True)
        elif not quiet:
            click.echo(outcome.line)

    watch(
        backend or source,
        target,
        auth=auth,
        session=session,
        once=once,
        interval=interval,
        opening=opening,
        choose=lambda results: chosen(results, given),
        on_outcome=show,
        notify=notify,
        settings=replace(session.settings, **settings),
        **listening(session),
        **options,
    )
    return EXIT_FAILED if failed else 0


def _options(given: dict[str, Any]) -> dict[str, Any]:
    """The options of the download, taken out of the command's."""
    layout, if_exists, executor = (given.pop(name) for name in ("layout", "if_exists", "executor"))
    options: dict[str, Any] = {"layout": layout} if layout else {}
    options |= {"if_exists": if_exists} if was_given("if_exists") else {}
    return options | ({"executor": executor} if executor else {})
