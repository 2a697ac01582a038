"""Downloads very many small files from a server of which one answer in a hundred is broken, in every way there is.

    python tests/soak/faults.py [--files 100000] [--seed 1]

At the end each file has to be there with its own bytes, ``verify`` has to agree, each kind of fault has to have
happened, and neither memory nor open descriptors may have grown on the way. Prints one JSON object; fails where
anything was wrong. The server is a process of its own, so that what is measured is the download alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from fault_server import FaultServer, File, Handler, Seen
from faults import Chunked, Cut, Drip, Fault, Flip, Garbage, HangUp, IgnoreRange, Status, WrongLength, WrongRange
from stac_item import stac_item

from splashdown import JobResults, RetryPolicy, Session, Settings
from splashdown.actions import State
from splashdown.errors import DownloadError
from splashdown.events import Event, TransferFinished
from splashdown.model import RunReport

ITEM = "/item.json"
#: Links serve this share of the files, and live this many seconds from their first use: links that end sooner are
#: refused access, and not expired. Then the source has to be read again.
SHARE, LIFE = 0.12, 1.5


def early_hints(handler: Handler, answer: Any) -> None:
    """Two informational answers before the real one."""
    handler.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n")
    handler.send(answer)


KINDS: dict[str, Fault] = {
    "closed without an answer": HangUp(),
    "reset without an answer": HangUp(reset=True),
    "short body": Cut(after=50),
    "reset in the body": Cut(after=50, reset=True),
    "not HTTP": Garbage(),
    "500": Status(500, b"oops"),
    "502": Status(502),
    "503": Status(503, Retry_After="0"),
    "504": Status(504),
    "429": Status(429, Retry_After="0"),
    "length too large": WrongLength(7),
    "length too small": WrongLength(-7),
    "another range": WrongRange(),
    "range ignored": IgnoreRange(),
    "chunks without an end": Chunked(cut=50),
    "corrupted content": Flip(20),
    "slow body": Drip(size=40, delay=0.02),
    "early hints": early_hints,
}
EXPIRED = "expired link"


def content(number: int) -> bytes:
    """The bytes of a file: 100 to 3,000, different for each."""
    digest = hashlib.sha256(b"%d" % number).digest()
    return (digest * 94)[: 100 + int.from_bytes(digest[:2]) % 2900]


class SoakServer(FaultServer):
    """Makes files as they are requested, breaks one answer in a hundred, and remembers nothing but counts."""

    def __init__(self, count: int, seed: int) -> None:
        super().__init__()
        self.count, self.requests = count, 0
        self.kinds = random.Random(seed).sample(list(KINDS), k=len(KINDS))
        self.faults: Counter[str] = Counter()
        self.answered = self.readings = 0  #: files since the source was read last, and how often it was read
        self.ends = 0.0  #: when the links may end, by the monotonic clock
        self.files = _Files(self)  # type: ignore[assignment]  # a mapping that makes its values

    def item(self) -> bytes:
        with self._changed:
            self.readings, self.answered = self.readings + 1, 0
        assets = {}
        for number in range(self.count):
            data = content(number)
            assets[f"{number:06}"] = {
                "href": f"{self.url}/files/{number:06}.bin?reading={self.readings}",
                "file:size": len(data),
                "file:checksum": "1220" + hashlib.sha256(data).hexdigest(),
            }
        return json.dumps(stac_item(assets, id="soak")).encode()

    def note(self, seen: Seen) -> int:
        self.asked = seen
        return 0

    def note_status(self, number: int, status: int) -> None:
        pass

    def note_sent(self, number: int, count: int) -> None:
        pass

    def next_fault(self, path: str) -> Fault | None:
        if path == ITEM:
            self.document = File(self.item(), media_type="application/geo+json")
            return None
        with self._changed:
            self.requests += 1
            if self.requests % 100:
                return self._checked
            kind = self.kinds[self.requests // 100 % len(KINDS)]
            self.faults[kind] += 1
        return KINDS[kind]

    def _checked(self, handler: Handler, answer: Any) -> None:
        """The right answer, unless the link has ended."""
        with self._changed:
            if not self.answered:
                self.ends = time.monotonic() + LIFE
            served = self.answered >= self.count * SHARE and time.monotonic() >= self.ends
            ended = served or handler.seen.query != f"reading={self.readings}"
            self.faults[EXPIRED] += ended
            self.answered += not ended
        if ended:
            Status(401, b'{"code": "TokenExpired", "message": "the link has expired"}')(handler, answer)
        else:
            handler.send(answer)


class _Files(dict[str, File]):
    """The files of the server by path."""

    def __init__(self, server: SoakServer) -> None:
        super().__init__()
        self.server = server

    def __contains__(self, path: object) -> bool:
        return True

    def __getitem__(self, path: str) -> File:
        return self.server.document if path == ITEM else File(content(int(Path(path).stem)))


def serve(pipe: Connection, count: int, seed: int) -> None:
    """Run the server until the other end of the pipe asks for the counts."""
    with SoakServer(count, seed) as server:
        pipe.send(server.url)
        pipe.recv()
        pipe.send((dict(server.faults), server.readings))


class Gauge:
    """A listener that notes memory and descriptors of this process each time another tenth has ended."""

    def __init__(self, count: int) -> None:
        self.every, self.ended = max(1, count // 10), 0
        self.rows: list[tuple[int, int]] = []
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        if not isinstance(event, TransferFinished):
            return
        with self._lock:
            self.ended += 1
            if self.ended % self.every == 0:
                self.rows.append((resident(), len(list(Path("/proc/self/fd").iterdir()))))


def resident() -> int:
    """MiB of memory that this process holds."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["VmRSS"].split()[0]) // 1024


