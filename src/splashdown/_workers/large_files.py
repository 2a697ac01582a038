"""Large files that several workers move together: each stores some parts, and the coordinator does all the rest.

The coordinator asks for the file, stores its first part, notes the others in its journal as they are stored, reads the
file once in order for its checksum, and gives it its name: the engine's own way, with other processes as connections.
What workers could not store it moves itself, with the engine's retries and fresh links.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from splashdown._engine.context import Context
from splashdown._engine.inplace import InPlaceMover
from splashdown._engine.journal import Journal
from splashdown._engine.part_mover import OpenUpload
from splashdown._engine.range_reader import RangeReader
from splashdown._engine.retry import StoppedError, host_of
from splashdown._engine.transfer import move
from splashdown._folders.owner import HEARTBEAT_SECONDS
from splashdown._workers.crossing import Slice
from splashdown._workers.leases import Leases
from splashdown._workers.pieces import Piece, PieceDone, put
from splashdown._workers.work import Shared
from splashdown.model import Outcome, Part, Plan
from splashdown.protocols import Workers
from splashdown.redact import safely_shown

#: A file is moved by several workers from so many times the size on from which several connections read it.
LARGE = 4
#: Pieces of a file for each worker: the last ones end at about the same time.
_EACH = 4
#: A piece goes to so many workers, one after the other; then the coordinator moves it.
_MOST_LOSSES = 3
_TICK, _STOP_SECONDS = 0.25, 5.0


@safely_shown
@dataclass(slots=True, kw_only=True, repr=False)
class _Request:
    """A piece, and who waits for it."""

    piece: Piece
    host: str
    over: threading.Event  #: the file needs it no more
    answers: queue.SimpleQueue[tuple[Piece, PieceDone | None]]
    losses: int = 0


def chosen(sizes: Sequence[tuple[int, int | None]], workers: int, cutoff: int) -> list[int]:
    """The numbers of files of which each is more than one worker's share of all bytes, and large."""
    known = [(number, size) for number, size in sizes if size is not None]
    fair = sum([size for _, size in known]) // max(1, workers)
    return [number for number, size in known if size >= max(LARGE * cutoff, fair)] if workers > 1 else []


