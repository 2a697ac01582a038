"""What an action that saves files refuses before the first byte."""

from __future__ import annotations

from pathlib import Path

from splashdown._choosing.filtering import nothing_left
from splashdown.actions import Results
from splashdown.errors import NoAssetError, TargetError
from splashdown.model import Plan
from splashdown.sources import at_home, scheme_of
from splashdown.store_errors import IT_IS_A_FILE, why_no_folder

#: As many reasons as one line gives.
_MOST_REASONS = 5


def refuse_no_assets(results: Results) -> None:
    """Raise ``NoAssetError`` when the source lists nothing, or the filters left nothing."""
    if not results.assets:
        raise NoAssetError(nothing_left(results.result_set, results.skipped))


def refuse_file_as_folder(target: str | Path) -> None:
    """Raise ``TargetError`` for a local target that is a file."""
    # Names that no folder can have are refused where the sink is made.
    if not scheme_of(str(target)) and why_no_folder(at_home(target)) == IT_IS_A_FILE:
        raise TargetError(
            f"{target} is a file, and a folder is needed for several assets: name another folder, or save a single"
            " asset with download_file (on the command line: --key)"
        )


def refuse_empty(plan: Plan) -> None:
    """Raise ``NoAssetError`` for a plan that moves nothing, with the reasons."""
    if not plan.transfers:
        reasons = dict.fromkeys(f"{skipped.asset.label}: {skipped.reason}" for skipped in plan.skipped)
        raise NoAssetError(f"there is nothing to save: {'; '.join(list(reasons)[:_MOST_REASONS])}")
