"""A run into a folder that holds everything already: the command from its start to its end, receipt included.

    python tests/benchmarks/bench_unchanged.py [--files 5000] [--rtt 0.06] [--runs 5] [--jobs N] [--against SRC]

``--against`` is the ``src`` folder of another version of Splashdown, which takes part in each round. Files come from
nginx on this machine, over a line with latency where nothing is promised. See docs/explanation/performance.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pairs
from servers import make_files, nginx, scratch, slow_line

SIZE = 1024
_HERE = Path(__file__).resolve().parents[2] / "src"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One row: what the metadata say, and how the command is called."""

    title: str
    promised: bool = False
    flags: Sequence[str] = ()
    new: bool = False  #: whether only this version has the flags


CASES = (
    Case(title="checksums promised", promised=True),
    Case(title="nothing promised"),
    Case(title="nothing promised, --trust-metadata", flags=("--trust-metadata",), new=True),
)


def main() -> None:
    """Parse the arguments and print one row for each case and version."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=5_000)
    parser.add_argument("--rtt", type=float, default=0.06, help="seconds added to a round trip")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--jobs", help="files at a time; else each version decides")
    parser.add_argument("--against", type=Path, help="the src folder of another version")
    arguments = parser.parse_args()
    pairs.compile_sources(*filter(None, [arguments.against]))
    versions = {"this version": _HERE} | ({"the other": arguments.against} if arguments.against else {})
    print(f"{pairs.machine()}; {arguments.files:,} files of {SIZE} bytes, {arguments.rtt * 1000:g} ms, medians")
    print("\n| metadata | version | seconds | CPU s |\n|---|---|---|---|")
    with scratch() as folder, nginx(folder / "data") as near:
        (body,) = make_files(folder / "data", 1, SIZE)
        with slow_line(near, rtt=arguments.rtt) as far:
            for case in CASES:
                source = folder / "source.json"
                # Where nothing is asked the line makes no difference, except to the run that fetches.
                source.write_text(json.dumps(_document(case, folder / "data" / body, near, arguments.files)))
                targets = {name: folder / f"target-{number}" for number, name in enumerate(versions)}
                for name, src in versions.items():
                    _run(src, source, targets[name], ("--jobs", "8", "--overwrite"))
                if not case.promised:
                    source.write_text(source.read_text().replace(near, far))
                    for name, src in versions.items():
                        _run(src, source, targets[name], ("--jobs", "64"))  # the href is another one now
                measured: dict[str, list[tuple[float, float]]] = {name: [] for name in versions}
                for _ in range(arguments.runs):
                    for name, src in versions.items():
                        if name == "this version" or not case.new:
                            flags = (*case.flags, *(("--jobs", arguments.jobs) if arguments.jobs else ()))
                            measured[name].append(_run(src, source, targets[name], flags))
                for name, each in measured.items():
                    if each:
                        seconds, cpu = (statistics.median(values) for values in zip(*each, strict=True))
                        print(f"| {case.title} | {name} | {seconds:.2f} | {cpu:.2f} |", flush=True)


def _document(case: Case, body: Path, url: str, count: int) -> dict[str, Any]:
    promise: dict[str, Any] = {"updated": "2024-01-01T00:00:00Z"}
    if case.promised:
        promise = {"file:size": SIZE, "file:checksum": "1220" + hashlib.sha256(body.read_bytes()).hexdigest()}
    assets = {f"file-{n:06}.bin": {"href": f"{url}/same/{body.name}/file-{n:06}.bin", **promise} for n in range(count)}
    item = {"type": "Feature", "stac_version": "1.0.0", "id": "unchanged", "geometry": None, "links": []}
    return {**item, "properties": {"datetime": "2023-06-01T00:00:00Z"}, "assets": assets}


def _run(src: Path, source: Path, target: Path, flags: Sequence[str]) -> tuple[float, float]:
    """Seconds by the clock and of the processor for one call of the command."""
    command = [
        str(Path(sys.executable).with_name("splashdown")),
        "download",
        str(source),
        str(target),
        "--quiet",
        *flags,
    ]
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(src)}, stdout=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
