"""Executors for tests: their workers are threads, what crosses is pickled, and they fail as workers of a cluster do."""

from __future__ import annotations

import pickle
import threading
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor


class Pickling(ThreadPoolExecutor):
    """Pickles functions, arguments and answers, and keeps the bytes that went out."""

    def __init__(self, workers: int = 2) -> None:
        super().__init__(workers)
        self.sent: list[bytes] = []
        self.returned: list[int] = []

    def submit(self, function, /, *arguments):
        data = pickle.dumps((function, arguments))
        self.sent.append(data)
        return super().submit(self._run, data)

    def _run(self, data):
        function, arguments = pickle.loads(data)
        answer = pickle.dumps(function(*arguments))
        self.returned.append(len(answer))
        return pickle.loads(answer)


class Twice(Pickling):
    """Runs everything twice, as a scheduler does that takes a slow worker for a dead one; the last answer counts."""

    def _run(self, data):
        super()._run(data)
        return super()._run(data)


class Losing(Pickling):
    """Does the work of the first calls of a function, and loses the answer; ``for_good`` breaks it after that."""

    def __init__(self, function: str, *, losses: int = 1, for_good: bool = False) -> None:
        super().__init__(2)
        self._function, self._losses, self._for_good = function, losses, for_good
        self._lock = threading.Lock()
        self.broken = False

    def submit(self, function, /, *arguments):
        if self.broken:
            raise BrokenExecutor("a process ended")
        done = super().submit(function, *arguments)
        with self._lock:
            if getattr(function, "__name__", "") != self._function or not self._losses:
                return done
            self._losses -= 1
        lost: Future[object] = Future()

        def lose(_: Future[object]) -> None:
            self.broken = self._for_good
            lost.set_exception(BrokenExecutor("a process ended"))

        done.add_done_callback(lose)
        return lost
