"""Reads the subject of a page: a target with receipts, or the JSON that a command printed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from splashdown.actions import ActionSession, VerifyReport
from splashdown.errors import ResolveError, SplashdownError, UsageError
from splashdown.redact import redact_target, redact_text, safely_shown
from splashdown_report._rows import Row
from splashdown_report._stored import Described, described_files

#: A larger document is not the JSON of a command.
_MOST_BYTES = 1024**3


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Subject:
    """The subject of a page: a title, lines below it, what went wrong, the rows, and files that can be read."""

    title: str
    lines: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    rows: Sequence[Row]
    files: Mapping[str, Described] = field(default_factory=dict)


def read_subject(session: ActionSession, place: str, *, read: bool) -> Subject:
    """The subject of a target, or of a file with the JSON of ``download``, ``sync``, ``verify`` or a dry run.

    ``read`` compares checksums in a target, else sizes alone are compared. Raises ``ResolveError`` for a target without
    a receipt, and ``UsageError`` for another JSON document.
    """
    path = Path(place).expanduser()
    if path.suffix.lower() == ".json" and path.is_file():
        return _of_document(session, path)
    checked = session.run("verify", place, read=read)
    assert isinstance(checked, VerifyReport)
    files = described_files(session, checked)
    rows = [
        Row(name=one.name, status=str(one.state), size=one.size, remark=one.detail or ", ".join(one.checked))
        for one in checked.files
    ]
    kind = "sizes and checksums" if read else "sizes"
    return Subject(
        title=redact_target(place),
        lines=(f"Files of this target, compared by {kind}.",),
        rows=_described(rows, files),
        files=files,
    )


def _of_document(session: ActionSession, path: Path) -> Subject:
    found = _read(path)
    target = str(found.get("target") or "")
    for fields, make in (("outcomes", _of_run), ("transfers", _of_plan), ("files", _of_verification)):
        if isinstance(found.get(fields), list) and target:
            title, lines, notes, rows = make(found)
            files = _in_target(session, target)
            return Subject(title=title, lines=lines, notes=notes, rows=_described(rows, files), files=files)
    raise UsageError(
        f"{path} is not what 'download --json', 'sync --json', 'verify --json' or '--dry-run --json' prints:"
        " give such a file, or the target itself"
    )


def _read(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UsageError(f"{path} is larger than any report")
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{path} is not JSON") from None
    return found if isinstance(found, Mapping) else {}


Made = tuple[str, tuple[str, ...], tuple[str, ...], list[Row]]


def _of_run(found: Mapping[str, Any]) -> Made:
    rows = [
        _row(one, _string(one, "status"), _string(one, "error") or _string(one, "reason") or _listed(one, "verified"))
        for one in _records(found, "outcomes")
    ]
    rows += [_row(one, "left_out", _string(one, "reason")) for one in _records(found, "skipped")]
    seconds = found.get("seconds")
    taken = f" in {seconds:.1f} s" if isinstance(seconds, int | float) else ""
    lines = (f"A run{taken}, from {redact_target(_string(found, 'source'))}",)
    notes = [_string(found, name) for name in ("metadata_error", "stopped")]
    notes += [f"Interrupted by {found['interrupted']}"] if found.get("interrupted") else []
    for name in ("unresolved", "warnings"):
        listed = found.get(name)
        notes += map(str, listed[:20]) if isinstance(listed, list) else []
    return redact_target(_string(found, "target")), lines, tuple(map(redact_text, filter(None, notes))), rows


def _of_plan(found: Mapping[str, Any]) -> Made:
    rows = [_row(one, "planned", "") for one in _records(found, "transfers")]
    rows += [_row(one, "left_out", _string(one, "reason")) for one in _records(found, "skipped")]
    lines = (f"A plan: nothing was moved yet. From {redact_target(_string(found, 'source'))}",)
    return redact_target(_string(found, "target")), lines, (), rows


def _of_verification(found: Mapping[str, Any]) -> Made:
    rows = [
        _row(one, _string(one, "state"), _string(one, "detail") or _listed(one, "checked"))
        for one in _records(found, "files")
    ]
    return redact_target(_string(found, "target")), ("A verification of what was stored.",), (), rows


def _records(found: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    listed = found.get(name)
    yield from (one for one in (listed if isinstance(listed, list) else ()) if isinstance(one, Mapping))


def _row(one: Mapping[str, Any], status: str, remark: str) -> Row:
    size = one.get("size")
    return Row(
        name=_string(one, "name") or _string(one, "key"),
        status=status or "unknown",
        remark=redact_text(remark),
        item=_string(one, "item"),
        key=_string(one, "key"),
        type=_string(one, "type").partition(";")[0],
        roles=_listed(one, "roles"),
        size=size if isinstance(size, int) else None,
        checksum=_string(one, "checksum"),
    )


def _string(one: Mapping[str, Any], name: str) -> str:
    value = one.get(name)
    return value if isinstance(value, str) else ""


def _listed(one: Mapping[str, Any], name: str) -> str:
    value = one.get(name)
    return ", ".join(map(str, value)) if isinstance(value, list) else ""


def _in_target(session: ActionSession, target: str) -> Mapping[str, Described]:
    """What the receipts in the target of a run add: places and dates; nothing where it cannot be reached any more."""
    with suppress(SplashdownError, ResolveError, OSError):
        checked = session.run("verify", target, read=False)
        if isinstance(checked, VerifyReport):
            return described_files(session, checked)
    return {}


def _described(rows: Sequence[Row], files: Mapping[str, Described]) -> list[Row]:
    own = {row.name: row for row in rows}
    # In the order of the documents: their metadata are unpacked block by block.
    described = {name: own[name].described(file.asset) for name, file in files.items() if name in own}
    return [described.get(row.name, row) for row in rows]
