"""The action ``inventory``: what a source has, one row an asset, written as a table. Nothing is downloaded."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from splashdown.errors import OptionError
from splashdown.redact import redact

if TYPE_CHECKING:
    import pandas as pd

    from splashdown.actions import Results


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryOptions:
    """Where the table goes."""

    to: Path = field(metadata={"help": "The file to write: .csv or .parquet."})


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenInventory:
    """Where the table is, and how many assets it has."""

    path: Path
    assets: int

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.path}: {self.assets} {'asset' if self.assets == 1 else 'assets'}"


def inventory_frame(results: Results) -> pd.DataFrame:
    """The assets as a table: identity, type, size in bytes, checksum, time, box, and the href without secrets."""
    import pandas as pd

    rows = [
        {
            "collection": asset.collection,
            "item": asset.item,
            "key": asset.key,
            "media_type": asset.media_type,
            "roles": " ".join(asset.roles),
            "size": asset.size,
            "checksum": asset.checksum,
            "start": asset.start,
            "end": asset.end,
            **dict(zip(("west", "south", "east", "north"), asset.bbox or (None,) * 4, strict=False)),
            "href": redact(asset.href),
        }
        for asset in results.assets
    ]
    frame = pd.DataFrame(rows)
    if rows:
        frame["size"] = frame["size"].astype("Int64")  # a size may be unknown
        for moment in ("start", "end"):
            frame[moment] = pd.to_datetime(frame[moment], utc=True)
    return frame


def inventory(results: Results, *, to: str | Path) -> WrittenInventory:
    """Write the table. Raises ``OptionError`` for another kind of file."""
    path = Path(to)
    frame = inventory_frame(results)
    beside = path.with_name(f".{path.name}.partial")
    if path.suffix.lower() not in {".csv", ".parquet"}:
        raise OptionError(f"an inventory is written to .csv or .parquet, not to '{path.name}'")
    try:
        if path.suffix.lower() == ".csv":
            frame.to_csv(beside, index=False)
        else:
            frame.to_parquet(beside, index=False)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise OptionError(f"the inventory cannot be written to {path}: {error.strerror}") from error
    return WrittenInventory(path=path, assets=len(frame))
