"""The seam between a run and the place where fragments are, and which place a target has.

A run writes its own fragment and reads those of others. Who may remove one is decided in ``memory``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from splashdown._receipts.folder_notes import FolderNotes
from splashdown._receipts.fragments import Fragment
from splashdown._receipts.object_notes import ObjectNotes
from splashdown.protocols import Sink, SupportsList, SupportsRead, SupportsState


class Notes(Protocol):
    """The fragments of one target, as one run sees them. Any thread may append."""

    step: float  #: seconds until others see what was appended

    @property
    def name(self) -> str:
        """What ``read`` of another run calls this run's own fragment; empty where it has none."""

    def begin(self) -> None:
        """Make this run's own fragment, which says that it is active."""

    @property
    def dear(self) -> bool:
        """Whether a note costs a request, so that several files should share one."""

    def append(self, *lines: bytes) -> None:
        """Note lines. Those that cannot be written now are kept for the next time."""

    def now(self) -> float:
        """The time as the target has it, as far as that is known without a request."""

    def beat(self) -> None:
        """Show that the run is active, and write what waits for it."""

    def read(self, known: Collection[str] = ()) -> tuple[dict[str, Fragment], bool]:
        """The fragments of the others, by their names, and whether one of them is active.

        Those of ``known`` names have ended, and the caller knows what is in them: they are given empty, and not read.
        """

    def seen(self) -> frozenset[tuple[str, int]]:
        """How far the last ``read`` went: equal where nothing was written since the one before."""

    def leave(self) -> None:
        """Give this run's own fragment to the last one."""

    def retake(self) -> bool:
        """Be active again; false where the fragment is gone: another run has united it."""

    def drop(self, names: Sequence[str]) -> None:
        """Remove this run's own fragment, and those of others that no receipt needs any more."""

    def close(self) -> None:
        """Give back what is open; a fragment that was not dropped is left to the next run."""

    def reserve(self, size: int) -> None:
        """Keep room for a receipt, where that can be done."""

    def release(self) -> None:
        """Give the room back."""


def notes_of(sink: Sink) -> Notes | None:
    """Where the fragments of a target are; ``None`` for a sink that can keep none, or cannot read them again."""
    folder = sink.state_dir if isinstance(sink, SupportsState) else None
    if folder is not None:
        return FolderNotes(folder)
    if isinstance(sink, SupportsList) and isinstance(sink, SupportsRead):
        return ObjectNotes(sink)
    return None
