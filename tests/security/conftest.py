"""Servers that behave badly."""

from contextlib import contextmanager

import pytest
from raw_server import drip, raw_server


@pytest.fixture
def slow():
    """A server that sends a head at once, and then a few bytes again and again."""

    @contextmanager
    def serve(head, each):
        running = []

        def answer(connection, _):
            drip(connection, head, each, running[0].closing)

        with raw_server(answer) as server:
            running.append(server)
            yield server

    return serve
