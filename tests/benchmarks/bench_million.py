"""What very many assets cost: newline-delimited items from a pipe, or a STAC API, into a folder of files of 1 KiB.

    python tests/benchmarks/bench_million.py [--assets 100000,300000,1000000] [--source ndjson,api]

The source is made while it is read. A run is the whole command, from its start to the receipt. A million assets take
an hour on a busy machine, and 5 GB of memory for the files where the scratch folder is in memory. See
docs/explanation/performance.md.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pairs
from many_items import lines, served_pages
from servers import MIB, make_files, nginx, scratch

SIZE = 1024
#: Lines of the source that go into the pipe at once.
_LINES = 500


def main() -> None:
    """Parse the arguments and print one line for each source and number of assets."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--assets", default="100000,300000,1000000", help="numbers of assets, separated by commas")
    parser.add_argument("--source", default="ndjson,api", help="kinds of sources, separated by commas")
    arguments = parser.parse_args()
    pairs.compile_sources()
    print(f"{pairs.machine()}; files of {SIZE} bytes\n")
    print("| source | assets | seconds | ms an asset | CPU s | CPU ms an asset | source read: s | MiB | peak MiB |")
    print("|---|---|---|---|---|---|---|---|---|")
    with scratch() as folder, nginx(folder / "data") as url:
        (body,) = make_files(folder / "data", 1, SIZE)
        for count in map(int, arguments.assets.split(",")):
            for kind in arguments.source.split(","):
                print(row(kind, count, f"{url}/same/{body}", folder / f"target-{kind}-{count}"), flush=True)


def row(kind: str, count: int, href: str, target: Path) -> str:
    """One run, as a line of the table."""
    if kind == "api":
        with served_pages(count=count, href=href, size=SIZE) as url:
            run = Run(url, target, ())
    else:
        run = Run("-", target, lines(count, href, SIZE))
    there = sum(1 for one in os.scandir(target) if one.name.endswith(".tif"))
    if there != count:
        raise SystemExit(f"{there} of {count} files landed")
    subprocess.run(["rm", "-rf", str(target)], check=True)
    return (
        f"| {kind} | {count:,} | {run.seconds:.1f} | {run.seconds / count * 1000:.2f} | {run.cpu:.1f} "
        f"| {run.cpu / count * 1000:.2f} | {run.read_seconds:.1f} | {run.read_rss / MIB:.0f} | {run.rss / MIB:.0f} |"
    )


class Run:
    """One download: its seconds, those of the CPU, and its memory when the source was read and at most."""

    def __init__(self, source: str, target: Path, given: Iterable[bytes]) -> None:
        command = [str(Path(sys.executable).with_name("splashdown")), "download", source, str(target), "--quiet"]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self.read_seconds = 0.0
        self.read_rss = 0
        begun = time.perf_counter()
        with (
            subprocess.Popen(command, stdin=subprocess.PIPE, env=environment) as process,
            _looking(self, process, target),
        ):
            assert process.stdin is not None
            each = iter(given)
            while some := b"".join(islice(each, _LINES)):
                process.stdin.write(some)
            process.stdin.close()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        self.seconds = time.perf_counter() - begun
        self.cpu, self.rss = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
        if process.returncode:
            raise SystemExit(f"the download failed with exit code {process.returncode}")


@contextmanager
def _looking(run: Run, process: subprocess.Popen[bytes], target: Path) -> Iterator[None]:
    """Note when the first file has come: then the source has been read and the plan is made."""
    over = threading.Event()
    begun = time.perf_counter()

    def look() -> None:
        while not over.wait(0.2):
            if target.is_dir() and any(one.name.endswith(".tif") for one in os.scandir(target)):
                run.read_seconds = time.perf_counter() - begun
                fields = Path(f"/proc/{process.pid}/status").read_text().split("VmHWM:")
                run.read_rss = int(fields[1].split()[0]) * 1024
                return

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


if __name__ == "__main__":
    main()
