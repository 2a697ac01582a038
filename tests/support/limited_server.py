"""A server that serves so many requests at a time, and makes others wait or refuses them.

    with LimitedServer(latency=0.03, at_a_time=20, beyond=429) as server: ...

Every path is the same small file. It runs on an event loop in a thread of its own, so it costs little.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import Self

BODY = b"b" * 1024
_HEAD = 'HTTP/1.1 {status} OK\r\nContent-Length: {length}\r\nETag: "v"\r\n{more}\r\n'


class LimitedServer:
    """``beyond`` is what becomes of a request that is one too many.

    ``"wait"``: it takes its turn. A status: it is answered with that. ``"connection"``: the port does not listen as
    long as so many connections are open.
    """

    def __init__(self, *, latency: float, at_a_time: int, beyond: int | str = "wait", retry_after: int = 0) -> None:
        self.latency, self.at_a_time, self.beyond = latency, at_a_time, beyond
        self._more = f"Retry-After: {retry_after}\r\n" if retry_after else ""
        self.open = self.most = self.served = self.refused = self.connections = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._turns = asyncio.Semaphore(at_a_time)
        self._server: asyncio.Server | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, reuse_address=True, backlog=256)

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        mine = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not mine]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.beyond == "connection" and self.connections >= self.at_a_time and self._server is not None:
            self._server.close()
            self._server = None
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while True:
                    await reader.readuntil(b"\r\n\r\n")
                    await self._answer(writer)
        finally:
            writer.close()
            self.connections -= 1
            if self.beyond == "connection" and self._server is None and self.connections < self.at_a_time:
                with contextlib.suppress(OSError):
                    await self._listen()

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            if isinstance(self.beyond, int) and self.open > self.at_a_time:
                self.refused += 1
                writer.write(_HEAD.format(status=self.beyond, length=0, more=self._more).encode())
            else:
                async with self._turns:
                    await asyncio.sleep(self.latency)
                self.served += 1
                writer.write(_HEAD.format(status=200, length=len(BODY), more="").encode() + BODY)
            await writer.drain()
        finally:
            self.open -= 1
