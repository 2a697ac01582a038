"""The kit for authors of plugins: contracts to subclass in pytest, fakes, and checks. Needs pytest.

pytest does not load any of it by itself; a test module imports what it uses::

    from splashdown.testing import SinkContract

    class TestShelfSink(SinkContract):
        @pytest.fixture
        def sink(self, tmp_path):
            return ShelfSink(f"shelf://{tmp_path}")
"""

import pytest

# pytest rewrites asserts only in test modules; without this a failing contract shows no values.
_CONTRACTS = (
    "executors",
    "filters",
    "imports",
    "loaders",
    "resolvers",
    "sink_abilities",
    "sinks",
    "stores",
    "transports",
)
pytest.register_assert_rewrite(*(f"{__name__}.{name}" for name in _CONTRACTS))

from splashdown.builtins.memory import MemorySink  # noqa: E402 - after the rewriting is asked for
from splashdown.testing.executors import ExecutorContract  # noqa: E402
from splashdown.testing.fakes import (  # noqa: E402
    FakeContext,
    FakeFile,
    FakeTransport,
    Fault,
    MemoryHandle,
    answers,
    cuts_after,
    fails_with,
    is_fine,
    make_asset,
    make_session,
)
from splashdown.testing.filters import FilterContract  # noqa: E402
from splashdown.testing.imports import HEAVY, assert_light_import  # noqa: E402
from splashdown.testing.loaders import LoaderContract  # noqa: E402
from splashdown.testing.resolvers import ResolverContract  # noqa: E402
from splashdown.testing.sinks import SinkContract  # noqa: E402
from splashdown.testing.transports import TransportContract  # noqa: E402

__all__ = [
    "HEAVY",
    "ExecutorContract",
    "FakeContext",
    "FakeFile",
    "FakeTransport",
    "Fault",
    "FilterContract",
    "LoaderContract",
    "MemoryHandle",
    "MemorySink",
    "ResolverContract",
    "SinkContract",
    "TransportContract",
    "answers",
    "assert_light_import",
    "cuts_after",
    "fails_with",
    "is_fine",
    "make_asset",
    "make_session",
]
