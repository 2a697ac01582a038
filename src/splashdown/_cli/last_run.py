"""The last run of a command to a target, kept for ``retry TARGET`` and ``verify --repair`` in the user's state folder.

It is never taken from the target: who can write there could send a token anywhere by a source of their choice.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from splashdown.redact import redact_target
from splashdown.sources import at_home, path_in_url, scheme_of

if TYPE_CHECKING:
    from splashdown.model import RunReport

_NAME = "last-run.json"


def remember(report: RunReport, metadata: str, narrowed: Sequence[str]) -> None:
    """Keep the source of a run, and what did not land. A folder that cannot be written keeps nothing.

    ``narrowed`` are the options that chose a part of the source, or of its files.
    """
    place = _place(report.plan.target)
    missing = (*report.failed, *report.not_tried)
    outcomes = [
        {"item": one.asset.item, "key": one.asset.key, "name": one.transfer.name, "status": str(one.status)}
        for one in missing
    ]
    kept = {
        "source": report.plan.source,
        "target": redact_target(report.plan.target),  # whoever asks for it names it, password included
        "narrowed": list(narrowed),
        "metadata": metadata or next(iter(report.plan.documents), ""),
        "metadata_error": report.unwritten,
        "outcomes": outcomes,
    }
    beside = place.with_suffix(f".{os.getpid()}")
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(kept), encoding="utf-8", errors="backslashreplace")
        beside.replace(place)


def failed_run(target: str) -> Mapping[str, Any] | None:
    """What was kept of the last run to a target where something did not land, in the form of a report."""
    found = last_run(target)
    return found if found and (found.get("outcomes") or found.get("metadata_error")) else None


def last_run(target: str) -> Mapping[str, Any] | None:
    """What was kept of the last run to a target; ``None`` where nothing was."""
    try:
        found = json.loads(_place(target).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return {**found, "target": _whole(target)} if isinstance(found, dict) else None


def _place(target: str) -> Path:
    from splashdown._engine.journal import user_state_dir

    return user_state_dir(f"runs of {_whole(target)}") / _NAME


def _whole(target: str) -> str:
    """The target under a name that is the same from every folder."""
    scheme = scheme_of(target)
    if scheme in {"", "file"}:
        return str(Path(path_in_url(target) if scheme else at_home(target)).absolute())
    return target.rstrip("/") + "/"
