"""The actions ``download_files``, ``download_file`` and ``retry``: plan, move, write the receipt.

Names come from the plan, and the engine moves the bytes; this module holds the order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from splashdown._receipts import document as receipt
from splashdown._saving.options import SaveOptions
from splashdown._saving.receipts import Landed, move
from splashdown._saving.refusals import refuse_empty, refuse_file_as_folder, refuse_no_assets
from splashdown.actions import Download, Results
from splashdown.errors import UsageError
from splashdown.hookspecs import hookimpl
from splashdown.model import IfExists, Member, Plan, RunReport
from splashdown.redact import safely_shown
from splashdown.sources import at_home, is_archive, scheme_of
from splashdown.specs import ActionSpec


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DownloadOptions(SaveOptions):
    """What ``download_files`` takes besides the target."""

    layout: str = "openeo"
    if_exists: str = IfExists.AUTO


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FileOptions(SaveOptions):
    """What ``download_file`` takes besides the target and the key."""

    layout: str = "openeo"
    if_exists: str | None = None  #: without one, a file that is named outright is replaced

    def towards(self, name: str | None) -> DownloadOptions:
        """The options for a file of this name, or for one in a folder."""
        usual = IfExists.AUTO if name is None else IfExists.OVERWRITE
        given = {one.name: getattr(self, one.name) for one in fields(self)}
        return DownloadOptions(**given | {"if_exists": self.if_exists or usual})


def download_files(
    results: Results, target: str | Path = ".", include_stac_metadata: bool = True, **given: Any
) -> Download:
    """Save all assets of the results into a folder.

    Raises ``DownloadError`` at the end when something failed, or when a source or a linked document could not be read.
    """
    download = _save(results, target, DownloadOptions(**given), include_stac_metadata=include_stac_metadata)
    download.raise_failures(results.result_set.unresolved)
    return download


def plan_files(
    results: Results,
    target: str | Path = ".",
    include_stac_metadata: bool = True,  # noqa: ARG001 - a plan takes the arguments of the action
    **given: Any,
) -> Plan:
    """What :func:`download_files` would move."""
    return _plan(results, target, DownloadOptions(**given))


def retry(results: Results, report: RunReport, **given: Any) -> RunReport:
    """Repeat what failed in an earlier run, bring its metadata document up to date, report on those assets alone."""
    parts = results.result_set.parts
    if is_archive(report.plan.target):
        raise UsageError("an archive is written as a whole: repeat the call that made this report")
    if report.plan.documents not in {(), _documents(parts)}:
        raise UsageError(
            "this report is not of a download_files of these results: repeat the call that made it, which keeps what is"
            " complete"
        )
    plan = replace(report.plan, transfers=tuple(one.transfer for one in (*report.failed, *report.not_tried)))
    return _move(results, plan, parts if plan.documents else [], SaveOptions(**given)).report


def download_file(results: Results, target: str | Path | None = None, key: str | None = None, **given: Any) -> Download:
    """Save one asset to a file that the user names, or into an existing folder.

    Raises ``DownloadError`` when it failed.
    """
    one, folder, name = _of_one(results, target, key)
    options = FileOptions(**given).towards(name)
    if name is None:
        download = _save(one, folder, options, include_stac_metadata=False)
    else:
        plan = _plan_named(one, folder, name, options)
        refuse_empty(plan)
        download = _move(one, plan, (), options)
    download.raise_failures()
    return download


def plan_file(results: Results, target: str | Path | None = None, key: str | None = None, **given: Any) -> Plan:
    """What :func:`download_file` would move."""
    one, folder, name = _of_one(results, target, key)
    options = FileOptions(**given).towards(name)
    return _plan(one, folder, options) if name is None else _plan_named(one, folder, name, options)


def _plan(results: Results, target: str | Path, options: DownloadOptions) -> Plan:
    reserved = {receipt.name_of(part.results) for part in results.result_set.parts}
    return results.plan(target, layout=options.layout, if_exists=options.if_exists, reserved=tuple(reserved))


def _save(results: Results, target: str | Path, options: DownloadOptions, *, include_stac_metadata: bool) -> Download:
    refuse_no_assets(results)
    refuse_file_as_folder(target)
    parts = results.result_set.parts
    plan = _plan(results, target, options)
    refuse_empty(plan)
    if include_stac_metadata:
        plan = replace(plan, documents=_documents(parts))
    return _move(results, plan, parts, options)


def _documents(parts: Iterable[Member]) -> tuple[str, ...]:
    return tuple(part.prefix + receipt.name_of(part.results) for part in parts)


def _move(results: Results, plan: Plan, parts: Sequence[Member], options: SaveOptions) -> Download:
    """Run a plan and write its receipts."""

    def write(landed: Landed) -> list[str]:
        return [_write_receipt(part, landed) for part in parts]

    return move(results, plan, options, parts=parts, write=write if plan.documents else None)


def _write_receipt(part: Member, landed: Landed) -> str:
    document = receipt.receipt_document(
        part.results, part.own_outcomes(landed.report.landed), part.own_records(landed.kept)
    )
    return receipt.write(landed.sink, part.prefix + receipt.name_of(part.results), document)


def _of_one(results: Results, target: str | Path | None, key: str | None) -> tuple[Results, str, str | None]:
    """The results narrowed to one asset, the folder for it, and its file name where the target says one."""
    one = results.of(results.get_asset(key).asset)
    return one, *split_target(target)


def _plan_named(one: Results, folder: str, name: str, options: DownloadOptions) -> Plan:
    return one.plan(folder, if_exists=options.if_exists, names={one.assets[0].identity: name})


def split_target(target: str | Path | None) -> tuple[str, str | None]:
    """A target for one file as folder and file name; the name is ``None`` where a folder was given."""
    if target is None:
        return ".", None
    text = at_home(target)
    if is_archive(text):
        return text, None
    if text.endswith(("/", "\\")) or (not scheme_of(text) and Path(text).is_dir()):
        return text, None
    if scheme_of(text):
        folder, _, name = text.rpartition("/")
        return f"{folder}/", name
    path = Path(text)
    return str(path.parent), path.name


@hookimpl
def splashdown_actions() -> Iterable[ActionSpec]:
    """Offer the download verbs."""
    yield ActionSpec(
        name="download_files",
        run=download_files,
        plan=plan_files,
        options=DownloadOptions,
        summary="save all assets",
    )
    yield ActionSpec(
        name="download_file", run=download_file, plan=plan_file, options=FileOptions, summary="save one asset"
    )
    yield ActionSpec(name="retry", run=retry, options=SaveOptions, summary="repeat what failed in a download")
