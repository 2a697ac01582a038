"""How many files at once are found to help, on servers whose limits are known, against numbers that a user may give.

    python tests/benchmarks/bench_at_once.py [--files 2000] [--runs 3] [--fixed 8,20,64]

The servers answer each request after 50 ms, some no more than 20 at a time. See docs/explanation/performance.md.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pairs

import splashdown

sys.path.append(str(Path(__file__).resolve().parents[1] / "support"))
from limited_server import LimitedServer

LATENCY = 0.05
SERVERS: Mapping[str, Mapping[str, Any]] = {
    "serves any number": {"at_a_time": 10_000},
    "serves 20, lets others wait": {"at_a_time": 20},
    "serves 20, answers 429": {"at_a_time": 20, "beyond": 429},
    "serves 20, answers 429 and when to come back": {"at_a_time": 20, "beyond": 429, "retry_after": 1},
    "serves 20, answers 503": {"at_a_time": 20, "beyond": 503},
    "takes 20 connections": {"at_a_time": 20, "beyond": "connection"},
    "has no latency": {"at_a_time": 10_000, "latency": 0.0},
}


def main() -> None:
    """Parse the arguments and print one row for each server and number."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=2_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--fixed", default="8,20,64", help="numbers to compare with, separated by commas")
    arguments = parser.parse_args()
    logging.getLogger("splashdown").setLevel(logging.ERROR)
    numbers = [None, *map(int, arguments.fixed.split(","))]
    print(f"{pairs.machine()}; {arguments.files:,} files of 1 KiB, medians")
    print("\n| server | jobs | seconds | most at once | refused |\n|---|---|---|---|---|")
    _run(100, None, {"latency": 0.0, "at_a_time": 100})  # what is imported on the way
    for title, limits in SERVERS.items():
        measured: dict[int | None, list[tuple[float, int, int]]] = {number: [] for number in numbers}
        for _ in range(arguments.runs):
            for number in numbers:
                measured[number].append(_run(arguments.files, number, {"latency": LATENCY, **limits}))
        for number, each in measured.items():
            seconds, most, refused = (statistics.median(values) for values in zip(*each, strict=True))
            print(f"| {title} | {number or 'not given'} | {seconds:.2f} | {most:.0f} | {refused:.0f} |", flush=True)


def _run(files: int, jobs: int | None, limits: Mapping[str, Any]) -> tuple[float, int, int]:
    """Seconds, and what the server saw."""
    # A process of its own: what a server computes must not look like the work of this one.
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(there, limits), daemon=True)
    process.start()
    url = here.recv()
    with tempfile.TemporaryDirectory() as folder:
        item = {
            "type": "Feature",
            "stac_version": "1.0.0",
            "id": "many",
            "geometry": None,
            "links": [],
            "properties": {"datetime": "2023-06-01T00:00:00Z"},
            "assets": {f"{n}.bin": {"href": f"{url}/{n}.bin"} for n in range(files)},
        }
        begun = time.perf_counter()
        splashdown.open(item).download_files(folder, progress=False, settings=splashdown.Settings(jobs=jobs))
        seconds = time.perf_counter() - begun
    here.send("end")
    most, refused = here.recv()
    process.join()
    return seconds, most, refused


def _serve(pipe: Connection, limits: Mapping[str, Any]) -> None:
    with LimitedServer(**limits) as server:
        pipe.send(server.url)
        pipe.recv()
        pipe.send((server.most, server.refused))


if __name__ == "__main__":
    main()