class LargeFiles:
    """The files of one run that several workers move, each with a thread here that waits for them."""

    def __init__(self, context: Context, plan: Plan, shared: Shared, numbers: Sequence[int], journal: Journal) -> None:
        self._plan, self._shared, self._numbers = plan, shared, numbers
        self._journal = journal
        self._context = replace(context, journal=journal, spread=self._mover)
        self._ended: queue.SimpleQueue[tuple[int, Outcome]] = queue.SimpleQueue()
        self._wanted: queue.SimpleQueue[_Request] = queue.SimpleQueue()
        self._again: list[_Request] = []
        self._out: dict[Future[PieceDone], tuple[_Request, int]] = {}
        self._threads: list[threading.Thread] = []
        self._left = len(numbers)
        self._touched_at = time.monotonic()
        self.workers = 1

    @property
    def active(self) -> bool:
        """Whether a file has no outcome yet."""
        return self._left > 0

    @property
    def out(self) -> Mapping[Future[PieceDone], object]:
        """What workers have."""
        return self._out

    def start(self) -> None:
        """Begin to move the files."""
        for number in self._numbers:
            thread = threading.Thread(target=self._move, args=(number,), name=f"splashdown-large-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def ended(self) -> Iterator[tuple[int, Outcome]]:
        """The outcomes that have come since the last call, by number."""
        while not self._ended.empty():
            self._left -= 1
            yield self._ended.get()
        if time.monotonic() - self._touched_at > HEARTBEAT_SECONDS:
            self._touched_at = time.monotonic()
            self._journal.touch()

    def hand_out(self, workers: Workers, leases: Leases, count: int, most: int) -> None:
        """Submit pieces, up to so many at a time. Raises what the library raises."""
        self.workers = count
        while len(self._out) < most and (request := self._next()) is not None:
            lease = leases.take(request.host, count, most=1)
            if not lease:
                self._again.append(request)
                return
            try:
                self._out[workers.submit(put, request.piece)] = request, lease
            except Exception:
                leases.give_back(request.host, lease)
                self._again.append(request)
                raise

    def take_back(self, future: Future[PieceDone], leases: Leases, *, lost: bool) -> None:
        """Pass on what became of a piece; one that was lost goes out again."""
        request, lease = self._out.pop(future)
        leases.give_back(request.host, lease)
        if lost and request.losses < _MOST_LOSSES - 1:
            request.losses += 1
            self._again.append(request)
            return
        answered = not future.cancelled() and future.exception() is None
        request.answers.put((request.piece, future.result() if answered else None))

    def stop(self) -> None:
        """Let the threads end, whose files go on in the next run."""
        for future in [*self._out]:
            future.cancel()
        for thread in self._threads:
            thread.join(_STOP_SECONDS)

    def _next(self) -> _Request | None:
        while self._again or not self._wanted.empty():
            request = self._again.pop() if self._again else self._wanted.get()
            if not request.over.is_set():
                return request
        return None

    def _move(self, number: int) -> None:
        self._ended.put((number, move(self._context, self._plan.transfers[number])))

    def _mover(self, work: OpenUpload, parts: Iterable[Part]) -> FarMover:
        return FarMover(work, parts, self)

    def send(self, work: OpenUpload, parts: Sequence[Part], over: threading.Event) -> _Answers:
        """Ask workers for parts; what is returned gives their answers."""
        source, answers = work.source, _Answers()
        assert source.pinned is not None
        each = max(1, -(-len(parts) // (_EACH * max(1, self.workers))))
        host = host_of(source.asset.href)
        for at in range(0, len(parts), each):
            piece = Piece(
                shared=self._shared,
                slice=Slice([replace(source.transfer, asset=source.asset)]),
                info=source.pinned,
                upload=work.upload,
                parts=tuple(parts[at : at + each]),
                limited=self._context.remote.limit(host) is not None,
            )
            self._wanted.put(_Request(piece=piece, host=host, over=over, answers=answers.queue))
            answers.due += 1
        return answers


@dataclass(slots=True)
class _Answers:
    queue: queue.SimpleQueue[tuple[Piece, PieceDone | None]] = field(default_factory=queue.SimpleQueue)
    due: int = 0


class FarMover(InPlaceMover):
    """Stores the first part, so that the file is there, has workers store the others, and then what is left."""

    def __init__(self, work: OpenUpload, parts: Iterable[Part], files: LargeFiles) -> None:
        super().__init__(work, parts)
        self._files = files

    def move_parts(self, reader: RangeReader | None) -> None:
        """Move all parts of the file."""
        first = self.next_part()
        if first is not None:
            reader = self.reader_at(first, reader)
            try:
                self._store(first, reader)
            finally:
                reader.close()  # workers read what it would go on with
            self._parts = iter(self._left_by_workers(list(iter(self.next_part, None))))
        super().move_parts(None)

    def _left_by_workers(self, parts: Sequence[Part]) -> list[Part]:
        """Have workers store parts; those that none could store."""
        over = threading.Event()
        left = {part.number: part for part in parts}
        try:
            answers = self._files.send(self.work, parts, over)
            while answers.due:
                done = self._answer(answers)
                for one in done.stored if done is not None else ():
                    if left.pop(one.part.number, None) is not None:
                        self.source.moved_elsewhere(one.part.size or 0)
                        self.part_stored(one.part, one.tag, hashed=False)
        finally:
            over.set()
        return list(left.values())

    def _answer(self, answers: _Answers) -> PieceDone | None:
        while not self.context.stop.is_set():
            try:
                _, done = answers.queue.get(timeout=_TICK)
            except queue.Empty:
                continue
            answers.due -= 1
            return done
        raise StoppedError(f"{self.source.asset.label}: stopped")
