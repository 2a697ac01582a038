"""Files that are there already and right: settled by one listing of the target, before the threads of a run start.

A look at each file costs a request where the target is a store, and the work of a thread everywhere. Only what the
listing shows beyond doubt is settled here, by the rules of ``existing``; all else is looked at one by one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from splashdown._engine.context import Context
from splashdown._engine.existing import judge
from splashdown._receipts.listing import FEWEST, look_up
from splashdown.columns import columns
from splashdown.events import TransferFinished
from splashdown.model import IfExists, Outcome, Plan, Stored

#: Names between two signs of life: others take a run that gives none for dead, and a large store is listed for minutes.
_BEAT_EVERY = 5_000


def settled(context: Context, plan: Plan) -> Iterator[tuple[int, Outcome]]:
    """The number and outcome of each transfer that needs neither a look at its file nor its source.

    Files that are as they were recorded stay in ``context.listed``, so that the others are not looked at twice.
    """
    context.listed = listed = _listed(context, plan)
    if not listed:
        return
    trust = context.settings.trust_metadata
    for number, (name, policy, checksum) in enumerate(columns(plan.transfers, "name", "if_exists", "asset.checksum")):
        if not number % _BEAT_EVERY:
            context.memory.beat()
        there = listed.get(name)
        if there is None or policy is IfExists.OVERWRITE:
            continue
        # Where the metadata promise nothing, only the source knows: no verdict would keep the file.
        if checksum is None and not trust and policy is not IfExists.SKIP:
            continue
        transfer = plan.transfers[number]
        verdict = judge(context, transfer, there, read=False)
        if verdict.keep:
            outcome = Outcome(**verdict.kept(transfer, verdict.keep))
            if context.events.active:
                context.events.emit(TransferFinished(outcome=outcome))
            yield number, outcome


def _listed(context: Context, plan: Plan) -> dict[str, Stored]:
    """Files of the plan that are as an earlier run recorded them; none where one listing is not worth its cost."""
    recorded = context.memory.recorded
    # While another run stores files, a list of them is old before it is complete.
    if len(recorded) < FEWEST or not context.memory.alone:
        return {}
    count = sum(
        name in recorded
        for name, policy in columns(plan.transfers, "name", "if_exists")
        if policy is not IfExists.OVERWRITE
    )

    names = itertools.count()

    def is_as_recorded(name: str, stored: Stored) -> bool:
        if not next(names) % _BEAT_EVERY:
            context.memory.beat()
        # A record without a version is of a run that was killed: the look at the file may say more than a list.
        record = recorded.get(name)
        return record is not None and record.version is not None and record.version == stored.version

    return look_up(context.can.stat_all, count, is_as_recorded) or {}
