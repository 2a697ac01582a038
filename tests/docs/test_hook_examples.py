"""What the pages of the hooks show as an example keeps the contract that they tell others to keep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from doc_pages import pages

from splashdown.testing.sinks import SinkContract


class TestShelfSink(SinkContract):
    """The sink of the page on ``splashdown_sinks``."""

    @pytest.fixture
    def sink(self) -> Iterator[Any]:
        (page,) = (page for page in pages() if page.name == "docs/reference/hooks/splashdown_sinks.md")
        named: dict[str, Any] = {}
        # The class and its imports; what follows uses it.
        exec(page.blocks[0].code.partition("class ShelfPlugin")[0], named)
        self.store: dict[str, bytes] = {}
        sink = named["ShelfSink"]("shelf://top/", self.store)
        yield sink
        sink.close()

    def fetch(self, sink: Any, key: str) -> bytes | None:
        return self.store.get(key)
