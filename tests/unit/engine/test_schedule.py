"""Every file is handed out once, in the plan's order, and never more of a host than its number at the time."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from splashdown._engine.schedule import Schedule

HOSTS = st.lists(st.sampled_from(["a", "b", "c", None]), max_size=40)


@given(HOSTS, st.data())
def test_every_file_comes_once_and_no_host_has_more_than_it_may(hosts, data):
    limits = {host: data.draw(st.integers(1, 4)) for host in "abc"}
    schedule, under_way, seen = Schedule(hosts, limits), [], []
    while len(seen) < sum(host is not None for host in hosts):
        free = [host for host, queue in schedule.open() if queue.waiting and queue.free > 0]
        if free and (not under_way or data.draw(st.booleans())):
            under_way.append(schedule.take())
            seen.append(under_way[-1])
        else:
            done = under_way.pop(data.draw(st.integers(0, len(under_way) - 1)))
            queue = schedule.queues[done[1]]
            if data.draw(st.booleans()):
                limits[done[1]] = data.draw(st.integers(1, 4))
                schedule.resize(done[1], limits[done[1]])
            before = queue.under_way
            # Without another file at hand the call would wait, as a thread does.
            if not [h for h, q in schedule.open() if q.waiting and q.free + (h == done[1]) > 0]:
                with schedule._lock:
                    queue.free += 1
                continue
            after = schedule.exchange(done[1], 1.0, 10)
            under_way.append(after)
            seen.append(after)
            assert queue.under_way <= max(before, limits[done[1]])
    assert sorted(number for number, _ in seen) == [n for n, host in enumerate(hosts) if host is not None]
    assert all(hosts[number] == host for number, host in seen)
    for host in {host for _, host in seen}:
        numbers = [number for number, one in seen if one == host]
        assert numbers == sorted(numbers)


def test_a_waiting_thread_goes_on_when_the_number_grows():
    schedule = Schedule(["a", "a"], {"a": 1})
    assert schedule.take() == (0, "a")
    found = []
    thread = threading.Thread(target=lambda: found.append(schedule.take()))
    thread.start()
    schedule.resize("a", 2)
    thread.join(10)
    assert found == [(1, "a")]


def test_after_the_number_fell_nothing_follows_until_few_enough_are_under_way():
    schedule = Schedule(["a"] * 6, {"a": 3})
    assert [schedule.take() for _ in range(3)] == [(0, "a"), (1, "a"), (2, "a")]
    schedule.resize("a", 1)
    found = []
    threads = [threading.Thread(target=lambda: found.append(schedule.exchange("a", 0.1, 1))) for _ in range(3)]
    for thread in threads:
        thread.start()
    while schedule._asleep + len(found) < 3:
        pass
    assert found == [(3, "a")]
    assert schedule.queues["a"].under_way == 1
    schedule.stop()
    for thread in threads:
        thread.join(10)


def test_what_files_cost_is_counted_but_for_new_connections():
    schedule = Schedule(["a"] * 4, {"a": 1})
    schedule.take()
    schedule.exchange("a", None, 100)
    schedule.exchange("a", 0.5, 200)
    queue = schedule.queues["a"]
    assert (queue.files, queue.seconds, queue.work_moved, queue.moved) == (1, 0.5, 200, 300)
