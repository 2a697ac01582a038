"""JobResults and ResultAsset: the typed face of a result set."""

from __future__ import annotations


class JobResults:
    """The assets of one source, and what can be done with them."""
