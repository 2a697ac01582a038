"""Processes that each have a pipe of their own, so that the end of one is seen whatever it was doing.

The pool of :mod:`concurrent.futures` has one queue of answers for all processes. One that is killed in the middle of an
answer leaves the reader of that queue, and whoever waits for it, waiting for ever. Here only its own pipe ends.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from multiprocessing.connection import Connection
from typing import Any

from splashdown.errors import error_text

#: Functions that run when the pool is closed may take so long to end, and then an idle process may.
_LAST_SECONDS, _IDLE_SECONDS = 60.0, 5.0
#: What a message of a process holds.
_ANSWER, _ERROR, _NEWS = "answer", "error", "news"

Hear = Callable[[Any], None]


class ProcessEndedError(Exception):
    """A process ended before it answered."""


class _Link:
    """A process, and the pipe to it."""

    def __init__(self) -> None:
        # Not by a fork: this process has threads, whose locks a copy of it would inherit.
        context = multiprocessing.get_context("spawn")
        self._pipe, far = context.Pipe()
        self.process = context.Process(target=_serve, args=(far,), daemon=True)
        try:
            self.process.start()
        finally:
            far.close()  # the process has the only other end now: when that ends, reading ends

    def ask(self, data: bytes, hear: Hear) -> Any:
        """Send a question and return the answer; what comes before it goes to ``hear``.

        Raises ``ProcessEndedError`` where the process ends meanwhile, and what the function has raised.
        """
        try:
            self._pipe.send_bytes(data)
            while True:
                kind, value = pickle.loads(self._pipe.recv_bytes())  # noqa: S301 - of a process that was started here
                if kind != _NEWS:
                    break
                hear(value)
        except (EOFError, OSError) as error:
            self.process.join(_IDLE_SECONDS)
            code = self.process.exitcode
            how = "" if code is None else f"with signal {-code}" if code < 0 else f"with exit code {code}"
            raise ProcessEndedError(f"process {self.process.pid} ended {how}".strip()) from error
        if kind == _ERROR:
            raise value
        return value

    def close(self) -> None:
        """Let the process end, which it does when its pipe ends; make it, where it does not."""
        self._pipe.close()
        self.process.join(_IDLE_SECONDS)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


class ProcessPool:
    """So many processes, each the servant of one thread. One that has ended is replaced when its thread has work."""

    def __init__(self, count: int) -> None:
        self._threads = ThreadPoolExecutor(count, "splashdown-process")
        self._own = threading.local()
        self._lock = threading.Lock()
        self._links: set[_Link] = set()
        self._running: set[Future[Any]] = set()

    def submit(self, function: Callable[..., Any], argument: Any, hear: Hear | None = None) -> Future[Any]:
        """Give a function to the next process that is free. With ``hear`` it gets a function that sends to that."""
        future = self._threads.submit(self._call, function, argument, hear)
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        return future

    def close(self) -> None:
        """Wait for functions that run, but not for ever, and end all processes."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        _, late = wait([*self._running], timeout=_LAST_SECONDS)
        if late:
            for link in [*self._links]:
                link.process.kill()
        self._threads.shutdown(wait=True)
        while self._links:
            self._links.pop().close()

    def _call(self, function: Callable[..., Any], argument: Any, hear: Hear | None) -> Any:
        data = pickle.dumps((function, argument, hear is not None), pickle.HIGHEST_PROTOCOL)
        link = self._link()
        try:
            return link.ask(data, hear or _ignore)
        except ProcessEndedError:
            self._own.link = None
            self._links.discard(link)
            link.close()
            raise

    def _link(self) -> _Link:
        """The process of this thread."""
        link: _Link | None = getattr(self._own, "link", None)
        if link is None:
            with self._lock:
                link = self._own.link = _Link()
                self._links.add(link)
        return link


def _serve(pipe: Connection) -> None:
    """Call functions until the pipe ends, with which the process that asks has ended, or needs this one no more."""
    # Ctrl-C, which a terminal sends to all of its processes, is for the one that has the report.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        while True:
            data, news = pipe.recv_bytes(), _News(pipe)
            answer = _answer(data, news)
            news.end()
            pipe.send_bytes(answer)
    except (EOFError, OSError):
        return


class _News:
    """What a function calls to send something before its answer. After that, from a thread it has left, nothing."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe: Connection | None = pipe
        self._lock = threading.Lock()

    def __call__(self, value: object) -> None:
        data = pickle.dumps((_NEWS, value), pickle.HIGHEST_PROTOCOL)
        with self._lock:
            if self._pipe is not None:
                self._pipe.send_bytes(data)

    def end(self) -> None:
        """Send nothing more."""
        with self._lock:
            self._pipe = None


def _answer(data: bytes, news: _News) -> bytes:
    try:
        function, argument, with_news = pickle.loads(data)  # noqa: S301 - of the process that started this one
        found = function(argument, news) if with_news else function(argument)
        return pickle.dumps((_ANSWER, found), pickle.HIGHEST_PROTOCOL)
    except BaseException as error:
        return _as_bytes(error)


def _ignore(value: object) -> None:
    """Take nothing."""


def _as_bytes(error: BaseException) -> bytes:
    """An exception for the other process; one that does not survive the way becomes its message."""
    try:
        data = pickle.dumps((_ERROR, error), pickle.HIGHEST_PROTOCOL)
        pickle.loads(data)  # noqa: S301 - just written
    except Exception:
        return pickle.dumps((_ERROR, RuntimeError(error_text(error))))
    return data
