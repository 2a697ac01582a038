"""Many writers on one target: a source that changes, targets of two kinds, the command in processes, what must hold.

``Source`` is a STAC item without sizes and checksums over a server on loopback, so that receipts alone decide what is
skipped, replaced and refused. A target lists what is really in it without a line of Splashdown.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import random
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Protocol, Self

from fault_server import FaultServer
from faults import Drip
from s3_store import S3Store
from seaweedfs import seaweedfs
from stac_item import stac_item

from splashdown.actions import State, VerifyReport
from splashdown.errors import ResolveError
from splashdown.session import Session

HIDDEN, RECEIPT = ".splashdown/", "item.json"
#: A file of the user's own in the target: no run may touch it.
MINE, MINE_DATA = "mine.txt", b"not from here"


def multihash(data: bytes) -> str:
    """A SHA-256 digest, as receipts have it."""
    return "1220" + hashlib.sha256(data).hexdigest()


@dataclass(kw_only=True)
class Source:
    """An item at ``path`` whose assets come and go, and which says their sizes where it is ``sized``.

    ``drip`` slows bodies down, so that kills hit their middle.
    """

    server: FaultServer
    path: Path
    prefix: str = ""
    drip: float = 0.0
    sized: bool = False
    contents: dict[str, bytes] = field(default_factory=dict)

    def put(self, name: str, data: bytes) -> None:
        """Offer a file, new or changed."""
        place = f"/{self.path.stem}/{name}"
        self.server.add(place, data)
        if self.drip:
            self.server.always(place, Drip(size=64 * 1024, delay=self.drip))
        self.contents[name] = data

    def remove(self, name: str) -> None:
        """Do not list a file any more."""
        del self.contents[name]

    def save(self) -> Path:
        """Write the item; its path."""
        assets = {name: self._asset(name, data) for name, data in self.contents.items()}
        self.path.write_text(json.dumps(stac_item(assets, id=self.path.stem)))
        return self.path

    def _asset(self, name: str, data: bytes) -> dict[str, object]:
        said = {"file:size": len(data)} if self.sized else {}
        return {"href": f"{self.server.url}/{self.path.stem}/{name}", **said}


class Target(Protocol):
    """A place for files, as it is seen by its owner."""

    url: str

    def names(self) -> list[str]:
        """Every file or object in it."""

    def read(self, name: str) -> bytes:
        """The bytes of one."""

    def put(self, name: str, data: bytes) -> None:
        """Store a file of the user's own."""

    def unfinished(self) -> list[str]:
        """What is neither a file nor gone: uploads that were begun."""

    def quiet_seconds(self) -> float:
        """How long ago a run that is not known to be dead has noted something, by the target's own clock."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of this machine."""

    path: Path

    @property
    def url(self) -> str:
        return str(self.path)

    def names(self) -> list[str]:
        return [one.relative_to(self.path).as_posix() for one in sorted(self.path.rglob("*")) if not one.is_dir()]

    def read(self, name: str) -> bytes:
        return (self.path / name).read_bytes()

    def put(self, name: str, data: bytes) -> None:
        self.path.mkdir(exist_ok=True)
        (self.path / name).write_bytes(data)

    def unfinished(self) -> list[str]:
        return [name for name in self.names() if name.endswith(".part")]

    def quiet_seconds(self) -> float:
        return math.inf  # processes of this machine are known to be dead by their numbers


@dataclass(frozen=True, slots=True)
class Prefix:
    """A prefix of a bucket. ``client`` is boto3's."""

    client: Any
    bucket: str
    prefix: str

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    def names(self) -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
        return sorted(one["Key"].removeprefix(self.prefix) for page in pages for one in page.get("Contents", ()))

    def read(self, name: str) -> bytes:
        body: bytes = self.client.get_object(Bucket=self.bucket, Key=self.prefix + name)["Body"].read()
        return body

    def put(self, name: str, data: bytes) -> None:
        self.client.put_object(Bucket=self.bucket, Key=self.prefix + name, Body=data)

    def unfinished(self) -> list[str]:
        return [one["Key"] for one in self.client.list_multipart_uploads(Bucket=self.bucket).get("Uploads", ())]

    def quiet_seconds(self) -> float:
        listed = self.client.list_objects_v2(Bucket=self.bucket, Prefix=self.prefix + HIDDEN)
        now = parsedate_to_datetime(listed["ResponseMetadata"]["HTTPHeaders"]["date"])
        ages = [(now - one["LastModified"]).total_seconds() for one in listed.get("Contents", ())]
        return min(ages, default=math.inf)


@contextmanager
def store(folder: Path) -> Iterator[tuple[S3Store, Any]]:
    """A running store with a client of boto3 for it; the environment of this process, and of children, names it."""
    import boto3
    from botocore.config import Config

    folder.mkdir()
    with seaweedfs(folder) as running:
        os.environ.update(running.environment | {"AWS_EC2_METADATA_DISABLED": "true"})
        yield running, boto3.client("s3", config=Config(s3={"addressing_style": "path"}))


