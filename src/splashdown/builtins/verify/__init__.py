"""The action ``verify``: check what earlier downloads left in a target, with or without the source.

With the source it also says what that has today (``against``), and fetches again what is damaged (``repair``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from splashdown._foreign.calls import Closing
from splashdown.actions import ActionSession, Results, State, VerifyReport
from splashdown.errors import UsageError
from splashdown.hookspecs import hookimpl
from splashdown.model import StoredRecord
from splashdown.protocols import Listener, Sink
from splashdown.redact import safely_shown
from splashdown.specs import ActionSpec


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class VerifyOptions:
    """What ``verify`` takes besides the target."""

    jobs: int = field(default=8, metadata={"help": "Files at a time."})
    read: bool = field(
        default=True, metadata={"help": "Read the files, and ask the source's server; else sizes and metadata alone."}
    )
    strict: bool = field(default=False, metadata={"help": "Fail for files that no receipt describes, too."})
    compare: bool = field(default=True, metadata={"help": "Compare with the source, where there is one."})
    repair: bool = field(default=False, metadata={"help": "Fetch again what is missing or damaged."})
    write_sums: bool = field(default=False, metadata={"help": "Write SHA256SUMS, where nothing is damaged."})
    listeners: Sequence[Listener] = field(default=(), metadata={"python_only": "a list of listeners"})
    sink_options: Mapping[str, Any] = field(default_factory=dict)


def verify_alone(session: ActionSession, target: str | Path, **given: Any) -> VerifyReport:
    """Check the target against its receipts. Raises ``ResolveError`` where it holds none."""
    options = VerifyOptions(**given)
    if options.repair:
        raise UsageError("to repair a target its source is needed: open(SOURCE).run('verify', target=..., repair=True)")
    with Closing(session.sink(str(target), **options.sink_options)) as sink:
        return _with_sums(sink, _check(sink, target, options), options)


def verify(results: Results, target: str | Path = ".", **given: Any) -> VerifyReport:
    """Check the target against its receipts, and compare it with what the source says today.

    Raises ``ResolveError`` where the target holds no receipt.
    """
    from splashdown.builtins.verify.against import compare
    from splashdown.builtins.verify.repair import repair

    options = VerifyOptions(**given)
    with Closing(results.session.sink(str(target), **options.sink_options)) as sink:
        report = _check(sink, target, options)
        records = _own_records(results, sink)
        if options.compare:
            files = compare(results, report.files, records, jobs=options.jobs, ask=options.read)
            report = replace(report, files=files)
        if options.repair:
            report = replace(report, files=repair(results, sink, str(target), report.files, records, options.listeners))
        return _with_sums(sink, report, options)


def _own_records(results: Results, sink: Sink) -> dict[str, StoredRecord]:
    """What the receipts of the source's own folders describe, as its assets are called."""
    from splashdown._receipts.reading import read_receipts

    records: dict[str, StoredRecord] = {}
    for part in results.result_set.parts:
        records |= part.united_records(read_receipts(sink, part.prefix).records)
    return records


def _check(sink: Sink, target: str | Path, options: VerifyOptions) -> VerifyReport:
    from splashdown._receipts.checking import verify_target

    report = verify_target(sink, str(target), jobs=options.jobs, read=options.read)
    return replace(report, strict=options.strict)


def _with_sums(sink: Sink, report: VerifyReport, options: VerifyOptions) -> VerifyReport:
    """Write the checksums where that is wanted and all is as it was stored."""
    if not options.write_sums or report.damaged:
        return report
    from splashdown._receipts.memory import read_target
    from splashdown._receipts.sums import write_sums

    records = read_target(sink, everywhere=True).records
    whole = {one.name: records[one.name].checksum for one in report.of(State.OK) if one.name in records}
    return replace(report, sums=write_sums(sink, whole, report.documents))


@hookimpl
def splashdown_actions() -> Iterable[ActionSpec]:
    """Offer the verb."""
    yield ActionSpec(
        name="verify",
        run=verify,
        on_target=verify_alone,
        options=VerifyOptions,
        summary="check what a download left in a target",
    )
