"""What a run costs on 1, 10 and 100 workers, by a model and by a simulation: prints the tables of docs/explanation/scale.md.

    python tests/benchmarks/scale_model.py

Nothing is measured here. The costs below were measured by ``bench_workers.py``, ``bench_http.py`` and ``bench_s3.py``; the
limits and prices are public. Change them to those of your source, your store and your machines. The same inputs give the
same tables, and a test compares them with the page.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

KB, MB, GB, TB = 10**3, 10**6, 10**9, 10**12
MIB, GIB = 2**20, 2**30
HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Seconds of a processor, unless the name says something else."""

    file: float = 1.2e-3  #: of a worker for a small file from HTTP into a bucket
    byte: float = 2.3e-9  #: of a worker, with SHA-256, from HTTP into a bucket
    batch: float = 3e-3  #: of a worker for a batch besides its files
    asset_before: float = 0.02e-3  #: of the coordinator: names, plan, batches
    asset: float = 0.05e-3  #: of the coordinator: handing out and taking back
    asset_after: float = 0.05e-3  #: of the coordinator: the receipt
    asset_read: float = 0.08e-3  #: of the coordinator: reading the source
    task: float = 1e-3  #: of a scheduler such as Dask's, for a batch
    start: float = 1.0  #: until a process has started and imported
    coordinator_bytes: float = 121.0  #: sent and received for each asset


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A worker: a small machine of a cloud. The price is an input, not a quotation."""

    cores: float = 2.0
    bytes_a_second: float = 1e9 / 8
    dollars_an_hour: float = 0.10
    jobs: int = 16  #: files at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a source allows to one user, all workers together."""

    name: str
    files_a_second: float = float("inf")
    bytes_a_second: float = float("inf")
    connections: float = float("inf")
    bytes_a_second_each: float = 90e6  #: of one connection
    latency: float = 0.1  #: seconds until the first byte
    monthly: float = float("inf")  #: bytes a month; after that ``slow`` bytes a second
    slow: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """An S3 bucket: one prefix, parts of multipart uploads, list prices."""

    writes_a_second: float = 3_500
    part: float = 8 * MIB
    notes: float = 0.25  #: writes of notes for each file
    batch_writes: float = 3  #: first and last note of a batch, and their removal
    dollars_a_write: float = 0.005 / 1_000

    def writes(self, load: Load) -> float:
        """Requests that write, of the whole load."""
        each = 1.0 if load.size <= self.part else 2 + -(-load.size // self.part)
        return load.files * (each + self.notes) + load.batches * self.batch_writes


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Assets of one size."""

    name: str
    files: int
    size: float

    @property
    def each(self) -> int:
        """Files in a batch."""
        return int(max(1, min(500, GIB // self.size)))

    @property
    def batches(self) -> int:
        """All of them."""
        return -(-self.files // self.each)


SMALL = Load(name="1 million x 100 kB, 0.1 TB", files=10**6, size=100 * KB)
LARGE = Load(name="1 million x 100 MB, 100 TB", files=10**6, size=100 * MB)
BUCKET = Source(name="bucket in the same region", files_a_second=5_500)
ACCOUNT = Source(name="Azure storage account", files_a_second=20_000, bytes_a_second=50e9 / 8, bytes_a_second_each=60e6)
CDSE = Source(name="CDSE, general user", connections=4, bytes_a_second_each=20e6, latency=0.2, monthly=6 * TB, slow=1e6)
SOURCES = (BUCKET, ACCOUNT, CDSE)


def seconds_by_limit(
    load: Load, source: Source, workers: int, costs: Costs, machine: Machine, store: Store
) -> dict[str, float]:
    """How long the load takes if each thing were the only limit. Together they take as long as the longest."""
    total = load.files * load.size
    connections = min(source.connections, workers * machine.jobs)
    each = source.latency + load.size / source.bytes_a_second_each
    return {
        "workers: processor": (load.files * costs.file + total * costs.byte + load.batches * costs.batch)
        / (workers * machine.cores),
        "workers: network": total / (workers * machine.bytes_a_second),
        "source: connections": load.files * each / connections,
        "source: requests": load.files / source.files_a_second,
        "source: bytes": total / source.bytes_a_second,
        "source: quota": _quota_seconds(total, source),
        "store: writes": store.writes(load) / store.writes_a_second,
        "coordinator": load.files * costs.asset + load.batches * costs.task,
    }


def _quota_seconds(total: float, source: Source) -> float:
    """Months, where the bytes of a month are used up long before they end."""
    month = 30 * 24 * HOUR
    if total <= source.monthly:
        return 0.0
    full = source.monthly / (source.connections * source.bytes_a_second_each)
    a_month = source.monthly + (month - full) * source.slow
    return total / a_month * month


def predicted(load: Load, source: Source, workers: int) -> tuple[float, str, str, float]:
    """Hours, the limit, the one that comes next, and dollars."""
    costs, machine, store = Costs(), Machine(), Store()
    limits = seconds_by_limit(load, source, workers, costs, machine, store)
    first, second = sorted(limits, key=limits.__getitem__, reverse=True)[:2]
    alone = costs.start + load.files * (costs.asset_read + costs.asset_before + costs.asset_after)
    seconds = limits[first] + alone
    dollars = workers * seconds / HOUR * machine.dollars_an_hour + store.writes(load) * store.dollars_a_write
    return seconds / HOUR, first, second, dollars


def model_table() -> str:
    """The prediction."""
    rows = []
    for load in (SMALL, LARGE):
        for source in SOURCES:
            for workers in (1, 10, 100):
                hours, first, second, dollars = predicted(load, source, workers)
                rows.append((load.name, source.name, workers, _time(hours), first, second, f"{dollars:,.0f}"))
    return _table(("assets", "source", "workers", "time", "limit", "next", "dollars"), rows)


def saturation_table() -> str:
    """How many workers it takes to reach the limit of each thing that they share."""
    rows = []
    for load in (SMALL, LARGE):
        for source in SOURCES:
            one = seconds_by_limit(load, source, 1, Costs(), Machine(), Store())
            own = max(seconds for name, seconds in one.items() if name.startswith("workers:"))
            unlimited = replace(source, connections=float("inf"))
            own = max(own, seconds_by_limit(load, unlimited, 1, Costs(), Machine(), Store())["source: connections"])
            bound = load.files * (source.latency + load.size / source.bytes_a_second_each) / source.connections
            shared = {n: s for n, s in one.items() if not n.startswith("workers:")} | {"source: connections": bound}
            found = sorted(((own / seconds, name) for name, seconds in shared.items() if seconds), key=_first)[:3]
            rows.append((load.name, source.name, *(f"{name} ({_count(count)})" for count, name in found)))
    return _table(("assets", "source", "first", "second", "third"), rows)


def _first(pair: tuple[float, str]) -> float:
    return pair[0]


def _count(workers: float) -> str:
    return "less than one" if workers < 1 else f"{workers:,.0f}"


#: Measured by bench_workers.py: 80 files, 0.25 s each, one connection for each process, two cores; three rounds.
MEASURED: Mapping[int, Sequence[float]] = {2: (0.993, 0.991, 0.992), 4: (0.945, 0.944, 0.948)}


def check_table() -> str:
    """The same model for the run of ``bench_workers.py``."""
    load = Load(name="80 x 256 KiB", files=80, size=256 * 1024)
    source = Source(name="throttled", latency=0.25, bytes_a_second_each=1e9)
    machine, costs = Machine(jobs=1, cores=2, bytes_a_second=1e9), Costs(file=1.1e-3, byte=1.8e-9)
    rows = []
    for workers, found in MEASURED.items():
        # All processes are on one machine of two cores.
        one, several = (_local(load, source, count, costs, machine) for count in (1, workers))
        middle = sorted(found)[len(found) // 2]
        rows.append(
            (workers, f"{one / several / workers:.2f}", f"{middle:.2f}", ", ".join(f"{each:.2f}" for each in found))
        )
    return _table(("processes", "of linear, predicted", "measured, median", "three rounds"), rows)


def _local(load: Load, source: Source, workers: int, costs: Costs, machine: Machine) -> float:
    shared = replace(machine, cores=machine.cores / workers, bytes_a_second=machine.bytes_a_second / workers)
    limits = seconds_by_limit(load, source, workers, costs, shared, Store(writes_a_second=float("inf")))
    # Between the last file of a batch and the first of the next one: a tick of the coordinator at most.
    return max(limits.values()) + 0.1 + 80 * costs.asset_after


class Simulation:
    """Batches on workers that fail: time goes from event to event.

    All workers that run share what the source gives and what the store takes. So each has the same speed, 1 where they
    are not the limit, and one clock of work orders the ends of all batches. The coordinator does one thing at a time. A worker that dies loses the batch that runs, whose stored
    files are recognised later for a request each, and hands back the one that waits.
    """

    def __init__(self, load: Load, source: Source, workers: int, *, lives: float, seed: int) -> None:
        self.load, self.source, self.workers, self.lives = load, source, workers, lives
        self.costs, self.machine, self.draw = Costs(), Machine(), random.Random(seed)
        limits = seconds_by_limit(load, source, workers, self.costs, self.machine, Store())
        shared = ("source: connections", "source: requests", "source: bytes", "store: writes")
        #: Files a second of all workers together.
        self.most = min(load.files / limits[name] for name in shared if limits[name])
        self.queue = deque((load.each, 0) for _ in range(load.batches))  #: files that are left, and losses
        self.now = self.clock = self.free_at = 0.0
        self.events: list[tuple[float, int, str, int]] = []
        self.ends: list[tuple[float, int, int]] = []  #: by the clock of work: worker, and which of its batches
        self.running: dict[int, tuple[float, float, int, int]] = {}  #: worker: end, work, files, losses
        self.waiting: dict[int, tuple[int, int]] = {}
        self.alive = set(range(workers))
        self.turn = [0] * workers
        self.out = self.done = self.lost = self.asked = self.most_losses = self.number = 0

    def run(self) -> float:
        """Seconds until the last batch has ended."""
        for worker in range(self.workers):
            self.at(self.life(), "dies", worker)
            self.hand_out(worker)
            self.hand_out(worker)
        while self.done < self.load.files:
            self.step()
        return self.now

    def step(self) -> None:
        """Go to the next event: the end of a batch by the clock of work, or one by the time."""
        speed = self.speed()
        end = self.now + (self.ends[0][0] - self.clock) / speed if self.ends else float("inf")
        if self.events and self.events[0][0] <= end:
            at, _, what, worker = heapq.heappop(self.events)
            self.forward(at, speed)
            {"dies": self.dies, "comes": self.comes, "gets": self.gets, "settled": self.settled}[what](worker)
            return
        self.forward(end, speed)
        _, worker, turn = heapq.heappop(self.ends)
        if self.turn[worker] == turn and worker in self.running:
            _, _, files, _ = self.running.pop(worker)
            self.turn[worker] += 1
            self.done += files
            self.out -= 1
            self.begin(worker)
            self.busy(files * self.costs.asset, "settled", worker)

    def forward(self, at: float, speed: float) -> None:
        self.clock += (at - self.now) * speed if self.running else 0.0
        self.now = at

    def speed(self) -> float:
        """Seconds of work that each worker does in a second."""
        alone = self.load.each / self.alone(self.load.each)  # files a second of one worker
        return min(1.0, self.most / (alone * max(1, len(self.running))))

    def alone(self, files: int) -> float:
        """Seconds of a batch where nothing is shared."""
        costs, machine, size = self.costs, self.machine, self.load.size
        return max(
            files * (self.source.latency + size / self.source.bytes_a_second_each) / min(machine.jobs, files),
            files * size / machine.bytes_a_second,
            (files * costs.file + files * size * costs.byte) / machine.cores,
        )

    def work(self, files: int, kept: int) -> float:
        """The same of this batch, some of whose files are there already."""
        asked = kept * self.source.latency / self.machine.jobs
        return self.alone(files) * self.draw.lognormvariate(0, 0.25) + asked + self.costs.batch

    def life(self) -> float:
        return self.now + self.draw.expovariate(1 / self.lives) if self.lives < float("inf") else float("inf")

    def at(self, time: float, what: str, worker: int) -> None:
        if time < float("inf"):
            self.number += 1
            heapq.heappush(self.events, (time, self.number, what, worker))

    def busy(self, seconds: float, what: str, worker: int) -> None:
        """The coordinator does this when it has done all before."""
        self.free_at = max(self.now, self.free_at) + seconds
        self.at(self.free_at, what, worker)

    def hand_out(self, worker: int) -> None:
        """Send a batch, as long as no more than two for each worker are out."""
        if self.queue and self.out < 2 * len(self.alive):
            self.out += 1
            self.busy(self.costs.task, "gets", worker)

    def gets(self, worker: int) -> None:
        """A batch arrives: at the worker that has the least to do, if this one has died."""
        if not self.queue:
            self.out -= 1
            return
        chosen = worker if worker in self.alive and worker not in self.waiting else self.idle()
        if chosen is None:
            self.out -= 1
            return
        self.waiting[chosen] = self.queue.popleft()
        if chosen not in self.running:
            self.begin(chosen)

    def idle(self) -> int | None:
        return min((one for one in self.alive if one not in self.waiting), default=None)

    def begin(self, worker: int) -> None:
        """Run the batch that waits."""
        if worker not in self.waiting:
            return
        files, losses = self.waiting.pop(worker)
        kept = self.load.each - files
        self.asked += kept if losses else 0
        work = self.work(files, kept if losses else 0)
        self.running[worker] = (self.clock + work, work, files, losses)
        heapq.heappush(self.ends, (self.clock + work, worker, self.turn[worker]))

    def settled(self, worker: int) -> None:
        self.hand_out(worker)

    def dies(self, worker: int) -> None:
        """Hand back what the worker had; a new one comes after a minute."""
        if self.done >= self.load.files:
            return
        self.alive.discard(worker)
        self.turn[worker] += 1
        if worker in self.running:
            end, work, files, losses = self.running.pop(worker)
            stored = int(files * max(0.0, 1 - (end - self.clock) / work))
            self.done += stored
            self.lost += 1
            self.most_losses = max(self.most_losses, losses + 1)
            self.queue.appendleft((files - stored, losses + 1))
            self.out -= 1
        if worker in self.waiting:
            self.queue.appendleft(self.waiting.pop(worker))
            self.out -= 1
        self.at(self.now + 60, "comes", worker)
        for other in sorted(self.alive)[:2]:
            self.hand_out(other)

    def comes(self, worker: int) -> None:
        """Another worker in its place."""
        self.alive.add(worker)
        self.at(self.life(), "dies", worker)
        self.hand_out(worker)
        self.hand_out(worker)


#: Of the large files a tenth: the shares are the same, and the simulation takes seconds.
SIMULATED = (SMALL, replace(LARGE, name="100,000 x 100 MB, 10 TB", files=10**5))


def simulation_table() -> str:
    """100 workers that live forever, four hours, or half an hour on average."""
    rows = []
    for load in SIMULATED:
        without = None
        for name, lives in (("none", float("inf")), ("one in 4 h", 4 * HOUR), ("one in 30 min", HOUR / 2)):
            simulation = Simulation(load, BUCKET, 100, lives=lives, seed=19)
            seconds = simulation.run()
            without = without or seconds
            rows.append(
                (
                    load.name,
                    name,
                    _time(seconds / HOUR),
                    f"{seconds / without:.2f}",
                    f"{simulation.lost:,}",
                    f"{simulation.asked / simulation.load.files:.2%}",
                    simulation.most_losses,
                )
            )
    return _table(
        ("assets", "deaths of a worker", "time", "relative", "batches lost", "files asked again", "most losses"), rows
    )


def linear_table() -> str:
    """How the simulation grows with the number of workers, with one death of a worker in four hours."""
    rows = []
    for load in SIMULATED:
        seconds = {count: Simulation(load, BUCKET, count, lives=4 * HOUR, seed=19).run() for count in (1, 10, 100)}
        rows.append(
            (
                load.name,
                *(f"{seconds[1] / seconds[count] / count:.2f}" for count in (10, 100)),
            )
        )
    return _table(("assets", "10 workers, of linear", "100 workers, of linear"), rows)


def _time(hours: float) -> str:
    if hours >= 48:
        return f"{hours / 24:,.0f} days"
    return f"{hours:.1f} h" if hours >= 1 else f"{hours * 60:.1f} min"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(map(str, line)) + " |" for line in (head, *rows)]
    return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]])


def tables() -> Iterator[str]:
    """All tables, as the page has them."""
    yield from (model_table(), saturation_table(), check_table(), simulation_table(), linear_table())


def main() -> None:
    """Print the tables."""
    print("\n\n".join(tables()))


if __name__ == "__main__":
    main()
