"""Runs the engine over very many small assets and prints, as JSON, what that took: ``many.py COUNT FOLDER``.

The files come from the disk and go to a sink that throws them away, so what is measured is what the engine itself does and
keeps for each asset, its journal included.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import pairwise
from pathlib import Path

from splashdown._engine.remote import Remote
from splashdown._engine.run import Run, run_plan
from splashdown.builtins.file import FileTransport
from splashdown.model import Asset, Part, PartPolicy, Plan, Transfer, Upload


class Discard:
    """A sink without a store. Its journal is as real as that of any other."""

    parts = PartPolicy()

    def __init__(self, state_dir: Path, every: int) -> None:
        self.state_dir = state_dir
        self.every = every
        self.count = 0
        self.marks: list[float] = []

    def begin(self, key, content):
        return Upload(key=key, token={"part": f"{key}.part"})

    def put_part(self, upload, part: Part, chunks):
        return str(sum(len(chunk) for chunk in chunks))

    def commit(self, upload, tags):
        self.count += 1
        if self.count % self.every == 0:
            self.marks.append(time.process_time())
        return f"/target/{upload.key}"

    def abort(self, upload):
        pass

    def close(self):
        pass


def peak() -> int:
    """The largest resident set of this process so far, in bytes."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["VmHWM"].split()[0]) * 1024


def main(count: int, folder: Path) -> dict:
    source = folder / "source.bin"
    source.write_bytes(b"x" * 100)
    href = source.as_uri()
    plan = Plan(
        target="/target",
        source="many",
        transfers=tuple(
            Transfer(asset=Asset(key=f"key-{n}", item=f"item-{n}", href=f"{href}?{n}"), name=f"{n % 100}/{n}.tif")
            for n in range(count)
        ),
    )
    sink = Discard(folder / "state", count // 10)
    transport = FileTransport()
    begun = time.process_time()
    report = run_plan(Run(plan=plan, sink=sink), Remote(transport=lambda _: transport))
    marks = [begun, *sink.marks]
    return {
        "stored": len(report.landed) - len(report.failed),
        "error": report.failed[0].error if report.failed else "",
        "peak": peak(),
        "tenths": [round(b - a, 3) for a, b in pairwise(marks)],
        "seconds": round(report.seconds, 1),
    }


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), Path(sys.argv[2]))))
