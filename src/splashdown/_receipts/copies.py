"""The local copies that the downloads of this process have made."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from splashdown.columns import columns
from splashdown.model import Outcome

Identity = tuple[str | None, str]


class LocalCopies:
    """Outcomes by asset; what downloads add is looked through when the first is asked for."""

    def __init__(self) -> None:
        self._waiting: list[Sequence[Outcome]] = []
        self._found: dict[Identity, tuple[Sequence[Outcome], int]] = {}
        self._lock = threading.Lock()

    def add(self, landed: Sequence[Outcome]) -> None:
        """Take note of what landed."""
        with self._lock:
            self._waiting.append(landed)

    def get(self, identity: Identity) -> Outcome | None:
        """The newest outcome of an asset."""
        with self._lock:
            for landed in self._waiting:
                each = columns(landed, "asset.item", "asset.key")
                self._found.update((one, (landed, at)) for at, one in enumerate(each))
            self._waiting.clear()
            found = self._found.get(identity)
        return found and found[0][found[1]]