class Places:
    """Makes new targets of a kind (``disk`` or ``s3``) below a scratch folder."""

    def __init__(self, folder: Path, kinds: Iterable[str]) -> None:
        self._folder, self._stack, self._client = folder, ExitStack(), None
        # Journals of uploads to stores are in the user's state folder: one of our own.
        os.environ["XDG_STATE_HOME"] = str(folder / "state")
        if "s3" in kinds:
            _, self._client = self._stack.enter_context(store(folder / "store"))
            self._client.create_bucket(Bucket="soak")

    def make(self, kind: str) -> Target:
        """A new target, with a file of the user's own in it."""
        name = secrets.token_hex(4)
        target: Target = (
            Folder(self._folder / f"target-{name}") if kind == "disk" else Prefix(self._client, "soak", f"{name}/")
        )
        target.put(MINE, MINE_DATA)
        return target

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


#: Plays the rounds over one kind of target; what was counted, and what was wrong.
Play = Callable[[FaultServer, Path, Places, str], tuple[Mapping[str, int], Sequence[str]]]


def over_kinds(name: str, kinds: Iterable[str], play: Play) -> dict[str, dict[str, Any]]:
    """Play over each kind of target; counts, seconds and what was wrong, by kind."""
    said: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix=f"{name}-") as scratch, FaultServer() as server:
        folder = Path(scratch).resolve()
        with Places(folder, kinds) as places:
            for kind in kinds:
                begun = time.monotonic()
                count, wrong = play(server, folder, places, kind)
                said[kind] = {**count, "seconds": round(time.monotonic() - begun), "wrong": wrong}
    return said


def soak_parser(description: str | None) -> argparse.ArgumentParser:
    """The arguments that all soaks have."""
    parser = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    parser.add_argument("--only", default="disk,s3", help="kinds of targets, separated by commas")
    parser.add_argument("--seed", type=int, default=1)
    return parser


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What is special where a process runs. ``skew`` is how many seconds its clock is ahead.

    ``number`` makes it another machine than this one (12 hex digits); ``alone`` says that no other run is active, so
    that whatever is left in the target was left by a dead one.
    """

    skew: float = 0.0
    number: str = ""
    alone: bool = False

    def prelude(self) -> str:
        lines = ["import sys, time", "from splashdown._folders import owner"]
        lines += [f"_time = time.time; time.time = lambda: _time() + {self.skew}"] if self.skew else []
        lines += [f"owner._machine = lambda: {self.number!r}"] if self.number else []
        lines += ["owner.STALE_SECONDS = 0.0"] if self.alone else []
        return "; ".join(lines)


THIS_MACHINE = Machine()


def command(*words: str, machine: Machine = THIS_MACHINE) -> list[str]:
    """The command in a process of its own."""
    run = f"{machine.prelude()}; from splashdown._cli.main import main; sys.exit(main())"
    return [sys.executable, "-c", run, *words]


def start(*words: str, machine: Machine = THIS_MACHINE) -> subprocess.Popen[str]:
    """Start the command."""
    return subprocess.Popen(
        command(*words, machine=machine),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent,
    )


def complaint(process: subprocess.Popen[str], seconds: float = 120.0) -> str:
    """Wait for a process; empty where it ended well, else what it said."""
    _, errors = process.communicate(timeout=seconds)
    return "" if process.returncode == 0 else f"exit {process.returncode}: {errors[-600:]}"


def verified(target: Target) -> VerifyReport | None:
    """What ``verify`` says of a target; ``None`` where no receipt and no fragment is there."""
    try:
        report: VerifyReport = Session(config=False).run("verify", target.url)
    except ResolveError:
        return None
    return report


def wrong_with_the_end(target: Target, contents: Mapping[str, bytes], *, stale: Sequence[str] = ()) -> list[str]:
    """What does not hold once a run is through: files, receipt and ``verify`` are compared byte for byte.

    ``stale`` are files that earlier runs have stored and the source lists no more.
    """
    found = [name for name in target.names() if not name.startswith(HIDDEN)]
    wrong = [f"{name}: is not in the target" for name in contents if name not in found]
    wrong += [
        f"{name}: has other bytes" for name, data in contents.items() if name in found and target.read(name) != data
    ]
    if set(found) - set(contents) - set(stale) != {RECEIPT, MINE}:
        wrong.append(f"the target holds {found}")
    if target.read(MINE) != MINE_DATA:
        wrong.append("the user's own file has changed")
    described = _described(json.loads(target.read(RECEIPT)))
    for name in (*contents, *(name for name in stale if name in found)):
        data = target.read(name)
        if described.get(name) != (len(data), multihash(data)):
            wrong.append(f"{name}: the receipt says {described.get(name)}")
    report = verified(target)
    if report is None:
        return [*wrong, "verify knows nothing"]
    wrong += [f"verify: {one.name} {one.state} {one.detail}" for one in report.files if _is_odd(one.name, one.state)]
    return wrong


def _described(document: Mapping[str, Any]) -> dict[str, tuple[int, str]]:
    entries = [*document["assets"].values(), *document.get("splashdown:stale", ())]
    return {
        one["href"].removeprefix("./"): (one["file:size"], one.get("file:checksum", ""))
        for one in entries
        if "splashdown:key" in one
    }


def _is_odd(name: str, state: State) -> bool:
    return (state is State.EXTRA) if name != MINE and state is State.EXTRA else state not in {State.OK, State.EXTRA}


def random_bytes(draw: random.Random, least: int, most: int) -> bytes:
    """As many bytes as are drawn."""
    return draw.randbytes(draw.randint(least, most))
