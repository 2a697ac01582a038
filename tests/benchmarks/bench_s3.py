"""Splashdown against rclone, s5cmd and plain boto3: from HTTP into a bucket, and from a bucket to disk.

    python tests/benchmarks/bench_s3.py [--runs 3] [--scale 1] [--only large-up,small-up,large-down,small-down] [--https]

The store is SeaweedFS, the web server nginx, both on this machine with their data in memory. s5cmd cannot read from the
web: it uploads files from disk, which spares it half of the work. Three rounds take 7 to 10 minutes on a machine that
has nothing else to do. See docs/explanation/s3.md.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pairs
import peers
from peers import Contender, Job, Measure
from servers import MIB, make_files, nginx, publish, scratch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from seaweedfs import SeaweedFS, seaweedfs

SIZES = {"large": (4, 512 * MIB), "small": (2000, 64 * 1024)}
WAYS = {"up": "HTTP to S3", "down": "S3 to disk"}
US = "Splashdown"


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """One bucket of the store, made anew for each run: the store gives back the space of a whole bucket at once."""

    client: Any
    name: str

    def make(self) -> None:
        """Have it, and have it empty."""
        self.drop()
        self.client.create_bucket(Bucket=self.name)

    def drop(self) -> None:
        """Remove it with all that is in it."""
        if any(one["Name"] == self.name for one in self.client.list_buckets()["Buckets"]):
            self.client.delete_bucket(Bucket=self.name)

    def sizes(self) -> dict[str, int]:
        """What is in it."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        return {one["Key"]: one["Size"] for page in pages for one in page.get("Contents", ())}


@dataclass(frozen=True, kw_only=True)
class Upload(Job):
    """A job whose target is the bucket."""

    bucket: Bucket
    folder: Path  #: where the files are on disk, for those that cannot read from the web

    @property
    def place(self) -> str:
        """The bucket."""
        return f"s3://{self.bucket.name}/"

    def check(self) -> None:
        """Raise when an object is missing or has another size."""
        there = self.bucket.sizes()
        for url in self.urls:
            if there.get(url.rpartition("/")[2]) != self.size:
                raise SystemExit(f"{url} did not land whole in the bucket")

    def clear(self) -> None:
        """Empty the bucket."""
        self.bucket.make()


def contenders(way: str, store: SeaweedFS, endpoint: str) -> list[Contender]:
    """Who takes part, Splashdown first."""
    s5cmd = [str(peers.tool("s5cmd")), "--endpoint-url", endpoint, "--log", "error"]
    rclone = [str(peers.tool("rclone")), "--config", "", "--transfers", "8", "--checkers", "8", "copy"]
    certificates = ["--ca-cert", str(store.ca_bundle)] if endpoint.startswith("https") else []
    insecure = ["--no-verify-ssl"] if certificates else []

    def up_rclone(job: Job) -> Measure:
        return peers.timed([*rclone, *certificates, ":http:", ":s3:bench", "--http-url", job.url])

    def up_s5cmd(job: Job) -> Measure:
        assert isinstance(job, Upload)
        return peers.timed([*s5cmd, *insecure, "cp", f"{job.folder}/*", "s3://bench/"])

    def down_rclone(job: Job) -> Measure:
        return peers.timed([*rclone, *certificates, ":s3:bench", str(job.target)])

    def down_rclone_hashing(job: Job) -> Measure:
        fetched = down_rclone(job)
        hashed = peers.timed([rclone[0], "--config", "", "hashsum", "sha256", str(job.target)])
        return Measure(
            seconds=fetched.seconds + hashed.seconds, cpu=fetched.cpu + hashed.cpu, rss=max(fetched.rss, hashed.rss)
        )

    def down_s5cmd(job: Job) -> Measure:
        return peers.timed([*s5cmd, *insecure, "cp", "s3://bench/*", f"{job.target}/"])

    def plain(name: str) -> Callable[[Job], Measure]:
        return lambda job: peers.python(sys.executable, name, job)

    if way == "up":
        return [
            peers.splashdown(US),
            Contender(name="rclone copy", run=up_rclone),
            Contender(name="s5cmd cp (from disk)", run=up_s5cmd),
            Contender(name="boto3 upload_fileobj", run=plain("boto3_upload")),
        ]
    return [
        peers.splashdown(US),
        # None of the others hashes what it reads. So that like can be compared with like, here is what hashing costs.
        peers.splashdown(f"{US}, blake3", checksum="blake3"),
        peers.splashdown(f"{US}, no checksum", checksum="none"),
        Contender(name="rclone copy", run=down_rclone),
        Contender(name="rclone copy, then hashsum sha256", run=down_rclone_hashing),
        Contender(name="s5cmd cp", run=down_s5cmd),
        Contender(name="boto3 download_file", run=plain("boto3_download")),
    ]


