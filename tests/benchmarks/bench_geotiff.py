"""GeoTIFFs read over HTTP into memory: Splashdown against what a user would take instead.

    pip install -r tests/requirements.txt -r tests/benchmarks/requirements-geotiff.txt
    python tests/benchmarks/bench_geotiff.py [--runs 3] [--only full,slow,float,window,overview,small] [--readers ...]

Every read is a process of its own, and what came out is compared with what GDAL reads from the local file. Requests
and bytes are those that nginx logged. See docs/explanation/geotiff.md.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geotiff_files import CUBE, CUBE_SIDE, SCENE, SCENE_SIDE, SMALL
from pairs import machine, ratio
from peers import Measure
from servers import MIB, nginx, scratch, slow_line

_HERE = Path(__file__).resolve().parent
_LIMIT = 300.0  # seconds for one read
#: By the name of their function in ``geotiff_readers``; the first is what others are compared with.
READERS = {
    "splashdown": "Splashdown, xarray",
    "splashdown_numpy": "Splashdown, numpy",
    "rasterio_tuned": "rasterio, tuned",
    "rasterio_default": "rasterio, default",
    "rioxarray": "rioxarray, tuned",
    "odc_stac": "odc-stac, tuned",
    "async_geotiff": "async-geotiff",
}
US = ("splashdown", "splashdown_numpy")
#: Like with like: who makes an xarray object, and who an array of numpy.
XARRAY = ("rioxarray", "odc_stac")


@dataclass(frozen=True, kw_only=True)
class Row:
    """What is read, and over which line."""

    title: str
    what: str
    file: str
    expected: str
    count: int = 1
    rate: str = "0"  #: nginx's cap on a connection
    rtt: float = 0.0  #: seconds added to a round trip
    once: Sequence[str] = ("rasterio_default",)  #: read in the first round only: they take long


ROWS = {
    "full": Row(title="10980 x 10980 uint16, whole, unthrottled", what="full", file=SCENE, expected="scene"),
    "slow": Row(
        title="10980 x 10980 uint16, whole, 20 MB/s a connection", what="full", file=SCENE, expected="scene", rate="20m",
        once=("rasterio_default", "rioxarray", "odc_stac"),
    ),
    "float": Row(
        title="4096 x 4096 x 3 float32, pixel-interleaved, whole, unthrottled", what="full", file=CUBE, expected="cube"
    ),
    "window": Row(
        title="512 x 512 x 3 window over four tiles, 30 ms", what="window", file=CUBE, expected="window", rtt=0.03
    ),
    "overview": Row(title="1/8 overview, 30 ms", what="overview", file=SCENE, expected="overview", rtt=0.03),
    "small": Row(title="200 files of 24 KB, 30 ms", what="many", file=SMALL, expected="small", count=200, rtt=0.03),
}  # fmt: skip
_FACTS: Mapping[str, Mapping[str, Any]] = {
    SCENE: {"bands": 1, "shape": [SCENE_SIDE, SCENE_SIDE], "dtype": "uint16", "nodata": 0},
    CUBE: {"bands": 3, "shape": [CUBE_SIDE, CUBE_SIDE], "dtype": "float32", "nodata": None},
    SMALL: {"bands": 3, "shape": [58, 73], "dtype": "int16", "nodata": -32768},
}


@dataclass(frozen=True, kw_only=True)
class Reading(Measure):
    """One read: besides time and memory, the requests that the server answered and the bytes that it sent."""

    requests: int
    sent: int


Rounds = Mapping[str, Sequence[Reading]]


class ReaderError(Exception):
    """A reader that could not read, or gave other pixels than GDAL does from the local file."""


def main() -> None:
    """Parse the arguments and run what they name."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default=",".join(ROWS), help="rows, separated by commas")
    parser.add_argument("--readers", default=",".join(READERS), help="readers, separated by commas")
    arguments = parser.parse_args()
    print(machine())
    with scratch() as folder:
        subprocess.run([sys.executable, str(_HERE / "geotiff_files.py"), str(folder)], check=True)
        for name in arguments.only.split(","):
            run(ROWS[name], arguments.readers.split(","), arguments.runs, folder)


