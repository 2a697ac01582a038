"""The options of every action that saves files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from splashdown.actions import ActionSession
from splashdown.protocols import Listener
from splashdown.redact import safely_shown


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SaveOptions:
    """How a run is watched and set, whatever it saves."""

    progress: bool = field(default=False, metadata={"help": "Show progress."})
    listeners: Sequence[Listener] = field(default=(), metadata={"python_only": "a list of listeners"})
    settings: Any = field(default=None, metadata={"python_only": "a splashdown.Settings"})
    executor: Any = field(
        default=None,
        metadata={
            "python_only": "an Executor of concurrent.futures, a distributed.Client, or a name such as 'processes:4'",
            "takes_names": True,
        },
    )
    sink_options: Mapping[str, Any] = field(default_factory=dict)

    def all_listeners(self, session: ActionSession) -> list[Listener]:
        """The listeners of the call, and the progress display with ``progress``."""
        return [*self.listeners, *([session.listener("progress")] if self.progress else [])]