def run(name: str, store: SeaweedFS, endpoint: str, runs: int, scale: float) -> None:
    """Run one workload and print what came of it; ``scale`` makes large files smaller, and small ones fewer."""
    kind, way = name.split("-")
    count, size = SIZES[kind]
    if kind == "large":
        size = round(size * scale)
    else:
        count = round(count * scale)
    title = f"{WAYS[way]}, {count:,} x {size // MIB or size // 1024} {'MiB' if size >= MIB else 'KiB'}"
    sys.stderr.write(f"{title}\n")
    bucket = Bucket(client=_client(store), name="bench")
    with _job(way, count, size, bucket) as job:
        taking_part = contenders(way, store, endpoint)
        # Plain boto3 takes as long as all the others together; its distance is large enough for one run to show.
        results = pairs.alternate(job, taking_part, runs, once=[taking_part[-1].name])
    bucket.drop()

    def rate(seconds: float) -> str:
        return f"{count / seconds:,.0f} objects/s" if count > 100 else f"{count * size / seconds / 1e6:,.0f} MB/s"

    print(f"\n### {title}\n\n{pairs.table(results, US, rate)}\n")
    per = {who: statistics.median(m.cpu for m in measures) / count * 1000 for who, measures in results.items()}
    print("CPU per object, ms: " + ", ".join(f"{who} {ms:.2f}" for who, ms in per.items()))
    for other in list(results)[1:]:
        wall, cpu = pairs.ratio(results, US, other), pairs.ratio(results, US, other, lambda m: m.cpu)
        print(f"- {US} : {other} = {wall:.2f} by the clock, {cpu:.2f} by CPU time")
    sys.stdout.flush()


@contextmanager
def _job(way: str, count: int, size: int, bucket: Bucket) -> Iterator[Job]:
    with scratch() as folder, nginx(folder / "data") as url:
        names = make_files(folder / "data" / "files", count, size)
        if way == "up":
            hrefs = [f"{url}/files/{name}" for name in names]
            yield Upload(
                url=f"{url}/files",
                urls=hrefs,
                job_url=publish(folder / "data", url, "bench", hrefs, size),
                target=folder,
                size=size,
                bucket=bucket,
                folder=folder / "data" / "files",
            )
            return
        bucket.make()
        peers.timed([str(peers.tool("s5cmd")), "--log", "error", "cp", f"{folder / 'data' / 'files'}/*", "s3://bench/"])
        hrefs = [f"s3://bench/{name}" for name in names]
        document = folder / "objects.json"
        document.write_text(json.dumps(_item(hrefs, size)))
        for name in names:
            (folder / "data" / "files" / name).unlink()
        yield Job(url="", urls=hrefs, job_url=str(document), target=folder / "target", size=size)


def _item(hrefs: Sequence[str], size: int) -> dict[str, object]:
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": "bench",
        "geometry": None,
        "properties": {"datetime": "2023-06-01T00:00:00Z"},
        "links": [],
        "assets": {href.rpartition("/")[2]: {"href": href, "file:size": size} for href in hrefs},
    }


def _client(store: SeaweedFS) -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client("s3", endpoint_url=store.url, config=Config(s3={"addressing_style": "path"}))


def main() -> None:
    """Parse the arguments and run what they name."""
    names = [f"{kind}-{way}" for way in WAYS for kind in SIZES]
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default=",".join(names), help="workloads, separated by commas")
    parser.add_argument("--scale", type=float, default=1.0, help="so much of the data; 0.1 for a first look")
    parser.add_argument("--https", action="store_true", help="reach the store over https")
    arguments = parser.parse_args()
    pairs.compile_sources()
    with scratch() as folder, seaweedfs(folder, memory="1500MiB") as store:
        endpoint = store.https_url if arguments.https else store.url
        os.environ.update(
            store.environment,
            AWS_ENDPOINT_URL_S3=endpoint,
            AWS_CA_BUNDLE=str(store.ca_bundle),
            AWS_EC2_METADATA_DISABLED="true",
            S3_ENDPOINT_URL=store.url,
            RCLONE_S3_PROVIDER="Other",
            RCLONE_S3_ENDPOINT=endpoint,
            RCLONE_S3_ENV_AUTH="true",
            RCLONE_S3_REGION="us-east-1",
        )
        for name in arguments.only.split(","):
            run(name, store, endpoint, arguments.runs, arguments.scale)


if __name__ == "__main__":
    main()
