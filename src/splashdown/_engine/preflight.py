"""What can be known to fail before the first byte."""

from __future__ import annotations

from splashdown._engine.context import Context
from splashdown.errors import StoreError
from splashdown.model import IfExists, Plan


def check_space(context: Context, plan: Plan) -> None:
    """Raise ``StoreError`` when the target has no room for what is known to come and is not there yet."""
    space = context.can.space
    if space is None or not plan.known_size:
        return
    free = space.free_space()
    if free is None or plan.known_size <= free:
        return
    needed = plan.known_size - _there(context, plan)
    if needed > free:
        raise StoreError(
            f"{plan.target} has {_readable(free)} free, {_readable(needed)} are to come; "
            "make room, choose fewer assets, or another target"
        )


def _there(context: Context, plan: Plan) -> int:
    """Bytes that are probably complete already; the exact judgement follows for each file."""
    stat = context.can.stat
    if stat is None:
        return 0
    total = 0
    for transfer in plan.transfers:
        size = transfer.asset.size
        if size and transfer.if_exists is not IfExists.OVERWRITE:
            stored = stat.stat(transfer.name)
            if stored is not None and stored.size == size:
                total += size
    return total


def _readable(size: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if size < 1024 or unit == "TiB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    raise AssertionError
