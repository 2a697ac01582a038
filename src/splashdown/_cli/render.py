"""How commands show values: tables for people, JSON for programs."""

from __future__ import annotations

import codecs
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal

import click

from splashdown._cli.plain_table import NAMES, fitted, lines
from splashdown._display.json import dumps, records
from splashdown._display.text import printable, readable
from splashdown.columns import columns
from splashdown.model import Asset, Outcome, Plan, ResultSet, RunReport
from splashdown.redact import redact, redact_target

#: The fields of an asset object by which a document says how it is read, and the one whose objects may have them.
NAMING_NEEDS = frozenset({"auth:refs", "storage:refs", "alternate"})
#: A table with more rows than this would not be read.
MOST_ROWS = 200
#: Cells that a person looks for, and their colour on a terminal.
_STYLES = dict.fromkeys(("failed", "missing", "changed", "unreadable"), "red") | {"not_tried": "yellow"}
#: Pieces of JSON that are written at once.
_PIECES = 1000
#: The fields of an asset that ``--json`` shows.
_SHOWN = ("item", "key", "href", "media_type", "roles", "size", "checksum")
_shown_of = attrgetter(*_SHOWN)


def echo_json(value: object) -> None:
    """One JSON document on stdout."""
    click.echo(dumps(value, indent=2, ensure_ascii=_plain(), default=str))


def echo_assets(assets: Sequence[Asset], needs: Callable[[int], str | None]) -> None:
    """One JSON list of :func:`asset_record` on stdout; very many assets are written piece by piece.

    ``needs`` gives what the document says of an asset at a position. It is called for those of which it says something.
    """
    pieces = records(_with_needs(assets, needs), ensure_ascii=_plain())
    while some := "".join(islice(pieces, _PIECES)):
        click.echo(some, nl=False)
    click.echo()


def _plain() -> bool:
    """Whether stdout may not hold all of Unicode."""
    return codecs.lookup(sys.stdout.encoding or "ascii").name != "utf-8"


def table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[str] = (), header: bool = True
) -> None:
    """A table on stdout; columns named in ``right`` are aligned there.

    On a terminal, names are shortened to its width, and other cells of a short table folded. A pipe has no width.
    """
    rows, right = list(rows), frozenset(right)
    if rows and not sys.stdout.isatty():
        click.echo("\n".join(lines(columns, rows, right=right, header=header)))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=False)
    rows = fitted(columns, rows, console.width)
    if len(rows) > MOST_ROWS:
        click.echo("\n".join(lines(columns, rows, right=right, header=header)))
        return
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=header)
    for number, column in enumerate(columns):
        # Names were shortened already: where it is still too narrow, other columns are folded, not they.
        whole = column in NAMES and max((len(row[number]) for row in rows), default=0) <= console.width // 2
        justify: Literal["left", "right"] = "right" if column in right else "left"
        grid.add_column(Text(printable(column)), justify=justify, overflow="fold", no_wrap=whole)
    for row in rows:
        # Text, not markup: keys and names come from documents of other people.
        grid.add_row(*(Text(printable(cell), _STYLES.get(cell, "")) for cell in row))
    console.print(grid)


def facts(title: str, found: Mapping[str, object]) -> None:
    """The facts about one thing: a line for each, and a table for one that is a list of records."""
    records = {name: fact for name, fact in found.items() if isinstance(fact, list)}
    click.echo(title)
    single = [(name, _value(fact)) for name, fact in found.items() if name not in records]
    table(("", ""), single, header=False)
    for rows in records.values():
        columns = list(dict.fromkeys(name for row in rows for name in row))
        numbers = [c for c in columns if all(isinstance(row.get(c), int | float | None) for row in rows)]
        table(columns, [[_value(row.get(c)) for c in columns] for row in rows], right=numbers)


def _value(fact: object) -> str:
    """A fact as a string: six digits of a number, and nothing where it is unknown."""
    if fact is None or fact != fact:  # noqa: PLR0124 - NaN
        return ""
    return f"{fact:.6g}" if isinstance(fact, float) else str(fact)


def program() -> str:
    """How this command was called, so that a suggestion can be typed: the command need not be on the path."""
    called = Path(sys.argv[0])
    found = shutil.which("splashdown")
    known = found is not None and Path(found).resolve() == called.resolve()
    return "splashdown" if known or called.name != "splashdown" else str(called)


def printable_lines(text: str) -> str:
    """Several lines without control characters."""
    return "".join(f"{printable(line)}\n" for line in text.splitlines())


