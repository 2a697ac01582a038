"""What a run costs against the number of its assets: seconds, CPU time and peak memory.

    python tests/benchmarks/bench_scale.py [--runs 1] [--assets 10,100,1000,10000,100000]

Every asset is a file of 1 KiB from nginx on this machine, so that nothing but the cost of an asset is seen. A run is the
whole way: read the results document, plan, download, verify, write the receipt. See docs/explanation/performance.md.
"""

from __future__ import annotations

import argparse
import os
import statistics

import pairs
import peers
from peers import Job
from servers import MIB, make_files, nginx, publish, scratch

COUNTS = (10, 100, 1_000, 10_000, 100_000)
SIZE = 1024


def main() -> None:
    """Parse the arguments and print one line for each number of assets."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--assets", default=",".join(map(str, COUNTS)), help="numbers of assets, separated by commas")
    arguments = parser.parse_args()
    pairs.compile_sources()
    print(f"{os.cpu_count()} CPUs; files of {SIZE} bytes; medians of {arguments.runs} run(s)\n")
    print("| assets | seconds | ms an asset | CPU s | peak MiB |\n|---|---|---|---|---|")
    contender = peers.splashdown()
    with scratch() as folder, nginx(folder / "data") as url:
        (body,) = make_files(folder / "data", 1, SIZE)
        for count in map(int, arguments.assets.split(",")):
            hrefs = [f"{url}/same/{body}/file-{number:06}.bin" for number in range(count)]
            job_url = publish(folder / "data", url, f"scale-{count}", hrefs, SIZE)
            job = Job(url=url, urls=hrefs, job_url=job_url, target=folder / "target", size=SIZE)
            runs = [pairs.measured(contender, job) for _ in range(arguments.runs)]
            seconds, cpu, rss = (
                statistics.median(values) for values in zip(*((m.seconds, m.cpu, m.rss) for m in runs), strict=True)
            )
            print(
                f"| {count:,} | {seconds:.2f} | {seconds / count * 1000:.2f} | {cpu:.2f} | {rss / MIB:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
