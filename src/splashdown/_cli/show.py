"""Shows the outcome of an action, whichever plugin offers it, and derives the exit code from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import click

from splashdown._cli import render
from splashdown._cli.exit_codes import EXIT_DIFFERS, EXIT_FAILED
from splashdown._cli.help import in_words_of_command
from splashdown._cli.transfer import print_failures
from splashdown._display.text import counted, printable, readable
from splashdown.actions import (
    ActionOutcome,
    AtSource,
    Checked,
    Download,
    PublishReport,
    State,
    SyncReport,
    VerifyReport,
)
from splashdown.columns import columns
from splashdown.errors import DownloadError, Interrupted
from splashdown.model import Plan, ResultSet, RunReport
from splashdown.redact import redact_target

Style = Literal["table", "json", "quiet"]
#: Fields of an outcome that its report or plan shows.
_SHOWN = frozenset({"plan", "report", "metadata", "documents"})


def style_of(*, as_json: bool, quiet: bool) -> Style:
    """How a command shows its outcome."""
    return "json" if as_json else "quiet" if quiet else "table"


def perform(run: Callable[..., Any], action: str, *target: str, **options: Any) -> Any:
    """Run an action, with ``run`` of results or of a session.

    ``DownloadError`` and ``Interrupted`` carry an outcome as well: the report, with the assets that failed.
    """
    try:
        return run(action, *target, **options)
    except (DownloadError, Interrupted) as error:
        return Download(report=error.report, documents=(error.metadata,) if error.metadata else ())


def show(value: Any, style: Style, source: ResultSet | None = None, *, failures: bool = True) -> int:
    """Print the outcome of an action and return the exit code.

    ``source`` adds its warnings, and what of it could not be read. ``failures`` prints a line for each asset that
    failed, for runs without a progress display.
    """
    if isinstance(value, RunReport):
        value = Download(report=value)
    if isinstance(value, Plan):
        return _show_plan(value, style)
    if isinstance(value, VerifyReport):
        return _show_verified(value, style)
    if isinstance(value, PublishReport):
        return _show_published(value, style)
    if isinstance(value, ActionOutcome):
        if value.report is None:
            return _show_planned(value, style)
        return _show_report(value, value.report, style, source, failures=failures)
    return _show_value(value, style)


def _show_report(
    value: ActionOutcome, report: RunReport, style: Style, source: ResultSet | None, *, failures: bool
) -> int:
    if style == "json":
        render.echo_json(render.report_record(report, value.metadata, source) | _extra(value))
    elif style == "table" or report.ok:  # with --quiet a failure has its own line on stderr
        if style == "table":
            render.report_table(report)
        more = f", {len(value.removed)} removed" if isinstance(value, SyncReport) else f" in {report.seconds:.1f} s"
        click.echo(
            f"{len(report.landed)} of {counted(len(report.outcomes), 'file')} in {redact_target(report.plan.target)},"
            f" {readable(report.bytes_moved)} moved{_of_whole(report, source)}{more}"
        )
        if style == "table":
            _show_stale(value)
    return print_failures(report, source.unresolved if source else (), each=failures and style != "json")


def _of_whole(report: RunReport, source: ResultSet | None) -> str:
    """Of how many bytes those are, where files were made of parts of others."""
    origins = source.origins if source is not None else {}
    if not origins:
        return ""
    moved = columns(report.outcomes, "asset.item", "asset.key")
    files = {origins[one] for one in moved if one in origins}
    whole = sum(size for _, size in files)  # unknown for stores of many objects
    return f" of {readable(whole)}" if whole else ""


def _show_planned(value: ActionOutcome, style: Style) -> int:
    """The outcome of a dry run that holds more than a plan."""
    if style == "json":
        render.echo_json(render.plan_record(value.plan) | _extra(value))
    elif not isinstance(value, SyncReport):
        _show_plan(value.plan, style)
    elif style == "table":
        files, plan = len(value.plan.transfers), value.plan
        _files_of_plan(plan)
        click.echo(f"{counted(files, 'file')} would be in {redact_target(plan.target)}; nothing was done")
        _show_stale(value)
    return 0


def _show_plan(plan: Plan, style: Style) -> int:
    if style == "json":
        render.echo_json(render.plan_record(plan))
        return 0
    _files_of_plan(plan)
    _some([f"not {skipped.asset.label}: {in_words_of_command(skipped.reason)}" for skipped in plan.skipped])
    files, unknown = counted(len(plan.transfers), "file"), sum(t.asset.size is None for t in plan.transfers)
    more = f" and {counted(unknown, 'file')} of unknown size" if unknown else ""
    click.echo(
        f"{files} would go to {redact_target(plan.target)}: {readable(plan.known_size)}{more}; nothing was moved"
    )
    return 0


def _files_of_plan(plan: Plan) -> None:
    """The files, and beside them the assets, unless each file has the name of its asset and all are of one item."""
    names = list(columns(plan.transfers, "name", "asset.key", "asset.item", "asset.size"))
    plain = all(name == key for name, key, _, _ in names) and len({item for _, _, item, _ in names}) == 1
    if plain:
        render.table(("file", "size"), [(name, readable(size)) for name, _, _, size in names], right=("size",))
        return
    rows = [(t.name, t.asset.label, readable(t.asset.size)) for t in plan.transfers]
    render.table(("file", "asset", "size"), rows, right=("size",))


def _show_stale(value: object) -> None:
    """The files that a sync removed, and those that it left, with the reason."""
    if not isinstance(value, SyncReport):
        return
    removed = set(value.removed)
    stay = [name for name in value.stale if name not in removed]
    _some([f"removed: {name}" for name in value.removed])
    _some([": ".join(filter(None, ("not in the source any more", name, value.left.get(name)))) for name in stay])
    if stay and not value.left:
        # Of a dry run with --delete, nothing was left for a reason.
        chosen = click.get_current_context().params.get("delete")
        does = " would be removed" if chosen else ": --delete removes such files"
        click.echo(f"{counted(len(stay), 'file')} not in the source any more{does}")


def _some(lines: Sequence[str]) -> None:
    """The lines, or of very many the first and how many more there are."""
    for line in lines[: render.MOST_ROWS]:
        click.echo(printable(line))
    if len(lines) > render.MOST_ROWS:
        click.echo(f"and {len(lines) - render.MOST_ROWS} more; --json has all of them")


def _show_verified(report: VerifyReport, style: Style) -> int:
    if style == "json":
        render.echo_json(_verified_record(report))
    elif style == "quiet":
        for file in report.files:
            if file.state not in {State.OK, State.EXTRA} or file in report.damaged or file in report.differing:
                state = file.state if file.state is not State.OK else f"{file.source} at the source"
                said = file.detail if file.state is not State.OK else ", ".join(file.evidence)
                click.echo(printable(f"{state}: {file.name}{f': {said}' if said else ''}"), err=True)
    else:
        _verified_table(report)
    if report.damaged:
        return EXIT_FAILED
    return EXIT_DIFFERS if report.differing else 0


def _verified_record(report: VerifyReport) -> dict[str, Any]:
    files = [
        {
            "name": f.name,
            "state": str(f.state),
            "size": f.size,
            "checked": list(f.checked),
            "detail": f.detail,
            "source": f.source and str(f.source),
            "evidence": list(f.evidence),
            "repaired": f.repaired,
        }
        for f in report.files
    ]
    return {"target": redact_target(report.target), "ok": report.ok, "files": files, "sums": report.sums}


def _verified_table(report: VerifyReport) -> None:
    """Each file, or of very many only those that are not as they were stored; and how many there are of each kind."""
    every = len(report.files) <= render.MOST_ROWS
    compared = any(f.source for f in report.files)
    rows = [
        (f.name, readable(f.size), str(f.state), *((_at_source(f),) if compared else ()), f.found_here)
        for f in report.files
        if every or f.state is not State.OK or f.repaired or f.source not in {None, AtSource.SAME}
    ]
    if rows:
        columns_of_source = ("at the source",) if compared else ()
        render.table(("file", "size", "state", *columns_of_source, "checked"), rows, right=("size",))
    click.echo(", ".join(_counts(report)))
    if report.sums:
        click.echo(f"checksums written to {redact_target(report.sums)}")


def _at_source(file: Checked) -> str:
    by = f" ({', '.join(file.evidence)})" if file.evidence else ""
    return f"{file.source or ''}{by}"


def _counts(report: VerifyReport) -> Iterator[str]:
    right, extra = len(report.of(State.OK)), len(report.of(State.EXTRA))
    odd = len(report.of(State.UNEXPECTED))
    bad = len(report.files) - right - extra - odd - len(report.of(State.ABSENT))
    yield f"{counted(right, 'file')} as stored"
    found = {
        "fetched again": sum(f.repaired for f in report.files),
        "missing or changed": bad,
        "not of the promised format": odd,
        "that no receipt knows": extra,
        "changed at the source": sum(f.source is AtSource.CHANGED for f in report.files),
        "gone at the source": sum(f.source is AtSource.GONE for f in report.files),
        "new at the source": sum(f.source is AtSource.NEW for f in report.files),
        "could not be compared with the source": sum(f.source is AtSource.UNKNOWN for f in report.files),
    }
    yield from (f"{count} {words}" for words, count in found.items() if count)


def _show_published(report: PublishReport, style: Style) -> int:
    if style == "json":
        render.echo_json(dataclasses.asdict(report) | {"target": redact_target(report.target), "ok": report.ok})
    else:
        for name, why in report.failed.items():
            click.echo(f"Failed: {printable(name)}: {printable(why)}", err=True)
        click.echo(str(report))
    return 0 if report.ok else EXIT_FAILED


def _show_value(value: Any, style: Style) -> int:
    """Anything else: a mapping, list or dataclass as JSON, the rest as it prints itself; so does one with a ``str``."""
    for_people = style != "json" and "__str__" in vars(type(value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type) and not for_people:
        value = dataclasses.asdict(value)
    if style == "json" or isinstance(value, Mapping | list | tuple):
        render.echo_json(value)
    elif value is not None and style != "quiet":
        click.echo(str(value))
    return 0


def _extra(value: object) -> dict[str, Any]:
    """The other fields of an outcome, for ``--json``."""
    if not dataclasses.is_dataclass(value):
        return {}
    return {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.name not in _SHOWN}