def asset_record(asset: Asset) -> dict[str, Any]:
    """An asset for ``--json``; its href without secrets."""
    return _record(_shown_of(asset))


def asset_records(assets: Iterable[Asset]) -> Iterator[dict[str, Any]]:
    """:func:`asset_record` of each, for little where there are many."""
    return map(_record, columns(assets, *_SHOWN))


def _record(shown: tuple[Any, ...]) -> dict[str, Any]:
    item, key, href, media_type, roles, size, checksum = shown
    return {
        "item": item,
        "key": key,
        "href": redact(href),
        "type": media_type,
        "roles": list(roles),
        "size": size,
        "checksum": checksum,
    }


def _with_needs(assets: Sequence[Asset], needs: Callable[[int], str | None]) -> Iterator[dict[str, Any]]:
    for number, (*shown, metadata) in enumerate(columns(assets, *_SHOWN, "metadata")):
        yield {**_record(tuple(shown)), "needs": None if NAMING_NEEDS.isdisjoint(metadata) else needs(number)}


def plan_record(plan: Plan) -> dict[str, Any]:
    """A plan for ``--dry-run --json``."""
    return {
        "source": plan.source,
        "target": redact_target(plan.target),
        "transfers": [{"name": t.name, **asset_record(t.asset)} for t in plan.transfers],
        "skipped": [{"reason": s.reason, **asset_record(s.asset)} for s in plan.skipped],
    }


def outcome_record(outcome: Outcome) -> dict[str, Any]:
    """The outcome of an asset, for ``--json``."""
    record: dict[str, Any] = {
        "item": outcome.asset.item,
        "key": outcome.asset.key,
        "name": outcome.transfer.name,
        "status": str(outcome.status),
        "location": outcome.location,
        "size": outcome.size,
        "checksum": outcome.checksum,
        "verified": list(outcome.verified),
        "bytes_moved": outcome.bytes_moved,
        "attempts": outcome.attempts,
        "seconds": round(outcome.seconds, 3),
    }
    optional: Mapping[str, str] = {
        "reason": outcome.reason,
        "error_type": outcome.error_type,
        "error": outcome.error,
    }
    return record | {name: value for name, value in optional.items() if value}


def report_record(report: RunReport, metadata: str = "", source: ResultSet | None = None) -> dict[str, Any]:
    """A report for ``--json``; ``source`` adds its warnings, and what of it could not be read."""
    unresolved, warnings = (source.unresolved, source.warnings) if source else ((), ())
    return {
        "source": report.plan.source,
        "target": redact_target(report.plan.target),
        "ok": report.ok and not unresolved,
        "seconds": round(report.seconds, 3),
        "bytes_moved": report.bytes_moved,
        "metadata": metadata,
        "metadata_error": report.unwritten,
        "interrupted": report.interrupted,
        "stopped": report.stopped,
        "unresolved": list(unresolved),
        "warnings": list(warnings),
        "narrowed": list(source.narrowed) if source else [],
        "outcomes": [outcome_record(o) | _exit_code(o.transfer.name, report) for o in report.outcomes],
        "skipped": [{"reason": s.reason, **asset_record(s.asset)} for s in report.plan.skipped],
    }


def _exit_code(name: str, report: RunReport) -> dict[str, int]:
    """The exit code of ``--exec``, of a file for which it ran."""
    return {"exit_code": report.commands[name]} if name in report.commands else {}


def _remark(outcome: Outcome, *, whole: bool) -> str:
    """The last column of the table: what the file was checked against, or why it did not land."""
    checked = ", ".join(outcome.verified)
    failed = f"{outcome.error_type}: {outcome.error}" if whole and outcome.error else outcome.error_type
    return failed or ", ".join(filter(None, (outcome.reason, checked))) or "not verified"


def report_table(report: RunReport) -> None:
    """The files of a run, for people: each one, or of a large run the failures and how many landed."""
    large = len(report.outcomes) > MOST_ROWS
    failed = report.failed
    shown = failed[:MOST_ROWS] if large else report.outcomes
    rows = [
        (
            outcome.transfer.name,
            readable(outcome.size),
            str(outcome.status),
            _remark(outcome, whole=large),
        )
        for outcome in shown
    ]
    if rows:
        table(("file", "size", "status", "checked"), rows, right=("size",))
    if len(shown) < len(failed):
        click.echo(f"and {len(failed) - len(shown)} more failures; --json has all of them")
    if large:
        counts = Counter(str(outcome.status) for outcome in report.outcomes)
        click.echo(", ".join(f"{count} {status}" for status, count in sorted(counts.items())))
