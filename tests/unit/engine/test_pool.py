"""Threads of a pool: as many as there is work for, and no more than asked for."""

import threading
import time

from splashdown._engine.pool import Pool


def test_work_never_waits_behind_other_work_while_there_may_be_another_thread():
    for _ in range(500):
        pool, gate = Pool(4, "test"), threading.Barrier(5)
        for _ in range(4):
            pool.submit(lambda gate=gate: gate.wait(60))
        gate.wait(60)  # breaks when one of the four does not come
        pool.close()


def test_no_more_threads_than_asked_for_and_the_rest_comes_later():
    lock, busy, done = threading.Lock(), [0, 0], threading.Semaphore(0)

    def work():
        with lock:
            busy[0] += 1
            busy[1] = max(busy)
        with lock:
            busy[0] -= 1
        done.release()

    pool = Pool(2, "test")
    for _ in range(50):
        pool.submit(work)
    for _ in range(50):
        assert done.acquire(timeout=60)
    pool.close()
    assert busy[1] <= 2


def test_a_thread_that_has_nothing_to_do_is_used_again():
    names, done = set(), threading.Semaphore(0)

    def work():
        names.add(threading.current_thread().name)
        done.release()

    pool = Pool(8, "test")
    for _ in range(20):
        pool.submit(work)
        assert done.acquire(timeout=60)
        while not pool._idle:  # the thread has yet to come back
            time.sleep(0)
    pool.close()
    assert len(names) == 1
