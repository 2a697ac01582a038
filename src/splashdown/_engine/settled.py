"""Files that are there already and right: settled by one listing of the target, before the threads of a run start.

A look at each file costs a request where the target is a store, and the work of a thread everywhere. Only what the
listing shows beyond doubt is settled here, by the rules of ``existing``; all else is looked at one by one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from splashdown._engine.context import Context
from splashdown._engine.existing import judge
from splashdown.columns import columns
from splashdown.errors import SplashdownError, error_text
from splashdown.events import TransferFinished
from splashdown.model import IfExists, Outcome, Plan, Stored

_log = logging.getLogger("splashdown")

#: Fewer files are looked at one by one: a listing of a large target would cost more.
_FEWEST = 50
#: A listing that shows so many names for each file that it is to settle is given up: the target is mostly foreign.
_MOST_FOREIGN = 4
#: Between two signs of life; a million files take a while.
_BEAT_EVERY = 5_000


def settled(context: Context, plan: Plan) -> Iterator[tuple[int, Outcome]]:
    """The number and outcome of each transfer that needs neither a look at its file nor its source.

    Files that are as they were recorded stay in ``context.listed``, so that the others are not looked at twice.
    """
    context.listed = listed = _listed(context, plan)
    if not listed:
        return
    for number, transfer in enumerate(plan.transfers):
        if not number % _BEAT_EVERY:
            context.memory.beat()
        there = listed.get(transfer.name)
        if there is None or transfer.if_exists is IfExists.OVERWRITE:
            continue
        verdict = judge(context, transfer, there, read=False)
        if verdict.keep:
            outcome = Outcome(**verdict.kept(transfer, verdict.keep))
            if context.events.active:
                context.events.emit(TransferFinished(outcome=outcome))
            yield number, outcome


def _listed(context: Context, plan: Plan) -> dict[str, Stored]:
    """Files of the plan that are as an earlier run recorded them; none where one listing is not worth its cost."""
    recorded, sink = context.memory.recorded, context.can.stat_all
    # While another run stores files, a list of them is old before it is complete.
    if sink is None or len(recorded) < _FEWEST or not context.memory.alone:
        return {}
    wanted = sum(
        name in recorded
        for name, policy in columns(plan.transfers, "name", "if_exists")
        if policy is not IfExists.OVERWRITE
    )
    if wanted < _FEWEST:
        return {}
    found: dict[str, Stored] = {}
    left = wanted * _MOST_FOREIGN
    try:
        for name, stored in sink.stat_all():
            left -= 1
            if left < 0:
                return {}
            record = recorded.get(name)
            # A record without a version is of a run that was killed: the look at the file may say more than a list.
            if record is not None and record.version and record.version == stored.version:
                found[name] = stored
    except (OSError, SplashdownError) as error:
        _log.debug("the target cannot be listed, so each file is looked at: %s", error_text(error))
        return {}
    return found
