"""What workers cost and bring: ``bench_workers.py [FILES]``; prints JSON.

The source is throttled per connection (a file of 256 KiB takes 0.25 s), and each process has one connection, so that
neither the source nor the processor is the limit. One, two and four processes take turns, because the machine may be
busy. What the coordinator costs is the slope from 5,000 to 25,000 files on this disk: processor time of its process, from
the source that is open to the receipt.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import pickle
import statistics
import sys
import tempfile
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path

from splashdown import Session, Settings
from splashdown._workers.crossing import Outcomes, Slice
from splashdown._workers.units import units_of
from splashdown._workers.work import Batch
from splashdown.model import Asset, Outcome, Status, Transfer

SIZE, DELAY = 256 * 1024, 0.25


def serve(ready: multiprocessing.Queue) -> None:
    """Answer each request after a while, one at a time for each connection."""
    import asyncio

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = b"x" * SIZE
        with suppress(asyncio.IncompleteReadError, ConnectionError):  # the client has gone
            while await reader.readuntil(b"\r\n\r\n"):
                await asyncio.sleep(DELAY)
                writer.write(b'HTTP/1.1 200 OK\r\nETag: "v"\r\nContent-Length: %d\r\n\r\n' % SIZE + body)
                await writer.drain()
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        ready.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


def seconds_with(workers: int, url: str, files: int, folder: Path) -> float:
    """How long the batches of a download take once the processes are there."""
    assets = {f"a{n:04d}.bin": {"href": f"{url}/{n}.bin"} for n in range(files)}
    document = {"type": "Feature", "stac_version": "1.0.0", "id": "i", "geometry": None, "links": [], "assets": assets}
    source = folder / "item.json"
    source.write_text(json.dumps(document | {"properties": {"datetime": "2024-01-01T00:00:00Z"}}))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context) as pool, Session(settings=Settings(per_host=workers)) as session:
        list(pool.map(time.sleep, [1.0] * workers))  # all of them have started
        results = session.open(source)
        for one in results.assets[:workers]:  # and have imported what they need
            results.of(one).download_files(folder / f"warm{workers}{one.key}", executor=pool)
        began = time.perf_counter()
        results.download_files(folder / f"out{workers}", executor=pool)
        return time.perf_counter() - began


def coordinator_milliseconds(counts: tuple[int, int] = (5_000, 25_000)) -> float:
    """Processor time of this process for each asset of a download by two workers."""
    with tempfile.TemporaryDirectory() as folder:
        few, many = (_coordinator_seconds(count, Path(folder, str(count))) for count in counts)
    return (many - few) / (counts[1] - counts[0]) * 1e3


def _coordinator_seconds(files: int, folder: Path) -> float:
    folder.mkdir()
    assets = {}
    for number in range(files):
        path = folder / f"f{number:06d}.bin"
        path.write_bytes(b"%d" % number)
        assets[f"a{number:06d}.bin"] = {"href": str(path), "file:size": path.stat().st_size}
    document = {"type": "Feature", "stac_version": "1.0.0", "id": "i", "geometry": None, "links": [], "assets": assets}
    source = folder / "item.json"
    source.write_text(json.dumps(document | {"properties": {"datetime": "2024-01-01T00:00:00Z"}}))
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool, Session() as session:
        results = session.open(source)
        results.of(results.assets[0]).download_files(folder / "warm", executor=pool)
        began = time.process_time()
        results.download_files(folder / "out", executor=pool)
        return time.process_time() - began


class Timed(Executor):
    """Runs batches in this thread, and notes the processor time of each."""

    _max_workers = 1

    def __init__(self) -> None:
        self.seconds: list[tuple[int, float]] = []

    def submit(self, function, argument):
        done: Future[object] = Future()
        began = time.thread_time()
        done.set_result(function(argument))
        if isinstance(argument, Batch):
            self.seconds.append((len(argument.slice.transfers), time.thread_time() - began))
        return done


def batch_milliseconds() -> float:
    """Processor time of a worker for a batch, besides that for its files: batches of one file each, from this disk."""
    with tempfile.TemporaryDirectory() as folder, Session() as session:
        paths = [Path(folder, f"f{number}.bin") for number in range(40)]
        for path in paths:
            path.write_bytes(b"x")
        assets = {path.name: {"href": str(path)} for path in paths}
        document = {"type": "Feature", "stac_version": "1.0.0", "id": "i", "geometry": None, "links": []}
        source = Path(folder, "item.json")
        source.write_text(json.dumps(document | {"assets": assets, "properties": {"datetime": "2024-01-01T00:00:00Z"}}))
        results, timed = session.open(source), Timed()
        for number, asset in enumerate(results.assets):
            results.of(asset).download_files(Path(folder, f"one{number}"), executor=timed)
        each = statistics.median(seconds for _, seconds in timed.seconds)
        timed.seconds.clear()
        results.download_files(Path(folder, "all"), executor=timed)
        files, seconds = (sum(column) for column in zip(*timed.seconds, strict=True))
        return (each - (seconds - each) / (files - 1)) * 1e3


def crossing_costs() -> dict[str, float]:
    """Bytes and microseconds for each asset of a batch of 500 with signed hrefs, at the coordinator."""
    transfers = tuple(_transfer(n) for n in range(500))
    outcomes = [_outcome(one, n) for n, one in enumerate(transfers)]
    sent, send = _best(lambda: pickle.dumps(Slice(transfers)))
    back, _ = _best(lambda: pickle.dumps(Outcomes(outcomes, [one.name for one in transfers])))
    _, take = _best(lambda: pickle.loads(back).of(transfers))
    return {
        "bytes sent": len(sent) / 500,
        "bytes back": len(back) / 500,
        "microseconds to send": send / 500 * 1e6,
        "microseconds to take back": take / 500 * 1e6,
        "bytes of a plain pickle": len(pickle.dumps(transfers)) / 500,
    }


def _best(function):
    best, made = float("inf"), None
    for _ in range(9):
        began = time.process_time()
        made = function()
        best = min(best, time.process_time() - began)
    return made, best


def _digest(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def _transfer(number: int) -> Transfer:
    item, band = divmod(number, 13)
    href = f"https://data.example/s2/2024/T32TPR/{item:06d}/B{band:02d}.tif?X-Amz-Signature={_digest(number)}"
    asset = Asset(
        key=f"B{band:02d}.tif",
        item=f"S2A_T32TPR_{item:06d}",
        href=href,
        media_type="image/tiff; application=geotiff",
        size=100_000 + number,
        properties={"datetime": "2024-01-01T00:00:00Z", "eo:cloud_cover": number % 100},
        metadata={"href": href, "type": "image/tiff", "roles": ["data"], "raster:bands": [{"nodata": 0}]},
    )
    return Transfer(asset=asset, name=f"{item:06d}/B{band:02d}.tif")


def _outcome(transfer: Transfer, number: int) -> Outcome:
    return Outcome(
        transfer=transfer,
        status=Status.STORED,
        location=f"/data/out/{transfer.name}",
        size=100_000 + number,
        checksum=f"1220{_digest(number)}",
        verified=("length", "size"),
        validator=f'"{_digest(number)[:32]}"',
        version=f"{1_700_000_000_000_000_000 + number * 12345}-{number}",
        bytes_moved=100_000 + number,
        attempts=1,
        seconds=0.1,
    )


def main() -> None:
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 80
    ready: multiprocessing.Queue = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(ready,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{ready.get()}"
    found: dict[str, object] = dict(crossing_costs())
    found["batches of 100,000 files, 4 workers"] = len(units_of(((n, "h", 10**5) for n in range(10**5)), 4, 2**26))
    rounds = []
    for number in range(3):
        with tempfile.TemporaryDirectory() as folder:
            order = (1, 2, 4)[number:] + (1, 2, 4)[:number]
            seconds = {workers: seconds_with(workers, url, files, Path(folder)) for workers in order}
        linear = {f"of linear, {n}": seconds[1] / seconds[n] / n for n in (2, 4)}
        rounds.append({f"seconds, {n}": seconds[n] for n in (1, 2, 4)} | linear)
    found["processes"] = rounds
    found["of linear, medians"] = {n: statistics.median(one[f"of linear, {n}"] for one in rounds) for n in (2, 4)}
    found["milliseconds of a coordinator for an asset"] = coordinator_milliseconds()
    found["milliseconds of a worker for a batch"] = batch_milliseconds()
    server.kill()
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
