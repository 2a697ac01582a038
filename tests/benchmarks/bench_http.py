"""Splashdown against what a user would take instead, over HTTP from nginx on this machine.

    python tests/benchmarks/bench_http.py [--runs 5] [--only large,small,many,latency,slow] [--https]
        [--peers splashdown,curl,...]

Prints a table and the ratios that matter for each workload. See docs/explanation/performance.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pairs
import peers
from peers import Contender, Job
from servers import MIB, issue_certificates, make_files, nginx, publish, scratch, slow_line

ALL: dict[str, Callable[[], Contender]] = {
    "splashdown": peers.command,
    "nochecksum": lambda: peers.command("Splashdown, no checksum", SPLASHDOWN_CHECKSUM="none"),
    "imported": lambda: peers.splashdown("Splashdown, imported before"),
    "aria2c": peers.aria2c,
    "rclone": peers.rclone,
    "hashsum": lambda: peers.rclone(hashing=True),
    "curl": peers.curl,
    "openeo": peers.openeo,
    "stac-asset": peers.stac_asset,
    "adapter": peers.bare_adapter,
    "splice": peers.splice,
}
TOOLS = {"aria2c", "rclone", "curl", "openeo", "stac-asset"}  #: what a user could take
US = peers.command().name


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What is fetched, and what of the result is worth a line of its own."""

    title: str
    count: int
    size: int
    rate: str = "0"  #: nginx's cap on a connection
    rtt: float = 0.0  #: seconds added to a round trip
    connections: int = 1
    jobs: int = 8  #: files at a time, of contenders that have to be given a number
    once: Sequence[str] = ()  #: contenders that are run in the first round only: they take long
    against: Sequence[str] = ()  #: who else the ratio is printed for
    leave: Sequence[str] = ()  #: contenders to whom the workload means nothing

    def rate_of(self, seconds: float) -> str:
        """A rate in the unit that suits."""
        if self.count >= 100:
            return f"{self.count / seconds:,.0f} files/s"
        return f"{self.count * self.size / seconds / 1e6:,.0f} MB/s"


WORKLOADS = {
    "large": Workload(
        title="4 x 512 MiB",
        count=4,
        size=512 * MIB,
        connections=4,
        once=("openeo",),
        against=("rclone", "hashsum", "splice", "adapter"),
    ),
    "small": Workload(
        title="2,000 x 64 KiB",
        count=2000,
        size=64 * 1024,
        once=("openeo",),
        against=("rclone", "stac-asset", "adapter"),
    ),
    "many": Workload(
        title="10,000 x 64 KiB",
        count=10_000,
        size=64 * 1024,
        against=("rclone",),
        leave=("openeo", "stac-asset", "adapter", "splice", "nochecksum", "hashsum"),
    ),
    "latency": Workload(
        title="1,000 x 64 KiB, 50 ms of latency",
        count=1000,
        size=64 * 1024,
        rtt=0.05,
        jobs=50,  # what curl has by default
        leave=("splice", "nochecksum", "hashsum", "openeo", "stac-asset", "adapter"),
    ),
    "slow": Workload(
        title="1 x 1 GiB, 50 ms of latency, 25 MiB/s for a connection",
        count=1,
        size=1024 * MIB,
        rate="25m",
        rtt=0.05,
        connections=8,
        once=("openeo", "stac-asset", "curl", "adapter"),
        against=("aria2c",),
        leave=("splice", "nochecksum", "hashsum"),
    ),
}


def main() -> None:
    """Parse the arguments and run what they name."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default=",".join(WORKLOADS), help="workloads, separated by commas")
    parser.add_argument("--peers", default=",".join(ALL), help="contenders, separated by commas")
    parser.add_argument("--https", action="store_true", help="over TLS, without the contenders that cannot")
    arguments = parser.parse_args()
    pairs.compile_sources()
    print(pairs.machine())
    for name in arguments.only.split(","):
        run(
            WORKLOADS[name],
            [
                who
                for who in arguments.peers.split(",")
                if who not in WORKLOADS[name].leave and not (arguments.https and who == "splice")
            ],
            arguments.runs,
            https=arguments.https,
        )


def run(workload: Workload, who: Sequence[str], runs: int, *, https: bool = False) -> None:
    """Run one workload and print what came of it."""
    contenders = {key: ALL[key]() for key in who}
    once = [contenders[key].name for key in workload.once if key in contenders]
    sys.stderr.write(f"{workload.title}\n")
    with _served(workload, https=https) as job:
        results = pairs.alternate(job, list(contenders.values()), runs, once=once)
    print(f"\n## {workload.title}{', https' if https else ''}\n")
    print(pairs.table(results, US if US in results else next(iter(results)), workload.rate_of))
    tools = [contenders[key].name for key in who if key in TOOLS]
    against = [contenders[key].name for key in workload.against if key in contenders]
    if US in results:
        print()
        for name in dict.fromkeys([*([pairs.fastest(results, tools)] if tools else []), *against]):
            label = f"{name}, the fastest tool" if tools and name == pairs.fastest(results, tools) else name
            wall, cpu = pairs.ratio(results, US, name), pairs.ratio(results, US, name, lambda m: m.cpu)
            print(f"- {US} : {label} = {wall:.2f} by the clock, {cpu:.2f} by CPU time")
    sys.stdout.flush()


@contextmanager
def _served(workload: Workload, *, https: bool) -> Iterator[Job]:
    with ExitStack() as stack:
        folder = stack.enter_context(scratch())
        authority = issue_certificates(folder) if https else None
        certificates = folder if https else None
        url = stack.enter_context(nginx(folder / "data", rate=workload.rate, certificates=certificates))
        if workload.rtt:
            url = stack.enter_context(slow_line(url, rtt=workload.rtt))
        names = make_files(folder / "data" / "files", workload.count, workload.size)
        hrefs = [f"{url}/files/{name}" for name in names]
        job_url = publish(folder / "data", url, "bench", hrefs, workload.size)
        yield Job(
            url=f"{url}/files",
            urls=hrefs,
            job_url=job_url,
            target=Path(folder, "target"),
            size=workload.size,
            jobs=min(workload.jobs, workload.count),
            connections=workload.connections,
            authority=authority,
        )


if __name__ == "__main__":
    main()
