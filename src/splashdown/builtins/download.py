"""The actions ``download_files`` and ``download_file``, and ``retry``: plan, move, write the receipt, report.

Naming is the plan's, moving the engine's; here is only their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from splashdown._receipts import document as receipt
from splashdown._receipts.reading import read_receipts
from splashdown.columns import columns
from splashdown.errors import DownloadError, NoAssetError, TargetError, UsageError
from splashdown.hookspecs import hookimpl
from splashdown.model import IfExists, Member, Plan, RunReport, Status, StoredRecord
from splashdown.protocols import Listener, Sink, SupportsStat
from splashdown.results import nothing_left
from splashdown.sources import at_home, scheme_of
from splashdown.specs import ActionSpec

if TYPE_CHECKING:
    from splashdown.builtins.collection import CollectionOptions
    from splashdown.results import JobResults


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadOptions:
    """What the download actions take besides the target."""

    layout: str = "openeo"
    if_exists: str = IfExists.AUTO
    progress: bool = False
    listeners: Sequence[Listener] = ()
    settings: Any = None
    sink_options: Mapping[str, Any] = field(default_factory=dict)


def download_files(
    results: JobResults,
    target: str | Path = ".",
    include_stac_metadata: bool = True,
    **options: Any,
) -> list[Path | str]:
    """Save all assets of the results into a folder; returns paths (URLs for a remote target)."""
    download = run_download(results, target, include_stac_metadata=include_stac_metadata, **options)
    return [as_place(str(target), location) for location in download.locations]


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """What a download did: the report, and where metadata documents went (one a source, none when none was wanted)."""

    report: RunReport
    documents: tuple[str, ...] = ()

    @property
    def metadata(self) -> str:
        """Where the metadata document went, the first of several; ``""`` when none was written."""
        return self.documents[0] if self.documents else ""

    @property
    def locations(self) -> list[str]:
        """Where everything is, the metadata documents last."""
        return [*columns(self.report.landed, "location"), *self.documents]


def plan_download(results: JobResults, target: str | Path = ".", **given: Any) -> Plan:
    """What :func:`run_download` would do."""
    return _plan(results, target, results.result_set.parts, DownloadOptions(**given))


def _plan(results: JobResults, target: str | Path, parts: Iterable[Member], options: DownloadOptions) -> Plan:
    reserved = {receipt.name_of(part.results) for part in parts}
    return results.plan(target, layout=options.layout, if_exists=options.if_exists, reserved=reserved)


def run_download(
    results: JobResults, target: str | Path = ".", *, include_stac_metadata: bool = True, **given: Any
) -> Download:
    """Save all assets and say in detail what happened.

    Raises ``DownloadError`` at the end when something failed, or when a source or a linked document could not be read.
    """
    download = _download(results, target, include_stac_metadata=include_stac_metadata, **given)
    raise_failures(download, results.result_set.unresolved)
    return download


def _download(results: JobResults, target: str | Path, *, include_stac_metadata: bool, **given: Any) -> Download:
    options = DownloadOptions(**given)
    if not results.assets:
        raise NoAssetError(nothing_left(results))
    refuse_file_as_folder(target)
    parts = results.result_set.parts
    plan = _plan(results, target, parts, options)
    refuse_empty(plan)
    if include_stac_metadata:
        plan = replace(plan, documents=_receipts(parts))
    return _move(results, plan, parts, options)


def retry(results: JobResults, report: RunReport, **given: Any) -> RunReport:
    """Repeat what failed in an earlier run, bring its metadata document up to date, report on those assets alone."""
    options = DownloadOptions(**given)
    parts = results.result_set.parts
    if report.plan.documents not in {(), _receipts(parts)}:
        raise UsageError(
            "this report is not of a download_files of these results: call what made it again, which keeps what is"
            " complete"
        )
    plan = replace(report.plan, transfers=tuple(outcome.transfer for outcome in report.failed))
    return _move(results, plan, parts if plan.documents else [], options).report


def _receipts(parts: Iterable[Member]) -> tuple[str, ...]:
    return tuple(part.prefix + receipt.name_of(part.results) for part in parts)


def _move(results: JobResults, plan: Plan, parts: Sequence[Member], options: DownloadOptions) -> Download:
    """Run a plan and write its receipts."""
    documents: list[str] = []

    def write_receipts(report: RunReport) -> None:
        if report.landed:
            kept = still_there(sink, not_moved(known, report))
            documents.extend(_write_receipt(sink, part, report, kept) for part in parts)

    with closing(results.session.sink(plan.target, **options.sink_options)) as sink:
        known = {
            name: entry
            for part in parts
            for name, entry in part.united_records(read_receipts(sink, part.prefix).records).items()
        }
        report = results.transfer(
            plan,
            sink=sink,
            recorded=known,
            listeners=listeners_of(results, options),
            settings=options.settings,
            before_cleanup=write_receipts if plan.documents else None,
        )
    return Download(report=report, documents=tuple(documents))


def _write_receipt(sink: Sink, part: Member, report: RunReport, kept: Mapping[str, StoredRecord]) -> str:
    document = receipt.receipt_document(part.results, part.own_outcomes(report.landed), part.own_records(kept))
    return receipt.write(sink, part.prefix + receipt.name_of(part.results), document)


def download_file(
    results: JobResults,
    target: str | Path | None = None,
    key: str | None = None,
    **given: Any,
) -> Path | str:
    """Save one asset to a file that the user names, or into an existing folder."""
    report = run_download_file(results, target, key, **given).report
    return as_place(report.plan.target, report.landed[0].location)


def run_download_file(
    results: JobResults, target: str | Path | None = None, key: str | None = None, **given: Any
) -> Download:
    """Save one asset and say in detail what happened; raises ``DownloadError`` when it failed."""
    one, folder, name = _of_one(results, target, key)
    if name is None:
        given.setdefault("include_stac_metadata", False)
        download = _download(one, folder, **given)
        raise_failures(download)
        return download
    given.pop("include_stac_metadata", None)
    options = _options_of_file(given)
    plan = _plan_named(one, folder, name, options)
    refuse_empty(plan)
    download = _move(one, plan, (), options)
    raise_failures(download)
    return download


def plan_download_file(
    results: JobResults, target: str | Path | None = None, key: str | None = None, **given: Any
) -> Plan:
    """What :func:`run_download_file` would do."""
    one, folder, name = _of_one(results, target, key)
    if name is None:
        return plan_download(one, folder, **given)
    return _plan_named(one, folder, name, _options_of_file(given))


def _of_one(results: JobResults, target: str | Path | None, key: str | None) -> tuple[JobResults, str, str | None]:
    """The results narrowed to one asset, the folder for it, and its file name where the target says one."""
    one = results.of(results.get_asset(key).asset)
    return one, *split_target(target)


def _options_of_file(given: Mapping[str, Any]) -> DownloadOptions:
    return DownloadOptions(**{"if_exists": IfExists.OVERWRITE, **given})


def _plan_named(one: JobResults, folder: str, name: str, options: DownloadOptions) -> Plan:
    return one.plan(folder, if_exists=options.if_exists, names={one.assets[0].identity: name})


def split_target(target: str | Path | None) -> tuple[str, str | None]:
    """A target for one file as folder and file name; the name is ``None`` where a folder was given."""
    if target is None:
        return ".", None
    text = at_home(target)
    if text.endswith(("/", "\\")) or (not scheme_of(text) and Path(text).is_dir()):
        return text, None
    if scheme_of(text):
        folder, _, name = text.rpartition("/")
        return f"{folder}/", name
    path = Path(text)
    return str(path.parent), path.name


def refuse_file_as_folder(target: str | Path) -> None:
    """Raise ``TargetError`` for a local target that is a file."""
    path = Path(at_home(target))
    if not scheme_of(str(target)) and path.exists() and not path.is_dir():
        raise TargetError(
            f"{target} is a file, and a folder is needed for several assets: name another folder, or save a single"
            " asset with download_file (on the command line: --key)"
        )


def not_moved(known: Mapping[str, StoredRecord], report: RunReport) -> dict[str, StoredRecord]:
    """The entries of earlier runs under whose names nothing landed in this one."""
    moved = {outcome.transfer.name for outcome in report.landed} if known else frozenset[str]()
    return {name: entry for name, entry in known.items() if name not in moved}


def still_there(sink: Sink, known: Mapping[str, StoredRecord]) -> dict[str, StoredRecord]:
    """The entries of earlier runs that still hold, judged by size."""
    if not isinstance(sink, SupportsStat):
        return dict(known)
    found = {name: sink.stat(name) for name in known}
    return {name: known[name] for name, stored in found.items() if stored and stored.size == known[name].size}


def listeners_of(results: JobResults, options: DownloadOptions | CollectionOptions) -> list[Listener]:
    """The listeners that the options name, the progress display among them."""
    shown = [results.session.listener("progress")] if options.progress else []
    return [*options.listeners, *shown]


def raise_failures(download: Download, unresolved: Sequence[str] = ()) -> None:
    """Raise ``DownloadError`` when anything failed."""
    report, failed = download.report, download.report.failed
    if unresolved and not failed:
        more = f" (and {len(unresolved) - 1} more)" if len(unresolved) > 1 else ""
        raise DownloadError(
            f"not all of the source could be read, what could be read landed: {unresolved[0]}{more}",
            report,
            download.metadata,
        )
    if failed:
        first = failed[0]
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        stored = sum(outcome.status is Status.STORED for outcome in report.outcomes)
        raise DownloadError(
            f"{len(failed)} of {len(report.outcomes)} assets failed, {stored} landed:"
            f" {first.asset.label}: {first.error_type}: {first.error}{more}",
            report,
            download.metadata,
        )


def refuse_empty(plan: Plan) -> None:
    """Raise ``NoAssetError`` for a plan that moves nothing, with the reason."""
    if not plan.transfers:
        reasons = dict.fromkeys(f"{skipped.asset.label}: {skipped.reason}" for skipped in plan.skipped)
        raise NoAssetError(f"there is nothing to save: {'; '.join(list(reasons)[:5])}")


def as_place(target: str, location: str) -> Path | str:
    """A path for a local target, a URL for another."""
    return location if scheme_of(target) not in {"", "file"} else Path(location)


@hookimpl
def splashdown_actions() -> Iterable[ActionSpec]:
    """Offer the download verbs."""
    yield ActionSpec(name="download_files", run=download_files, options=DownloadOptions, summary="save all assets")
    yield ActionSpec(name="download_file", run=download_file, options=DownloadOptions, summary="save one asset")
    yield ActionSpec(name="retry", run=retry, options=DownloadOptions, summary="repeat what failed in a download")
