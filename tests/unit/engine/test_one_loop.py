"""A transport that drives hundreds of transfers from one event loop, behind the protocol as it is.

The loop lends buffers and is held back by a bounded queue for each transfer, as docs/explanation/performance.md says.
"""

import asyncio
import hashlib
import queue
import threading
from contextlib import contextmanager
from types import SimpleNamespace

from scripted import plan_of, remote_of

from splashdown._engine.run import Run, run_plan
from splashdown._engine.settings import Settings
from splashdown.builtins.local import LocalSink
from splashdown.model import RemoteInfo

FILES = 200
SIZE = 10_000
CHUNK = 3_000


def content(href):
    return hashlib.sha256(href.encode()).digest() * (SIZE // 32)


class LoopTransport:
    """No transfer gets its first byte before ``together`` of them are under way."""

    def __init__(self, together):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.together, self.under_way, self.most = together, 0, 0
        self.enough = asyncio.Event()

    @contextmanager
    def stream(self, request):
        answers = queue.Queue(2)
        running = asyncio.run_coroutine_threadsafe(self.transfer(request, answers), self.loop)
        info, length = answers.get()
        try:
            yield Stream(info, length, answers)
        finally:
            running.cancel()

    async def transfer(self, request, answers):
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        if self.under_way >= self.together:
            self.enough.set()
        await self.enough.wait()
        data = content(request.href)
        answers.put_nowait((RemoteInfo(size=len(data), etag='"v"', ranges=True), len(data)))
        lent = [bytearray(CHUNK) for _ in range(4)]
        for number, at in enumerate(range(0, len(data), CHUNK)):
            piece = data[at : at + CHUNK]
            lent[number % 4][: len(piece)] = piece
            await self.put(answers, memoryview(lent[number % 4])[: len(piece)])
        await self.put(answers, None)
        self.under_way -= 1

    async def put(self, answers, chunk):
        while answers.full():  # noqa: ASYNC110 - this transfer pauses, the others go on; a thread empties the queue
            await asyncio.sleep(0.001)
        answers.put_nowait(chunk)

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


class Stream(SimpleNamespace):
    def __init__(self, info, length, answers):
        super().__init__(info=info, start=0, length=length, answers=answers)

    def __iter__(self):
        return iter(self.answers.get, None)


def test_one_loop_serves_hundreds_of_transfers_at_once(tmp_path):
    plan = plan_of([f"http://h/{number}.bin" for number in range(FILES)])
    transport = LoopTransport(FILES)
    settings = Settings(jobs=FILES, per_host=FILES)
    report = run_plan(Run(plan=plan, sink=LocalSink(tmp_path)), remote_of(transport, settings))
    transport.close()
    assert transport.most == FILES
    assert report.ok
    for outcome in report.outcomes:
        stored = (tmp_path / outcome.transfer.name).read_bytes()
        assert stored == content(outcome.asset.href)
        assert outcome.checksum == "1220" + hashlib.sha256(stored).hexdigest()
