"""Fetches again what is missing or damaged in a target: the very bytes that were stored, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from splashdown._foreign.calls import Named
from splashdown._receipts.amending import amend_receipts
from splashdown._receipts.memory import TargetMemory
from splashdown._receipts.reading import read_receipts
from splashdown._receipts.source_mark import decoded_mark
from splashdown._receipts.sums import drop_sums
from splashdown.actions import AtSource, Checked, Results, State
from splashdown.builtins.verify.against import Listed
from splashdown.checksums import understood
from splashdown.errors import SplashdownError, StoreError, error_text
from splashdown.model import Asset, IfExists, Member, Outcome, Plan, RunReport, Status, StoredRecord, Transfer
from splashdown.protocols import Listener, Sink

_DAMAGED = frozenset({State.MISSING, State.CHANGED, State.UNEXPECTED})


def repair(
    results: Results,
    sink: Sink,
    target: str,
    files: Sequence[Checked],
    records: Mapping[str, StoredRecord],
    listeners: Sequence[Listener] = (),
) -> tuple[Checked, ...]:
    """The files, those that were damaged with what became of them.

    ``records`` are those of the source's own receipts. A file is replaced only by bytes with the checksum that was
    recorded, so one of which the source has another version stays as it is. Raises ``StoreError`` where the files were
    fetched and the receipt cannot be brought up to date.
    """
    listed = Listed(results)
    reasons: dict[str, str] = {}
    transfers: list[Transfer] = []
    for file in files:
        if not is_damaged(file):
            continue
        record = records.get(file.name)
        asset = listed.asset(record) if record is not None else None
        if record is None:
            reasons[file.name] = "it belongs to another source"
        elif why := _why_not(asset, file):
            reasons[file.name] = why
        elif asset is not None:
            wanted = asset if file.state is State.UNEXPECTED else _pinned(asset, record)
            transfers.append(Transfer(asset=wanted, name=file.name, if_exists=IfExists.OVERWRITE))
    fetched = _fetch(results, sink, target, transfers, records, listeners) if transfers else {}
    return tuple(_after(file, fetched.get(file.name), reasons.get(file.name, "")) for file in files)


def is_damaged(file: Checked) -> bool:
    """Whether a file can be replaced: a folder or a link of its name is not damage, and is left."""
    return file.state in _DAMAGED or (file.state is State.UNREADABLE and file.size is not None)


def _why_not(asset: Asset | None, file: Checked) -> str:
    if asset is None:
        return "the source does not list it any more"
    if file.source is AtSource.CHANGED and file.state is not State.UNEXPECTED:
        return "the source has another version, which sync fetches"
    return ""


def _pinned(asset: Asset, record: StoredRecord) -> Asset:
    """The asset with the promise that its bytes are those which were stored."""
    decoded = record.source_mark is not None and record.source_mark == decoded_mark(asset)
    if decoded or understood(record.checksum) is None:
        return asset
    return replace(asset, checksum=record.checksum, size=record.size)


def _fetch(
    results: Results,
    sink: Sink,
    target: str,
    transfers: Sequence[Transfer],
    records: Mapping[str, StoredRecord],
    listeners: Sequence[Listener],
) -> dict[str, Outcome]:
    source = results.of(transfers[0].asset).plan(target).source
    plan = Plan(target=target, transfers=tuple(transfers), source=source)
    parts = results.result_set.parts
    failure = ""
    with TargetMemory(sink, parts, target=target) as memory:

        def note(report: RunReport) -> None:
            nonlocal failure
            try:
                with Named("the sink"):
                    _note(sink, memory, report, records, parts)
            except (OSError, SplashdownError) as error:
                failure = error_text(error)

        report = results.transfer(plan, sink=sink, memory=memory, listeners=listeners, before_cleanup=note)
    if failure:
        raise StoreError(f"files were fetched, and the receipt could not be written ({failure}); run it again")
    return {one.transfer.name: one for one in report.outcomes}


def _note(
    sink: Sink,
    memory: TargetMemory,
    report: RunReport,
    records: Mapping[str, StoredRecord],
    parts: Sequence[Member],
) -> None:
    """Bring the receipts up to date. What a killed run has noted, and no receipt knows, is left for the next run."""
    stored = {one.transfer.name: _record(one) for one in report.outcomes if one.status is Status.STORED}

    def write(known: Mapping[str, StoredRecord]) -> bool:
        actual = {name: memory.actual(name, record) for name, record in stored.items()}
        amend_receipts(sink, memory.documents, actual)
        drop_sums(sink, memory.documents, changed=any(_differs(records[name], one) for name, one in actual.items()))
        return known.keys() <= described

    described = {name for part in parts for name in _described(sink, part.prefix)}
    memory.finish(write, whole=False)


def _described(sink: Sink, prefix: str) -> set[str]:
    return {prefix + name for name in read_receipts(sink, prefix).records}


def _record(outcome: Outcome) -> StoredRecord:
    return StoredRecord(
        size=outcome.size or 0,
        checksum=outcome.checksum,
        validator=outcome.validator,
        identity=outcome.asset.identity,
        version=outcome.version,
    )


def _differs(before: StoredRecord, now: StoredRecord) -> bool:
    return (before.size, before.checksum) != (now.size, now.checksum)


def _after(file: Checked, outcome: Outcome | None, why: str) -> Checked:
    if outcome is not None and outcome.status is Status.STORED:
        source = AtSource.SAME if file.source is AtSource.CHANGED else file.source
        return replace(
            file,
            state=State.OK,
            size=outcome.size,
            checked=tuple(one for one in ("size", "checksum") if one == "size" or one in outcome.verified),
            detail="",
            source=source,
            repaired=True,
        )
    if outcome is not None:
        why = outcome.error or "it was not tried"
    return replace(file, detail="; ".join(filter(None, (file.detail, f"not repaired: {why}")))) if why else file
