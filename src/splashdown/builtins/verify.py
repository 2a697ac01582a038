"""The action ``verify``: check what earlier downloads left in a target, with or without the source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from splashdown._foreign.calls import Closing
from splashdown.actions import ActionSession, Checked, Results, State, VerifyReport
from splashdown.hookspecs import hookimpl
from splashdown.protocols import Sink
from splashdown.redact import safely_shown
from splashdown.specs import ActionSpec


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions:
    """What ``verify`` takes besides the target."""

    jobs: int = field(default=8, metadata={"help": "Files at a time."})
    read: bool = field(default=True, metadata={"help": "Read the files and compare checksums; else sizes alone."})
    strict: bool = field(default=False, metadata={"help": "Fail for files that no receipt describes, too."})
    sink_options: Mapping[str, Any] = field(default_factory=dict)


def verify_alone(session: ActionSession, target: str | Path, **given: Any) -> VerifyReport:
    """Check the target against its receipts. Raises ``ResolveError`` where it holds none."""
    options = VerifyOptions(**given)
    with Closing(session.sink(str(target), **options.sink_options)) as sink:
        return _check(sink, target, options)


def verify(results: Results, target: str | Path = ".", **given: Any) -> VerifyReport:
    """Check the target against its receipts, and that it has every asset of the results.

    Raises ``ResolveError`` where the target holds no receipt.
    """
    from splashdown._receipts.memory import read_target

    options = VerifyOptions(**given)
    with Closing(results.session.sink(str(target), **options.sink_options)) as sink:
        report = _check(sink, target, options)
        checked = {one.name for one in report.files}
        records = read_target(sink, everywhere=True).records
        there = {record.identity for name, record in records.items() if name in checked}
    # A saved document, opened as a source, lists the assets of items at its root: as KEY or ITEM/KEY.
    there |= {(None, name) for item, key in filter(None, there) for name in (key, f"{item}/{key}")}
    absent = (
        Checked(name=asset.label, state=State.MISSING, size=asset.size, detail="it was never stored")
        for asset in results.assets
        if asset.identity not in there and not results.result_set.members
    )
    return replace(report, files=(*report.files, *absent))


def _check(sink: Sink, target: str | Path, options: VerifyOptions) -> VerifyReport:
    from splashdown._receipts.checking import verify_target

    report = verify_target(sink, str(target), jobs=options.jobs, read=options.read)
    return replace(report, strict=options.strict)


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