def run(row: Row, readers: Sequence[str], runs: int, folder: Path) -> None:
    """Run one row and print what came of it: every reader once in each round, each round beginning with another.

    A reader that fails is told and left out: it does not end the run for the others.
    """
    sys.stderr.write(f"{row.title}\n")
    results: dict[str, list[Reading]] = {reader: [] for reader in readers}
    failed: dict[str, str] = {}
    with _served(row, folder) as (job, log):
        for number in range(runs):
            first = number % len(readers)
            for reader in (*readers[first:], *readers[:first]):
                if reader in failed or (number and reader in row.once):
                    continue
                try:
                    results[reader].append(_read(reader, job, log))
                except ReaderError as error:
                    failed[reader] = str(error)
                    continue
                sys.stderr.write(f"  {reader}: {results[reader][-1].seconds:.2f} s\n")
    results = {reader: readings for reader, readings in results.items() if reader not in failed}
    print(f"\n## {row.title}\n")
    if results:
        print(_table(results))
    for reader, reason in failed.items():
        print(f"\n{READERS[reader]} failed: {reason}")
    for line in _verdicts(results):
        print(f"\n{line}")
    sys.stdout.flush()


@contextmanager
def _served(row: Row, folder: Path) -> Iterator[tuple[dict[str, Any], Path]]:
    log = folder / "access.log"
    expected = json.loads((folder / "expected.json").read_text())[row.expected]
    warm = {"urls": [str(folder / SMALL)], **_FACTS[SMALL]}
    with (
        nginx(folder, rate=row.rate, log=log) as direct,
        slow_line(direct, rtt=row.rtt) if row.rtt else nullcontext(direct) as url,
    ):
        urls = [f"{url}/same/{row.file}/{n}.tif" for n in range(row.count)] if row.count > 1 else [f"{url}/{row.file}"]
        yield {"what": row.what, "urls": urls, "expected": expected, "warm": warm, **_FACTS[row.file]}, log


def _read(reader: str, job: Mapping[str, Any], log: Path) -> Reading:
    log.write_text("")
    command = [sys.executable, str(_HERE / "geotiff_readers.py"), reader]
    try:
        done = subprocess.run(command, input=json.dumps(job), capture_output=True, text=True, timeout=_LIMIT)
    except subprocess.TimeoutExpired as error:
        raise ReaderError(f"no end after {_LIMIT:.0f} s") from error
    if done.returncode:
        raise ReaderError((done.stderr.strip().splitlines() or ["it said nothing"])[-1])
    sent = [int(line) for line in log.read_text().split()]
    return Reading(**json.loads(done.stdout.strip().splitlines()[-1]), requests=len(sent), sent=sum(sent))


def _table(results: Rounds) -> str:
    reference = next(iter(results))
    faster = f"{READERS[reference]} is so many times faster"
    lines = [
        f"| reader | median s | lowest - highest | CPU s | requests | MB | peak MiB | {faster} | runs |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name in sorted(results, key=lambda name: _median(results, name, "seconds")):
        seconds = [reading.seconds for reading in results[name]]
        lines.append(
            f"| {READERS[name]} | {statistics.median(seconds):.2f} | {min(seconds):.2f} - {max(seconds):.2f}"
            f" | {_median(results, name, 'cpu'):.2f} | {_median(results, name, 'requests'):.0f}"
            f" | {_median(results, name, 'sent') / 1e6:.1f} | {_median(results, name, 'rss') / MIB:.0f}"
            f" | {ratio(results, reference, name):.2f} | {len(seconds)} |"
        )
    return "\n".join(lines)


def _verdicts(results: Rounds) -> Iterator[str]:
    """Whether Splashdown was first and took the least memory, numpy against numpy and xarray against xarray."""
    for mine in (name for name in US if name in results):
        rivals = [name for name in results if name not in US and (name in XARRAY) == (mine == "splashdown")]
        if not rivals:
            continue
        fastest = min(rivals, key=lambda name: _median(results, name, "seconds"))
        leanest = min(rivals, key=lambda name: _median(results, name, "rss"))
        yield (
            f"{READERS[mine]}: {ratio(results, mine, fastest):.2f} times as fast as {READERS[fastest]},"
            f" {_median(results, mine, 'rss') / _median(results, leanest, 'rss'):.2f} of the memory of"
            f" {READERS[leanest]}"
        )


def _median(results: Rounds, name: str, field: str) -> float:
    return float(statistics.median(getattr(reading, field) for reading in results[name]))


if __name__ == "__main__":
    main()
