"""The idle connections of a lean pool: what urllib3 asks of its queue."""

from __future__ import annotations

import gc
import queue

import pytest
from urllib3 import HTTPConnectionPool

from splashdown._connections.recent import Idle
from splashdown.connections import make_lean


class Connection:
    closed = False

    def close(self) -> None:
        self.closed = True


def test_the_connection_that_was_used_last_serves_first():
    idle = Idle(3)
    for one in "abc":
        idle.put(one)
    assert [idle.get() for _ in range(3)] == ["c", "b", "a"]
    with pytest.raises(queue.Empty):
        idle.get()


def test_no_more_connections_are_kept_than_the_pool_may_have():
    idle = Idle(1)
    idle.put("a")
    with pytest.raises(queue.Full):
        idle.put("b")
    assert idle.qsize() == 1


def test_a_pool_that_is_dropped_closes_its_idle_connections():
    pool, connection = HTTPConnectionPool("localhost", 1, maxsize=2), Connection()
    make_lean(pool)
    pool.pool.put(None)
    pool.pool.put(connection)
    del pool
    gc.collect()
    assert connection.closed


def test_a_pool_that_waits_for_connections_keeps_its_queue():
    pool = HTTPConnectionPool("localhost", 1, maxsize=2, block=True)
    make_lean(pool)
    assert isinstance(pool.pool, queue.LifoQueue)
