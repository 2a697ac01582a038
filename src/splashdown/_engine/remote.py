"""How the files of one result set are read; the session makes this value once for the set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from splashdown._engine.renew import Renewal
from splashdown._engine.retry import Throttle
from splashdown._engine.settings import Settings
from splashdown.protocols import Transport

#: An href as it is listed to the href to read now, and the headers to send with it.
Sign = Callable[[str], tuple[str, Mapping[str, str]]]


def unsigned(href: str) -> tuple[str, Mapping[str, str]]:
    """Sign hrefs that anybody may read."""
    return href, {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """What every read of a result set needs. All downloads and all open assets of the set share it, in any thread.

    Sharing has effects that a user can see: one reading of the source renews the links of all of them, and all of them
    leave a host alone that asked for a pause.
    """

    transport: Callable[[str], Transport]  #: the transport that reads an href
    settings: Settings = field(default_factory=Settings)
    sign: Sign = unsigned
    renewal: Renewal = field(default_factory=Renewal)
    throttle: Throttle = field(default_factory=Throttle)
