"""Checks before the first byte: what is known to fail must not fail after hours."""

from __future__ import annotations

from splashdown._display.text import readable
from splashdown._engine.context import Context
from splashdown._engine.records import identity
from splashdown._engine.same_url import groups
from splashdown._foreign.calls import ask, name_of, wrong_type
from splashdown.errors import StoreError
from splashdown.model import Asset, IfExists, Plan, Stored, Transfer
from splashdown.protocols import SupportsSpace

#: No store takes a larger object and no file system a larger file (1 PiB): a server that says so is wrong.
_LARGEST = 2**50


def check_space(context: Context, plan: Plan) -> None:
    """Raise ``StoreError`` when the target has no room for what is known to come and is not there yet."""
    space = context.can.space
    if space is None or not (size := plan.known_size):
        return
    free = _free(space)
    if free is None or size <= free:
        return
    # Only now: to look for each file takes long where there are many, and usually there is room for all of them.
    needed = size - _there(context, plan)
    if needed > free:
        raise StoreError(
            f"{plan.target} has {readable(free)} free, and {readable(needed)} are to come; "
            "make room, choose fewer assets, or another target"
        )


def check_promise(context: Context, asset: Asset, size: int | None) -> None:
    """Raise ``StoreError`` for a size, by the server's word, that cannot be stored; small files are not checked."""
    if size is None or size < context.settings.range_cutoff:
        return
    claim = f"{asset.label}: the server says that the file has {readable(size)}"
    if size > _LARGEST:
        raise StoreError(f"{claim}, which cannot be; nothing was stored")
    free = free_space(context)
    if free is not None and size > free:
        raise StoreError(f"{claim}, and the target has {readable(free)} free; make room, or choose another target")


def free_space(context: Context) -> int | None:
    """Bytes that the target has free, as far as it knows."""
    return _free(context.can.space) if context.can.space is not None else None


def _free(space: SupportsSpace) -> int | None:
    free: object = ask(name_of(space.free_space), space.free_space)
    if free is not None and not isinstance(free, int | float):
        raise wrong_type(free, int | None, space.free_space)
    return None if free is None or free != free else int(min(free, 2**63))  # noqa: PLR0124 - NaN


def _there(context: Context, plan: Plan) -> int:
    """Bytes that are probably there already, in whole files and in parts, or come with another file of the same URL.

    The exact check follows for each file.
    """
    shared: set[int] = set()
    if context.can.duplicate is not None:
        shared = {number for group in groups(plan.transfers) for number in group[1:]}
    return sum(
        (transfer.asset.size or 0) if number in shared else _there_of(context, transfer)
        for number, transfer in enumerate(plan.transfers)
    )


def _there_of(context: Context, transfer: Transfer) -> int:
    asset, stat = transfer.asset, context.can.stat
    if not asset.size:
        return 0
    if stat is not None and transfer.if_exists is not IfExists.OVERWRITE:
        stored = ask(name_of(stat.stat), stat.stat, transfer.name, returns=Stored | None)
        if stored is not None and stored.size == asset.size:
            return asset.size
    if not context.journal.unfinished:
        return 0
    entry = context.journal.find(identity(context.source, asset.item, asset.key, transfer.name))
    return sum(one.part.size or 0 for one in entry.parts) if entry else 0
