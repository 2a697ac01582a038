"""Looks up many names by one listing of a target, where that is worth its cost."""

from __future__ import annotations

import logging
from collections.abc import Callable

from splashdown.errors import SplashdownError, error_text
from splashdown.model import Stored
from splashdown.protocols import SupportsStatAll

_log = logging.getLogger("splashdown")

#: Fewer names are looked up one by one: a listing of a large target would cost more.
FEWEST = 50
#: A listing that shows so many names for each one that is asked for is given up: the target is mostly foreign.
MOST_FOREIGN = 4


def look_up(
    sink: SupportsStatAll | None, count: int, wanted: Callable[[str, Stored], bool]
) -> dict[str, Stored] | None:
    """The objects that are ``wanted``, of which there are at most ``count``.

    ``None`` where each has to be looked up by itself: there are few, the sink lists nothing, or the listing failed.
    """
    if sink is None or count < FEWEST:
        return None
    found: dict[str, Stored] = {}
    left = count * MOST_FOREIGN
    try:
        for name, stored in sink.stat_all():
            left -= 1
            if left < 0:
                return None
            if wanted(name, stored):
                found[name] = stored
    except (OSError, SplashdownError) as error:
        _log.debug("the target cannot be listed, so each name is looked up: %s", error_text(error))
        return None
    return found
