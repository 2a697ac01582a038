"""``jobs`` of a profile is the ceiling of files, and of requests for parts of files, for the whole run."""

import threading
from dataclasses import replace

import pytest
from fault_server import FaultServer
from stac_item import stac_item

from splashdown import Session, Settings
from splashdown._engine.context import Context
from splashdown._engine.remote import Remote
from splashdown._engine.schedule import Schedule

MANY = Settings(jobs=8, range_connections=4, range_cutoff=200_000, part_size=65_536, range_speed=1 << 40)
PIECE = 64 * 1024


class Counted:
    """The most requests that a server has been answering at a time."""

    def __init__(self):
        self.now = self.most = 0
        self.lock = threading.Lock()
        self.full = threading.Event()

    def __call__(self, handler, answer):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        # Others have the time to come: one more than is allowed would be seen.
        self.full.wait(0.05)
        right, pauses = handler.right(), 0
        if len(right.body) <= PIECE:
            self.leave()  # before the answer: with its last byte the client may send the next request
            handler.send(right)
            return

        def pause():
            nonlocal pauses
            pauses += 1
            self.full.wait(0.05)
            if pauses == 1:  # there is more to come, so the client is still reading
                self.leave()

        handler.send(right, piece=PIECE, pause=pause)

    def leave(self):
        with self.lock:
            self.now -= 1


@pytest.fixture
def server():
    with FaultServer() as running:
        yield running


def item(server, counted, sizes):
    assets = {}
    for number, size in enumerate(sizes):
        assets[f"a{number}"] = {"href": server.add(f"/{number}.bin", b"x" * size)}
        server.always(f"/{number}.bin", counted)
    return stac_item(assets)


@pytest.mark.parametrize("sizes", [[10] * 12, [300_000] * 3, [300_000, 10, 10, 10, 300_000, 10, 10], [900_000]])
@pytest.mark.parametrize("most", [1, 2])
def test_a_host_is_asked_for_no_more_at_a_time_than_its_profile_says(server, tmp_path, sizes, most):
    counted = Counted()
    with Session(config=False, settings=MANY, hosts={"127.0.0.1": {"jobs": most}}) as session:
        landed = session.open(item(server, counted, sizes)).download_files(tmp_path)
    assert len(landed) == len(sizes) + 1  # and the receipt
    assert counted.most <= most


def test_a_run_without_a_profile_asks_for_more_at_a_time(server, tmp_path):
    counted = Counted()
    with Session(config=False, settings=MANY) as session:
        session.open(item(server, counted, [10] * 12)).download_files(tmp_path)
    assert counted.most > 2


def test_the_limit_of_one_host_leaves_others_alone(server, tmp_path):
    one, other = Counted(), Counted()
    assets = {}
    for number in range(12):
        here = f"/{number}.bin"
        server.add(here, b"x" * 10)
        server.always(here, one if number % 2 else other)
        assets[f"a{number}"] = {"href": (server.url if number % 2 else server.alias) + here}
    with Session(config=False, settings=MANY, hosts={"127.0.0.1": {"jobs": 1}}) as session:
        session.open(stac_item(assets)).download_files(tmp_path)
    assert one.most == 1
    assert other.most > 1


def test_a_schedule_takes_the_limit_of_each_host():
    schedule = Schedule(["a", "a", "a", "b", "b", None], {"a": 1, "b": 5})
    assert schedule.width == 3


@pytest.mark.parametrize(
    ("limit", "files", "jobs", "connections"),
    [
        (None, 1, 8, 4),
        (4, 1, 8, 4),
        (4, 9, 8, 1),
        (4, 2, 8, 2),
        (20, 99, 8, 2),
        (1, 1, 8, 1),
        (3, 5, 2, 1),
        (6, 9, 1, 4),
    ],
)
def test_all_connections_of_all_files_are_within_the_limit_of_the_host(limit, files, jobs, connections):
    settings = replace(MANY, jobs=jobs)
    remote = Remote(transport=lambda _: None, settings=settings, limit=lambda _: limit)
    context = Context(
        **dict.fromkeys(("sink", "can", "events", "journal", "pool", "memory_budget", "memory", "breaker")),
        remote=remote,
        settings=settings,
        files=files,
    )
    assert context.connections("data.example") == connections
