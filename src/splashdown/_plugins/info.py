"""Facts about plugins: values only, for messages, ``plugins list`` and ``plugins check``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from splashdown._plugins.origin import Origin, Stage, label
from splashdown.redact import redact_text, safely_shown


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PluginFailure:
    """One failure of one plugin. ``error`` is ``Type: text``; ``traceback`` is for ``plugins check``."""

    plugin: str
    distribution: str
    version: str
    stage: Stage
    error: str
    traceback: str = ""

    @property
    def where(self) -> str:
        """The plugin with its distribution and version, as messages name it."""
        return label(self.plugin, self.distribution, self.version)

    def __str__(self) -> str:
        return redact_text(f"plugin {self.where} failed at {self.stage}: {self.error}")


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PluginInfo:
    """One plugin as ``plugins list`` shows it.

    ``status`` is ``ok``, ``failed`` or ``disabled``; ``disabled_by`` says by what. ``offers`` holds names (and schemes)
    by kind: ``sinks``, ``loaders``, ..., and ``run_plan`` for a plugin that stands around runs. ``import_seconds`` is
    how long importing took, ``None`` where nothing was imported.
    """

    name: str
    distribution: str
    version: str
    origin: Origin
    status: str
    disabled_by: str = ""
    offers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    import_seconds: float | None = None
    failures: tuple[PluginFailure, ...] = ()
