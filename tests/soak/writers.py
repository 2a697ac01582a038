"""Several processes save into one target at once, round after round; in half of the rounds one of them is killed.

    python tests/soak/writers.py [--rounds 30] [--only disk,s3] [--seed 1]

In a round 2, 4 or 8 processes take the same changed source, or each its own part of it. Those that are not killed have
to end well; after one more run, which has to find nothing new where none was killed, files, receipt and ``verify`` are
compared byte for byte. Prints one JSON object; fails where anything was wrong.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from scene import (
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
    wrong_with_the_end,
)

COUNTS = (2, 4, 8)
FILES = 16


class Soak:
    """Rounds on one target."""

    def __init__(self, server: FaultServer, folder: Path, target: Target, draw: random.Random) -> None:
        self.server, self.folder, self.target, self.draw = server, folder, target, draw
        self.whole = self.source("whole")
        self.wrong: list[str] = []
        self.count: Counter[str] = Counter()

    def source(self, name: str) -> Source:
        """The one item, as one process sees it."""
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        return Source(server=self.server, path=folder / f"{self.folder.name}.json", drip=0.02)

    def round(self, count: int) -> None:
        """Change the source, let ``count`` processes save it, and look."""
        for number in range(FILES):
            if number == 0 or self.draw.random() < 0.6 or not self.count["rounds"]:
                self.whole.put(f"{number:02}.bin", random_bytes(self.draw, 1, 200_000))
        self.count["rounds"] += 1
        alike = self.draw.random() < 0.5
        sources = [self.whole] * count if alike else [self.share(number, count) for number in range(count)]
        processes = [start(*self.words(one)) for one in sources]
        killed = self.draw.choice(processes) if self.draw.random() < 0.5 else None
        if killed is not None:
            time.sleep(self.draw.uniform(0.3, 2.0))
            killed.kill()
        for one in processes:
            said = complaint(one)
            if one is killed and one.returncode == -9:
                self.count["kills"] += 1
            elif said:
                self.wrong.append(f"round {self.count['rounds']}: {said}")
        self.count["processes"] += count
        out, errors = start(*self.words(self.whole)).communicate(timeout=120)
        states = Counter(one["status"] for one in json.loads(out)["outcomes"])
        if set(states) != {"skipped"} and killed is None:
            self.wrong.append(f"round {self.count['rounds']}: the run after them {dict(states)} {errors[-300:]}")
        found = wrong_with_the_end(self.target, self.whole.contents)
        self.wrong += [f"round {self.count['rounds']}: {one}" for one in found]

    def share(self, number: int, count: int) -> Source:
        """The part of one process: every so many files."""
        share = self.source(f"share-{number}")
        share.contents = dict([*self.whole.contents.items()][number::count])
        return share

    def words(self, source: Source) -> list[str]:
        """A command."""
        return ["download", str(source.save()), self.target.url, "--quiet", "--json"]

    def end(self) -> None:
        """A run that is alone leaves nothing behind."""
        said = complaint(start(*self.words(self.whole), machine=Machine(alone=True)))
        self.wrong += [f"the last run failed: {said}"] if said else []
        if left := [name for name in self.target.names() if name.startswith(".splashdown")] + self.target.unfinished():
            self.wrong.append(f"at the end there is left: {left}")


def main() -> int:
    """Parse the arguments, and print what was found."""
    parser = soak_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=30, help="over each kind of target")
    given = parser.parse_args()

    def play(server: FaultServer, folder: Path, places: Places, kind: str) -> tuple[Counter[str], list[str]]:
        soak = Soak(server, folder / kind, places.make(kind), random.Random(f"{given.seed} {kind}"))
        for number in range(given.rounds):
            soak.round(COUNTS[number % len(COUNTS)])
        soak.end()
        return soak.count, soak.wrong

    said = over_kinds("writers", given.only.split(","), play)
    print(json.dumps(said, indent=2))
    return any(one["wrong"] for one in said.values())


if __name__ == "__main__":
    sys.exit(main())
