"""A mistake without a comment about it: the one error that the checkers are to report here."""

from __future__ import annotations

from splashdown.protocols import Sink


class Shelf:
    pass


sink: Sink = Shelf()
