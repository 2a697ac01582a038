"""Kills processes that work for a run (``--executor processes:N``) at random moments, and looks at what landed.

    python tests/soak/workers.py [--rounds 100] [--only disk,s3] [--seed 1]

Each round has a new target. The run has to go on with the other processes and new ones, and to end well; then files,
receipt and ``verify`` are compared byte for byte, and nothing may be left behind. One of the files is large, and on disk
several processes move its parts. Prints a line for each round and one JSON object; fails where anything was wrong, or
where no process was killed.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from scene import (
    HIDDEN,
    FaultServer,
    Places,
    Source,
    Target,
    complaint,
    over_kinds,
    random_bytes,
    soak_parser,
    start,
    wrong_with_the_end,
)

FILES, PROCESSES = 300, 3
#: A file of 8 MiB counts as large.
LARGE, SETTINGS = 8 * 2**20, {"SPLASHDOWN_RANGE_CUTOFF": str(2**20), "SPLASHDOWN_PART_SIZE": str(2**18)}


class Soak:
    """Rounds over one kind of target."""

    def __init__(self, server: FaultServer, folder: Path, places: Places, draw: random.Random) -> None:
        self.places, self.draw = places, draw
        self.source = Source(server=server, path=folder / "item.json", drip=0.02, sized=True)
        for number in range(FILES):
            self.source.put(f"{number:03}.bin", random_bytes(draw, 1, 60_000))
        self.source.put("large.bin", draw.randbytes(LARGE))
        self.wrong: list[str] = []
        self.count: Counter[str] = Counter()

    def round(self, kind: str) -> None:
        """One run, of whose processes one to three are killed."""
        self.count["rounds"] += 1
        target, server = self.places.make(kind), self.source.server
        before = len(server.seen)
        words = ["download", str(self.source.save()), target.url, "--quiet", "--json"]
        run = start(*words, "--executor", f"processes:{PROCESSES}")
        server.wait_for(lambda seen: len(seen) > before or run.poll() is not None, timeout=300, tick=0.02)
        for _ in range(self.draw.randint(1, 3)):
            time.sleep(self.draw.uniform(0.0, 0.5))
            self.kill_one(run)
        said = complaint(run, seconds=300)
        self.count["reads of the large file"] += sum(one.path.endswith("/large.bin") for one in server.seen[before:])
        found = [f"the run failed: {said}"] if said else wrong_with_the_end(target, self.source.contents)
        self.wrong += [f"round {self.count['rounds']}: {one}" for one in [*found, *left(target)]]

    def kill_one(self, run: subprocess.Popen[str]) -> None:
        """Kill one of the processes that work for the run, if there is one now."""
        if workers := workers_of(run.pid):
            with suppress(ProcessLookupError):  # it has ended meanwhile
                os.kill(self.draw.choice(workers), signal.SIGKILL)
                self.count["kills"] += 1


def workers_of(pid: int) -> list[int]:
    """The processes that Python's ``multiprocessing`` has started for another one."""
    children = [int(word) for task in tasks(pid) for word in task.read_text().split()]
    return [child for child in children if b"spawn_main" in said_by(child)]


def tasks(pid: int) -> list[Path]:
    """Files that list the children of each thread of a process."""
    return [one / "children" for one in Path(f"/proc/{pid}/task").glob("*") if (one / "children").exists()]


def said_by(pid: int) -> bytes:
    """The command line of a process; empty where it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def left(target: Target) -> list[str]:
    """What a run has not tidied up. Notes in a store of workers that were killed last may stay for the next run."""
    parts = target.unfinished() + [name for name in target.names() if name.startswith(HIDDEN) and "records" not in name]
    return [f"there is left: {parts}"] if parts else []


def main() -> int:
    """Parse the arguments, and print what was found."""
    parser = soak_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=100, help="in all")
    given = parser.parse_args()
    os.environ.update(SETTINGS)
    kinds = given.only.split(",")

    def play(server: FaultServer, folder: Path, places: Places, kind: str) -> tuple[Counter[str], list[str]]:
        soak = Soak(server, folder, places, random.Random(f"{given.seed} {kind}"))
        for _ in range(given.rounds // len(kinds)):
            soak.round(kind)
            print(kind, dict(soak.count), *soak.wrong[-1:], file=sys.stderr, flush=True)
        return soak.count, soak.wrong

    said = over_kinds("workers", kinds, play)
    print(json.dumps(said, indent=2))
    return any(one["wrong"] or not one.get("kills") for one in said.values())


if __name__ == "__main__":
    sys.exit(main())
