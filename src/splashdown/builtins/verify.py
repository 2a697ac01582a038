"""The action ``verify``: check what an earlier download of these results left in a target.

The command ``splashdown verify`` needs no source; both stand on :mod:`splashdown._receipts.checking`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from splashdown.hookspecs import hookimpl
from splashdown.specs import ActionSpec

if TYPE_CHECKING:
    from splashdown._receipts.checking import VerifyReport
    from splashdown.results import JobResults


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions:
    """What ``verify`` takes besides the target."""

    jobs: int = 8  #: files at a time
    read: bool = True  #: read the files and compare checksums; else sizes alone
    sink_options: Mapping[str, Any] = field(default_factory=dict)


def verify(results: JobResults, target: str | Path = ".", **given: Any) -> VerifyReport:
    """Check the target against its receipts, and that it has every asset of the results.

    Raises ``ResolveError`` where the target holds no receipt.
    """
    from dataclasses import replace

    from splashdown._receipts.checking import Checked, State, verify_target
    from splashdown._receipts.reading import read_all_receipts

    options = VerifyOptions(**given)
    with closing(results.session.sink(str(target), **options.sink_options)) as sink:
        report = verify_target(sink, str(target), jobs=options.jobs, read=options.read)
        there = {known.identity for known in read_all_receipts(sink).records.values()}
    # A saved document, opened as a source, lists the assets of items at its root: as KEY or ITEM/KEY.
    there |= {(None, name) for item, key in filter(None, there) for name in (key, f"{item}/{key}")}
    absent = (
        Checked(name=asset.label, state=State.MISSING, size=asset.size, detail="it was never stored")
        for asset in results.assets
        if asset.identity not in there and not results.result_set.members
    )
    return replace(report, files=(*report.files, *absent))


@hookimpl
def splashdown_actions() -> Iterable[ActionSpec]:
    """Offer the verb."""
    yield ActionSpec(name="verify", run=verify, options=VerifyOptions, summary="check what a download left in a target")
