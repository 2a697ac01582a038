"""Kills runs at random moments (SIGKILL), and looks after each kill at everything that a target promises.

    python tests/soak/kills.py [--kills 200] [--only disk,s3] [--seed 1] [--no-wait]

After a kill ``verify`` has to know each file that has its name, no file may be torn, and nothing outside the target may
have changed. The next run has to complete, and files, receipt and ``verify`` are compared byte for byte. The source
changes between rounds; half of them are ``sync --delete``. At the end one more run has to leave nothing unfinished.
Prints one JSON object; fails where anything was wrong.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from scene import (
    HIDDEN,
    MINE,
    RECEIPT,
    FaultServer,
    Machine,
    Places,
    Source,
    Target,
    complaint,
    over_kinds,
    random_bytes,
    soak_parser,
    start,
    verified,
    wrong_with_the_end,
)

from splashdown._folders.owner import STALE_SECONDS
from splashdown.actions import State

FILES = 14


class Soak:
    """Rounds of kills on one target."""

    def __init__(self, source: Source, target: Target, draw: random.Random, outside: Path) -> None:
        self.source, self.target, self.draw, self.outside = source, target, draw, outside
        self.wrong: list[str] = []
        self.count: Counter[str] = Counter()
        self.stale: set[str] = set()
        self.ever: dict[str, set[bytes]] = {}  #: every version of each file that was ever offered
        self.seconds = 1.0  #: how long a run takes that is not killed
        self.number = self.rounds = 0
        for _ in range(FILES):
            self.offer()
        self.before = snapshot(outside)

    def offer(self) -> None:
        """Add a file to the source: most are small, one in four has several pieces on its way."""
        self.number += 1
        small = self.draw.random() < 0.75
        self.source.put(
            f"{self.number:03}.bin", random_bytes(self.draw, *((1, 30_000) if small else (200_000, 900_000)))
        )

    def change(self) -> None:
        """Change, add and remove some files."""
        for name in self.draw.sample(sorted(self.source.contents), k=FILES // 2):
            self.source.put(name, random_bytes(self.draw, 1, 300_000))
        for name in self.draw.sample(sorted(self.source.contents), k=2):
            self.source.remove(name)
            self.stale.add(name)
        while len(self.source.contents) < FILES:
            self.offer()

    def round(self) -> None:
        """Kill a run, look, let another one complete, and look again."""
        words = ["download"] if self.draw.random() < 0.5 else ["sync", "--delete"]
        words += [
            str(self.source.save()),
            self.target.url,
            "--quiet",
            "--json",
            "--jobs",
            str(self.draw.choice((2, 8))),
        ]
        for name, data in self.source.contents.items():
            self.ever.setdefault(name, set()).add(data)
        self.rounds += 1
        process = start(*words)
        self.wait_for_the_moment(process)
        process.kill()
        process.communicate()
        self.count["kills" if process.returncode == -9 else "too late"] += 1
        if process.returncode == -9:
            self.look_after_the_kill()
        begun = time.monotonic()
        process = start(*words)
        said = complaint(process)
        self.seconds = max(0.6, time.monotonic() - begun)
        if said:
            self.wrong.append(f"round {self.rounds}: the next run failed: {said}")
        stale = sorted(self.stale)
        found = wrong_with_the_end(self.target, self.source.contents, stale=stale)
        if words[0] == "sync" and (left := self.stale & set(self.target.names())):
            found.append(f"sync --delete left {sorted(left)}")
        self.wrong += [f"round {self.rounds}: {one}" for one in found]

    def wait_for_the_moment(self, process: subprocess.Popen[str]) -> None:
        """Most moments are after the first request, where something is under way; one in five is any."""
        if self.draw.random() < 0.2:
            time.sleep(self.draw.uniform(0.0, self.seconds))
            return
        server = self.source.server
        before = len(server.seen)
        # In a bucket a run waits for what a killed one had under way until that one is taken for dead.
        server.wait_for(lambda seen: len(seen) > before or process.poll() is not None, timeout=300, tick=0.02)
        time.sleep(self.draw.uniform(0.0, 0.8 * self.seconds))

    def look_after_the_kill(self) -> None:
        """Each file is whole, and known to ``verify`` as what it is."""
        there = [name for name in self.target.names() if not name.startswith(HIDDEN) and name not in {RECEIPT, MINE}]
        report = verified(self.target)
        states = {one.name: one.state for one in report.files} if report else {}
        self.count["files there after a kill"] += len(there)
        self.count["rounds with something unfinished"] += bool(
            [name for name in self.target.names() if name.startswith(HIDDEN)]
        )
        for name in there:
            if self.target.read(name) not in self.ever[name]:
                self.wrong.append(f"round {self.rounds}: {name} is torn")
            if states.get(name) is not State.OK:
                self.wrong.append(f"round {self.rounds}: verify says {states.get(name)} of {name}")
        if (after := snapshot(self.outside)) != self.before:
            self.wrong.append(f"round {self.rounds}: outside the target {after} was {self.before}")

    def end(self, *, waits: bool) -> None:
        """One more run leaves nothing behind, once the dead ones count as dead: in a store a while after their end.

        Without waiting the run is told that it is alone.
        """
        if waits and (left := STALE_SECONDS - self.target.quiet_seconds()) > 0:
            time.sleep(left + 1)  # a store says times in whole seconds
        last = Machine(alone=not waits)
        said = complaint(start("sync", str(self.source.save()), self.target.url, "--quiet", "--json", machine=last))
        self.wrong += [f"the last run failed: {said}"] if said else []
        left = [name for name in self.target.names() if name.startswith(HIDDEN)] + self.target.unfinished()
        if left:
            self.wrong.append(f"at the end there is left: {left}")


def snapshot(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Names, bytes and times of all files of a folder."""
    return {
        str(one): (one.lstat().st_mode, one.lstat().st_mtime_ns, one.read_bytes() if one.is_file() else b"")
        for one in sorted(folder.rglob("*"))
    }


def made_outside(folder: Path) -> Path:
    """A folder that no run may touch, with what one might take for its own."""
    outside = folder / "outside"
    (outside / ".splashdown").mkdir(parents=True, exist_ok=True)
    (outside / "victim.txt").write_text("precious")
    (outside / ".splashdown" / "0a-1.part").write_text("precious")
    return outside


def main() -> int:
    """Parse the arguments, and print what was found."""
    parser = soak_parser(__doc__)
    parser.add_argument("--kills", type=int, default=200, help="in all; over disk and a store half each")
    parser.add_argument("--no-wait", action="store_true", help="do not wait until runs in a store count as dead")
    given = parser.parse_args()
    kinds = given.only.split(",")

    def play(server: FaultServer, folder: Path, places: Places, kind: str) -> tuple[Counter[str], list[str]]:
        source = Source(server=server, path=folder / f"{kind}.json", drip=0.03)
        draw = random.Random(f"{given.seed} {kind}")
        soak = Soak(source, places.make(kind), draw, made_outside(folder))
        while soak.count["kills"] < given.kills // len(kinds) and len(soak.wrong) < 20:
            soak.round()
            soak.change()
        soak.end(waits=not given.no_wait)
        return soak.count, soak.wrong

    said = over_kinds("kills", kinds, play)
    print(json.dumps(said, indent=2))
    return any(one["wrong"] for one in said.values())


if __name__ == "__main__":
    sys.exit(main())
