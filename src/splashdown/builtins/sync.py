"""The action ``sync``: download new and changed files and, with ``delete``, remove those that the source lost.

It removes only files that a receipt describes and that are still as they were stored.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from splashdown._foreign.calls import Closing
from splashdown._receipts import document as receipt
from splashdown._receipts.checking import check
from splashdown._receipts.contents import read_document
from splashdown._receipts.memory import TargetMemory, read_target
from splashdown._receipts.reading import TargetRecords, read_receipts
from splashdown._receipts.sums import drop_sums
from splashdown.actions import Download, Results, State, SyncReport
from splashdown.errors import SplashdownError, UsageError, error_text
from splashdown.hookspecs import hookimpl
from splashdown.model import Plan, StoredRecord
from splashdown.protocols import Sink, SupportsList, SupportsRead, SupportsStat
from splashdown.sources import is_archive
from splashdown.specs import ActionSpec


def sync(
    results: Results, target: str | Path = ".", *, delete: bool = False, as_collection: bool = False, **options: Any
) -> SyncReport:
    """Make the target hold what the results list; what is complete there is not fetched again.

    ``delete`` removes files whose asset the source (not just the selection) no longer has. Other options are those of
    ``download_files``, or of ``download_collection`` with ``as_collection``. Raises ``DownloadError`` when assets
    failed; nothing is removed then. Raises ``UsageError`` for ``delete`` where the source was opened in part
    (``datetime``, ``bbox``, ``ids``, ``collections``, ``filter``, ``limit``).
    """
    _refuse(results, target, delete=delete)
    sink_options = options.get("sink_options", {})
    before = _read_receipts(results, target, sink_options)
    planned = _planned(results, target, before, as_collection, options)
    done: Download = results.run(_download(as_collection), target=target, **options)
    synced = replace(planned, report=done.report, metadata=done.metadata)
    if not delete or not planned.stale:
        return synced
    if why := _incomplete(results):
        return replace(synced, left=dict.fromkeys(planned.stale, why))
    with (
        Closing(results.session.sink(str(target), **sink_options)) as sink,
        TargetMemory(sink, target=str(target)) as memory,  # no other run unites while the receipt is changed here
    ):
        removed, left = _remove(sink, {name: before.records[name] for name in planned.stale})
        _forget(sink, before, removed)
        drop_sums(sink, (), changed=bool(removed))
        memory.finish(lambda _known: False)
    return replace(synced, removed=tuple(removed), left=left)


def plan_sync(
    results: Results, target: str | Path = ".", *, delete: bool = False, as_collection: bool = False, **options: Any
) -> SyncReport:
    """What :func:`sync` would move, and what is stale; raises what it raises beforehand."""
    _refuse(results, target, delete=delete)
    before = _read_receipts(results, target, options.get("sink_options", {}))
    return _planned(results, target, before, as_collection, options)


def _refuse(results: Results, target: str | Path, *, delete: bool) -> None:
    if is_archive(target):
        raise UsageError("an archive is written as a whole, so nothing in it is kept up to date: use download")
    if results.result_set.members:
        raise UsageError("sync makes one target hold what one source lists: name a single source")
    if delete and (parts := results.result_set.narrowed):
        raise UsageError(
            f"delete needs to know all that the source has, and {' and '.join(parts)} asked for a part of it: leave"
            " that out, choose with select() (on the command line --item, --include, --filter), or open the URL of the"
            " search itself"
        )


def _read_receipts(results: Results, target: str | Path, sink_options: Mapping[str, Any]) -> TargetRecords:
    with Closing(results.session.sink(str(target), **sink_options)) as sink:
        return read_target(sink)


def _planned(
    results: Results, target: str | Path, before: TargetRecords, as_collection: bool, options: Mapping[str, Any]
) -> SyncReport:
    plan: Plan = results.dry_run(_download(as_collection), target=target, **options)
    return SyncReport(plan=plan, stale=tuple(sorted(_stale(results, plan, before))))


def _download(as_collection: bool) -> str:
    """The action that brings the files."""
    return "download_collection" if as_collection else "download_files"


def _stale(results: Results, plan: Plan, before: TargetRecords) -> Iterable[str]:
    if results.result_set.narrowed:
        return  # the source may have more than it was asked to list
    # Assets that a filter left out are still the source's, and their files stay.
    listed = {asset.identity for asset in results.result_set.assets}
    names = {transfer.name: transfer.asset.identity for transfer in plan.transfers}
    moved = set(names.values())
    for name, record in before.records.items():
        if name not in names and (record.identity not in listed or record.identity in moved):
            yield name


def _incomplete(results: Results) -> str:
    """Why nothing can be concluded from what the source does not list; empty when it was read as a whole."""
    if results.result_set.warnings:
        return f"the source could not be read as a whole: {results.result_set.warnings[0]}"
    return ""


def _remove(sink: Sink, stale: Mapping[str, StoredRecord]) -> tuple[list[str], dict[str, str]]:
    """Remove stale files; what is left is there with the reason. One that a store keeps is no reason to stop."""
    removed: list[str] = []
    left: dict[str, str] = {}
    for name, record in stale.items():
        why = _keeps(sink, name, record)
        if why:
            left[name] = why
        else:
            removed.append(name)
    return removed, left


def _keeps(sink: Sink, name: str, record: StoredRecord) -> str:
    """Remove a file, or say why it is left: it goes only with the very bytes that were stored."""
    if not isinstance(sink, SupportsList):
        return "this store cannot remove objects"
    found = check(sink, name, record)
    if found.state is State.CHANGED:
        return f"it changed since it was stored ({found.detail})"
    if found.state is State.UNREADABLE:
        return found.detail
    if found.state in {State.OK, State.UNEXPECTED} and "checksum" not in found.checked:
        return "it may have changed since it was stored: its checksum was not noted, or cannot be computed here"
    return _delete(sink, name)


def _delete(sink: SupportsList, name: str) -> str:
    try:
        sink.delete(name)
    except (OSError, SplashdownError) as error:
        return f"it could not be removed ({error_text(error)})"
    return ""


def _forget(sink: Sink, before: TargetRecords, removed: Iterable[str]) -> None:
    """Take removed files out of the receipts, and remove documents that describe nothing else."""
    gone = set(removed)
    if not gone or not isinstance(sink, SupportsRead):
        return
    after = read_receipts(sink)
    documents = {name: read_document(sink, name) or {} for name in after.documents}
    stale = {name for document in documents.values() for name in receipt.stale_documents(document)}
    lost = {name for name in stale & set(documents) if _is_empty(sink, name, documents[name], gone)}
    for name, document in documents.items():
        if name not in lost and receipt.forget(document, gone | lost):
            receipt.write(sink, name, document)
    if isinstance(sink, SupportsList):
        for name in lost | (set(before.documents) - set(after.documents)):
            _delete(sink, name)


def _is_empty(sink: Sink, name: str, document: Mapping[str, Any], gone: set[str]) -> bool:
    described = set(receipt.stored_records(document, folder=posixpath.dirname(name))) - gone
    return not any(sink.stat(each) for each in described) if isinstance(sink, SupportsStat) else not described


@hookimpl
def splashdown_actions() -> Iterable[ActionSpec]:
    """Offer the verb."""
    yield ActionSpec(
        name="sync",
        run=sync,
        plan=plan_sync,
        summary="download what changed, remove what the source no longer has",
    )
