"""Where a plugin came from, how messages call it, and what it was asked to do when it failed."""

from __future__ import annotations

from enum import StrEnum


class Origin(StrEnum):
    """Where a plugin came from."""

    BUILTIN = "built-in"
    GIVEN = "given"  #: passed to the session, or by ``--plugin``
    INSTALLED = "installed"  #: found by its entry point


class Stage(StrEnum):
    """What a plugin was asked to do when it failed."""

    IMPORT = "import"
    REGISTRATION = "registration"
    HOOK = "hook"
    USE = "use"


def label(plugin: str, distribution: str, version: str) -> str:
    """``'s3' (splashdown-s3 0.1.0)``; without the bracket for a plugin that no distribution brought."""
    return f"'{plugin}' ({distribution} {version})" if distribution else f"'{plugin}'"
