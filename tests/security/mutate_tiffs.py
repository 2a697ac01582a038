"""Damaged TIFFs, in thousands: each ends in a result or in ``LoadError``, under 1 GiB and 5 s.

    .venv/bin/python tests/security/mutate_tiffs.py --count 20000 --seed 0

Workers with a limit on their memory read the files in all ways that the loaders have. The command prints how the
files ended and exits with 1 when one ended otherwise; ``--only N`` reads a single one and shows its traceback.
A crash of a worker is reported with the number of its file, and the work goes on with the next.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[1] / "support"))

from mutated_tiffs import good_files, mutated  # noqa: E402

SECONDS, MEMORY = 5, 1 << 30
#: Files for one worker.
SHARE = 1000


def ways():
    """Each way to read a file."""
    from splashdown_geotiff import load_geotiff, load_numpy, open_geotiff
    from splashdown_geotiff._summary import summarise, summarise_open

    return (
        load_geotiff,
        load_numpy,
        lambda handle: load_geotiff(handle, window=(0, 0, 8, 8), masked=True, scaled=True),
        lambda handle: load_geotiff(handle, bbox=(500050, 5599700, 500200, 5599900)),
        lambda handle: load_numpy(handle, masked=True, scaled=True),
        lambda handle: load_geotiff(handle, chunks={})[:, :8, :8].compute(),
        lambda handle: open_geotiff(handle).read(overview=0) if open_geotiff(handle).overviews else None,
        lambda handle: load_geotiff(handle, bbox=(3, 50, 3.001, 50.001), bbox_crs="EPSG:4326", resolution=20),
        summarise,
        summarise_open,
    )


class TooSlowError(BaseException):
    """Nothing that reads a file may catch this."""


def _too_slow(*_):
    raise TooSlowError


def end_of(number: int, files: dict[str, bytes], loads) -> tuple[str, str]:
    """How the file of this number ends: a kind, and where it is a wrong one, what happened."""
    from splashdown.errors import LoadError, OptionError
    from splashdown.testing import MemoryHandle, make_asset

    dice = random.Random(number)
    name = dice.choice(sorted(files))
    content, load = mutated(dice, files[name]), dice.choice(loads)
    handle = MemoryHandle(content, make_asset("x.tif", media_type="image/tiff; application=geotiff"))
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        load(handle)
    except (LoadError, OptionError) as error:
        # OptionError: the box or window that was asked for does not make sense for what the file has become.
        one_line = "\n" not in str(error)
        return (type(error).__name__, "") if one_line else ("several lines", f"{number} {name}: {error}")
    except (Exception, TooSlowError) as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        kind = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
        return kind, f"{number} {name}: {error}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return "result", ""


def work(folder: Path, first: int, stop: int, mark: Path) -> None:
    """The part of a worker: a line of JSON on stdout for each file."""
    warnings.simplefilter("ignore")
    files = {path.stem: path.read_bytes() for path in folder.glob("*.tif")}
    loads = ways()
    end_of(0, {name: content for name, content in files.items() if name == "tiles"}, loads[:1])  # all is imported
    signal.signal(signal.SIGPROF, _too_slow)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY,) * 2)
    for number in range(first, stop):
        mark.write_text(str(number))
        begun = time.process_time()  # other programs do not count
        kind, detail = end_of(number, files, loads)
        print(json.dumps([kind, detail, time.process_time() - begun]), flush=True)


def share_out(folder: Path, first: int, stop: int) -> list[tuple[str, str, float]]:
    """Have a range of files read by workers; one that dies is followed by the next."""
    ends: list[tuple[str, str, float]] = []
    while first < stop:
        mark = folder / f"{first}.mark"
        command = [sys.executable, str(HERE), "--work", str(folder), str(first), str(stop), str(mark)]
        done = subprocess.run(command, capture_output=True, text=True)
        lines = [tuple(json.loads(line)) for line in done.stdout.splitlines() if line.startswith("[")]
        ends += lines
        first += len(lines)
        if first < stop:
            if not mark.exists():
                raise SystemExit(f"a worker did not start: {done.stderr}")
            ends.append((f"worker died ({done.returncode})", f"{mark.read_text()}: {done.stderr[-500:]}", 0.0))
            first += 1
    return ends


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0, help="the number of the first file")
    parser.add_argument("--only", type=int)
    parser.add_argument("--work", nargs=4)
    given = parser.parse_args()
    if given.work:
        folder, first, stop, mark = given.work
        work(Path(folder), int(first), int(stop), Path(mark))
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        layouts = len(good_files(folder))
        if given.only is not None:
            work(folder, given.only, given.only + 1, folder / "mark")
            return 0
        begun = time.monotonic()
        firsts = range(given.seed, given.seed + given.count, SHARE)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            shares = pool.map(lambda at: share_out(folder, at, min(at + SHARE, given.seed + given.count)), firsts)
            ends = [end for share in shares for end in share]
    kinds = Counter(kind for kind, _, _ in ends)
    print(f"{len(ends)} TIFFs of {layouts} layouts in {time.monotonic() - begun:.0f} s: {dict(kinds.most_common())}")
    print(f"the slowest took {max(seconds for *_, seconds in ends):.2f} s of {SECONDS}; each worker had 1 GiB")
    wrong = {kind: detail for kind, detail, _ in ends if detail}
    for kind, detail in wrong.items():
        print(f"WRONG {kinds[kind]} x {kind}: {detail}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
