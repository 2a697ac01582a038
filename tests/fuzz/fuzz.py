"""Coverage-guided fuzzing of the parsers, with atheris.

    .venv/bin/python tests/fuzz/fuzz.py --minutes 15 [--target stac]

The minutes are for all targets together; one process works on one target. Inputs that reach new code are kept in
``.cache/fuzz/TARGET``, and the next call continues with them. The command prints how many inputs were tried and what was
found; an input that raises something else than errors of this project ends its target, is kept, and gives exit code 1.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0, help="for all targets together")
    parser.add_argument("--target", choices=NAMES, action="append")
    parser.add_argument("--jobs", type=int, default=1, help="targets at a time")
    parser.add_argument("--work", choices=NAMES, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        work(given.work, given.seconds)
        return 0
    names = given.target or NAMES
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
