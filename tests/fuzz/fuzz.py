"""Coverage-guided fuzzing of the parsers, with atheris.

    .venv/bin/python tests/fuzz/fuzz.py --minutes 15 [--target stac]

The minutes are for all targets together; one process works on one target. Inputs that reach new code are kept in
``.cache/fuzz/TARGET``, and the next call continues with them. The command prints how many inputs were tried and what was
found; an input that raises something else than errors of this project ends its target, is kept, and gives exit code 1.

``--inputs 300`` is the short form: so many inputs for each target, made without atheris, and the same ones at each call.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[1] / ".cache" / "fuzz"
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
NAMES = ("hrefs", "headers", "stac", "openeo", "records", "tiff")


def work(name: str, seconds: int) -> None:
    """Fuzz one target in this process."""
    import atheris

    with atheris.instrument_imports(include=["splashdown", "splashdown_geotiff"], enable_loader_override=False):
        from targets import TARGETS, seeds

    folder = CACHE / name
    folder.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(seeds(name)):
        (folder / f"seed-{number}").write_bytes(content)
    options = (f"-max_total_time={seconds}", f"-artifact_prefix={CACHE}/{name}-", "-rss_limit_mb=2048", "-timeout=10")
    atheris.Setup([sys.argv[0], *options, "-max_len=20000", "-print_final_stats=1", str(folder)], TARGETS[name])
    atheris.Fuzz()


def start(name: str, seconds: int) -> tuple[str, int, str]:
    """Fuzz one target in a process of its own: name, number of inputs, and what was found."""
    command = [sys.executable, str(HERE / "fuzz.py"), "--work", name, "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    tried = re.search(r"number_of_executed_units:\s*(\d+)", done.stderr) or re.search(r"Done (\d+) in", done.stderr)
    count = int(tried[1]) if tried else max(map(int, re.findall(r"^#(\d+)", done.stderr, re.MULTILINE)), default=0)
    return name, count, "" if done.returncode == 0 else (done.stdout + done.stderr)[-4000:]


def made(seeds: Sequence[bytes], count: int) -> Iterator[bytes]:
    """Seeds and changed seeds."""
    rule = random.Random(1)
    for number in range(count):
        data = bytearray(seeds[number % len(seeds)])
        for _ in range(rule.randrange(1 + number // len(seeds)) if number >= len(seeds) else 0):
            at, end = sorted((rule.randrange(len(data) + 1), rule.randrange(len(data) + 1)))
            kind, other = rule.randrange(5), rule.choice(seeds)
            if kind == 0:
                data[at : at + 1] = rule.randbytes(1)
            elif kind == 1:
                data[at:at] = rule.choice((b"\0", b"~", b"\xff", b"9" * 30, b'"', b"[", b"\xed\xa0\x80", b"\\ud800"))
            elif kind == 2:
                del data[at : min(end, at + 8)]
            elif kind == 3:
                data[at:end] = other[at:end]
            else:
                data = data[:end]
        yield bytes(data)


def try_made(name: str, count: int) -> tuple[str, int, str]:
    """Give one target inputs that are the same each time."""
    from targets import TARGETS, seeds

    for data in made(seeds(name), count):
        try:
            TARGETS[name](data)
        except Exception:
            return name, count, f"{data!r}\n{traceback.format_exc()}"
    return name, count, ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0, help="for all targets together")
    parser.add_argument("--target", choices=NAMES, action="append")
    parser.add_argument("--jobs", type=int, default=1, help="targets at a time")
    parser.add_argument("--inputs", type=int, default=0, help="for each target; the same ones at each call")
    parser.add_argument("--work", choices=NAMES, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        work(given.work, given.seconds)
        return 0
    names = given.target or NAMES
    if given.inputs:
        ended = [try_made(name, given.inputs) for name in names]
    else:
        seconds = max(1, round(given.minutes * 60 * given.jobs / len(names)))
        with ThreadPoolExecutor(given.jobs) as pool:
            ended = list(pool.map(lambda name: start(name, seconds), names))
    for name, count, finding in ended:
        print(f"{name}: {count} inputs, {'1 finding' if finding else 'no finding'}")
        if finding:
            print(finding)
    print(f"{sum(count for _, count, _ in ended)} inputs, {sum(bool(f) for *_, f in ended)} findings")
    return int(any(finding for *_, finding in ended))


if __name__ == "__main__":
    sys.exit(main())
