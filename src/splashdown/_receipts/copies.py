"""The local copies that the downloads of this process have made, and the small pictures that it has loaded."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from splashdown.columns import columns
from splashdown.model import Outcome

if TYPE_CHECKING:
    from splashdown.picture import Picture

Identity = tuple[str | None, str]
#: Loaded pictures that are kept, to be shown again: so many, of so many bytes.
_MOST_PICTURES, _MOST_BYTES = 50, 96 * 1024


class LocalCopies:
    """Outcomes by asset; what downloads add is looked through when the first is asked for."""

    def __init__(self) -> None:
        self._waiting: list[Sequence[Outcome]] = []
        self._found: dict[Identity, tuple[Sequence[Outcome], int]] = {}
        self._pictures: dict[Identity, Picture] = {}
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

    def keep(self, identity: Identity, value: object) -> None:
        """Take note of what was loaded, if it is a small picture."""
        from splashdown.picture import Picture  # late: commands load few pictures

        if isinstance(value, Picture) and len(value.data) <= _MOST_BYTES and len(self._pictures) < _MOST_PICTURES:
            self._pictures[identity] = value

    def picture(self, identity: Identity) -> Picture | None:
        """The picture that was loaded of an asset."""
        return self._pictures.get(identity)