def wrong_with(folder: Path, report: RunReport) -> Iterator[str]:
    """What is not as it should be in the target."""
    for transfer in (outcome.transfer for outcome in report.outcomes):
        path = folder / transfer.name
        if not path.is_file():
            yield f"{transfer.name} is missing"
        elif path.read_bytes() != content(int(transfer.asset.key)):
            yield f"{transfer.name} has other bytes"
    yield from (f"{path.name} is left" for path in folder.rglob("*.part"))


def growth(rows: list[tuple[int, int]], count: int) -> Iterator[str]:
    """What grew between the second tenth and the last: half a KiB a file is its packed outcome."""
    (memory, descriptors), (most_memory, most_descriptors) = rows[1], (max(r[0] for r in rows), max(r[1] for r in rows))
    if most_memory - memory > 32 + count // 2048:
        yield f"memory grew from {memory} to {most_memory} MiB"
    if most_descriptors - descriptors > 16:
        yield f"descriptors grew from {descriptors} to {most_descriptors}"


def downloaded(results: JobResults, folder: Path, **options: Any) -> RunReport:
    """The report of a download with its receipt, also where files have failed."""
    try:
        report = results.run("download_files", target=folder, **options).report
    except DownloadError as error:
        report = error.report
    assert isinstance(report, RunReport)
    return report


def soak(count: int, seed: int, folder: Path) -> dict[str, Any]:
    """One run; what it did, and what was wrong."""
    context = multiprocessing.get_context("spawn")
    pipe, other = context.Pipe()
    server = context.Process(target=serve, args=(other, count, seed), daemon=True)
    server.start()
    url, gauge, begun = pipe.recv(), Gauge(count), time.monotonic()
    # A fixed number of files at once: each has descriptors, and otherwise their number is found while running.
    settings = Settings(jobs=8, retry=RetryPolicy(base=0.05), low_speed=0)
    with Session(config=False) as session:
        results = session.open(url + ITEM)
        report = downloaded(results, folder, settings=settings, listeners=[gauge])
        seconds = time.monotonic() - begun
        checked = session.run("verify", str(folder)) if report.ok else None
    pipe.send("the end")
    faults, readings = pipe.recv()
    server.join(10)
    wrong = [f"{outcome.transfer.name}: {outcome.error}" for outcome in report.failed]
    wrong += list(wrong_with(folder, report)) + list(growth(gauge.rows, count))
    if checked is not None and not checked.ok:
        wrong.append(f"verify: {[one for one in checked.files if one.state is not State.OK][:3]}")
    wrong += [f"there was no {kind!r}" for kind in (*KINDS, EXPIRED) if not faults.get(kind)]
    return {
        "files": count,
        "seconds": round(seconds, 1),
        "landed": len(report.landed),
        "faults": dict(sorted(faults.items())),
        "readings of the source": readings,
        "MiB after each tenth": [row[0] for row in gauge.rows],
        "descriptors after each tenth": [row[1] for row in gauge.rows],
        "wrong": wrong[:20],
    }


def main() -> None:
    """Parse the arguments, run, print, and fail where anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="splashdown-soak-") as folder:
        result = soak(given.files, given.seed, Path(folder))
    print(json.dumps(result, indent=2))
    sys.exit(bool(result["wrong"]))


if __name__ == "__main__":
    main()
